"""Moments as people say them: a time, how long ago, or how long."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import datetime, timedelta

from adslib.domain.errors import Invalid

SPAN = re.compile(r"(\d+)\s*(s|m|h|d|w)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def span_of(text: str, what: str = "time") -> timedelta:
    """How long a text means: `90s`, `30m`, `2h`, `7d`, `1w`.

    Raises:
        Invalid: it is none of these.
    """
    span = SPAN.fullmatch(text.strip())
    with suppress(OverflowError):
        if span:
            return _span(span)
    raise Invalid(f"'{text}' is no length of time", place=what, remedy="write one like 90s, 30m, 2h, 7d, 1w")


def _span(found: re.Match[str]) -> timedelta:
    return timedelta(**{UNITS[found[2]]: int(found[1])})


def moment_of(text: str, now: datetime, what: str = "time") -> datetime:
    """The moment that a text means.

    Args:
        text: `90s`, `30m`, `2h`, `7d`, `1w` ago, or ISO 8601; without a zone it is in the zone of `now`.

    Raises:
        Invalid: it is neither, or lies beyond the calendar.
    """
    ago = SPAN.fullmatch(text.strip())
    try:
        if ago:
            return now - _span(ago)
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise Invalid(
            f"'{text}' is no time", place=what, remedy="write 30m, 2h, 7d (ago), or a time like 2026-05-01T12:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
