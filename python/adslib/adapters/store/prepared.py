"""Statements that are made once and run on the driver itself: of a small one, SQLAlchemy's part is most of the time."""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Insert, Select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Turn = Callable[[Any], Any]
"""Turns a value into the database's form, or back."""
Values = Mapping[str, Any]
PARAMETER = re.compile(r"%\((\w+)\)s")
Turned = dict[str, tuple[Any, Any]]
"""By parameter, the value that was turned last, and what it became."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A statement in the words of one database.

    Args:
        text: of it. picked: takes the values of its parameters as the text names them: by their marks' order, or names.
        fixed: values of parameters that are always the same. binders: what turns values of others, where needed.
        row: makes a row of a query's values. readers: what turns each value of a row.
    """

    text: str
    picked: Callable[[dict[str, Any]], Any]
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
        many, turned = not isinstance(values, Mapping), dict[str, tuple[Any, Any]]()
        bound: Any = [self._bound(each, turned) for each in values] if many else self._bound(values, turned)
        with told(connection, self.text) as driver:
            cursor = driver.cursor()
            (cursor.executemany if many else cursor.execute)(self.text, bound)

    def rows(self, connection: Connection, values: Values) -> list[Any]:
        """Run a query; its rows have names. See `run`."""
        bound = self._bound(values, {})
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

    def _bound(self, values: Any, turned: Turned) -> Any:
        """The values in the database's form; what a row has in common with the one before is not turned again."""
        bound = {**values, **self.fixed}
        try:
            for name, bind in self.binders:
                value = values[name]
                before = turned.get(name)
                if before is None or before[0] is not value:
                    turned[name] = before = (value, bind(value))
                bound[name] = before[1]
            return self.picked(bound)
        except Exception as error:
            raise StatementError(str(error), self.text, None, error) from error


def run_together(connection: Connection, parts: Sequence[tuple[Prepared, Values]]) -> None:
    """Change several tables of PostgreSQL in one statement, which costs the server and us little more than one of them.

    All parts see what was there before any of them, so no two may change the same row.

    Raises:
        DBAPIError, StatementError: see `Prepared.run`.
    """
    bound: dict[str, Any] = {}
    for number, (part, values) in enumerate(parts):
        bound |= {f"p{number}_{name}": value for name, value in part._bound(values, {}).items()}
    text = _together(tuple(part for part, _ in parts))
    with told(connection, text) as driver:
        driver.cursor().execute(text, bound)


@lru_cache(maxsize=64)
def _together(parts: tuple[Prepared, ...]) -> str:
    texts = [PARAMETER.sub(rf"%(p{number}_\1)s", part.text) for number, part in enumerate(parts)]
    before = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(texts[:-1]))
    return f"WITH {before} {texts[-1]}"


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
        picked=_picker(*(compiled.positiontup or ())),
        fixed=fixed,
        binders=tuple((name, bind) for name in given if (bind := _binder(types[name], dialect))),
        row=_row(names),
        readers=tuple((number, read) for number, read in enumerate(readers) if read),
    )


def _picker(*order: str) -> Callable[[dict[str, Any]], Any]:
    """Takes values in an order of their names; without one, all with their names."""
    if len(order) > 1:
        return itemgetter(*order)
    return lambda values: tuple(values[name] for name in order) if order else values


def _row(names: list[str]) -> Callable[..., Any]:
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    make: Callable[..., Any] = kind._make
    return make


def _binder(type: TypeEngine[Any], dialect: Dialect) -> Turn | None:
    return type.dialect_impl(dialect).bind_processor(dialect)


def _turned(type: TypeEngine[Any], dialect: Dialect, value: Any) -> Any:
    bind = _binder(type, dialect)
    return bind(value) if bind else value
