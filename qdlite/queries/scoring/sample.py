"""Which points does a random sample hold?"""

from __future__ import annotations

import numpy as np

from qdlite.types import OffsetArray


def sample(candidates: OffsetArray, limit: int, rng: np.random.Generator) -> OffsetArray:
    """At most `limit` of the candidates, in random order, each at most once."""
    return rng.choice(candidates, min(limit, len(candidates)), replace=False) if len(candidates) else candidates
