"""Grouped results."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qdlite.models.groups import QueryGroupsRequest
from qdlite.queries.groups import query_groups
from qdlite.queries.view import VectorTraits
from qdlite.types import PointId
from tests.queries.conftest import UUID
from tests.queries.fake_view import FakePoint, FakeView, refuse

TRAITS = {"": VectorTraits("dense", "Dot"), "euclid": VectorTraits("dense", "Euclid")}

Found = list[tuple[str | int, list[PointId]]]


def grouped(view: FakeView, **fields: Any) -> Found:
    request = msgspec.convert(fields, QueryGroupsRequest)
    groups = query_groups(request, view, refuse, refuse)
    return [(group.id, view.ids(group.hits.offsets.tolist())) for group in groups]


def test_groups_stand_by_their_best_hit(view: FakeView) -> None:
    assert grouped(view, query=[1.0, 0.0], group_by="colour") == [("blue", [7, 4]), ("red", [3, 1])]
    assert grouped(view, query=[1.0, 0.0], group_by="colour", group_size=1) == [("blue", [7]), ("red", [3])]
    assert grouped(view, query=[1.0, 0.0], group_by="colour", limit=1) == [("blue", [7, 4])]


def test_euclid_ascends(view: FakeView) -> None:
    assert grouped(view, query=[0.0, 0.0], using="euclid", group_by="colour") == [("red", [3, 1]), ("blue", [7])]


def test_an_array_puts_a_point_into_several_groups(view: FakeView) -> None:
    assert grouped(view, query=[1.0, 0.0], group_by="many") == [(2, [7, 3]), (1, [3])]
    assert grouped(view, query=[1.0, 0.0], group_by="mixed") == [(1, [4, 3]), ("b", [4]), ("a", [3])]


def test_without_a_query_groups_stand_by_id(view: FakeView) -> None:
    assert grouped(view, group_by="colour") == [("red", [1, 3]), ("blue", [4, 7])]


def test_order_by_groups(view: FakeView) -> None:
    query = {"order_by": {"key": "price", "direction": "desc"}}
    assert grouped(view, query=query, group_by="colour") == [("red", [1, 3]), ("blue", [7])]


def test_unknown_field_makes_no_groups(view: FakeView) -> None:
    assert grouped(view, query=[1.0, 0.0], group_by="nothing") == []


def test_examples_and_filters_hold(view: FakeView) -> None:
    assert grouped(view, query=7, group_by="colour") == [("blue", [4]), ("red", [3, 1])]
    only = {"must": {"has_id": [1, UUID]}}
    assert grouped(view, query=[1.0, 0.0], group_by="colour", filter=only) == [("red", [1])]


def test_fusion(view: FakeView) -> None:
    prefetch = [{"query": [1.0, 0.0], "limit": 1}, {"query": [0.0, 0.0], "using": "euclid", "limit": 1}]
    found = grouped(view, query={"fusion": "rrf"}, prefetch=prefetch, group_by="colour", group_size=1, limit=2)
    assert found == [("blue", [7]), ("red", [3])]


def test_values_of_a_field_order_groups_before_the_scores_of_a_fusion(view: FakeView) -> None:
    """As Qdrant compares points: by their order values, if they have such, else by their scores."""
    by_price = {"query": {"order_by": {"key": "price"}}, "limit": 4}
    found = grouped(view, query={"fusion": "rrf"}, prefetch=[by_price], group_by="colour", group_size=1, limit=2)
    assert found == [("red", [3]), ("blue", [7])]
    nearest = {"query": [1.0, 0.0], "limit": 4}
    found = grouped(view, query={"fusion": "rrf"}, prefetch=[by_price, nearest], group_by="colour", limit=2)
    assert found == [("red", [1, 3]), ("blue", [7, 4])]
    found = grouped(view, query={"fusion": "rrf"}, prefetch=by_price, group_by="colour", limit=1, group_size=3)
    assert found == [("red", [1, 3])]  # although 7, which is blue, has the best score


def test_a_later_round_may_find_a_better_group() -> None:
    """As in Qdrant: rounds go on until the best groups are full, and each sees the next points of the prefetch."""
    vectors = {1: [5.0, 0.0], 2: [4.0, 1.0], 3: [3.0, 9.0]}
    points = [FakePoint(number, {"": vector}, {"group": number}) for number, vector in vectors.items()]
    prefetch = {"query": [1.0, 0.0], "limit": 1}
    fields = {"query": [0.0, 1.0], "prefetch": prefetch, "group_by": "group", "limit": 1}
    assert grouped(FakeView(points, {"": TRAITS[""]}), **fields, group_size=2) == [(3, [3])]
    assert grouped(FakeView(points, {"": TRAITS[""]}), **fields, group_size=1) == [(1, [1])]


def test_every_group_is_filled_through_prefetches(view: FakeView) -> None:
    """Later rounds look beyond the limit of a prefetch."""
    prefetch = {"query": [1.0, 0.0], "limit": 1}
    found = grouped(view, query=[0.0, 1.0], prefetch=prefetch, group_by="colour", group_size=2)
    assert {group: set(points) for group, points in found} == {"red": {1, 3}, "blue": {4, 7}}


def test_sample_takes_no_point_twice(view: FakeView) -> None:
    for _ in range(20):
        found = grouped(view, query={"sample": "random"}, group_by="colour", group_size=2)
        assert {group: sorted(points, key=str) for group, points in found} == {"red": [1, 3], "blue": [4, 7]}


@given(
    codes=st.lists(st.lists(st.integers(0, 6), max_size=3), min_size=1, max_size=60),
    limit=st.integers(1, 6),
    size=st.integers(1, 4),
    using=st.sampled_from(["", "euclid"]),
)
def test_groups_equal_those_of_the_full_ranking(codes: list[list[int]], limit: int, size: int, using: str) -> None:
    rng = np.random.default_rng(len(codes))
    points = [
        FakePoint(number, {name: rng.normal(size=3).tolist() for name in TRAITS}, {"group": groups})
        for number, groups in enumerate(codes)
    ]
    view = FakeView(points, TRAITS)
    query = [0.3, -0.7, 0.2]
    rows = np.array([point.vectors[using] for point in points])
    keys = -(rows @ query) if not using else ((rows - query) ** 2).sum(axis=1)
    expected: dict[int, list[int]] = {}
    for number in np.argsort(keys).tolist():
        for code in dict.fromkeys(codes[number]):
            expected.setdefault(code, []).append(number)
    found = grouped(view, query=query, using=using, group_by="group", limit=limit, group_size=size)
    assert [points for _, points in found] == [hits[:size] for hits in list(expected.values())[:limit]] or (
        # groups that a single point opens at once may stand in any order
        sorted(map(str, found)) <= sorted(str((code, hits[:size])) for code, hits in expected.items())
    )
    assert len(found) == min(limit, len(expected))


@pytest.mark.parametrize("text", ["colour", "many"])
def test_scores_belong_to_the_hits(view: FakeView, text: str) -> None:
    request = msgspec.convert({"query": [1.0, 0.0], "group_by": text}, QueryGroupsRequest)
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [2.0, 0.0], [1.0, 0.0]])
    for group in query_groups(request, view, refuse, refuse):
        assert group.hits.scores.tolist() == rows[group.hits.offsets, 0].tolist()
