"""How are points listed in the order of a payload field?"""

from __future__ import annotations

from qdlite.models.filters import Filter
from qdlite.models.reads import OrderBy
from qdlite.queries.execute import Ranked, run
from qdlite.queries.operations import order_by
from qdlite.queries.steps import Scope, Step
from qdlite.queries.view import PointView


def ordered_scroll(view: PointView, wanted: str | OrderBy, filter: Filter | None, limit: int) -> Ranked:
    """The first `limit` values with their points, a point once per value; points without a value are left out.

    Raises WrongInput if the field has no index that can order.
    """
    scope = Scope(() if filter is None else (filter,))
    return run(Step(order_by(wanted), limit, None, scope), view)
