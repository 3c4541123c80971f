"""Are the fields that a formula computes with indexed?"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import structs

from qdlite.collection.limits.capabilities import Capability, Indexes, serves
from qdlite.collection.limits.filters import Unindexed, add_unindexed
from qdlite.models.base import Model
from qdlite.models.formulas import Expression, ExpressionObject
from qdlite.models.paths import variable
from qdlite.payload.path import parse

_NUMBER: list[Capability] = ["lookup", "range", "float"]
_WITHOUT_OPERANDS = ("geo_distance", "datetime", "datetime_key")


def unindexed_variables(expression: Expression, indexes: Indexes) -> Unindexed:
    """Fields without an index that gives the formula its values."""
    found: Unindexed = {}
    for part in _parts(expression):
        if isinstance(part, str):
            _add(found, part, _NUMBER, indexes)
        elif part.is_condition:
            add_unindexed(found, part, None, indexes)
        elif part.geo_distance is not None:
            _add(found, part.geo_distance.to, ["geo"], indexes)
        elif part.datetime_key is not None:
            _add(found, part.datetime_key, ["datetime"], indexes)
    return found


def _parts(expression: Expression) -> Iterator[str | ExpressionObject]:
    """Variables and operations at all depths, in the order of the wire."""
    if isinstance(expression, str):
        yield expression
    elif isinstance(expression, ExpressionObject):
        yield expression
        if not expression.is_condition and expression.kind not in _WITHOUT_OPERANDS:
            yield from _operands(getattr(expression, expression.kind))


def _operands(operand: object) -> Iterator[str | ExpressionObject]:
    """The expressions in what stands at the key of an operation: one, a list, or the fields of its parameters."""
    if isinstance(operand, (str, ExpressionObject)):
        yield from _parts(operand)
    elif isinstance(operand, (list, Model)):
        for one in operand if isinstance(operand, list) else structs.astuple(operand):
            yield from _operands(one)


def _add(found: Unindexed, name: str, needed: list[Capability], indexes: Indexes) -> None:
    try:
        source = variable(name)
    except ValueError:
        return  # The formula itself will be refused.
    if isinstance(source, int):
        return
    path = parse(source)
    if not serves(indexes, path, needed):
        found.setdefault(path, []).extend(needed)
