"""Are points divided into slices as in Qdrant?"""

from __future__ import annotations

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from qdlite.filters.slices import siphash, slice_mask
from qdlite.models.filters import Slice
from qdlite.types import PointId
from tests.filters.oracle import Oracle, against_engine


def test_reference_value() -> None:
    """SipHash-2-4 with the key zero over eight zero bytes, from OpenSSL's implementation."""
    assert [hex(found) for found in siphash(np.zeros((1, 1), np.uint64)).tolist()] == ["0xe849e8bb6ffe2567"]


def test_no_ids() -> None:
    assert slice_mask([], Slice(total=3, index=1)).tolist() == []


numbers = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 99))
ids = st.lists(st.one_of(numbers, st.uuids().map(str)), min_size=1, max_size=20, unique=True)


@against_engine
@given(ids, st.integers(1, 5), st.integers(0, 4))
def test_as_the_engine_does(points: list[PointId], total: int, index: int) -> None:
    part = Slice(total=total, index=index % total)
    found = slice_mask(points, part)
    with Oracle([]) as oracle:
        oracle.upsert({UUID(point) if isinstance(point, str) else point: {} for point in points})
        expected = oracle.matching({"must": [{"slice": {"total": total, "index": part.index}}]})
    assert {point for point, member in zip(points, found, strict=True) if member} == {
        str(point) if isinstance(point, (str, UUID)) else point for point in expected
    }
