"""Of what are wire models made? Numbers with their ranges, models with the rules of their fields, unions.

A body passes three gates, each complete before anything is written: msgspec decodes bytes into typed Structs
(`decoding`; a failure is a `MalformedBody`, 400); the rules declared beside the fields are applied (`checks`;
`InvalidBody`, 422); the collection then checks what only it can know.

Annotations are evaluated here, not kept as text: those of `Model` would be read again for each class below it.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, ClassVar

from msgspec import Meta, Struct

UInt = Annotated[int, Meta(ge=0)]
"""An unsigned 64-bit integer; a negative number and a larger one are type errors, as in Qdrant. msgspec knows no limit
of that size: `checks` holds it."""
NonZero = Annotated[int, Meta(ge=1)]
"""The same without zero."""
UInt32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
NonZero32 = Annotated[int, Meta(ge=1, le=2**32 - 1)]
UInt8 = Annotated[int, Meta(ge=0, le=2**8 - 1)]
LARGEST = 2**64 - 1

Rule = Callable[[Any], "str | None"]
"""Takes a field's value, returns what is wrong with it, or None. Raises MalformedBody if the value cannot be read at
all, which in Qdrant is found out before any rule is looked at."""
Problem = tuple[str, str]
"""Where and what: the path of a value, and the message about it."""
WHOLE = "__all__"
"""Stands in paths for a model whose fields do not go together."""


class Model(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all wire models. Absent and null optional fields are both None and are left out when encoded.

    `rules` maps a field to the rule for its value.
    """

    rules: ClassVar[Mapping[str, Rule]] = {}
    told: ClassVar[frozenset[str]] = frozenset()
    """Fields whose insides `problems` judges, because Qdrant reports them under other paths or only in part."""
    path_prefix: ClassVar[str] = ""
    """Stands in paths before the model's fields, e.g. `internal` for the flattened part of query requests."""

    def problems(self) -> Iterable[Problem]:
        """Gives (path, message) for what concerns several fields at once."""
        return ()


class OneOf(Model, frozen=True, kw_only=True):
    """An untagged union on the wire: one object with several known keys, of which `kind` is the first present.

    `exclusive`: a second key is refused, as in Qdrant's unions of types that take no unknown keys.
    """

    variants: ClassVar[tuple[str, ...]] = ()
    expected: ClassVar[str] = "Expected one of the documented forms"
    exclusive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.kind or (self.exclusive and sum(getattr(self, name) is not None for name in self.variants) > 1):
            raise ValueError(self.expected)

    @property
    def kind(self) -> str:
        """The key that says which variant this is; empty if there is none."""
        for name in self.variants:
            if getattr(self, name) is not None:
                return name
        return ""


def at_least(minimum: float) -> Rule:
    def rule(value: float) -> str | None:
        return None if value >= minimum else f"value {value} invalid, must be {minimum} or larger"

    return rule


def between(minimum: float, maximum: float) -> Rule:
    def rule(value: float) -> str | None:
        if minimum <= value <= maximum:
            return None
        return f"value {value} invalid, must be from {minimum} to {maximum}"

    return rule


def at_most(maximum: float) -> Rule:
    def rule(value: float) -> str | None:
        return None if value <= maximum else f"value {value} invalid, must be {maximum} or smaller"

    return rule


def not_empty(value: str) -> str | None:
    return None if value else 'value "" invalid, must be at least 1 characters'
