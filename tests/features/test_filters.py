"""Feature: filters choose points, with and without payload indexes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from qdrant_client import QdrantClient
from qdrant_client.models import (
    DatetimeRange,
    FieldCondition,
    Filter,
    GeoBoundingBox,
    GeoPoint,
    GeoRadius,
    HasIdCondition,
    HasVectorCondition,
    IsEmptyCondition,
    IsNullCondition,
    MatchAny,
    MatchExcept,
    MatchText,
    MatchValue,
    MinShould,
    Nested,
    NestedCondition,
    PayloadField,
    PayloadSchemaType,
    PointStruct,
    Range,
    ValuesCount,
)

BERLIN, PARIS = {"lon": 13.4, "lat": 52.5}, {"lon": 2.35, "lat": 48.85}

PAYLOADS: dict[int, dict[str, Any]] = {
    1: {"city": "Berlin", "n": 1, "tags": ["a", "b"], "at": "2024-01-01T00:00:00Z", "place": BERLIN},
    2: {"city": "Paris", "n": 2.5, "tags": ["b"], "at": "2024-06-01", "place": PARIS},
    3: {"city": "Berlin Mitte", "n": 3, "tags": [], "ok": True, "kids": [{"age": 3, "boy": True}, {"age": 9}]},
    4: {"city": None, "kids": [{"age": 9, "boy": True}]},
}


@pytest.fixture(params=["indexed", "not indexed"])
def client(client: QdrantClient, request: pytest.FixtureRequest) -> QdrantClient:
    client.create_collection("c", vectors_config={})
    client.upsert("c", [PointStruct(id=n, vector={}, payload=payload) for n, payload in PAYLOADS.items()], wait=True)
    if request.param == "indexed":
        for field, kind in {
            "city": PayloadSchemaType.KEYWORD,
            "n": PayloadSchemaType.FLOAT,
            "tags": PayloadSchemaType.KEYWORD,
            "at": PayloadSchemaType.DATETIME,
            "place": PayloadSchemaType.GEO,
            "ok": PayloadSchemaType.BOOL,
            "kids[].age": PayloadSchemaType.INTEGER,
        }.items():
            client.create_payload_index("c", field, kind, wait=True)
    return client


def field(key: str, **test: object) -> FieldCondition:
    return FieldCondition.model_validate({"key": key, **test})


NEAR_BERLIN = GeoRadius(center=GeoPoint(lon=13.4, lat=52.5), radius=1000)
FRANCE = GeoBoundingBox(top_left=GeoPoint(lon=-5, lat=51), bottom_right=GeoPoint(lon=8, lat=42))


@pytest.mark.parametrize(
    ("rule", "ids"),
    [
        (Filter(), [1, 2, 3, 4]),
        (Filter(must=field("city", match=MatchValue(value="Berlin"))), [1]),
        (Filter(must_not=field("city", match=MatchValue(value="Berlin"))), [2, 3, 4]),
        (Filter(must=field("city", match=MatchAny(any=["Paris", "Rome"]))), [2]),
        (Filter(must=field("city", match=MatchExcept(**{"except": ["Paris"]}))), [1, 3]),
        (Filter(must=field("ok", match=MatchValue(value=True))), [3]),
        (Filter(must=field("n", range=Range(gt=1, lte=3))), [2, 3]),
        (Filter(must=field("at", range=DatetimeRange(gte=datetime(2024, 5, 31, 12, tzinfo=timezone.utc)))), [2]),
        (Filter(must=field("place", geo_radius=NEAR_BERLIN)), [1]),
        (Filter(must=field("place", geo_bounding_box=FRANCE)), [2]),
        (Filter(must=field("tags", values_count=ValuesCount(gte=2))), [1]),
        (Filter(must=field("tags", values_count=ValuesCount(lt=1))), [3, 4]),
        (Filter(must=IsEmptyCondition(is_empty=PayloadField(key="tags"))), [3, 4]),
        (Filter(must=IsNullCondition(is_null=PayloadField(key="city"))), [4]),
        (Filter(must=HasIdCondition(has_id=[2, 4, 7])), [2, 4]),
        (Filter(must=HasVectorCondition(has_vector="none")), []),
        (Filter(should=[field("n", range=Range(lt=2)), HasIdCondition(has_id=[4])]), [1, 4]),
        (Filter(must=Filter(must_not=Filter(must=HasIdCondition(has_id=[1])))), [2, 3, 4]),
        (
            Filter(
                min_should=MinShould(
                    conditions=[
                        field("city", match=MatchValue(value="Berlin")),
                        field("n", range=Range(lt=2)),
                        HasIdCondition(has_id=[2]),
                    ],
                    min_count=2,
                )
            ),
            [1],
        ),
        (Filter(must=field("kids[].age", match=MatchValue(value=9))), [3, 4]),
        (
            Filter(
                must=NestedCondition(
                    nested=Nested(
                        key="kids",
                        filter=Filter(
                            must=[field("age", match=MatchValue(value=9)), field("boy", match=MatchValue(value=True))]
                        ),
                    )
                )
            ),
            [4],
        ),
    ],
)
def test_filter(client: QdrantClient, rule: Filter, ids: list[int]) -> None:
    assert [record.id for record in client.scroll("c", scroll_filter=rule)[0]] == ids
    assert client.count("c", count_filter=rule).count == len(ids)


def test_text_without_an_index_is_a_part_of_the_string(client: QdrantClient) -> None:
    rule = Filter(must=field("city", match=MatchText(text="Mit")))
    assert [record.id for record in client.scroll("c", scroll_filter=rule)[0]] == [3]
