"""How is a formula of the wire told to Qdrant's own engine?"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qdrant_edge as edge

from qdlite.types import Json
from tests.filters.oracle import to_condition

_expression = edge.Expression


def expression(given: Json) -> Any:
    """A wire expression as the engine's: number, variable, operation, or a condition."""
    if isinstance(given, str):
        return _expression.Variable(given)
    if not isinstance(given, dict):
        return _expression.Constant(float(given))
    kind = next((name for name in _EXPRESSIONS if name in given), None)
    return _expression.Condition(to_condition(given)) if kind is None else _EXPRESSIONS[kind](given[kind])


def _one(kind: Any) -> Callable[[Json], Any]:
    return lambda given: kind(expression(given))


def _several(kind: Any) -> Callable[[Json], Any]:
    return lambda given: kind([expression(part) for part in given])


def _decay(kind: Any) -> Callable[[Json], Any]:
    def build(given: Json) -> Any:
        target = expression(given["target"]) if "target" in given else None
        return _expression.Decay(kind, expression(given["x"]), target, given.get("midpoint"), given.get("scale"))

    return build


def _divided(given: Json) -> Any:
    return _expression.Div(expression(given["left"]), expression(given["right"]), given.get("by_zero_default"))


def _distance(given: Json) -> Any:
    return _expression.GeoDistance(edge.GeoPoint(given["origin"]["lon"], given["origin"]["lat"]), given["to"])


_EXPRESSIONS: dict[str, Callable[[Json], Any]] = {
    "geo_distance": _distance,
    "datetime": _expression.Datetime,
    "datetime_key": _expression.DatetimeKey,
    "mult": _several(_expression.Mult),
    "sum": _several(_expression.Sum),
    "max": _several(_expression.Max),
    "min": _several(_expression.Min),
    "div": _divided,
    "pow": lambda given: _expression.Pow(expression(given["base"]), expression(given["exponent"])),
    "neg": _one(_expression.Neg),
    "abs": _one(_expression.Abs),
    "sqrt": _one(_expression.Sqrt),
    "exp": _one(_expression.Exp),
    "log10": _one(_expression.Log10),
    "ln": _one(_expression.Ln),
    "acosh": _one(_expression.Acosh),
    "lin_decay": _decay(edge.DecayKind.Lin),
    "exp_decay": _decay(edge.DecayKind.Exp),
    "gauss_decay": _decay(edge.DecayKind.Gauss),
}
