"""How is a distance matrix shown? As pairs, or as coordinates into the sampled ids."""

from __future__ import annotations

from qdlite.collection.reads import shortest_floats
from qdlite.collection.view import CollectionView
from qdlite.models.matrix import MatrixOffsets, MatrixPair, MatrixPairs
from qdlite.queries.matrix import Matrix


def matrix_pairs(view: CollectionView, matrix: Matrix) -> MatrixPairs:
    """One entry per pair, row by row."""
    ids = view.ids(matrix.offsets.tolist())
    cells = zip(matrix.rows.tolist(), matrix.columns.tolist(), shortest_floats(matrix.scores), strict=True)
    return MatrixPairs(pairs=[MatrixPair(a=ids[row], b=ids[column], score=score) for row, column, score in cells])


def matrix_offsets(view: CollectionView, matrix: Matrix) -> MatrixOffsets:
    """Rows, columns and scores of the same entries."""
    return MatrixOffsets(
        offsets_row=matrix.rows.tolist(),
        offsets_col=matrix.columns.tolist(),
        scores=shortest_floats(matrix.scores),
        ids=view.ids(matrix.offsets.tolist()),
    )
