"""What is an endpoint? Data: where it is, what it takes, who answers. And how do results and errors look?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType, field

from qdlite import errors
from qdlite.database import Cancellation, Database, RequestContext
from qdlite.models.base import Rule
from qdlite.models.common import InferenceUsage, ModelUsage, Usage
from qdlite.models.decoding import encode
from qdlite_server import parameters
from qdlite_server.parameters import Parameters, Values

if TYPE_CHECKING:
    from qdlite_server.statistics import Statistics

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"

# The only place that knows statuses. Looked up along the class's bases, so a row covers what derives from it.
STATUSES: Mapping[type[Exception], int] = {
    errors.MalformedBody: 400,
    errors.MalformedParameter: 400,
    errors.InvalidBody: 422,
    errors.InvalidParameter: 422,
    errors.WrongInput: 400,
    errors.BadRequest: 400,
    errors.InferenceError: 400,
    errors.ChecksumMismatch: 400,
    errors.NotFound: 404,
    errors.AlreadyExists: 409,
    errors.StandaloneMode: 405,
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.Timeout: 408,
    errors.RateLimited: 429,
    errors.Cancelled: 499,
    errors.UnsupportedEncoding: 415,
    errors.Unsupported: 501,
    errors.InsufficientStorage: 507,
    errors.ServiceError: 500,
    errors.QdliteError: 500,
}

# Found before the handler starts; Qdrant reports no time for them.
UNTIMED = (
    errors.MalformedBody,
    errors.MalformedParameter,
    errors.InvalidBody,
    errors.InvalidParameter,
    errors.UnsupportedEncoding,
)


class Request(Struct, frozen=True):
    """One request as it arrives. `path` is still percent-encoded; names in `headers` are lower-case; `file` holds the
    body of an upload in place of `body`. `cancellation` is set when the client leaves before it has its answer."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    file: BinaryIO | None = None
    cancellation: Cancellation = field(default_factory=Cancellation)


class Answer(Struct, frozen=True):
    """One response. `label` is the endpoint that gave it, as in telemetry; empty for unknown paths. `file` is sent
    in place of `body`, and closed by whoever sends it."""

    status: int
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    label: str = ""
    file: BinaryIO | None = None


ACCEPTED: Final = Answer(202)
"""What a handler returns when the work goes on after the answer."""


class Call(Struct):
    """What a handler gets besides the database. `path` holds the decoded parts of the path by name."""

    path: Mapping[str, str]
    parameters: Values
    body: Any
    context: RequestContext
    statistics: Statistics

    @property
    def collection(self) -> str:
        return self.path["collection_name"]

    @property
    def wait(self) -> bool:
        return bool(self.parameters["wait"])


Handler: TypeAlias = Callable[[Database, Call], object]
"""Returns what becomes `result` in the envelope, or an `Answer` to be sent as it is. Raises qdlite.errors."""

Refusal: TypeAlias = Callable[[errors.QdliteError, float, str, Mapping[str, int]], Answer]
"""Makes the answer for an error from the error, the seconds it took, the label and the tokens used by model."""

State: TypeAlias = Literal["full", "unsupported"]


class Endpoint(Struct, frozen=True):
    """A route. `body` is the type to decode the request's body into, None if there is none, or `Upload`. `usual` is a
    narrower form of it that takes less time to decode, and is tried first.

    `quick` handlers take no lock that a slow request may hold; they answer on the event loop. Others get a thread.
    `reason` says why the state is not "full". `room` says how many times the usual limit a body may have. `refuse` is
    for errors in a shape other than Qdrant's. `streamed`: body or answer travel piece by piece, by way of a file.
    """

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    handler: Handler
    body: Any = None
    parameters: Parameters = parameters.NONE
    rules: Mapping[str, Rule] = field(default_factory=dict)
    quick: bool = False
    documented: bool = True
    state: State = "full"
    reason: str = ""
    room: int = 1
    usual: Any = None
    refuse: Refusal | None = None
    streamed: bool = False

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


def unsupported(method: Any, path: str, feature: str, reason: str, *, documented: bool = True) -> Endpoint:
    """A route of Qdrant that answers 501 and says what is missing, and why."""

    def refuse(database: Database, call: Call) -> object:
        raise errors.Unsupported(f"{feature} ({reason})")

    return Endpoint(method, path, refuse, quick=True, documented=documented, state="unsupported", reason=reason)


class Envelope(Struct):
    result: Any
    status: str
    time: float
    usage: Usage | UnsetType = UNSET


class ErrorText(Struct):
    error: str


class ErrorEnvelope(Struct):
    status: ErrorText
    time: float
    usage: Usage | UnsetType = UNSET


def success(result: object, seconds: float, tokens: Mapping[str, int], label: str) -> Answer:
    """The envelope around a result. `tokens` are those used by model; without any there is no `usage`."""
    return Answer(200, encode(Envelope(result, "ok", seconds, _usage(tokens))), JSON, label=label)


def accepted(seconds: float, label: str) -> Answer:
    """The envelope that promises the work will be done."""
    return Answer(202, encode({"status": "accepted", "time": seconds}), JSON, label=label)


def failure(error: errors.QdliteError, seconds: float, label: str, tokens: Mapping[str, int]) -> Answer:
    """The envelope around an error, with the status of its class."""
    time = 0.0 if isinstance(error, UNTIMED) else seconds
    body = encode(ErrorEnvelope(ErrorText(str(error)), time, _usage(tokens)))
    return Answer(status_of(error), body, JSON, retry_headers(error), label)


def _usage(tokens: Mapping[str, int]) -> Usage | UnsetType:
    if not tokens:
        return UNSET
    models = {model: ModelUsage(tokens=count) for model, count in tokens.items()}
    return Usage(inference=InferenceUsage(models=models))


def retry_headers(error: errors.QdliteError) -> tuple[tuple[str, str], ...]:
    """Tells the client when to come back, if the error knows."""
    retry = getattr(error, "retry_after", None)
    return (("retry-after", str(retry)),) if retry is not None else ()


def status_of(error: Exception, statuses: Mapping[type[Exception], int] = STATUSES) -> int:
    """The status for the nearest base of the error's class."""
    return next(statuses[base] for base in type(error).__mro__ if base in statuses)


def text(body: str) -> Answer:
    """A plain-text answer without envelope."""
    return Answer(200, body.encode(), TEXT)
