"""What is an endpoint? Data: where it is, what it takes, who answers. And how do results and errors look?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from qdlite import errors
from qdlite.database import Database, RequestContext
from qdlite.models.base import Rule, encode
from qdlite.models.common import InferenceUsage, ModelUsage, Usage
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
    errors.Forbidden: 403,
    errors.Timeout: 408,
    errors.RateLimited: 429,
    errors.Unsupported: 501,
    errors.ServiceError: 500,
    errors.QdliteError: 500,
}

# Found before the handler starts; Qdrant reports no time for them.
UNTIMED = (errors.MalformedBody, errors.MalformedParameter, errors.InvalidBody, errors.InvalidParameter)


@dataclass(frozen=True)
class Request:
    """One request as it arrives. `path` is still percent-encoded; names in `headers` are lower-case; `file` holds the
    body of an upload in place of `body`."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    file: BinaryIO | None = None


@dataclass(frozen=True)
class Answer:
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


@dataclass
class Call:
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

State: TypeAlias = Literal["full", "unsupported"]


@dataclass(frozen=True)
class Endpoint:
    """A route. `body` is the type to decode the request's body into, None if there is none, or `Upload`.

    `quick` handlers take no lock that a slow request may hold; they answer on the event loop. Others get a thread.
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

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


def unsupported(method: Any, path: str, feature: str, *, documented: bool = True) -> Endpoint:
    """A route of Qdrant that answers 501 and names what is missing."""

    def refuse(database: Database, call: Call) -> object:
        raise errors.Unsupported(feature)

    return Endpoint(method, path, refuse, quick=True, documented=documented, state="unsupported")


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


def success(result: object, seconds: float, tokens: Mapping[str, int], label: str) -> Answer:
    """The envelope around a result. `tokens` are those used by model; without any there is no `usage`."""
    usage: Usage | UnsetType = UNSET
    if tokens:
        models = {model: ModelUsage(tokens=count) for model, count in tokens.items()}
        usage = Usage(inference=InferenceUsage(models=models))
    return Answer(200, encode(Envelope(result, "ok", seconds, usage)), JSON, label=label)


def accepted(seconds: float, label: str) -> Answer:
    """The envelope that promises the work will be done."""
    return Answer(202, encode({"status": "accepted", "time": seconds}), JSON, label=label)


def failure(error: errors.QdliteError, seconds: float, label: str) -> Answer:
    """The envelope around an error, with the status of its class."""
    time = 0.0 if isinstance(error, UNTIMED) else seconds
    retry = getattr(error, "retry_after", None)
    headers = (("retry-after", str(retry)),) if retry is not None else ()
    return Answer(status_of(error), encode(ErrorEnvelope(ErrorText(str(error)), time)), JSON, headers, label)


def status_of(error: Exception) -> int:
    return next(STATUSES[base] for base in type(error).__mro__ if base in STATUSES)


def text(body: str) -> Answer:
    """A plain-text answer without envelope."""
    return Answer(200, body.encode(), TEXT)
