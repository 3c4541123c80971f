"""Feature: payload indexes are made, shown, used and dropped."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from qdrant_client import QdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse


@pytest.fixture
def client(client: QdrantClient) -> QdrantClient:
    client.create_collection("c", vectors_config={})
    payloads: list[dict[str, Any]] = [{"n": 1, "t": "The quick brown fox"}, {"n": "one", "t": "a lazy dog"}, {"n": 2}]
    points = [models.PointStruct(id=n, vector={}, payload=payload) for n, payload in enumerate(payloads)]
    client.upsert("c", points, wait=True)
    return client


def test_an_index_is_shown_with_its_points(client: QdrantClient) -> None:
    client.create_payload_index("c", "n", models.PayloadSchemaType.INTEGER, wait=True)
    shown = client.get_collection("c").payload_schema["n"]
    assert (shown.data_type, shown.params, shown.points) == (models.PayloadSchemaType.INTEGER, None, 2)
    client.delete_payload_index("c", "n", wait=True)
    assert client.get_collection("c").payload_schema == {}


def test_full_text(client: QdrantClient) -> None:
    params = models.TextIndexParams(type=models.TextIndexType.TEXT, tokenizer=models.TokenizerType.WORD, lowercase=True)
    client.create_payload_index("c", "t", params, wait=True)
    rule = models.Filter(must=[models.FieldCondition(key="t", match=models.MatchText(text="FOX quick"))])
    assert [record.id for record in client.scroll("c", scroll_filter=rule)[0]] == [0]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"stopwords": "en"}, {"stopwords": "english"}),
        ({"stopwords": {"languages": ["ru", "en", "english"]}}, {"stopwords": {"languages": ["english", "russian"]}}),
        ({"stopwords": {"custom": ["b", "a", "é", "a"]}}, {"stopwords": {"custom": ["a", "b", "é"]}}),
        ({"stopwords": {}}, {"stopwords": {}}),
        ({"stemmer": {"type": "snowball", "language": "de"}}, {"stemmer": {"type": "snowball", "language": "german"}}),
        ({"stemmer": {"type": "none"}}, {"stemmer": {"type": "none"}}),
        ({"min_token_len": 2}, {"min_token_len": 2}),
    ],
)
def test_languages_are_shown_by_their_names(http: httpx.Client, given: dict[str, Any], shown: dict[str, Any]) -> None:
    http.put("/collections/c", json={})
    body = {"field_name": "t", "field_schema": {"type": "text", **given}}
    assert http.put("/collections/c/index?wait=true", json=body).status_code == 200
    index = http.get("/collections/c").json()["result"]["payload_schema"]["t"]
    assert index["params"] == {"type": "text", "tokenizer": "word", **shown}


def test_facets(client: QdrantClient) -> None:
    payloads: list[dict[str, Any]] = [{"color": "red"}, {"color": ["red", "blue"]}, {"color": "red"}]
    points = [models.PointStruct(id=10 + n, vector={}, payload=payload) for n, payload in enumerate(payloads)]
    client.upsert("c", points, wait=True)
    with pytest.raises(UnexpectedResponse, match="No appropriate index for faceting"):
        client.facet("c", "color")
    client.create_payload_index("c", "color", models.PayloadSchemaType.KEYWORD, wait=True)
    assert [(hit.value, hit.count) for hit in client.facet("c", "color").hits] == [("red", 3), ("blue", 1)]


def test_ordering_needs_an_index(client: QdrantClient) -> None:
    with pytest.raises(UnexpectedResponse, match="No range index for `order_by` key: `n`"):
        client.scroll("c", order_by="n")


def test_a_field_that_is_no_path(http: httpx.Client) -> None:
    http.put("/collections/c", json={})
    answer = http.delete("/collections/c/index/a%20b")
    text = "Deserialize error in path parameters: Invalid json path: 'a b'"
    assert (answer.status_code, answer.json()["status"]["error"]) == (400, text)
    assert http.delete("/collections/c/index/%22a%20b%22").status_code == 200
