"""Do results come in the order of their scores and ids, whichever shortcut finds them?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.queries import ordering
from qdlite.types import Hits, PointId
from tests.queries.fake_view import FakePoint, FakeView

ONES = "11111111-1111-1111-1111-111111111111"
TWOS = "22222222-2222-2222-2222-222222222222"

scores_of = st.lists(st.sampled_from([-1.0, 0.0, 0.5, 2.0, 3.0]), min_size=1, max_size=40)


def stage(count: int) -> tuple[FakeView, list[PointId]]:
    """Points whose ids are in another order than their offsets, two of them UUIDs."""
    ids: list[PointId] = [number * 7 % 101 for number in range(count)]
    if count > 5:
        ids[1], ids[4] = TWOS, ONES
    return FakeView([FakePoint(point_id, {}) for point_id in ids], {}), ids


def expected(ids: list[PointId], scores: list[float], descending: bool) -> list[int]:
    def key(at: int) -> tuple[float, bool, PointId]:
        return scores[at], isinstance(ids[at], str), ids[at]

    return sorted(range(len(scores)), key=key, reverse=descending)


@given(scores=scores_of, limit=st.integers(0, 45), descending=st.booleans())
def test_leading(scores: list[float], limit: int, descending: bool) -> None:
    view, ids = stage(len(scores))
    found = ordering.leading(view, np.arange(len(scores)), np.array(scores, np.float32), limit, descending)
    assert found.tolist() == expected(ids, scores, descending)[:limit]


@given(scores=scores_of, descending=st.booleans())
def test_settle_moves_ties_only(scores: list[float], descending: bool) -> None:
    view, ids = stage(len(scores))
    keys = np.array(scores, np.float32)
    by_score = np.argsort(-keys if descending else keys, kind="stable")
    settled = ordering.settle(view, Hits(by_score, keys[by_score]), descending)
    assert settled.offsets.tolist() == expected(ids, scores, descending)
    np.testing.assert_array_equal(settled.scores, keys[by_score])


@pytest.mark.parametrize("descending", [True, False])
def test_few_ids_are_looked_up(descending: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many points only the ids of those count that are tied and may be kept."""
    view, _ = stage(100)
    keys = np.repeat(np.arange(50, dtype=np.float32), 2)
    asked: list[int] = []
    real = ordering.id_ranks

    def counted(view: FakeView, offsets: np.ndarray[tuple[int], np.dtype[np.intp]]) -> object:
        asked.append(len(offsets))
        return real(view, offsets)

    monkeypatch.setattr(ordering, "id_ranks", counted)
    ordering.leading(view, np.arange(100), keys, 4, descending)
    once = np.where(np.arange(100) < 98, np.arange(100), 98).astype(np.float32)
    in_order = once[::-1].copy() if descending else once
    ordering.settle(view, Hits(np.arange(100), in_order), descending)
    assert asked == [4, 2]


def test_nan_stays_where_sorting_puts_it() -> None:
    view, _ = stage(9)
    keys = np.array([1, np.nan, 3, 0, 5, 6, 2, 8, 7], np.float32)
    whole = ordering.order(view, np.arange(9), keys, True)
    assert ordering.leading(view, np.arange(9), keys, 3, True).tolist() == whole[:3].tolist()
