"""How does one request become one answer? The same for both faces: decode, check, call, wrap, encode."""

from __future__ import annotations

import logging
from time import perf_counter, time
from typing import Any

from qdlite.database import Database, RequestContext
from qdlite.errors import BodyTooLarge, MalformedBody, QdliteError, ServiceError
from qdlite.models.base import Model
from qdlite.models.checks import check
from qdlite.models.decoding import decode
from qdlite_server import routes
from qdlite_server.compression import inflated
from qdlite_server.endpoint import ACCEPTED, Answer, Call, Endpoint, Request, accepted, failure, success
from qdlite_server.multipart import Upload
from qdlite_server.routes import inference
from qdlite_server.routes.inference import Service
from qdlite_server.routing import Route, Router
from qdlite_server.statistics import Statistics

MAX_BODY = 32 * 2**20
"""Qdrant's default limit for a request's body, in bytes."""

UNKNOWN = Answer(404)

log = logging.getLogger("qdlite_server")


class Api:
    """A database behind Qdrant's REST API. Safe to call from many threads; never raises."""

    def __init__(self, database: Database, max_body: int = MAX_BODY, service: Service | None = None) -> None:
        self.database = database
        self.max_body = max_body
        self.statistics = Statistics()
        self._router = Router([*routes.ENDPOINTS, *inference.endpoints(service or Service())])

    def route(self, method: str, path: str) -> Route | None:
        return self._router.find(method, path)

    def find(self, request: Request) -> Route | None:
        return self.route(request.method, request.path)

    def answer(self, request: Request) -> Answer:
        route = self.find(request)
        return UNKNOWN if route is None else self.answer_at(route, request)

    def answer_at(self, route: Route, request: Request) -> Answer:
        """Answers a request whose route is known."""
        started = perf_counter()
        answer = self._answered(route, request, started)
        collection = route.path.get("collection_name", "")
        self.statistics.add(route.endpoint.label, collection, answer.status, perf_counter() - started, time())
        return answer

    def call(self, route: Route, request: Request, usage: dict[str, int]) -> Call:
        """Everything that can be wrong before the database is asked, in Qdrant's order: path, query, body."""
        route.check()
        values = route.endpoint.parameters.parse(request.query)
        body = self._body(route.endpoint, request)
        timeout = values.get("timeout")
        context = RequestContext(
            headers=request.headers,
            timeout=None if timeout is None else float(timeout),
            usage=usage,
            cancellation=request.cancellation,
        )
        return Call(route.path, values, body, context, self.statistics)

    def _answered(self, route: Route, request: Request, started: float) -> Answer:
        label = route.endpoint.label
        refuse = route.endpoint.refuse or failure
        usage: dict[str, int] = {}
        try:
            call = self.call(route, request, usage)
            result = route.endpoint.handler(self.database, call)
            if result is ACCEPTED:
                return accepted(perf_counter() - started, label)
            if isinstance(result, Answer):
                return result
            return success(result, perf_counter() - started, usage, label)
        except QdliteError as error:
            return refuse(error, perf_counter() - started, label, usage)
        except RecursionError:
            return refuse(MalformedBody("recursion limit exceeded"), 0.0, label, usage)
        except Exception as error:
            log.exception("%s failed", label)
            text = f"{type(error).__name__}: {error}"
            return refuse(ServiceError(text), perf_counter() - started, label, usage)

    def limit(self, endpoint: Endpoint) -> int:
        """Bytes that the body of a request may have."""
        return self.database.max_snapshot_bytes if endpoint.body is Upload else self.max_body * endpoint.room

    def _body(self, endpoint: Endpoint, request: Request) -> Any:
        if endpoint.body is Upload:
            content = request.body if request.file is None else request.file
            return Upload(content, request.headers.get("content-type", ""))
        if len(request.body) > self.limit(endpoint):
            raise too_large(len(request.body), self.limit(endpoint))
        if endpoint.body is None:
            return None
        decoded = decode(self._plain(endpoint, request), endpoint.body, endpoint.usual)
        if isinstance(decoded, Model):
            check(decoded)
        return decoded

    def _plain(self, endpoint: Endpoint, request: Request) -> bytes:
        """The body as it was before the client compressed it, if it did."""
        encoding = request.headers.get("content-encoding")
        if encoding is None:
            return request.body
        body = inflated(request.body, encoding, self.limit(endpoint))
        if body is None:
            raise too_large(None, self.limit(endpoint))
        return body


def too_large(size: int | None, limit: int) -> BodyTooLarge:
    """`size` in bytes, None if it was not announced."""
    if size is None:
        return BodyTooLarge(f"JSON payload has exceeded limit ({limit} bytes).")
    return BodyTooLarge(f"JSON payload ({size} bytes) is larger than allowed (limit: {limit} bytes).")
