"""When do two answers agree? Values of equal type, vectors and scores as float32, order up to ties."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from qdlite.types import Json

RELATIVE = 1e-5
ABSOLUTE = 2e-6

Points = Sequence[dict[str, Any]]


def close(one: float, other: float, relative: float = RELATIVE) -> bool:
    return abs(one - other) <= relative * max(abs(one), abs(other)) + ABSOLUTE


def same_json(ours: Json, theirs: Json) -> None:
    """Equal, and of equal types: 1 is not 1.0, and not true."""
    texts = json.dumps(ours, sort_keys=True), json.dumps(theirs, sort_keys=True)
    assert texts[0] == texts[1], "\n".join(texts)


def same_vectors(ours: dict[str, Json], theirs: dict[str, Json]) -> None:
    assert sorted(ours) == sorted(theirs), (ours, theirs)
    for name, vector in theirs.items():
        assert _close_parts(ours[name], vector), (name, ours[name], vector)


def _close_parts(one: Json, other: Json) -> bool:
    if isinstance(other, dict):
        return bool(one["indices"] == other["indices"]) and _close_parts(one["values"], other["values"])
    if isinstance(other, list):
        return len(one) == len(other) and all(_close_parts(a, b) for a, b in zip(one, other, strict=True))
    return close(one, other, 1e-6)


def same_record(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """The same point with the same parts; not its score."""
    assert ours["id"] == theirs["id"]
    for key in ("payload", "order_value"):
        assert (key in ours) == (key in theirs), (key, ours, theirs)
        if key in theirs:
            same_json(ours[key], theirs[key])
    assert ("vector" in ours) == ("vector" in theirs), (ours, theirs)
    if "vector" in theirs:
        same_vectors(ours["vector"], theirs["vector"])


def same_records(ours: Points, theirs: Points) -> None:
    """The same points in the same order."""
    assert [one["id"] for one in ours] == [one["id"] for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        same_record(one, other)


def ties(points: Points, part: str, relative: float) -> list[list[dict[str, Any]]]:
    """Neighbours of about the same score (or other part), together."""
    groups: list[list[dict[str, Any]]] = []
    for point in points:
        if groups and close(groups[-1][-1][part], point[part], relative):
            groups[-1].append(point)
        else:
            groups.append([point])
    return groups


def same_ranking(
    ours: Points, theirs: Points, cut: tuple[bool, bool], part: str = "score", relative: float = RELATIVE
) -> None:
    """The same scores in the same order; the same points in each group of ties, but for one that may be cut: there,
    other points of that score may stand. `cut`: at the beginning, at the end; `part`: what orders the points."""
    scores = [point[part] for point in ours], [point[part] for point in theirs]
    assert len(scores[0]) == len(scores[1]), scores
    assert all(close(a, b, relative) for a, b in zip(*scores, strict=True)), scores
    groups = ties(theirs, part, relative)
    start = 0
    for number, group in enumerate(groups):
        mine = {point["id"]: point for point in ours[start : start + len(group)]}
        start += len(group)
        if not ((cut[0] and number == 0) or (cut[1] and number == len(groups) - 1)):
            assert mine.keys() == {point["id"] for point in group}, (ours, theirs)
        for point in group:
            if point["id"] in mine:
                same_record(mine[point["id"]], point)
