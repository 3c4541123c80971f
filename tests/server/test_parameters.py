"""Are query strings read as Qdrant reads them?"""

from __future__ import annotations

from typing import Any

import pytest

from qdlite.errors import InvalidParameter, MalformedParameter
from qdlite_server.parameters import COLLECTION, READ, SNAPSHOT, WRITE, Parameters


@pytest.mark.parametrize(
    ("parameters", "query", "expected"),
    [
        (WRITE, "", {"wait": False, "ordering": "weak", "timeout": None}),
        (WRITE, "wait=true&ordering=strong&timeout=5", {"wait": True, "ordering": "strong", "timeout": 5}),
        (WRITE, "wait=false&unknown=1", {"wait": False, "ordering": "weak", "timeout": None}),
        (WRITE, "timeout=0", {"wait": False, "ordering": "weak", "timeout": 0}),
        (READ, "consistency=", {"consistency": None, "timeout": None}),
        (READ, "consistency=majority&timeout=3", {"consistency": "majority", "timeout": 3}),
        (READ, "consistency=2", {"consistency": 2, "timeout": None}),
        (COLLECTION, "timeout=18446744073709551615", {"timeout": 2**64 - 1}),
        (SNAPSHOT, "", {"wait": True}),
    ],
)
def test_values(parameters: Parameters, query: str, expected: dict[str, Any]) -> None:
    assert dict(parameters.parse(query)) == expected


@pytest.mark.parametrize(
    ("parameters", "query", "reason"),
    [
        (WRITE, "wait=1", "provided string was not `true` or `false`"),
        (WRITE, "wait=", "provided string was not `true` or `false`"),
        (WRITE, "wait=true&wait=true", "duplicate field `wait`"),
        (WRITE, "ordering=first", "unknown variant `first`, expected one of `weak`, `medium`, `strong`"),
        (READ, "timeout=-1", "invalid digit found in string"),
        (READ, "timeout=1.5", "invalid digit found in string"),
        (READ, "timeout=", "cannot parse integer from empty string"),
        (READ, "timeout=18446744073709551616", "number too large to fit in target type"),
        (READ, "timeout=0", "invalid value: integer `0`, expected a nonzero u64"),
        (READ, "consistency=most", "failed to deserialize read consistency query parameter value 'most'"),
        (READ, "consistency=0", "failed to deserialize read consistency query parameter value '0'"),
    ],
)
def test_malformed(parameters: Parameters, query: str, reason: str) -> None:
    with pytest.raises(MalformedParameter) as caught:
        parameters.parse(query)
    assert str(caught.value) == f"Deserialize error in query parameters: {reason}"


def test_a_timeout_of_zero_breaks_a_rule() -> None:
    with pytest.raises(InvalidParameter) as caught:
        COLLECTION.parse("timeout=0")
    expected = "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]"
    assert str(caught.value) == expected
