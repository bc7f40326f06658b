"""Moments inside documents, as ISO 8601 in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def to_text(moment: datetime) -> str:
    """Write a moment.

    Raises:
        ValueError: it has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"the time {moment.isoformat()} has no time zone")
    return moment.astimezone(UTC).isoformat()


def from_text(text: str) -> datetime:
    """Read a moment that `to_text` wrote."""
    return datetime.fromisoformat(text)
