"""How is a score formula computed for many points at once? In float64, one array operation an expression.

Every expression becomes an `Evaluator`. Like Qdrant it computes only what it needs: after a factor of zero the
further ones are not looked at (for that point), nor a denominator under a zero. Errors of what is needed are raised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qdlite.errors import WrongInput, invalid
from qdlite.types import BoolArray, FloatArray, OffsetArray

Wide: TypeAlias = NDArray[np.float64]


class Inputs(Protocol):
    """What a formula can see of the points to be scored, which are numbered from 0."""

    @property
    def count(self) -> int: ...

    def score(self, source: int) -> tuple[Wide, BoolArray]:
        """Scores of the points in one source, and which points it holds."""

    def payload(self, path: str, kind: Kind, default: Any) -> tuple[NDArray[Any], Sequence[str | None]]:
        """For every point a payload value as `kind` reads it, and what is wrong with it (None: nothing)."""

    def matches(self, condition: Any) -> BoolArray: ...


Evaluator: TypeAlias = Callable[[Inputs, OffsetArray], Wide]
"""Values for the given rows (positions of points)."""


class Kind(Protocol):
    """How a payload value is read."""

    name: str
    """In errors: `Expected NAME value`."""

    width: int
    """Numbers a value consists of."""

    def read(self, value: Any) -> Any:
        """Raises ValueError saying what is wrong."""


def evaluate(formula: Evaluator, inputs: Inputs) -> FloatArray:
    """Scores (float32) of all points. Raises WrongInput for missing values and numbers that are not finite."""
    values = formula(inputs, np.arange(inputs.count, dtype=np.intp))
    with np.errstate(over="ignore"):
        scores = values.astype(np.float32)
    _finite(scores, lambda at: f"{shortest(values[at])} as f32 = {shortest(scores[at])}")
    return scores


def _single(value: float) -> float:
    """The float32 nearest to a number; infinite beyond the largest."""
    with np.errstate(over="ignore"):
        return float(np.float32(value))


def constant(value: float) -> Evaluator:
    """A number, which counts as float32."""
    wide = _single(value)
    return lambda inputs, rows: np.full(len(rows), wide)


def score(source: int, default: float) -> Evaluator:
    """The score in one source, `default` for points that it does not hold."""

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        scores, present = inputs.score(source)
        return np.where(present[rows], scores[rows], default)

    return run


def condition(test: Any) -> Evaluator:
    """1 for points that match, 0 for others."""
    return lambda inputs, rows: inputs.matches(test)[rows].astype(np.float64)


def payload(path: str, kind: Kind, default: Any, value_of: Callable[[NDArray[Any]], Wide]) -> Evaluator:
    """A payload value; `value_of` makes one number of what `kind` reads."""

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        values, problems = inputs.payload(path, kind, default)
        for row in rows.tolist():
            if problems[row] is not None:
                raise WrongInput(
                    f"Expected {kind.name} value for {path} in the payload and/or in the formula defaults. "
                    f"Error: {problems[row]}"
                )
        return value_of(values[rows])

    return run


def product(factors: Sequence[Evaluator]) -> Evaluator:
    """1 without factors. Those behind a zero are not computed."""

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        result = np.ones(len(rows))
        open_ = np.arange(len(rows))
        for factor in factors:
            if not len(open_):
                break
            values = factor(inputs, rows[open_])
            result[open_] = np.where(values == 0, 0.0, result[open_] * values)
            open_ = open_[values != 0]
        return result

    return run


def total(terms: Sequence[Evaluator]) -> Evaluator:
    """0 without terms."""

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        result = np.zeros(len(rows))
        for term in terms:
            result = result + term(inputs, rows)
        return result

    return run


def extreme(name: str, operands: Sequence[Evaluator]) -> Evaluator:
    """`max` or `min` of one operand or more."""
    choose: Callable[[Wide, Wide], Wide] = np.fmax if name == "max" else np.fmin

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        result = operands[0](inputs, rows)
        for operand in operands[1:]:
            result = choose(result, operand(inputs, rows))
        return result

    return run


def quotient(left: Evaluator, right: Evaluator, by_zero_default: float | None) -> Evaluator:
    """0 where the numerator is, without a look at the denominator; `by_zero_default` (None: an error) where that is."""
    fallback = None if by_zero_default is None else _single(by_zero_default)

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        numerators = left(inputs, rows)
        result = np.zeros(len(rows))
        open_ = np.flatnonzero(numerators != 0)
        if not len(open_):
            return result
        denominators = right(inputs, rows[open_])
        if fallback is not None:
            zero = denominators == 0
            result[open_[zero]] = fallback
            open_, denominators = open_[~zero], denominators[~zero]
        numerators = numerators[open_]
        values = numerators / denominators
        _finite(values, lambda at: f"{shortest(numerators[at])}/{shortest(denominators[at])} = {shortest(values[at])}")
        result[open_] = values
        return result

    return run


def unary(function: Callable[[Wide], Wide], operand: Evaluator, shape: str | None = None) -> Evaluator:
    """A function of one operand. `shape` shows the operation in the error if a value is not finite; None: it may
    be anything."""

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        values = operand(inputs, rows)
        results = function(values)
        if shape is not None:
            _finite(results, lambda at: f"{shape.format(shortest(values[at]))} = {shortest(results[at])}")
        return results

    return run


def power(base: Evaluator, exponent: Evaluator) -> Evaluator:
    """Raises WrongInput, when it is computed, for what is not finite, such as roots of negative numbers."""

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        bases = base(inputs, rows)
        exponents = exponent(inputs, rows)
        values: Wide = np.power(bases, exponents)
        _finite(values, lambda at: f"{shortest(bases[at])}^{shortest(exponents[at])} = {shortest(values[at])}")
        return values

    return run


def decay(name: str, x: Evaluator, target: Evaluator | None, midpoint: float, scale: float) -> Evaluator:
    """1 at the target, `midpoint` at the distance `scale` from it. Raises WrongInput for values out of range."""
    factor = _decay_factor(name, _single(midpoint), _single(scale))
    shape = _DECAYS[name]

    def run(inputs: Inputs, rows: OffsetArray) -> Wide:
        values = x(inputs, rows)
        targets = target(inputs, rows) if target else 0.0
        return shape(factor, values - targets)

    return run


def _decay_factor(name: str, midpoint: float, scale: float) -> float:
    if name == "lin_decay":
        if not 0 <= midpoint <= 1:
            raise invalid(f"Linear decay midpoint should be in the range [0.0, 1.0], got {shortest(midpoint)}.")
    elif not 0 < midpoint < 1:
        raise invalid(f"Decay midpoint should be in the range (0.0, 1.0), got {shortest(midpoint)}.")
    if not scale > 0:
        raise invalid(f"Decay scale should be non-zero positive, got {shortest(scale)}.")
    return {
        "lin_decay": (1 - midpoint) / scale,
        "exp_decay": math.log(midpoint) / scale if midpoint else 0.0,
        "gauss_decay": math.log(midpoint) / scale**2 if midpoint else 0.0,
    }[name]


_DECAYS: dict[str, Callable[[float, Wide], Wide]] = {
    "lin_decay": lambda factor, distance: np.maximum(1 - factor * np.abs(distance), 0.0),
    "exp_decay": lambda factor, distance: np.exp(factor * np.abs(distance)),
    "gauss_decay": lambda factor, distance: np.exp(factor * distance * distance),
}


def shortest(value: float | np.floating[Any]) -> str:
    """A number as Rust prints it: shortest decimal that reads back the same, no exponent, no trailing `.0`."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _finite(values: NDArray[Any], expression: Callable[[int], str]) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise WrongInput(f"The expression {expression(int(bad[0]))} produced a non-finite number")
