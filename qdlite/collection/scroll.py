"""How are points paged through? By id, or by the values of a payload field."""

from __future__ import annotations

import numpy as np

from qdlite.collection import reads
from qdlite.collection.view import CollectionView
from qdlite.errors import WrongInput
from qdlite.models.common import wanted_vectors
from qdlite.models.reads import OrderBy, ScrollRequest, ScrollResult
from qdlite.queries.scroll import ordered_scroll
from qdlite.types import OffsetArray, PointId

DEFAULT_LIMIT = 10


def page(view: CollectionView, body: ScrollRequest) -> ScrollResult:
    """One page of points. The next page starts at `next_page_offset`; after `order_by` there is no such id."""
    limit = DEFAULT_LIMIT if body.limit is None else body.limit
    if body.order_by is not None:
        return _ordered(view, body, body.order_by, limit)
    offsets = _by_id(view, body, limit + 1)
    next_id: PointId | None = view.state.ids.id_of(int(offsets[limit])) if len(offsets) > limit else None
    return _page(view, body, offsets[:limit], None, next_id)


def _by_id(view: CollectionView, body: ScrollRequest, limit: int) -> OffsetArray:
    offsets = view.sorted_offsets(body.offset)
    mask = view.mask(body.filter)
    if mask is None:
        return offsets[:limit]
    # Reads in growing blocks: a page near the start costs little, whatever the size of the collection.
    block, start, found = max(1024, 2 * limit), 0, offsets[:0]
    while start < len(offsets) and len(found) < limit:
        part = offsets[start : start + block]
        kept = part[mask[part]]
        found = np.concatenate([found, kept])
        start, block = start + block, block * 4
    return found[:limit]


def _ordered(view: CollectionView, body: ScrollRequest, wanted: str | OrderBy, limit: int) -> ScrollResult:
    if body.offset is not None:
        raise WrongInput(
            "Cannot use an `offset` when using `order_by`. The alternative for paging is to use "
            "`order_by.start_from` and a filter to exclude the IDs that you've already seen for the "
            "`order_by.start_from` value"
        )
    ranked = ordered_scroll(view, wanted, body.filter, limit)
    values = ranked.order_values
    return _page(view, body, ranked.offsets, None if values is None else values.tolist(), None)


def _page(
    view: CollectionView,
    body: ScrollRequest,
    offsets: OffsetArray,
    order_values: list[int | float] | None,
    next_id: PointId | None,
) -> ScrollResult:
    with_payload = True if body.with_payload is None else body.with_payload
    points = reads.records(view.state, offsets.tolist(), with_payload, wanted_vectors(body), order_values)
    return ScrollResult(points=points, next_page_offset=next_id)
