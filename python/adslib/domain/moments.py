"""Moments as people say them: a time, or how long ago."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from adslib.domain.errors import Invalid

AGO = re.compile(r"(\d+)\s*(s|m|h|d|w)")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment_of(text: str, now: datetime, what: str = "time") -> datetime:
    """The moment that a text means.

    Args:
        text: `90s`, `30m`, `2h`, `7d`, `1w` ago, or ISO 8601; without a zone it is in the zone of `now`.

    Raises:
        Invalid: it is neither, or lies beyond the calendar.
    """
    ago = AGO.fullmatch(text.strip())
    try:
        if ago:
            return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        moment = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise Invalid(
            f"'{text}' is no time", place=what, remedy="write 30m, 2h, 7d (ago), or a time like 2026-05-01T12:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo)
