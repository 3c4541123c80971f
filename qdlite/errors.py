"""Which exceptions can a caller meet, and what do they say?

One class per kind of failure; the HTTP status of each stands only in the server's error table.
The texts follow Qdrant's wording where programs read them. `str(error)` is the complete text a REST
client sees, prefix included.
"""

from __future__ import annotations

from typing import ClassVar


class QdliteError(Exception):
    """Base of every error raised on purpose. `prefix` is Qdrant's word for the kind of failure."""

    prefix: ClassVar[str] = ""

    def __init__(self, description: str) -> None:
        super().__init__(f"{self.prefix}{description}")
        self.description = description


class MalformedBody(QdliteError):
    """The body is not JSON, or a value has the wrong type (400)."""

    prefix = "Format error in JSON body: "


class MalformedParameter(QdliteError):
    """A query or path parameter cannot be parsed (400)."""

    prefix = "Deserialize error in query parameters: "


class InvalidBody(QdliteError):
    """The body is well formed, but a value breaks a rule (422). Joined as `path: message; path: message`."""

    prefix = "Validation error in JSON body: "

    def __init__(self, description: str) -> None:
        super().__init__(f"[{description}]")


class InvalidParameter(QdliteError):
    """A query parameter breaks a rule (422)."""

    prefix = "Validation error in query parameters: "

    def __init__(self, description: str) -> None:
        super().__init__(f"[{description}]")


class InvalidPath(InvalidParameter):
    """A part of the path breaks a rule, e.g. the name of a collection (422)."""

    prefix = "Validation error in path parameters: "


class MalformedPath(MalformedParameter):
    """A part of the path cannot be parsed (400)."""

    prefix = "Deserialize error in path parameters: "


class BodyTooLarge(MalformedBody):
    """The body is larger than the server takes (400, as in Qdrant)."""

    prefix = ""


class UnreadableBody(MalformedBody):
    """The body is not what its content encoding says (400)."""

    prefix = "Error that occur during reading payload: "


class WrongInput(QdliteError):
    """The request cannot be applied to this collection (400)."""

    prefix = "Wrong input: "


class BadRequest(QdliteError):
    """The request contradicts itself or a configured limit (400)."""

    prefix = "Bad request: "


class InferenceError(QdliteError):
    """An inference object cannot be embedded; the text says what to do (400)."""

    about: object = None
    """The input that is meant, if it may be one of several."""

    def at(self, place: str) -> InferenceError:
        """The same error with the place where the input stands."""
        return type(self)(f"{place}: {self.description}")


class UnknownModel(InferenceError):
    """No model that may be used has this name (400)."""


class NotFound(QdliteError):
    """A collection, point, alias or snapshot does not exist (404)."""

    prefix = "Not found: "


class PointNotFound(NotFound):
    """A write or a query names a point that does not exist (404)."""


class UnknownVector(WrongInput):
    """The collection has no vector of this name (400)."""


class WrongDimension(WrongInput):
    """A vector has another size than its name says (400)."""


class AlreadyExists(QdliteError):
    """The name is taken (409)."""

    prefix = "Wrong input: "


class StandaloneMode(QdliteError):
    """A cluster operation on this single node (405)."""

    def __init__(self) -> None:
        super().__init__("Qdrant is running in standalone mode")


class Unauthorized(QdliteError):
    """The token of the caller is missing or wrong (401)."""


class Forbidden(QdliteError):
    """The caller may not do this (403)."""

    prefix = "Forbidden: "


class ChecksumMismatch(QdliteError):
    """A snapshot does not have the announced SHA-256 (400)."""


class Timeout(QdliteError):
    """The request took longer than its `timeout` (408)."""

    prefix = "Timeout: "


class ModelLoading(Timeout):
    """The request's time was over before its model had been loaded (408)."""


class Cancelled(QdliteError):
    """Nobody waits for the answer any more (499, which nobody sees)."""


class RateLimited(QdliteError):
    """Too many requests (429). `retry_after` is in seconds; None means: retrying will not help."""

    prefix = "Rate limiting exceeded: "

    def __init__(self, description: str, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.retry_after = retry_after


class InsufficientStorage(QdliteError):
    """The node has no room for more (507)."""

    prefix = "Insufficient storage: "


class Unsupported(QdliteError):
    """A feature of Qdrant that qdlite does not have, named (501)."""

    prefix = "Not supported by qdlite: "


class UnsupportedEncoding(Unsupported):
    """The body is compressed in a way that cannot be undone here (415)."""


class ServiceError(QdliteError):
    """Something failed that the caller cannot repair (500)."""

    prefix = "Service internal error: "


def invalid(problem: str) -> WrongInput:
    """A request that can be read but not be meant. Qdrant's words for what it finds out late."""
    return WrongInput(f"Validation failed: {problem}")


def collection_not_found(name: str) -> NotFound:
    return NotFound(f"Collection `{name}` doesn't exist!")


def lookup_collection_not_found(name: str) -> NotFound:
    """Wording of `lookup_from` and `with_lookup`, which differs from the one above."""
    return NotFound(f"Collection {name} not found")


def collection_exists(name: str) -> AlreadyExists:
    return AlreadyExists(f"Collection `{name}` already exists!")


def point_not_found(point_id: object) -> PointNotFound:
    return PointNotFound(f"No point with id {point_id} found")


def unknown_vector(name: str) -> UnknownVector:
    return UnknownVector(f"Not existing vector name error: {name}")


def wrong_dimension(expected: int, received: int, vector_name: str | None = None) -> WrongDimension:
    """Qdrant names the vector only where points are stored."""
    suffix = f" for vector '{vector_name}'" if vector_name else ""
    return WrongDimension(f"Vector dimension error: expected dim: {expected}, got {received}{suffix}")


def vector_contains_nan() -> WrongInput:
    return WrongInput("Vector contains NaN")


def sparse_dense_conversion() -> WrongInput:
    return WrongInput("Conversion between sparse and regular vectors failed")


def multi_dense_conversion() -> WrongInput:
    return WrongInput("Conversion between multi and regular vectors failed")


_INDEXING = "https://qdrant.tech/documentation/concepts/indexing/#payload-index"


def no_range_index(key: str) -> WrongInput:
    return WrongInput(
        f"No range index for `order_by` key: `{key}`. Please create one to use `order_by`. "
        f"Check {_INDEXING} to see which payload schemas support Range conditions"
    )


def no_facet_index(key: str) -> WrongInput:
    return WrongInput(
        f"No appropriate index for faceting: `{key}`. Please create one to facet on this field. "
        f"Check {_INDEXING} to see which payload schemas support Match conditions"
    )


def model_misfit(problem: WrongInput, model: str, shape: tuple[int, ...] | None) -> WrongInput:
    """`problem`, met with what a model made, and what to do about it. `shape`: of the array; None if sparse."""
    if shape is None:
        advice = "sparse vectors: name one of `sparse_vectors`"
    elif len(shape) == 1:
        place = "the vector needs" if isinstance(problem, WrongDimension) else "name one of `vectors` with"
        advice = f'dense vectors of {shape[0]} dimensions: {place} "size": {shape[0]}'
    else:
        advice = (
            f'multivectors of {shape[1]} dimensions: the vector needs "size": {shape[1]} and a `multivector_config`'
        )
    return WrongInput(f"{problem.description}. The model {model} makes {advice}")
