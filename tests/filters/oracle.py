"""How does Qdrant's own engine answer? Wire filters as objects of qdrant-edge, and a shard to ask."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import qdrant_edge as edge
from hypothesis import HealthCheck, settings

from qdlite.types import Json

JsonMap = Mapping[str, Json]

_MEMORY = Path("/dev/shm")
FOLDER = _MEMORY if _MEMORY.is_dir() else None
"""Where shards live: in memory if the system has such a folder, because making them on a disk is slow."""

against_engine = settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=list(HealthCheck),
)
"""For tests with a shard in every example, which takes up to 15 ms: half as many examples as usual."""


class Oracle:
    """A shard with one point per payload; the ids count from 1."""

    def __init__(self, payloads: Sequence[JsonMap], indexes: Mapping[str, Any] | None = None) -> None:
        self._folder = tempfile.TemporaryDirectory(dir=FOLDER, ignore_cleanup_errors=True)
        params = edge.EdgeVectorParams(size=1, distance=edge.Distance.Dot)
        self.shard = edge.EdgeShard.create(self._folder.name, edge.EdgeConfig(vectors=params, wal_enabled=False))
        self.upsert(dict(enumerate(payloads, 1)))
        for field, schema in (indexes or {}).items():
            self.shard.update(edge.UpdateOperation.create_field_index(field, index_schema(schema)))

    def upsert(self, payloads: Mapping[Any, JsonMap]) -> None:
        points = [edge.Point(point_id, [1.0], dict(payload)) for point_id, payload in payloads.items()]
        self.shard.update(edge.UpdateOperation.upsert_points(points))

    def matching(self, filter: JsonMap) -> list[Any]:
        """Ids of the points that match."""
        records, _ = self.shard.scroll(edge.ScrollRequest(limit=1000, filter=to_filter(filter)))
        return [record.id for record in records]

    def close(self) -> None:
        self.shard.close()
        self._folder.cleanup()

    def __enter__(self) -> Oracle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_SCHEMAS: dict[str, Any] = {
    "keyword": edge.PayloadSchemaType.Keyword,
    "integer": edge.PayloadSchemaType.Integer,
    "float": edge.PayloadSchemaType.Float,
    "geo": edge.PayloadSchemaType.Geo,
    "text": edge.PayloadSchemaType.Text,
    "bool": edge.PayloadSchemaType.Bool,
    "datetime": edge.PayloadSchemaType.Datetime,
    "uuid": edge.PayloadSchemaType.Uuid,
}
_PARAMS: dict[str, Any] = {
    "keyword": edge.KeywordIndexParams,
    "integer": edge.IntegerIndexParams,
    "float": edge.FloatIndexParams,
    "geo": edge.GeoIndexParams,
    "text": edge.TextIndexParams,
    "bool": edge.BoolIndexParams,
    "datetime": edge.DatetimeIndexParams,
    "uuid": edge.UuidIndexParams,
}


def index_schema(schema: str | JsonMap) -> Any:
    """A schema in wire form (a type name, or an object with `type`) for the engine."""
    if isinstance(schema, str):
        return _SCHEMAS[schema]
    given = {key: _OPTIONS.get(key, _as_is)(value) for key, value in schema.items() if key != "type"}
    return _PARAMS[schema["type"]](**given)


def _as_is(value: Json) -> Json:
    return value


def _stopwords(value: JsonMap) -> Any:
    languages = {getattr(edge.Language, name.capitalize()) for name in value.get("languages", [])}
    return edge.StopwordsSet(languages=languages, custom=set(value.get("custom", [])))


_OPTIONS: dict[str, Callable[[Any], Any]] = {
    "tokenizer": lambda name: getattr(edge.TokenizerType, name.capitalize()),
    "stopwords": _stopwords,
    "stemmer": lambda stemmer: edge.SnowballParams(getattr(edge.SnowballLanguage, stemmer["language"].capitalize())),
}


def to_filter(filter: JsonMap) -> Any:
    clauses: dict[str, Any] = {
        name: [to_condition(condition) for condition in filter[name]]
        for name in ("must", "should", "must_not")
        if filter.get(name) is not None
    }
    least = filter.get("min_should")
    if least is not None:
        conditions = [to_condition(condition) for condition in least["conditions"]]
        return edge.Filter(**clauses, min_should=edge.MinShould(conditions, least["min_count"]))
    return edge.Filter(**clauses)


def to_condition(condition: JsonMap) -> Any:
    if "key" in condition:
        tests = {name: _TESTS[name](test) for name, test in condition.items() if name != "key"}
        return edge.FieldCondition(condition["key"], **tests)
    for name, convert in _CONDITIONS.items():
        if name in condition:
            return convert(condition[name])
    return to_filter(condition)


def _range(test: JsonMap) -> Any:
    dates = any(isinstance(bound, str) for bound in test.values())
    return (edge.RangeDateTime if dates else edge.RangeFloat)(**test)


def _place(point: JsonMap) -> Any:
    return edge.GeoPoint(point["lon"], point["lat"])


def _line(line: JsonMap) -> list[Any]:
    return [_place(point) for point in line["points"]]


def _polygon(test: JsonMap) -> Any:
    return edge.GeoPolygon(_line(test["exterior"]), [_line(line) for line in test.get("interiors") or []])


def _match(test: JsonMap) -> Any:
    ((kind, value),) = test.items()
    return _MATCHES[kind](value)


_MATCHES: dict[str, Callable[[Any], Any]] = {
    # Python's own bool would become an integer.
    "value": lambda value: edge.MatchValue(cast(Any, np.bool_(value)) if isinstance(value, bool) else value),
    "text": edge.MatchText,
    "text_any": edge.MatchTextAny,
    "phrase": edge.MatchPhrase,
    "prefix": edge.MatchPrefix,
    "substring": edge.MatchSubstring,
    "any": edge.MatchAny,
    "except": edge.MatchExcept,
}
_TESTS: dict[str, Callable[[Any], Any]] = {
    "match": _match,
    "range": _range,
    "geo_radius": lambda test: edge.GeoRadius(_place(test["center"]), test["radius"]),
    "geo_bounding_box": lambda test: edge.GeoBoundingBox(_place(test["top_left"]), _place(test["bottom_right"])),
    "geo_polygon": _polygon,
    "values_count": lambda test: edge.ValuesCount(**test),
    "is_empty": bool,
    "is_null": bool,
}
_CONDITIONS: dict[str, Callable[[Any], Any]] = {
    "has_id": lambda ids: edge.HasIdCondition(set(ids)),
    "has_vector": edge.HasVectorCondition,
    "is_empty": lambda test: edge.IsEmptyCondition(test["key"]),
    "is_null": lambda test: edge.IsNullCondition(test["key"]),
    "nested": lambda test: edge.NestedCondition(test["key"], to_filter(test["filter"])),
    "slice": lambda test: getattr(edge, "SliceCondition")(test["total"], test["index"]),  # noqa: B009  (not in the stubs)
}
