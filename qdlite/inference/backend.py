"""What can answer an inference input, and how is one chosen?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from qdlite.errors import InferenceError
from qdlite.inference.inputs import Call, Embedded, InferenceInput


class Backend(Protocol):
    """Embeds distinct inputs that name the same model, are of one kind and have equal `Route.shared`."""

    def embed(self, inputs: Sequence[InferenceInput], call: Call) -> Embedded: ...


class Route(NamedTuple):
    """The way of one input.

    `shared` tells which inputs may travel in one call: those where it is equal. `mrl` is the size to which the
    vector is cut afterwards. `counted` is whether tokens appear in the usage. Remote routes run last.
    """

    backend: Backend
    shared: Hashable = None
    mrl: int | None = None
    counted: bool = True
    remote: bool = False


Rule: TypeAlias = Callable[[InferenceInput, Call], Route | None]
"""Claims an input by returning its route, or leaves it to the next rule. Refuses it with InferenceError."""


def data_text(item: InferenceInput) -> str:
    """The data of a text input; raises InferenceError unless it is a string."""
    if type(item.data) is not str:
        raise InferenceError(f"Model {item.model} embeds text, which must be a string")
    return item.data
