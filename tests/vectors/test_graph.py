"""Does the graph know which rows it lacks, whoever looked before?"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qdlite.types import OffsetArray
from qdlite.vectors.graph import Graph
from qdlite.vectors.links import GraphShape
from qdlite.vectors.spans import span

pytestmark = pytest.mark.usefixtures("kernels_or_none")

ROWS = 400
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "remove", "connect", "overtaken", "look", "load", "index"]),
        st.lists(st.integers(0, ROWS - 1), min_size=1, max_size=12),
    ),
    max_size=100,
)


@given(STEPS)
@settings(deadline=None)
def test_missing_rows_are_those_of_a_look_at_all_rows(steps: list[tuple[str, list[int]]]) -> None:
    graph, present = Graph(GraphShape(False, 4, 4, 10)), np.zeros(ROWS, np.bool_)
    for step, chosen in steps:
        offsets: OffsetArray = np.unique(np.array(chosen, np.intp))
        if step == "load":  # as many points come
            first = int(np.flatnonzero(present)[-1]) + 1 if present.any() else 0
            step, offsets = "write", np.arange(first, min(first + 5 * len(chosen), ROWS), dtype=np.intp)
        elif step == "index":  # as the builder takes them
            step, offsets = "connect", graph.missing_among(present)[: 3 * len(chosen)]
        if step in ("write", "remove"):
            present[offsets] = step == "write"
            graph.forget(span(offsets))
        elif step in ("connect", "overtaken") and len(offsets):
            labels = graph.insert(np.ones((len(offsets), 4), np.float32), 1)
            graph.connect(labels, offsets, present[offsets] & (step == "connect"))
        elif step == "look":
            np.testing.assert_array_equal(graph.missing(present), graph.missing_among(present))
    np.testing.assert_array_equal(graph.missing(present), graph.missing_among(present))
