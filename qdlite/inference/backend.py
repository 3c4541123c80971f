"""What can answer an inference input, and how is one chosen?"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol, TypeAlias

from qdlite.errors import InferenceError
from qdlite.inference.inputs import Call, Embedded, InferenceInput


class Backend(Protocol):
    """Embeds distinct inputs whose routes have an equal `group`."""

    def embed(self, inputs: Sequence[InferenceInput], call: Call) -> Embedded: ...


class Route(NamedTuple):
    """The way of one input.

    Inputs with equal `group` travel in one call; among them, those with equal `identity` have one vector and
    are sent once. `mrl` is the size to which the vector is cut afterwards. `lasting` is whether the same input
    gives the same vector later too. Remote routes run last.
    """

    backend: Backend
    group: Hashable
    identity: Hashable
    mrl: int | None = None
    lasting: bool = True
    remote: bool = False


Rule: TypeAlias = Callable[[InferenceInput, Call], Route | None]
"""Claims an input by returning its route, or leaves it to the next rule. Refuses it with InferenceError."""


def checked_text(item: InferenceInput, max_length: int) -> str:
    """The data of a text input for a model that needs words; raises InferenceError if there are none or too many.

    `max_length` is in characters.
    """
    text = data_text(item)
    if not text or text.isspace():
        raise InferenceError(f"The text for model {item.model} is empty")
    if len(text) > max_length:
        raise InferenceError(
            f"The text for model {item.model} has {len(text)} characters, more than the {max_length} allowed"
        )
    return text


def data_text(item: InferenceInput) -> str:
    """The data of a text input; raises InferenceError unless it is a string."""
    if type(item.data) is not str:
        raise InferenceError(f"Model {item.model} embeds text, which must be a string")
    return item.data
