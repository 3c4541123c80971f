"""How are both engines kept side by side? Each operation and each question goes to both, and answers must agree."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from hypothesis import currently_in_test_context, event

from qdlite.errors import QdliteError
from qdlite.types import Json
from tests.differential import engine_reads
from tests.differential.comparison import RELATIVE, same_json, same_ranking, same_records
from tests.differential.engine import Engine, JsonMap, Refused
from tests.differential.engine_reads import DEFAULT_LIMIT
from tests.differential.product import Product
from tests.differential.settled import is_settled

EVERYTHING = {"limit": 1000, "with_payload": True, "with_vector": True}
_STRICT = ("set_payload", "overwrite_payload", "delete_payload", "clear_payload", "update_vectors", "delete_vectors")
"""Operations that fail for ids that do not exist."""


class Pair:
    """Qdrant's engine and qdlite, with the same collection."""

    def __init__(self, collection: JsonMap) -> None:
        self.engine = Engine(collection)
        self.product = Product(collection)

    def __enter__(self) -> Pair:
        return self

    def __exit__(self, *_: object) -> None:
        self.engine.close()
        self.product.close()

    def update(self, operation: JsonMap) -> None:
        """Both carry the operation out, or both refuse; afterwards they hold the same."""
        operation = self._existing_only(operation)
        theirs = outcome(lambda: self.engine.update(operation), Refused)
        ours = outcome(lambda: self.product.update(operation), QdliteError)
        self._both(ours, theirs, operation)
        self.ask("scroll", EVERYTHING)

    def ask(self, kind: str, body: JsonMap) -> None:
        """Both give the same answer, or both refuse."""
        theirs = outcome(lambda: engine_reads.ask(self.engine, kind, body), Refused)
        ours = outcome(lambda: self.product.ask(kind, body), QdliteError)
        if kind == "query" and not is_settled(self.engine, body):
            note("query: unsettled")
        elif self._both(ours, theirs, {kind: body}):
            try:
                _AGREEMENTS[kind](self, body, ours, theirs)
            except AssertionError as error:
                raise AssertionError(f"{error}\n{kind} {json.dumps(body)}\n ours   {ours}\n theirs {theirs}") from None

    def _both(self, ours: Any, theirs: Any, request: JsonMap) -> bool:
        """Whether there is something to compare. Fails if only one refuses."""
        refused = isinstance(ours, Exception), isinstance(theirs, Exception)
        assert refused[0] == refused[1], f"{json.dumps(request)}\n ours   {ours!r}\n theirs {theirs!r}"
        note(f"{next(iter(request))}: {'refused' if refused[0] else 'answered'}")
        return not refused[0]

    def _existing_only(self, operation: JsonMap) -> JsonMap:
        """Of several ids only those that exist: how much of the others is done before the error is not said."""
        ((kind, body),) = operation.items()
        if kind not in _STRICT or "points" not in body or len(body["points"]) < 2:
            return operation
        key: Callable[[Json], Json] = (lambda one: one["id"]) if kind == "update_vectors" else (lambda one: one)
        held = set(self.engine.existing(map(key, body["points"])))
        kept = [one for one in body["points"] if canonical(key(one)) in held]
        return {kind: {**body, "points": kept or body["points"][:1]}}

    def same_scroll(self, body: JsonMap, ours: Json, theirs: Json) -> None:
        if "order_by" in body:
            self._same_order(body, ours["points"], theirs["points"], "order_value")
        else:
            same_records(ours["points"], theirs["points"])
        assert ours["next_page_offset"] == theirs["next_page_offset"]

    def same_query(self, body: JsonMap, ours: Json, theirs: Json) -> None:
        query = body.get("query")
        kind = next(iter(query)) if isinstance(query, dict) else "nearest"
        if kind == "sample":
            self._same_sample(body, ours["points"], theirs["points"])
        elif query is None or (isinstance(query, dict) and "mmr" in query):
            same_records(ours["points"], theirs["points"])
        else:
            note(f"query {kind}: compared, {'with' if theirs['points'] else 'without'} results")
            part = "order_value" if kind == "order_by" else "score"
            self._same_order(body, ours["points"], theirs["points"], part)

    def _same_order(self, body: JsonMap, ours: Json, theirs: Json, part: str) -> None:
        cut = body.get("offset", 0) > 0, len(theirs) == body.get("limit", DEFAULT_LIMIT)
        same_ranking(ours, theirs, cut, part, 1e-3 if _has_dbsf(body) else RELATIVE)

    def _same_sample(self, body: JsonMap, ours: Json, theirs: Json) -> None:
        everything = {key: part for key, part in body.items() if key not in ("query", "offset")}
        held = engine_reads.ask(self.engine, "query", {**everything, "limit": 1000})["points"]
        assert len(ours) == len(theirs)
        assert len({one["id"] for one in ours}) == len(ours)
        assert {one["id"] for one in ours} <= {one["id"] for one in held}


def _has_dbsf(body: JsonMap) -> bool:
    """Its standard deviations magnify what float32 sums lose."""
    return '"dbsf"' in json.dumps(body)


def note(what: str) -> None:
    """Counts for Hypothesis' statistics."""
    if currently_in_test_context():
        event(what)


def outcome(work: Callable[[], Any], refusal: type[Exception]) -> Any:
    """What `work` returns, or the refusal it raises."""
    try:
        return work()
    except refusal as error:
        return error


def canonical(given: Json) -> Json:
    return given if isinstance(given, int) else str(UUID(given))


_AGREEMENTS: dict[str, Callable[[Pair, JsonMap, Json, Json], None]] = {
    "scroll": Pair.same_scroll,
    "query": Pair.same_query,
    "count": lambda pair, body, ours, theirs: same_json(ours, theirs),
    "facet": lambda pair, body, ours, theirs: same_json(ours, theirs),
    "retrieve": lambda pair, body, ours, theirs: same_records(ours, theirs),
}
