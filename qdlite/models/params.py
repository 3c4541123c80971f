"""How is a search to be made? The `params` of a query: exact or not, how wide, by which statistics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from qdlite.models.base import Model, Problem, UInt, at_least, between
from qdlite.models.checks import violations
from qdlite.models.filters import Filter


class QuantizationSearchParams(Model, frozen=True, kw_only=True):
    ignore: bool = False
    rescore: bool | None = None
    oversampling: float | None = None

    rules: ClassVar = {"oversampling": at_least(1.0)}


class AcornSearchParams(Model, frozen=True, kw_only=True):
    enable: bool = False
    max_selectivity: float | None = None

    rules: ClassVar = {"max_selectivity": between(0.0, 1.0)}


class IdfCorpus(Model, frozen=True, kw_only=True):
    """Qdrant leaves `corpus` out of paths."""

    corpus: Filter

    told: ClassVar = frozenset({"corpus"})

    def problems(self) -> Iterable[Problem]:
        return violations(self.corpus, "")


class SearchParams(Model, frozen=True, kw_only=True):
    hnsw_ef: UInt | None = None
    exact: bool = False
    quantization: QuantizationSearchParams | None = None
    indexed_only: bool = False
    acorn: AcornSearchParams | None = None
    idf: Literal["global"] | IdfCorpus | None = None

    rules: ClassVar = {"hnsw_ef": at_least(1)}
