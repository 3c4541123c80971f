"""How do bytes become wire models, and which rules must their values keep?

Three passes, each complete before anything is written: msgspec decodes bytes into typed Structs (a failure is a
`MalformedBody`, 400); `check` walks the Structs and applies the rules declared beside the fields (`InvalidBody`,
422); the collection then checks what only it can know.

Annotations are evaluated here, not kept as text: those of `Model` would be read again for each class below it.
"""

import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from typing import Annotated, Any, ClassVar, TypeVar, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from qdlite.errors import InvalidBody, MalformedBody
from qdlite.lazily import pattern
from qdlite.models import depth

UInt = Annotated[int, Meta(ge=0)]
"""An unsigned 64-bit integer; a negative number and a larger one are type errors, as in Qdrant. msgspec knows no limit
of that size: `check` holds it."""
NonZero = Annotated[int, Meta(ge=1)]
"""The same without zero."""
UInt32 = Annotated[int, Meta(ge=0, le=2**32 - 1)]
NonZero32 = Annotated[int, Meta(ge=1, le=2**32 - 1)]
UInt8 = Annotated[int, Meta(ge=0, le=2**8 - 1)]
LARGEST = 2**64 - 1

Rule = Callable[[Any], "str | None"]
"""Takes a field's value, returns what is wrong with it, or None. Raises MalformedBody if the value cannot be read at
all, which in Qdrant is found out before any rule is looked at."""

_M = TypeVar("_M")


class Model(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of all wire models. Absent and null optional fields are both None and are left out when encoded.

    `rules` maps a field to the rule for its value.
    """

    rules: ClassVar[Mapping[str, Rule]] = {}
    told: ClassVar[frozenset[str]] = frozenset()
    """Fields whose insides `problems` judges, because Qdrant reports them under other paths or only in part."""
    path_prefix: ClassVar[str] = ""
    """Stands in paths before the model's fields, e.g. `internal` for the flattened part of query requests."""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Gives (path, message) for what concerns several fields at once."""
        return ()


class OneOf(Model, frozen=True, kw_only=True):
    """An untagged union on the wire: one object with several known keys, of which `kind` is the first present.

    `exclusive`: a second key is refused, as in Qdrant's unions of types that take no unknown keys.
    """

    variants: ClassVar[tuple[str, ...]] = ()
    expected: ClassVar[str] = "Expected one of the documented forms"
    exclusive: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.kind or (self.exclusive and sum(getattr(self, name) is not None for name in self.variants) > 1):
            raise ValueError(self.expected)

    @property
    def kind(self) -> str:
        """The key that says which variant this is; empty if there is none."""
        for name in self.variants:
            if getattr(self, name) is not None:
                return name
        return ""


def at_least(minimum: float) -> Rule:
    def rule(value: float) -> str | None:
        return None if value >= minimum else f"value {value} invalid, must be {minimum} or larger"

    return rule


def between(minimum: float, maximum: float) -> Rule:
    def rule(value: float) -> str | None:
        if minimum <= value <= maximum:
            return None
        return f"value {value} invalid, must be from {minimum} to {maximum}"

    return rule


def at_most(maximum: float) -> Rule:
    def rule(value: float) -> str | None:
        return None if value <= maximum else f"value {value} invalid, must be {maximum} or smaller"

    return rule


def not_empty(value: str) -> str | None:
    return None if value else 'value "" invalid, must be at least 1 characters'


_building = threading.Lock()


@cache
def _decoder(model: Any) -> msgspec.json.Decoder[Any]:
    """One at a time: msgspec remembers what it learns about a class before it has learnt all of it, and a decoder
    that another thread makes of that crashes the process."""
    with _building:
        return msgspec.json.Decoder(model)


def decode(body: bytes, model: type[_M], usual: type[_M] | None = None) -> _M:
    """Decodes one JSON body. Raises MalformedBody with the path of the offending value.

    `usual`: a narrower form of the model that takes less time to decode; tried first. Such models are large, and see
    for themselves that what they leave raw is not nested too deep.
    """
    try:
        if not body.isascii():
            body.decode()
        if usual is None:
            _check_depth(body)
        else:
            with suppress(msgspec.MsgspecError, RecursionError):
                return cast(_M, _decoder(cast(Hashable, usual)).decode(body))
        return cast(_M, _tolerantly(body, _decoder(cast(Hashable, model))))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, RecursionError):
            _check_depth(body)
        raise MalformedBody(_location(body, str(error))) from None


def _check_depth(body: bytes) -> None:
    place = depth.first_beyond(body)
    if place is not None:
        raise MalformedBody(f"recursion limit exceeded at {_line_and_column(body, place)}")


def _line_and_column(body: bytes, place: int) -> str:
    line, column = body.count(b"\n", 0, place) + 1, place - (body.rfind(b"\n", 0, place) + 1) + 1
    return f"line {line} column {column}"


def _tolerantly(body: bytes, decoder: msgspec.json.Decoder[Any]) -> Any:
    """Decodes a body, if need be without the unknown keys that Qdrant overlooks."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        if not _expected(str(error)):
            raise
    from qdlite.models.overlooked import without_overlooked  # models of conditions stand on this file

    return decoder.decode(without_overlooked(body))


_UNKNOWN = pattern(r"Object contains unknown field .* - at `\$.*?\.?(\w+)(?:\[[^]]*\])?`")
_EXPECTED: dict[str, str] = {}


def expect(fields: Iterable[str], text: str) -> None:
    """Sets what is said of an object with unknown keys, by the field that holds it."""
    _EXPECTED.update(dict.fromkeys(fields, text))


def _expected(text: str) -> str:
    """What is said of an unknown key in place of msgspec's text; empty for any other problem."""
    unknown = _UNKNOWN().fullmatch(text)
    return _EXPECTED.get(unknown[1], "") if unknown else ""


def decode_raw(raw: msgspec.Raw | bytes, model: Any) -> Any:
    """Decodes a part that was left raw in the first pass. Raises ValueError, which in the `__post_init__` of a
    model becomes part of the body's error, with the path of that model."""
    try:
        return _decoder(model).decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None


def _location(body: bytes, text: str) -> str:
    """Qdrant's texts end with a line and column; msgspec gives the byte of a syntax error."""
    expected = _expected(text)
    if expected:
        return expected
    if not body:
        return "EOF while parsing a value at line 1 column 0"
    if text == "Input data was truncated":
        line, column = body.count(b"\n") + 1, len(body) - (body.rfind(b"\n") + 1)
        return f"EOF while parsing at line {line} column {column}"
    if "(byte " in text:
        place = int(text.rsplit("(byte ", 1)[1].rstrip(")"))
        return f"{text.rsplit(' (byte', 1)[0]} at {_line_and_column(body, place)}"
    return text


def encode(value: object) -> bytes:
    """Encodes models and plain values; Raw parts pass through untouched."""
    return msgspec.json.encode(value)


@cache
def _checked_fields(model: type[Model]) -> tuple[tuple[str, str, Rule | None, bool], ...]:
    """(attribute, wire name, rule, whether to look inside) of the fields in which anything can be wrong."""
    hints = get_type_hints(model, include_extras=True)
    fields = (
        (field, wire, _rule(model, field, hints[field]), field not in model.told and _may_be_wrong(hints[field]))
        for field, wire in zip(model.__struct_fields__, model.__struct_encode_fields__, strict=True)
    )
    return tuple([field for field in fields if field[2] or field[3]])


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


Problem = tuple[str, str]
"""Where and what: the path of a value, and the message about it."""


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
        if value and type(value[0]) is float:
            return  # a vector: long, and without anything that has rules
        for index, item in enumerate(value):
            if isinstance(item, (Model, list)):
                _judge(item, f"{path}[{index}]", found)
    elif isinstance(value, dict):
        found += placeheld((violations(item, "") for item in value.values() if isinstance(item, Model)), path)


def _judge_model(model: Model, path: str, found: list[Problem]) -> None:
    for where, message in model.problems():
        found.append((_join(path, where), message))
    for field, wire, rule, inside in _checked_fields(type(model)):
        part = getattr(model, field)
        if part is None or part is msgspec.UNSET:
            continue
        broken = None if rule is None else rule(part)
        if broken is not None:
            found.append((_join(path, wire), broken))
        elif inside:
            _judge(part, _join(path, wire), found)


def placeheld(groups: Iterable[Iterable[Problem]], path: str) -> Iterator[Problem]:
    """The problems of a map's values. Qdrant shows a placeholder for the key, numbered if several values are bad."""
    bad = [problems for group in groups if (problems := list(group))]
    for index, problems in enumerate(bad):
        step = "?" if len(bad) == 1 else f"?[{index}]"
        for where, message in problems:
            yield _join(path, _join(step, where)), message


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path and step else path or step


def check(model: Model) -> None:
    """Applies every declared rule. Raises InvalidBody naming all violations, or MalformedBody."""
    found = violations(model, "")
    if found:
        raise InvalidBody("; ".join([f"{path}: {message}" for path, message in found]))
