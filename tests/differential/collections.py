"""Which collections are worth comparing? Every kind of vector, distance and datatype, and payload indexes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from hypothesis import strategies as st

from qdlite.types import Json

Kind = Literal["dense", "multi", "sparse"]
DISTANCES = ["Dot", "Cosine", "Euclid", "Manhattan"]
LANES = [2, 3, 4, 17, 40]
"""Sizes below and above those from which the engine adds in lanes."""


@dataclass(frozen=True)
class Slot:
    """One named vector. `exact`: components are quarters, so that sums lose nothing in float32."""

    name: str
    kind: Kind
    size: int = 0
    distance: str = "Dot"
    datatype: str = "float32"
    idf: bool = False
    exact: bool = False

    @property
    def diversifies(self) -> bool:
        """Whether MMR is compared: the engine refuses sparse vectors, unlike a server, and computes in float32 with a
        query that qdlite has rounded to the datatype."""
        return self.kind != "sparse" and self.datatype == "float32"

    def params(self) -> dict[str, Json]:
        if self.kind == "sparse":
            return {"modifier": "idf"} if self.idf else {}
        params: dict[str, Json] = {"size": self.size, "distance": self.distance}
        if self.datatype != "float32":
            params["datatype"] = self.datatype
        return {**params, "multivector_config": {"comparator": "max_sim"}} if self.kind == "multi" else params

    def vector(self, seed: int) -> Json:
        """A wire vector of the slot; equal seeds give equal vectors, small ones give special vectors."""
        rng = np.random.default_rng([seed, self.size])
        if self.kind == "sparse":
            return self._sparse(seed, rng)
        if self.kind == "multi":
            return [self._row(seed, rng) for _ in range(1 + seed % 3)]
        return self._row(seed, rng)

    def _row(self, seed: int, rng: np.random.Generator) -> list[float]:
        if seed < len(_SPECIAL):
            return [_SPECIAL[seed]] * self.size
        if self.exact:
            return [float(x) for x in rng.integers(-16, 17, self.size) / 4]
        spread = (100.0, 80.0) if self.datatype == "uint8" else (0.0, 1.5)
        return [float(x) for x in rng.normal(*spread, self.size).round(3)]

    def _sparse(self, seed: int, rng: np.random.Generator) -> dict[str, Json]:
        indices = rng.choice([0, 1, 2, 3, 5, 8, 2**32 - 1], 1 + seed % 4, replace=False)
        values = rng.integers(1, 250, len(indices)) / 100 * rng.choice([1, 1, -1], len(indices))
        return {"indices": [int(index) for index in indices], "values": [float(value) for value in values]}


_SPECIAL = [0.0, 1.0, -1.0]


@dataclass(frozen=True)
class Layout:
    """The vectors of a collection."""

    slots: tuple[Slot, ...]

    def body(self) -> dict[str, Json]:
        """The collection in wire form."""
        dense = {slot.name: slot.params() for slot in self.slots if slot.kind != "sparse"}
        body: dict[str, Json] = {"vectors": dense.get("", dense)}
        sparse = {slot.name: slot.params() for slot in self.slots if slot.kind == "sparse"}
        return {**body, "sparse_vectors": sparse} if sparse else body

    def slot(self, name: str) -> Slot:
        return next(slot for slot in self.slots if slot.name == name)

    @property
    def counts_terms(self) -> bool:
        """Whether it has the `idf` modifier: the engine goes on counting what was deleted or replaced, until its
        optimizer has passed by."""
        return any(slot.idf for slot in self.slots)

    @property
    def names(self) -> list[str]:
        return [slot.name for slot in self.slots]


@st.composite
def slots(draw: st.DrawFn, name: str) -> Slot:
    kind: Kind = draw(st.sampled_from(["dense", "dense", "multi"]))
    datatype = draw(st.sampled_from(["float32", "float32", "float32", "float16", "uint8"]))
    # A last bit in which normalised vectors differ would become the last bit of a half.
    distances = [one for one in DISTANCES if (one, datatype) != ("Cosine", "float16")]
    return Slot(name, kind, draw(st.sampled_from(LANES)), draw(st.sampled_from(distances)), datatype)


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """One unnamed vector or up to three named ones, and up to two sparse ones."""
    names = draw(st.sampled_from([[""], ["a"], ["a", "b"], ["a", "b", "long name"], []]))
    sparse = draw(st.sampled_from([[], ["s"], ["i"], ["s", "i"]] if names else [["s"], ["s", "i"]]))
    made = [draw(slots(name)) for name in names] + [Slot(name, "sparse", idf=name == "i") for name in sparse]
    return Layout(tuple(made))


EXACT = Layout(
    (
        Slot("dot", "dense", 4, "Dot", exact=True),
        Slot("euclid", "dense", 4, "Euclid", exact=True),
        Slot("manhattan", "dense", 3, "Manhattan", exact=True),
    )
)
"""Scores in it are the same in any order of summation, so that formulas cannot magnify differences."""


def seeds() -> st.SearchStrategy[int]:
    return st.integers(0, 10_000)


def layout_vectors(layout: Layout, name: str) -> st.SearchStrategy[Any]:
    return seeds().map(layout.slot(name).vector)
