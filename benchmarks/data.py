"""What do all engines search? Generated vectors, sparse documents and payloads with exact answers, cached on disk.

Dense: 1000 overlapping Gaussians in 24 latent dimensions, projected, with ambient noise, normalised; so neighbours
mean something, unlike among uniform noise. Sparse: documents of about 60 distinct terms over a shifted-zipf
vocabulary with BM25-like weights. Categories are independent of the vectors, areas are regions of the latent space.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.sparse_data import SparseData, make_sparse

Floats = NDArray[np.float32]
Integers = NDArray[np.int64]

TOP = 10
_FORMAT = "2"
_SEED = 20240607
_CLUSTERS = 1000
_LATENT = 24
_SHARES = (0.5, 0.1, 0.01, 0.001)
_CHUNK = 10_000


@dataclass(frozen=True)
class Shape:
    """Size of a data set; `sparse`: documents beside the vectors."""

    points: int
    size: int = 384
    queries: int = 1000
    sparse: bool = False


@dataclass(frozen=True)
class Condition:
    """A filter on one payload field: equal to `value`, or from `gte` to below `lt`."""

    key: str
    value: str | None = None
    gte: float = 0.0
    lt: float = 0.0


@dataclass(frozen=True)
class Filtered:
    """A filter, the share of points that match, and the exact answers of every query under it."""

    condition: Condition
    share: float
    truth: Integers


class Data:
    """Reads one data set in chunks, so that a measured process never holds the whole of it."""

    def __init__(self, folder: Path, shape: Shape) -> None:
        self._folder = folder
        self.shape = shape
        self.queries: Floats = np.load(folder / "queries.npy")
        self._categories: Integers = np.load(folder / "categories.npy")
        self._areas: Integers = np.load(folder / "areas.npy")
        self._prices: NDArray[np.float64] = np.load(folder / "prices.npy")
        self._truth: dict[str, Integers] = dict(np.load(folder / "truth.npz"))
        self._sparse: SparseData | None = None

    @property
    def truth(self) -> Integers:
        """Ids of the exact best points of each query, best first."""
        return self._truth["all"]

    def filtered(self) -> dict[str, Filtered]:
        """All filters by their name in tables."""
        conditions: dict[str, Any] = json.loads((self._folder / "filters.json").read_text())
        return {
            name: Filtered(Condition(**given["condition"]), given["share"], self._truth[name])
            for name, given in conditions.items()
        }

    def vectors(self, start: int, stop: int) -> Floats:
        size, count = self.shape.size, stop - start
        flat = np.fromfile(self._folder / "vectors.f32", np.float32, count * size, offset=start * size * 4)
        return flat.reshape(count, size)

    def payload(self, row: int) -> dict[str, Any]:
        return {
            "category": f"cat{self._categories[row]}",
            "area": f"area{self._areas[row]}",
            "price": float(self._prices[row]),
            "ts": 1_700_000_000 + row,
            "text": f"document {row} about subject {row % 977} and place {row % 131}",
        }

    def sparse(self) -> SparseData:
        if self._sparse is None:
            self._sparse = SparseData.read(self._folder)
        return self._sparse


def prepared(shape: Shape, cache: Path | None = None) -> Data:
    """The data set of a shape, made once."""
    cache = cache or Path(tempfile.gettempdir()) / "qdlite-benchmarks"
    key = hashlib.sha256(json.dumps([_FORMAT, _SEED, asdict(shape)]).encode()).hexdigest()[:12]
    folder = cache / f"{shape.points}x{shape.size}-{key}"
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _make(folder, shape)
        (folder / "done").touch()
    return Data(folder, shape)


def best_positions(scores: Floats, count: int = TOP) -> Integers:
    """Positions of the largest scores of each row, best first; -1 where there are too few."""
    if scores.shape[1] < count:
        missing = count - scores.shape[1]
        found = best_positions(scores, scores.shape[1]) if scores.shape[1] else np.empty((len(scores), 0), np.int64)
        return np.hstack([found, np.full((len(scores), missing), -1, np.int64)])
    part = np.argpartition(-scores, count - 1, axis=1)[:, :count]
    order = np.argsort(-np.take_along_axis(scores, part, 1), axis=1, kind="stable")
    chosen: Integers = np.take_along_axis(part, order, 1)
    return chosen


def _make(folder: Path, shape: Shape) -> None:
    rng = np.random.default_rng(_SEED)
    vectors, queries, clusters, centres = _vectors(shape, rng)
    vectors.tofile(folder / "vectors.f32")
    np.save(folder / "queries.npy", queries)
    categories = rng.choice(100, shape.points, p=_category_shares())
    areas = _areas(centres, np.bincount(clusters, minlength=_CLUSTERS) / shape.points)[clusters]
    prices = rng.uniform(0, 1000, shape.points)
    for name, column in (("categories", categories), ("areas", areas), ("prices", prices)):
        np.save(folder / f"{name}.npy", column)
    masks = _masks(categories, areas, prices)
    filters = {
        name: {"condition": asdict(condition), "share": float(mask.mean())} for name, (condition, mask) in masks.items()
    }
    (folder / "filters.json").write_text(json.dumps(filters))
    everything = {"all": np.ones(shape.points, np.bool_), **{name: mask for name, (_, mask) in masks.items()}}
    np.savez(folder / "truth.npz", **_truth(vectors, queries, everything))  # type: ignore[arg-type]
    if shape.sparse:
        make_sparse(folder, shape.points, shape.queries, rng)


def _vectors(shape: Shape, rng: np.random.Generator) -> tuple[Floats, Floats, Integers, Floats]:
    """Stored vectors, queries, and the cluster of each stored vector with the clusters' centres."""
    centres = rng.standard_normal((_CLUSTERS, _LATENT), np.float32)
    projection = rng.standard_normal((_LATENT, shape.size), np.float32) / np.float32(np.sqrt(_LATENT))
    spread = rng.uniform(0.7, 1.3, _CLUSTERS).astype(np.float32)
    weights = rng.dirichlet(np.ones(_CLUSTERS))

    def draw(count: int) -> tuple[Floats, Integers]:
        rows, clusters = np.empty((count, shape.size), np.float32), rng.choice(_CLUSTERS, count, p=weights)
        for start in range(0, count, _CHUNK):
            part = clusters[start : start + _CHUNK]
            latent = centres[part] + spread[part, None] * rng.standard_normal((len(part), _LATENT), np.float32)
            noise = rng.standard_normal((len(part), shape.size), np.float32)
            chunk = latent @ projection + np.float32(0.3) * noise
            rows[start : start + _CHUNK] = chunk / np.linalg.norm(chunk, axis=1, keepdims=True)
        return rows, clusters

    vectors, clusters = draw(shape.points)
    return vectors, draw(shape.queries)[0], clusters, centres


def _category_shares() -> NDArray[np.float64]:
    """50 %, 10 %, then zipf over 98 more, among which are about 1 % and 0.1 %."""
    tail = 1.0 / np.arange(1, 99)
    return np.concatenate([[0.5, 0.1], 0.4 * tail / tail.sum()])


def _areas(centres: Floats, weights: NDArray[np.float64]) -> Integers:
    """An area for each cluster: 3 to 0 are the surroundings of four places, with the shares 0.1 % to 50 %; 4 is the
    rest."""
    areas = np.full(len(centres), 4, np.int64)
    for area in (3, 2, 1, 0):
        free = np.flatnonzero(areas == 4)
        distances = ((centres[free] - centres[free[0]]) ** 2).sum(axis=1)
        nearest = free[np.argsort(distances)]
        reached = np.searchsorted(np.cumsum(weights[nearest]), _SHARES[area]) + 1
        areas[nearest[:reached]] = area
    return areas


def _masks(
    categories: Integers, areas: Integers, prices: NDArray[np.float64]
) -> dict[str, tuple[Condition, NDArray[np.bool_]]]:
    shares = np.bincount(categories, minlength=100) / len(categories)
    masks: dict[str, tuple[Condition, NDArray[np.bool_]]] = {}
    for share in _SHARES:
        chosen = int(np.argmin(np.abs(shares - share)))
        masks[f"category {share:.1%}"] = Condition("category", f"cat{chosen}"), categories == chosen
    masks["price range 10.0%"] = Condition("price", gte=450.0, lt=550.0), (prices >= 450) & (prices < 550)
    for area, share in enumerate(_SHARES):
        masks[f"area {share:.1%}"] = Condition("area", f"area{area}"), areas == area
    return masks


def _truth(vectors: Floats, queries: Floats, masks: dict[str, NDArray[np.bool_]]) -> dict[str, Integers]:
    parts: dict[str, list[Integers]] = {name: [] for name in masks}
    for start in range(0, len(queries), 100):
        scores = queries[start : start + 100] @ vectors.T
        for name, mask in masks.items():
            rows = np.append(np.flatnonzero(mask), -1)
            parts[name].append(rows[best_positions(scores if mask.all() else scores[:, rows[:-1]])])
    return {name: np.concatenate(found) for name, found in parts.items()}
