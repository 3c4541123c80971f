"""How do the inference objects of a request become vectors? The only place where inference meets requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Literal, cast

from msgspec import Struct, field

from qdlite import inference
from qdlite.errors import InferenceError, Timeout
from qdlite.inference.cancellation import Cancellation
from qdlite.models.points import UpsertPoints
from qdlite.models.updates import UpdateVectors
from qdlite.models.vectors import VectorObject
from qdlite.types import VectorArray

if TYPE_CHECKING:
    from qdlite.inference import InferenceInput, InferenceService, InferenceSettings

Mode = Literal["update", "search"]


class RequestContext(Struct, dict=True):
    """What a call needs to know beyond its body, and what it reports back.

    `headers` may carry keys of external providers; `timeout` is in seconds; `usage` is filled with the tokens
    read, by model name as given. Cancelling ends inference, and with it a call that has not changed anything yet.
    """

    headers: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    usage: dict[str, int] = field(default_factory=dict)
    cancellation: Cancellation = field(default_factory=Cancellation)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._started = self.clock()

    @property
    def expired(self) -> bool:
        """Whether the time that the caller gave is over; it began when the context was made."""
        return self.timeout is not None and self.clock() - self._started > self.timeout

    def check(self, operation: str) -> None:
        """Raises Timeout in the name of an operation if the time is over."""
        if self.timeout is not None and self.expired:
            raise Timeout(f"Timeout error: Operation '{operation}' timed out after {self.timeout:g}s")


ANONYMOUS = RequestContext()
"""What calls without a context share: no timeout, nobody to leave, and a usage that nobody reads."""


class Embeddings:
    """The vectors of all inference objects of one request; call it with an object to get its vector."""

    def __init__(self, vectors: dict[object, VectorArray]) -> None:
        self._vectors = vectors

    def __call__(self, item: VectorObject) -> VectorArray:
        return self._vectors[_input(item).key]


NOTHING = Embeddings({})


def inference_service(settings: InferenceSettings | None) -> InferenceService:
    """What embeds. Raises InferenceError for models that cannot be read."""
    return inference.InferenceService(settings)


def embed(
    service: InferenceService, objects: Iterable[VectorObject], mode: Mode, context: RequestContext
) -> Embeddings:
    """Embeds all objects in one call of the service, each distinct one once. Raises InferenceError and others."""
    inputs = {item.key: item for item in map(_input, objects)}
    result = service.infer(
        list(inputs.values()),
        mode,
        headers=context.headers,
        timeout=context.timeout,
        cancellation=context.cancellation,
    )
    for model, tokens in result.usage.items():
        context.usage[model] = context.usage.get(model, 0) + tokens
    return Embeddings(dict(zip(inputs, result.embeddings, strict=True)))


def inference_objects(body: UpsertPoints | UpdateVectors) -> list[VectorObject]:
    """Those values of a write that stand for a vector."""
    if isinstance(body, UpsertPoints) and body.batch is not None and not body.batch.has_objects:
        return []
    points = body.all_points() if isinstance(body, UpsertPoints) else body.points
    return [
        vector
        for point in points
        for vector in point.named_vectors().values()
        if isinstance(vector, VectorObject) and vector.is_inference
    ]


def embed_for_write(
    service: Callable[[], InferenceService], body: UpsertPoints | UpdateVectors, context: RequestContext
) -> Embeddings:
    """The same for the objects of a write, if it has any; if there are several, an error says which it is about."""
    objects = inference_objects(body)
    try:
        return embed(service(), objects, "update", context) if objects else NOTHING
    except InferenceError as error:
        place = _place(body, error.about) if len(objects) > 1 else None
        if place is None:
            raise
        raise error.at(place) from error


def _place(body: UpsertPoints | UpdateVectors, wanted: object) -> str | None:
    """Where the first of such inputs stands."""
    points = body.all_points() if isinstance(body, UpsertPoints) else body.points
    for point in points:
        for name, vector in point.named_vectors().items():
            if isinstance(vector, VectorObject) and vector.is_inference and _input(vector) == wanted:
                return f"Point {point.id}, vector `{name}`" if name else f"Point {point.id}"
    return None


def _input(item: VectorObject) -> InferenceInput:
    kind = cast(Literal["text", "image", "object"], item.kind)
    return inference.InferenceInput(getattr(item, kind), kind, item.model or "", item.options)
