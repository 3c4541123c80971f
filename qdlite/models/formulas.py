"""Of which expressions is a formula made? Numbers, variables, operations and conditions, and defaults of variables."""

from __future__ import annotations

from typing import ClassVar

from qdlite.models import paths
from qdlite.models.base import Model
from qdlite.models.filters import Condition, GeoPoint
from qdlite.types import Json


class GeoDistanceParams(Model, frozen=True, kw_only=True):
    origin: GeoPoint
    to: str

    rules: ClassVar = {"to": paths.readable}


class DivParams(Model, frozen=True, kw_only=True):
    left: Expression
    right: Expression
    by_zero_default: float | None = None


class PowParams(Model, frozen=True, kw_only=True):
    base: Expression
    exponent: Expression


class DecayParams(Model, frozen=True, kw_only=True):
    x: Expression
    target: Expression | None = None
    scale: float | None = None
    midpoint: float | None = None


class ExpressionObject(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An operation of a formula, or a filter condition standing for 1.0 or 0.0."""

    geo_distance: GeoDistanceParams | None = None
    datetime: str | None = None
    datetime_key: str | None = None
    mult: list[Expression] | None = None
    sum: list[Expression] | None = None
    max: list[Expression] | None = None
    min: list[Expression] | None = None
    neg: Expression | None = None
    abs: Expression | None = None
    div: DivParams | None = None
    sqrt: Expression | None = None
    pow: PowParams | None = None
    exp: Expression | None = None
    log10: Expression | None = None
    ln: Expression | None = None
    acosh: Expression | None = None
    lin_decay: DecayParams | None = None
    exp_decay: DecayParams | None = None
    gauss_decay: DecayParams | None = None

    operations: ClassVar = (
        "geo_distance", "datetime", "datetime_key", "mult", "sum", "max", "min", "neg", "abs", "div", "sqrt",
        "pow", "exp", "log10", "ln", "acosh", "lin_decay", "exp_decay", "gauss_decay",
    )  # fmt: skip
    rules: ClassVar = {**Condition.rules, "datetime_key": paths.readable}
    variants: ClassVar[tuple[str, ...]] = Condition.variants + operations

    @property
    def is_condition(self) -> bool:
        return self.kind not in self.operations


Expression = float | str | ExpressionObject
"""A number, a variable (`$score`, `$score[i]` or a payload path), or an operation."""


EXPRESSIONS = frozenset(
    {
        "formula", "mult", "sum", "max", "min", "neg", "abs", "left", "right", "sqrt", "base", "exponent", "exp",
        "log10", "ln", "acosh", "x", "target",
    }
)  # fmt: skip
"""Fields that hold expressions, some of them other things elsewhere."""


def default_problem(name: str, value: Json) -> str | None:
    """What is wrong with a default of a formula's variable."""
    try:
        source = paths.variable(name)
    except ValueError as error:
        return str(error)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if isinstance(source, str) or is_number else "Score default must be a number"
