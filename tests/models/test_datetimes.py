"""Which texts are dates, and which moments?"""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import combinations, product

import pytest
import qdrant_edge as edge
from hypothesis import given
from hypothesis import strategies as st

from qdlite.errors import MalformedBody
from qdlite.models import datetimes
from tests.filters.oracle import Oracle

HOUR = 3_600_000_000
NEW_YEAR = 1_704_067_200_000_000
"""2024-01-01T00:00:00Z"""


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("2024-01-01T00:00:00Z", NEW_YEAR),
        ("2024-01-01t00:00:00z", NEW_YEAR),
        ("2024-01-01 00:00:00+00:00", NEW_YEAR),
        ("2024-01-01T02:00:00+02:00", NEW_YEAR),
        ("2024-01-01T02:00:00+0200", NEW_YEAR),
        ("2024-01-01 02:00:00+02", NEW_YEAR),
        ("2023-12-31 23:30:00-00:30", NEW_YEAR),
        ("2024-01-01T00:00:00", NEW_YEAR),
        ("2024-01-01 00:00:00", NEW_YEAR),
        ("2024-01-01T00:00", NEW_YEAR),
        ("2024-01-01 00:00", NEW_YEAR),
        ("2024-01-01", NEW_YEAR),
        ("2024-01-01T00:00:00.000001Z", NEW_YEAR + 1),
        ("2024-01-01T00:00:00.0000019Z", NEW_YEAR + 1),
        ("1970-01-01T00:00:00Z", 0),
        ("1969-12-31T23:59:59.5Z", -500_000),
        ("2024-02-29", NEW_YEAR + 59 * 24 * HOUR),
        ("2023-02-29", None),
        ("2024-13-01", None),
        ("2024-01-01T24:00:00Z", None),
        ("2024-01-01T00:00Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_accepted_forms(text: str, micros: int | None) -> None:
    assert datetimes.parse(text) == micros


def test_a_bad_bound_is_named() -> None:
    with pytest.raises(MalformedBody) as raised:
        datetimes.parse_bound("soon")
    assert "'soon' does not match accepted datetime format (RFC3339). Example: 2014-01-01T00:00:00Z" in str(
        raised.value
    )


@given(st.datetimes(min_value=datetime(1, 1, 1)), st.sampled_from([" ", "T"]))
def test_what_python_writes(moment: datetime, separator: str) -> None:
    utc = moment.replace(tzinfo=timezone.utc)
    delta = utc - datetime(1970, 1, 1, tzinfo=timezone.utc)
    expected = (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
    assert datetimes.parse(utc.isoformat(sep=separator)) == expected
    assert datetimes.parse(moment.isoformat(sep=separator)) == expected


PARTS: list[list[str]] = [
    ["2024", "1969", "0001", "+2024", "-0004", " 2024", "12024", "+12024", "24", "+262142", "+262143", "-262144",
     "\uff12\uff10\uff12\uff14"],
    ["-01", "-1", "-0\uff11", "- 1", "-12", "-13", "-001", "-00", " -01"],
    ["-01", "-1", "-  9", "-30", "-31", "-32", "-001"],
    ["T", " ", "t", "  ", "T ", " T", "_"],
    ["00", "0", " 7", "23", "24", "007", "\u0661\u0662"],
    [":00", ":0", ": 7", ":59", ":60"],
    [":00", "", ":7", ": 7", ":59.5", ":60", ":60.25", ":61", ":00.", ":00.123456789", ":00.1234567891", ":00.\uff15",
     " "],
    ["Z", "", "z", " Z", "+01:00", "+0100", "-01:30", "+1", "+1:00", " +01:00", "+01 :00", "+01: 00", "+24:00",
     "+23:59", "+01:60", "UTC", " UTC", "+", "-", "Z ", "\u221201:00", "+01:00:00", "+010000", "+ 01:00", "+01::00"],
]  # fmt: skip
"""Spellings of the parts of a date; the first is the usual one."""


def variations() -> list[str]:
    """All dates in which at most two parts are not spelled as usual."""
    texts = set()
    for first, second in combinations(range(len(PARTS)), 2):
        for one, other in product(PARTS[first], PARTS[second]):
            parts = [spellings[0] for spellings in PARTS]
            parts[first], parts[second] = one, other
            texts.add("".join(parts))
    return sorted(texts)


def engine_accepts(text: str) -> bool:
    try:
        edge.FieldCondition("a", range=edge.RangeDateTime(gt=text))
    except Exception:
        return False
    return True


def test_the_engine_accepts_the_same_texts() -> None:
    different = [text for text in variations() if (datetimes.parse(text) is not None) != engine_accepts(text)]
    assert different == []


def test_the_engine_sees_the_same_moments() -> None:
    texts = [text for text in variations() if datetimes.parse(text) is not None][::7]
    with Oracle([{"at": text} for text in texts], {"at": "datetime"}) as oracle:
        request = edge.ScrollRequest(limit=len(texts), order_by=edge.OrderBy("at"))
        records, _ = oracle.shard.scroll(request)
    moments = {record.id: record.order_value for record in records}
    assert moments == {number: datetimes.parse(text) for number, text in enumerate(texts, 1)}
