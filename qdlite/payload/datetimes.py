"""When is it? From the date and time texts that Qdrant accepts to microseconds since 1970 (UTC)."""

from __future__ import annotations

import re
from functools import lru_cache

from qdlite.errors import MalformedBody

_NUMBER = r"\s*(\d{1,2})"
_DATE = rf"\s*([+-]\d+|\d{{1,4}})-{_NUMBER}-{_NUMBER}"
_TIME = rf"{_NUMBER}:{_NUMBER}(?::{_NUMBER}(\.\d+)?)?"
_ZONE = r"([Zz]|[+-]\d\d(?::?\d\d)?)"
_MOMENT = re.compile(rf"{_DATE}(?:[Tt ]{_TIME}\s*{_ZONE}?)?")

_DAYS_BEFORE_MONTH = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_DAYS_TO_1970 = 719162
_LARGEST_YEAR = 262142
_MICROSECONDS_OF_DAY = 86_400_000_000


def parse(text: str) -> int | None:
    """Microseconds since 1970-01-01T00:00:00Z, or None if the text is no date and time.

    Accepted: RFC 3339; a blank in place of `T`; an offset without colon; no offset (UTC); no seconds; a date
    alone. Digits of the fraction after the sixth are dropped.
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    days = _days(int(year), int(month), int(day))
    if days is None:
        return None
    if hour is None:
        return days * _MICROSECONDS_OF_DAY
    if second is None and zone is not None:
        return None
    seconds = _seconds(int(hour), int(minute), int(second or 0))
    shift = _shift(zone)
    if seconds is None or shift is None:
        return None
    micros = int((fraction or ".0")[1:7].ljust(6, "0"))
    return days * _MICROSECONDS_OF_DAY + (seconds - shift) * 1_000_000 + micros


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
    if not (1 <= month <= 12 and abs(year) <= _LARGEST_YEAR):
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
    if zone is None or zone in "Zz":
        return 0
    digits = zone[1:].replace(":", "")
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours > 23 or minutes > 59:
        return None
    return (hours * 60 + minutes) * (-60 if zone[0] == "-" else 60)
