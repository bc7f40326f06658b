"""Statements that are made once and run on the driver itself: of a small one, SQLAlchemy's part is most of the time."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Insert, Select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Turn = Callable[[Any], Any]
"""Turns a value into the database's form, or back."""
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement in the words of one database.

    Args:
        text: of it. order: the names of its parameters in the order of their marks; empty: they are named in the text.
        fixed: values of parameters that are always the same. binders: what turns values of others, where needed.
        row: makes a row of a query's values. readers: what turns each value of a row.
    """

    text: str
    order: tuple[str, ...]
    fixed: Values
    binders: tuple[tuple[str, Turn], ...]
    row: Callable[..., Any]
    readers: tuple[tuple[int, Turn], ...]

    def run(self, connection: Connection, values: Values | Sequence[Values]) -> None:
        """Change something in the connection's transaction.

        Args:
            values: of the parameters; those of many rows are run one after the other.

        Raises:
            DBAPIError: the database refuses. StatementError: a value cannot be turned into its form.
        """
        many = not isinstance(values, Mapping)
        bound: Any = [self._bound(each) for each in values] if many else self._bound(values)
        with told(connection, self.text) as driver:
            cursor = driver.cursor()
            (cursor.executemany if many else cursor.execute)(self.text, bound)

    def rows(self, connection: Connection, values: Values) -> list[Any]:
        """Run a query; its rows have names. See `run`."""
        bound = self._bound(values)
        with told(connection, self.text) as driver:
            cursor = driver.cursor()
            cursor.execute(self.text, bound)
            # SQLite reads while it is fetched from, so what is damaged shows here.
            found = cursor.fetchall()
        make, readers = self.row, self.readers
        rows = []
        for each in found:
            turned = list(each)
            for number, read in readers:
                turned[number] = read(turned[number])
            rows.append(make(turned))
        return rows

    def _bound(self, values: Any) -> Any:
        bound = {**values, **self.fixed}
        try:
            for name, bind in self.binders:
                bound[name] = bind(values[name])
            return [bound[name] for name in self.order] if self.order else bound
        except Exception as error:
            raise StatementError(str(error), self.text, None, error) from error


@contextmanager
def told(connection: Connection, text: str | None = None) -> Iterator[Any]:
    """Give the driver's connection: what it raises is told as SQLAlchemy does, and a connection that is lost goes.

    Args:
        text: of the statement.

    Raises:
        DBAPIError: the database refuses, or does not answer.
    """
    dialect, driver = connection.dialect, connection.connection.dbapi_connection
    base: Any = dialect.dbapi
    try:
        yield driver
    except base.Error as error:
        if dialect.is_disconnect(error, cast("Any", driver), None):
            connection.invalidate(error)
        raise DBAPIError.instance(text, None, error, base.Error, dialect=dialect) from error


@lru_cache(maxsize=256)
def prepared(statement: Any, dialect: Dialect, keys: tuple[str, ...] = ()) -> Prepared:
    """Make a statement ready for a database.

    Args:
        statement: one that lives as long as the process. keys: for an `INSERT`, the columns that are given.
    """
    plain = isinstance(statement, Insert) and statement.select is None
    compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(keys) if plain else None)
    types = {name: parameter.type for name, parameter in compiled.binds.items()}
    given = [name for name, parameter in compiled.binds.items() if parameter.required or name in keys]
    fixed = {name: _turned(types[name], dialect, value) for name, value in compiled.params.items() if name not in given}
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    names = [str(column.key) for column in columns]
    return Prepared(
        text=str(compiled),
        order=tuple(compiled.positiontup or ()),
        fixed=fixed,
        binders=tuple((name, bind) for name in given if (bind := _binder(types[name], dialect))),
        row=_row(names),
        readers=tuple((number, read) for number, read in enumerate(readers) if read),
    )


def _row(names: list[str]) -> Callable[..., Any]:
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    make: Callable[..., Any] = kind._make
    return make


def _binder(type: TypeEngine[Any], dialect: Dialect) -> Turn | None:
    return type.dialect_impl(dialect).bind_processor(dialect)


def _turned(type: TypeEngine[Any], dialect: Dialect, value: Any) -> Any:
    bind = _binder(type, dialect)
    return bind(value) if bind else value
