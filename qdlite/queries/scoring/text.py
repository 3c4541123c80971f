"""Which parameters does a text query have? BM25 with the usual defaults (S. Robertson, H. Zaragoza 2009)."""

from __future__ import annotations

from typing import NamedTuple

from qdlite.errors import invalid
from qdlite.types import Json

DEFAULT_K = 1.2
DEFAULT_B = 0.75


class Bm25(NamedTuple):
    """`k`: how soon further occurrences of a term stop counting; `b`: how much long documents are held back."""

    k: float
    b: float


def bm25_params(scoring: dict[str, Json] | None) -> Bm25:
    """Reads `{"bm25": {"k", "b"}}`. Raises WrongInput for an unknown scorer and values out of range."""
    given = scoring or {}
    unknown = set(given) - {"bm25"}
    if unknown:
        raise invalid(f"unknown text scoring {sorted(unknown)[0]}, expected bm25")
    params = given.get("bm25") or {}
    k, b = params.get("k"), params.get("b")
    k, b = DEFAULT_K if k is None else float(k), DEFAULT_B if b is None else float(b)
    if not k >= 0:
        raise invalid(f"BM25 k value {k} is invalid. Must be 0.0 or larger.")
    if not 0 <= b <= 1:
        raise invalid(f"BM25 b value {b} is invalid. Must be from 0.0 to 1.0.")
    return Bm25(k, b)
