"""How is loading put off until somebody asks? Names that a package offers, and parts that many databases never use.

What a start loads is paid for by every process, however little it does. `tests/test_start_up.py` holds what may not
be loaded before the first answer.
"""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from logging import Logger

_T = TypeVar("_T")


def offered(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose names live in other modules (`homes`: module to names), each of which is
    loaded when one of its names is first asked for."""
    home_of = {name: home for home, names in homes.items() for name in names}

    def load(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home_of[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return load


def logger(name: str) -> Late[Logger]:
    """The logger of a module, for what is seldom said."""

    def get() -> Logger:
        import logging

        return logging.getLogger(name)

    return Late(get)


def pattern(text: str, flags: int = 0) -> Late[re.Pattern[str]]:
    """A regular expression, for what is seldom matched: compiling takes longer than loading a module."""
    return Late(partial(re.compile, text, flags))


class Late(Generic[_T]):
    """Something that is made when it is first called for, and only once, whoever calls."""

    def __init__(self, make: Callable[[], _T]) -> None:
        self._make = make
        self._mutex = threading.Lock()
        self.made: _T | None = None
        """None as long as nobody has called."""

    def __call__(self) -> _T:
        if self.made is None:
            with self._mutex:
                if self.made is None:
                    self.made = self._make()
        return self.made
