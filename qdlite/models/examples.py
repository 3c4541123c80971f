"""What may a query be compared with? Vectors, ids and inference objects, alone, in pairs and with scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Literal

from msgspec import UNSET, UnsetType
from msgspec.structs import force_setattr

from qdlite.models.base import WHOLE, Model, Problem, at_least
from qdlite.models.checks import violations
from qdlite.models.common import point_id
from qdlite.models.vectors import VectorObject, multivector_problems

VectorInput = list[float | list[float]] | int | str | VectorObject
"""A dense or multi vector, a point id, or an object: sparse vector or inference object. Who calls the engine from
Python may also give arrays."""


def checked_input(value: Any) -> Any:
    """A vector input with a canonical id. Raises ValueError for text that is no id and lists of mixed depth."""
    if isinstance(value, (int, str)):
        return point_id(value)
    if isinstance(value, list) and value and _is_mixed(value):
        raise ValueError("data did not match any variant of untagged enum VectorInput")
    return value


def _is_mixed(value: list[Any]) -> bool:
    """Whether there are both numbers and lists in a list."""
    if isinstance(value[0], list):
        return any(type(item) is not list for item in value)
    try:
        sum(value)  # by far the fastest way to meet every element
    except TypeError:
        return True
    return False


def input_problems(value: Any, path: str) -> Iterable[Problem]:
    """What breaks a rule in a vector input that is no model itself: a list of lists."""
    return [(f"{path}.{where}" if path else where, message) for where, message in multivector_problems(value)]


def example_problems(value: Any) -> Iterable[Problem]:
    return violations(value, "") if isinstance(value, VectorObject) else multivector_problems(value)


class RecommendInput(Model, frozen=True, kw_only=True):
    positive: list[VectorInput] | None = None
    negative: list[VectorInput] | None = None
    strategy: Literal["average_vector", "best_score", "sum_scores"] | None = None

    told: ClassVar = frozenset({"positive", "negative"})

    def __post_init__(self) -> None:
        for name in ("positive", "negative"):
            examples = getattr(self, name)
            if examples is not None:
                force_setattr(self, name, [checked_input(example) for example in examples])

    def problems(self) -> Iterator[Problem]:
        if not self.positive and not self.negative:
            yield "positives, negatives", "At least one positive or negative vector/id must be provided"
        examples = [*(self.positive or ()), *(self.negative or ())]
        bad = next((problems for example in examples if (problems := list(example_problems(example)))), [])
        yield from bad  # the first bad example's, as Qdrant says it


class ContextPair(Model, frozen=True, kw_only=True):
    positive: VectorInput
    negative: VectorInput

    def __post_init__(self) -> None:
        force_setattr(self, "positive", checked_input(self.positive))
        force_setattr(self, "negative", checked_input(self.negative))

    def problems(self) -> Iterator[Problem]:
        yield from input_problems(self.positive, "positive")
        yield from input_problems(self.negative, "negative")


ContextInput = ContextPair | list[ContextPair] | None


def pairs(context: ContextInput) -> list[ContextPair]:
    """A context as a list: Qdrant takes one pair in place of a list of one."""
    if context is None:
        return []
    return context if isinstance(context, list) else [context]


class DiscoverInput(Model, frozen=True, kw_only=True):
    target: VectorInput
    context: ContextInput | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.context is UNSET:
            raise ValueError("missing field `context`")
        force_setattr(self, "target", checked_input(self.target))

    def problems(self) -> Iterator[Problem]:
        yield from input_problems(self.target, "target")


class FeedbackItem(Model, frozen=True, kw_only=True):
    example: VectorInput
    score: float

    def __post_init__(self) -> None:
        force_setattr(self, "example", checked_input(self.example))

    def problems(self) -> Iterator[Problem]:
        yield from input_problems(self.example, "example")


class NaiveFeedback(Model, frozen=True, kw_only=True):
    a: float
    b: float
    c: float

    rules: ClassVar = {"b": at_least(0.0)}


class FeedbackStrategy(Model, frozen=True, kw_only=True):
    naive: NaiveFeedback


class RelevanceFeedbackInput(Model, frozen=True, kw_only=True):
    target: VectorInput
    feedback: list[FeedbackItem]
    strategy: FeedbackStrategy

    def __post_init__(self) -> None:
        force_setattr(self, "target", checked_input(self.target))

    def problems(self) -> Iterator[Problem]:
        yield from input_problems(self.target, "target")
        if not self.feedback and not [*example_problems(self.target), *violations(self.strategy, "")]:
            yield WHOLE, "feedback elements must be non-empty"
