"""When is it? From the date and time texts that Qdrant accepts to microseconds since 1970 (UTC)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from functools import lru_cache

from qdlite.errors import MalformedBody

_NUMBER = r"\s*([0-9]{1,2})"
_DATE = rf"\s*([+-][0-9]+|[0-9]{{1,4}})(\s*)-{_NUMBER}(\s*)-{_NUMBER}"
_TIME = rf"{_NUMBER}:{_NUMBER}(?::{_NUMBER}(\.[0-9]+)?)?"
_MINUS = "-\u2212"
_ZONE = rf"([Zz]|[Uu][Tt][Cc]|[+{_MINUS}][0-9]{{2}}(?:[:\s]*[0-9]{{2}})?)"
_MOMENT = re.compile(rf"{_DATE}(?:([Tt\s]?){_TIME}(?:\s*{_ZONE}\s*)?)?")

_TWO = "[0-9]{2}"
_USUAL = re.compile(
    rf"[0-9]{{4}}-{_TWO}-{_TWO}[T ]{_TWO}:{_TWO}:{_TWO}(?:\.[0-9]{{3}}|\.[0-9]{{6}})?(?:Z|[+-]{_TWO}:[0-5][0-9])?"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)

_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_DAYS_TO_1970 = 719162
_YEARS = range(-262143, 262143)
_SECONDS_OF_DAY = 86_400


def parse(text: str) -> int | None:
    """Microseconds since 1970-01-01T00:00:00Z, or None if the text is no date and time.

    Accepted: RFC 3339; a blank in place of `T`; an offset without colon; no offset (UTC); no seconds; a date
    alone; numbers of one digit or after white space. Digits of the fraction after the sixth are dropped.
    """
    return _usual(text) if _USUAL.fullmatch(text) else _unusual(text)


def _usual(text: str) -> int | None:
    """The forms that Python itself can read, which is several times faster."""
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return _unusual(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return (moment - _EPOCH) // _MICROSECOND


def _unusual(text: str) -> int | None:
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, gap, month, another_gap, day, separator, hour, minute, second, fraction, zone = match.groups()
    lenient = zone is not None and (len(zone) > 3 or zone[0] in "ZzUu")
    if (gap or another_gap or separator == "t") and not lenient:
        return None
    if zone is not None and second is None:
        return None
    days = _days(int(year), int(month), int(day))
    seconds = _seconds(int(hour or 0), int(minute or 0), int(second or 0))
    shift = _shift(zone)
    if days is None or seconds is None or shift is None:
        return None
    total = days * _SECONDS_OF_DAY + seconds - shift
    micros = int((fraction or ".0")[1:7].ljust(6, "0"))
    return total * 1_000_000 + micros if _FIRST <= total <= _LAST else None


@lru_cache(maxsize=1024)
def parse_bound(text: str) -> int:
    """As `parse`, for a bound in a request. Raises MalformedBody."""
    micros = parse(text)
    if micros is None:
        example = "Example: 2014-01-01T00:00:00Z"
        raise MalformedBody(f"'{text}' does not match accepted datetime format (RFC3339). {example}")
    return micros


def _days(year: int, month: int, day: int) -> int | None:
    """Days since 1970 in the proleptic Gregorian calendar; None if there is no such day."""
    if not (1 <= month <= 12 and year in _YEARS):
        return None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    length = 29 if leap and month == 2 else (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]
    if not 1 <= day <= length:
        return None
    past = year - 1
    before = past * 365 + past // 4 - past // 100 + past // 400
    return before + _DAYS_BEFORE_MONTH[month - 1] + (1 if leap and month > 2 else 0) + day - 1 - _DAYS_TO_1970


def _seconds(hour: int, minute: int, second: int) -> int | None:
    """Seconds of the day. Second 60, a leap second, counts on into the next minute."""
    return hour * 3600 + minute * 60 + second if hour < 24 and minute < 60 and second <= 60 else None


def _shift(zone: str | None) -> int | None:
    """Seconds that the zone is ahead of UTC; None if there is no such zone."""
    if zone is None or zone[0] in "ZzUu":
        return 0
    hours, minutes = int(zone[1:3]), int(zone[3:].lstrip(": \t\n\r") or 0)
    if hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-60 if zone[0] in _MINUS else 60)


_FIRST = (_days(_YEARS[0], 1, 1) or 0) * _SECONDS_OF_DAY
_LAST = (_days(_YEARS[-1], 12, 31) or 0) * _SECONDS_OF_DAY + _SECONDS_OF_DAY - 1
