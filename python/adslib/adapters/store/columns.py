"""Column types that mean the same on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from sqlalchemy import (
    ARRAY,
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    Text,
    and_,
    bindparam,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.sql.operators import OperatorType
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


class Place(TypeDecorator[int]):
    """A number of up to 128 bits, kept in 16 bytes that sort as the numbers do."""

    impl = LargeBinary(16)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[int | None], bytes | None]:
        """Turn a number into bytes, which the drivers take as they are."""
        return _as_bytes

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> int | None:
        """Give the number back."""
        return None if value is None else int.from_bytes(value, "big")


class _Words(TypeDecorator[list[str]]):
    """A list of texts that a statement looks through.

    Raises:
        ValueError: one holds a zero byte.
    """

    impl = JSON().with_variant(ARRAY(Text), "postgresql")
    cache_ok = True

    def process_bind_param(self, value: list[str] | None, dialect: Dialect) -> list[str] | None:
        """Refuse what SQLite would read up to its zero byte only, and so take for another word."""
        if any("\0" in word for word in value or ()):
            raise ValueError("a zero byte is no part of a text")
        return value


class among(FunctionElement[bool]):  # noqa: N801 – a condition, as SQLAlchemy writes its own
    """The condition that a text column holds one of the words that a parameter lists, however many there are."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: ColumnElement[str], parameter: str) -> None:
        super().__init__(column, bindparam(parameter, type_=_Words()))

    def self_group(self, against: OperatorType | None = None) -> Self:
        """As it is: SQLAlchemy would write `… = 1` for SQLite, which then looks into every row."""
        return self


@compiles(among, "sqlite")
def _among_json(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, words = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({words}))"


@compiles(among, "postgresql")
def _among_array(element: among, compiler: SQLCompiler, **options: Any) -> str:
    column, words = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY({words})"


def _as_bytes(value: int | None) -> bytes | None:
    return None if value is None else value.to_bytes(16, "big")


def holds(column: ColumnElement[Any], value: object) -> ColumnElement[bool]:
    """The condition that a column holds a value; said so that an index serves that leaves out the empty word."""
    return and_(column == value, column != "") if value and isinstance(value, str) else column == value


def one_of(column: str, words: Iterable[StrEnum]) -> str:
    """The condition that a column holds one of some words."""
    return f"{column} IN ({', '.join(repr(str(word)) for word in sorted(words))})"


def where(condition: str, sqlite: str = "") -> dict[str, Any]:
    """The arguments of an index that holds only the rows of a condition; SQLite may want it in words of its own."""
    return {"sqlite_where": text(sqlite or condition), "postgresql_where": text(condition)}


def word(name: str) -> Column[str]:
    """A column for a name, which is never absent; it may be empty."""
    return Column(name, Word, nullable=False)


def generation() -> Column[int]:
    """The column that every change counts up."""
    return Column("generation", BigInteger, nullable=False)
