"""Which rules do the values of a model break? A walk through the rules that are declared beside the fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from qdlite.errors import InvalidBody, MalformedBody
from qdlite.models.base import LARGEST, Model, NonZero, Problem, Rule, UInt


class _CheckedField(Struct, frozen=True):
    attribute: str
    wire: str
    rule: Rule | None
    inside: bool
    """Whether to look inside."""
    in_lists: bool
    """Whether lists are worth a look too, which those that are vectors are not."""
    one_or_many: bool


@cache
def _checked_fields(model: type[Model]) -> tuple[_CheckedField, ...]:
    """The fields in which anything can be wrong."""
    hints = get_type_hints(model, include_extras=True)
    fields = (
        _CheckedField(
            field,
            wire,
            _rule(model, field, hints[field]),
            field not in model.told and _may_be_wrong(hints[field]),
            any(_may_be_wrong(part) for part in _lists(hints[field])),
            _is_one_or_many(hints[field]),
        )
        for field, wire in zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True)
    )
    return tuple([field for field in fields if field.rule or field.inside])


def _is_one_or_many(hint: Any) -> bool:
    """Whether a field takes one model in place of a list of one, which Qdrant makes of it at once."""
    parts = get_args(hint)
    return any(get_args(part)[0] in parts for part in parts if get_origin(part) is list)


def _lists(hint: Any) -> list[Any]:
    return [part for part in (hint, *get_args(hint)) if get_origin(part) is list]


def _rule(model: type[Model], field: str, hint: Any) -> Rule | None:
    rule = model.rules.get(field)
    return _sized(rule) if _is_unsigned(hint) else rule


def _is_unsigned(hint: Any) -> bool:
    """Whether a field can hold an unsigned integer of 64 bits."""
    return hint in (UInt, NonZero) or (get_origin(hint) is not list and any(map(_is_unsigned, get_args(hint))))


def _sized(rule: Rule | None) -> Rule:
    """A rule for unsigned integers: that they are not beyond 64 bits, and then the rule that is given."""

    def sized(value: Any) -> str | None:
        if isinstance(value, int) and value > LARGEST:
            raise MalformedBody(_too_large(value))
        return rule(value) if rule else None

    return sized


def _too_large(value: int) -> str:
    """What Qdrant says of a number that it can read as a float only, or not even so."""
    try:
        number = repr(float(value)).replace("e+", "e")
    except OverflowError:
        return "number out of range"
    return f"invalid type: floating point `{number}`, expected usize"


def _may_be_wrong(hint: Any, around: frozenset[type] = frozenset()) -> bool:
    """Whether a value of this type can be or hold a model that has rules; those `around` it are known to have none
    of their own."""
    if not (isinstance(hint, type) and issubclass(hint, Model)):
        return any(_may_be_wrong(part, around) for part in get_args(hint))
    if hint in around:
        return False
    if hint.rules or hint.problems is not Model.problems:
        return True
    parts = get_type_hints(hint, include_extras=True).values()
    return any(_is_unsigned(part) or _may_be_wrong(part, around | {hint}) for part in parts)


def violations(value: Any, path: str) -> list[Problem]:
    """Every broken rule in a model, list or map that stands at `path`, depth first. Raises MalformedBody for what
    cannot be read."""
    found: list[Problem] = []
    _judge(value, path, found)
    return found


def _judge(value: Any, path: str, found: list[Problem]) -> None:
    """Adds what is wrong to what is `found`."""
    if isinstance(value, Model):
        _judge_model(value, _join(path, value.path_prefix), found)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Model) or (isinstance(item, list) and not _is_vector(item)):
                _judge(item, f"{path}[{index}]", found)
    elif isinstance(value, dict):
        found += placeheld((violations(item, "") for item in value.values() if isinstance(item, Model)), path)


def _is_vector(value: list[Any]) -> bool:
    """Lists in lists are long and without anything that has rules, if they begin with a number."""
    return bool(value) and type(value[0]) is float


def _judge_model(model: Model, path: str, found: list[Problem]) -> None:
    for where, message in model.problems():
        found.append((_join(path, where), message))
    for field in _checked_fields(type(model)):
        part = getattr(model, field.attribute)
        if part is None or part is msgspec.UNSET:
            continue
        broken = None if field.rule is None else field.rule(part)
        if broken is not None:
            found.append((_join(path, field.wire), broken))
        elif field.inside and (field.in_lists or not isinstance(part, list)):
            step = f"{field.wire}[0]" if field.one_or_many and isinstance(part, Model) else field.wire
            _judge(part, _join(path, step), found)


def placeheld(groups: Iterable[Iterable[Problem]], path: str) -> Iterator[Problem]:
    """The problems of a map's values. Qdrant shows a placeholder for the key, numbered if several values are bad."""
    bad = [problems for group in groups if (problems := list(group))]
    for index, problems in enumerate(bad):
        step = "?" if len(bad) == 1 else f"?[{index}]"
        for where, message in problems:
            yield _join(path, _join(step, where)), message


def numbered(models: Mapping[str, Model] | None, path: str) -> Iterator[Problem]:
    """The problems of a map's values, for maps that Qdrant takes for lists in the order of their keys."""
    for index, (_, model) in enumerate(sorted((models or {}).items())):
        yield from violations(model, f"{path}[{index}]")


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path and step else path or step


def check(model: Model) -> None:
    """Applies every declared rule. Raises InvalidBody naming all violations, or MalformedBody."""
    found = violations(model, "")
    if found:
        raise InvalidBody("; ".join([f"{path}: {message}" for path, message in found]))
