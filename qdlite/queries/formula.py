"""How does a formula of the wire become an evaluator, and how does it see the points?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from msgspec import UNSET
from numpy.typing import NDArray

from qdlite.errors import InvalidBody, MalformedBody, WrongInput, invalid
from qdlite.filters.sphere import haversine
from qdlite.models.datetimes import parse_bound
from qdlite.models.filters import Condition, Filter, GeoPoint
from qdlite.models.formulas import DecayParams, Expression, ExpressionObject
from qdlite.models.paths import spelled, steps_of, variable
from qdlite.queries.masks import held
from qdlite.queries.scoring import formula as scoring
from qdlite.queries.scoring.formula import Evaluator, Kind, Wide
from qdlite.queries.view import PointView
from qdlite.types import BoolArray, Hits, Json, OffsetArray

DEFAULT_MIDPOINT = 0.5
DEFAULT_SCALE = 1.0


class Number:
    """A number, but no boolean."""

    name = "number"
    width = 1

    def read(self, value: Json) -> float:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return float(value)
        raise ValueError("Value is not a number")


class Place:
    """Longitude and latitude of a geo point."""

    name = "geo point"
    width = 2

    def read(self, value: Json) -> tuple[float, float]:
        if not isinstance(value, dict):
            raise ValueError("invalid type: expected a geo point")
        for key in ("lon", "lat"):
            if key not in value:
                raise ValueError(f"missing field `{key}`")
            if isinstance(value[key], bool) or not isinstance(value[key], (int, float)):
                raise ValueError(f"invalid type of field `{key}`: expected a number")
        lon, lat = float(value["lon"]), float(value["lat"])
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise ValueError(
                f"Wrong format of GeoPoint payload: expected `lat` = {lat} within [-90;90] "
                f"and `lon` = {lon} within [-180;180]"
            )
        return lon, lat


class Moment:
    """A date, in microseconds since the epoch."""

    name = "datetime"
    width = 1

    def read(self, value: Json) -> float:
        if not isinstance(value, str):
            raise ValueError("Value is not a string")
        return float(_timestamp(value))


NUMBER = Number()
PLACE = Place()
MOMENT = Moment()


class Parser:
    """Turns expressions into evaluators. Raises WrongInput for anything that cannot be one."""

    def __init__(self, defaults: dict[str, Json] | None) -> None:
        self.score_defaults: dict[int, Json] = {}
        self.defaults: dict[str, Json] = {}
        for name, value in (defaults or {}).items():
            try:
                source = variable(name)
            except ValueError as error:
                raise InvalidBody(f"internal.query.defaults: {error}") from None
            if isinstance(source, int):
                self.score_defaults[source] = value
            else:
                self.defaults[source] = value

    def parse(self, expression: Expression) -> Evaluator:
        """The evaluator of one expression and all within it."""
        if isinstance(expression, ExpressionObject):
            if expression.is_condition:
                return scoring.condition(expression)
            return _OPERATIONS[expression.kind](self, getattr(expression, expression.kind))
        if isinstance(expression, str):
            return self.named(expression)
        return scoring.constant(expression)

    def parse_all(self, expressions: Sequence[Expression]) -> list[Evaluator]:
        return [self.parse(expression) for expression in expressions]

    def named(self, name: str) -> Evaluator:
        """A variable: a score (`$score`, `$score[i]`), or the number at a path of the payload."""
        try:
            source = variable(name)
        except ValueError as error:
            raise _unparsed("variable ID", name, str(error)) from None
        if isinstance(source, str):
            return self.payload(source, NUMBER, _as_is)
        default = self.score_defaults.get(source)
        is_number = isinstance(default, (int, float)) and not isinstance(default, bool)
        return scoring.score(source, float(default) if is_number and default is not None else 0.0)

    def payload(self, path: str, kind: Kind, value_of: Callable[[NDArray[Any]], Wide]) -> Evaluator:
        path = spelled(steps_of(path))
        return scoring.payload(path, kind, self.defaults.get(path, UNSET), value_of)

    def moment(self, text: str) -> Evaluator:
        """A date, in seconds since 1970."""
        try:
            seconds = _timestamp(text) / 1_000_000
        except ValueError as error:
            raise _unparsed("date-time", text, str(error)) from None
        return lambda inputs, rows: np.full(len(rows), seconds)

    def extreme(self, name: str, operands: list[Expression]) -> Evaluator:
        if not operands:
            raise invalid(f"`{name}` needs at least one operand")
        return scoring.extreme(name, self.parse_all(operands))

    def decay(self, name: str, params: DecayParams) -> Evaluator:
        midpoint = DEFAULT_MIDPOINT if params.midpoint is None else params.midpoint
        scale = DEFAULT_SCALE if params.scale is None else params.scale
        target = None if params.target is None else self.parse(params.target)
        return scoring.decay(name, self.parse(params.x), target, midpoint, scale)


class FormulaInputs:
    """The points to be scored: the union of the sources' results."""

    def __init__(self, view: PointView, sources: Sequence[Hits], offsets: OffsetArray) -> None:
        self._view = view
        self._sources = sources
        self.offsets = offsets
        """The points, ascending."""
        self._payloads: dict[tuple[str, str], tuple[NDArray[Any], list[str | None]]] = {}

    @property
    def count(self) -> int:
        return len(self.offsets)

    def score(self, source: int) -> tuple[Wide, BoolArray]:
        scores, present = np.zeros(self.count), np.zeros(self.count, np.bool_)
        if source < len(self._sources):
            rows = np.searchsorted(self.offsets, self._sources[source].offsets)
            scores[rows] = self._sources[source].scores
            present[rows] = True
        return scores, present

    def payload(self, path: str, kind: Kind, default: Json) -> tuple[NDArray[Any], list[str | None]]:
        known = self._payloads.get((path, kind.name))
        if known is None:
            known = self._payloads[path, kind.name] = self._read(path, kind, default)
        return known

    def matches(self, condition: Condition) -> BoolArray:
        mask = self._view.mask(Filter(must=[condition]), ())
        if mask is None:
            return np.ones(self.count, np.bool_)
        return held(mask, self.offsets)

    def _read(self, path: str, kind: Kind, default: Json) -> tuple[NDArray[Any], list[str | None]]:
        shape = (self.count,) if kind.width == 1 else (self.count, kind.width)
        values = np.zeros(shape)
        problems: list[str | None] = [None] * self.count
        for row, found in enumerate(self._view.fields.values(path, self.offsets)):
            values[row], problems[row] = _read(found, kind, default)
        return values, problems


def _timestamp(text: str) -> int:
    """Microseconds since the epoch. Raises ValueError saying what is wrong."""
    try:
        return parse_bound(text)
    except MalformedBody as error:
        raise ValueError(error.description) from None


def _read(found: Sequence[Json], kind: Kind, default: Json) -> tuple[Any, str | None]:
    try:
        return kind.read(_single(found, default)), None
    except ValueError as error:
        return 0.0, str(error)


def _single(found: Sequence[Json], default: Json) -> Json:
    """The one value of a point; several are a list, which no kind can read."""
    if len(found) == 1:
        return found[0]
    if found:
        return list(found)
    if default is UNSET:
        raise ValueError("No value found in a payload nor defaults")
    return default


def _as_is(values: NDArray[Any]) -> Wide:
    return values


def _seconds(values: NDArray[Any]) -> Wide:
    return values / 1_000_000


def _metres_to(origin: GeoPoint, places: NDArray[Any]) -> Wide:
    """From places (n, 2) of longitude and latitude."""
    return haversine(origin.lon, origin.lat, places[:, 0], places[:, 1])


def _unparsed(what: str, text: str, why: str) -> WrongInput:
    return invalid(f"failed to parse {what} {text}: {why}")


def _function(function: Callable[[Wide], Wide], shape: str | None = None) -> Callable[[Parser, Any], Evaluator]:
    return lambda parser, operand: scoring.unary(function, parser.parse(operand), shape)


def _decay(name: str) -> Callable[[Parser, Any], Evaluator]:
    return lambda parser, params: parser.decay(name, params)


_OPERATIONS: dict[str, Callable[[Parser, Any], Evaluator]] = {
    "geo_distance": lambda parser, params: parser.payload(params.to, PLACE, partial(_metres_to, params.origin)),
    "datetime": lambda parser, text: parser.moment(text),
    "datetime_key": lambda parser, path: parser.payload(path, MOMENT, _seconds),
    "mult": lambda parser, factors: scoring.product(parser.parse_all(factors)),
    "sum": lambda parser, terms: scoring.total(parser.parse_all(terms)),
    "max": lambda parser, operands: parser.extreme("max", operands),
    "min": lambda parser, operands: parser.extreme("min", operands),
    "div": lambda parser, params: scoring.quotient(
        parser.parse(params.left), parser.parse(params.right), params.by_zero_default
    ),
    "pow": lambda parser, params: scoring.power(parser.parse(params.base), parser.parse(params.exponent)),
    "neg": _function(np.negative),
    "abs": _function(np.abs),
    "sqrt": _function(np.sqrt, "√{}"),
    "exp": _function(np.exp, "exp({})"),
    "log10": _function(np.log10, "log10({})"),
    "ln": _function(np.log, "ln({})"),
    "acosh": _function(np.arccosh, "acosh({})"),
    "lin_decay": _decay("lin_decay"),
    "exp_decay": _decay("exp_decay"),
    "gauss_decay": _decay("gauss_decay"),
}
