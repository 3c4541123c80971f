"""Which payloads are worth comparing? Odd values of every kind, and fields that queries can rank and group by."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import strategies as st

from qdlite.types import Json
from tests.filters import strategies as odd

COLOURS = ["red", "green", "blue"]
SENTENCES = ["the quick brown fox", "a lazy dog", "Quick dogs, lazy foxes!", "rote Rosen", "дом", "quick"]
UIDS = [
    "550e8400-e29b-41d4-a716-446655440000",
    "550E8400E29B41D4A716446655440000",
    "5c56c793-69f3-4fbf-87e6-c4bf54c28c26",
]
DATES = ["2024-01-01", "2024-01-01T00:00:00Z", "2021-06-07 08:09:10.123456+02:00", "1969-12-31T23:59:59.5Z"]
PLACES = [{"lon": lon, "lat": lat} for lon, lat in [(13.4, 52.5), (-0.1, 51.5), (179.9, -16.2), (0, 0)]]

PRICES = [0, 1, 2, 5, 2.0, 1.5]
COUNTS = [-3, -1, 0, 1, 2, 3, 2**53 + 1, -(2**63), 2**63 - 1]


def _rank(random: Random) -> float:
    """Eighths: the engine's reader of JSON loses the last bit of longer fractions."""
    return random.randint(-800, 800) / 8


def _item(random: Random) -> Json:
    item = {"colour": random.choice(COLOURS), "price": random.choice(PRICES), "tags": random.choices(COLOURS, k=2)}
    return {key: value for key, value in item.items() if random.random() < 0.8}


_FIELDS: dict[str, Callable[[Random], Json]] = {
    "rank": _rank,
    "ranks": lambda random: [_rank(random) for _ in range(random.randint(0, 2))],
    "count": lambda random: random.choice(COUNTS),
    "colour": lambda random: random.choice([random.choice(COLOURS), random.choices(COLOURS, k=random.randint(0, 3))]),
    "flag": lambda random: random.random() < 0.5,
    "uid": lambda random: random.choice(UIDS),
    "made": lambda random: random.choice(DATES),
    "place": lambda random: random.choice(PLACES),
    "title": lambda random: random.choice([random.choice(SENTENCES), random.choices(SENTENCES, k=2)]),
    "body": lambda random: random.choice([random.choice(SENTENCES), random.choices(SENTENCES, k=2)]),
    "items": lambda random: [_item(random) for _ in range(random.randint(0, 3))],
    "k.k": lambda random: random.choice(COLOURS),
    "ü": lambda random: random.choice(["é", "", "\U0001f600", "\x00"]),
    "": lambda random: random.choice([None, 1, True]),
}


def regular_payload(seed: int) -> dict[str, Json]:
    """A payload with most of the fields; a seed, as it takes far fewer choices of Hypothesis than its parts would."""
    random = Random(seed)
    return {field: make(random) for field, make in _FIELDS.items() if random.random() < 0.75} if seed else {}


regular: st.SearchStrategy[dict[str, Any]] = st.integers(0, 10_000).map(regular_payload)
payloads: st.SearchStrategy[dict[str, Any]] = st.one_of(
    regular, regular, regular, st.builds(lambda one, other: {**one, **other}, odd.payloads, regular)
)

INDEXABLE: dict[str, list[Any]] = {
    "rank": ["float"],
    "ranks": ["float"],
    "count": ["integer", "float", {"type": "integer", "lookup": True, "range": False}],
    "colour": ["keyword"],
    "flag": ["bool"],
    "uid": ["uuid", "keyword"],
    "made": ["datetime", "keyword"],
    "place": ["geo"],
    "title": ["keyword"],
    "items[].price": ["integer", "float"],
    "items[].colour": ["keyword"],
    '"k.k"': ["keyword", "integer"],
}
"""Fields and the schemas that suit them."""

PATHS = [*INDEXABLE, "items", "items[].tags", "items[0].colour", "ü", "nowhere", *odd.PATHS]


@st.composite
def suitable(draw: st.DrawFn) -> tuple[str, Any]:
    field = draw(st.sampled_from(list(INDEXABLE)))
    return field, draw(st.sampled_from(INDEXABLE[field]))


indexes: st.SearchStrategy[tuple[str, Any]] = st.one_of(
    suitable(), suitable(), st.tuples(st.sampled_from(PATHS), odd.schemas)
)
TEXT_SCHEMAS = [
    "text",
    {"type": "text", "phrase_matching": True},
    {"type": "text", "phrase_matching": True, "lowercase": False, "min_token_len": 3},
    {"type": "text", "ascii_folding": True, "max_token_len": 4},
    {"type": "text", "tokenizer": "whitespace", "phrase_matching": True},
    {"type": "text", "tokenizer": "prefix", "min_token_len": 2, "max_token_len": 4},
    {"type": "text", "stopwords": {"languages": ["english"], "custom": ["fox"]}, "phrase_matching": True},
    {"type": "text", "stemmer": {"type": "snowball", "language": "english"}, "phrase_matching": True},
    {"type": "text", "tokenizer": "prefix", "stopwords": {"languages": ["german"]}, "lowercase": False},
]
text_index: st.SearchStrategy[dict[str, Any]] = st.sampled_from(TEXT_SCHEMAS).map(
    lambda schema: {"create_index": {"field_name": "body", "field_schema": schema}}
)
"""The field `body` has a full-text index from the beginning: without one, the newer engine finds texts differently."""

USUAL = [
    {"create_index": {"field_name": field, "field_schema": schema}}
    for field, schema in {
        "rank": "float",
        "ranks": "float",
        "count": "integer",
        "made": "datetime",
        "colour": "keyword",
    }.items()
]
"""Indexes without which much would be refused."""
