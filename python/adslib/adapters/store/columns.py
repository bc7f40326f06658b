"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A moment: given with any time zone, kept and returned in UTC.

    Raises:
        ValueError: the moment has no time zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Turn a moment into UTC; SQLite keeps it without a zone, so that texts compare as times do."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"the time {value.isoformat()} has no time zone")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the moment back in UTC, whatever zone the session of the database has."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# Names sort by code point everywhere; a PostgreSQL database may have been made with any locale.
Word = Text().with_variant(Text(collation="C"), "postgresql")

# SQLite counts rows by itself only in a column that is declared as plain INTEGER.
Serial = BigInteger().with_variant(Integer(), "sqlite")

# Documents keep the order of their keys, 1.0 apart from 1, and any character: JSONB would lose all three.
Document: JSON = JSON(none_as_null=True)

# Plain labels and the like, which the database itself may look into.
Labels: Any = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
