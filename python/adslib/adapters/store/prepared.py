"""Statements that are made once and run on the driver itself: of a small one, SQLAlchemy's part is most of the time."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Insert, Select
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

Turn = Callable[[Any], Any]
"""Turns a value into the database's form, or back."""
Row = Sequence[Any]
TOGETHER = 64
"""Rows in one statement: with more, each costs hardly less, and the statement takes longer to compile."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A statement in the words of one database, for values of certain parameters in a certain order.

    Args:
        text: of it. table: what it changes; None: nothing.
        into: an INSERT of SQLite up to its values, which may be of many rows; empty: it is none.
        fixed: values of parameters that are always the same, behind the others.
        picked: takes the value of each of the text's marks. binders: turn one into the database's form, where needed.
        row: makes a row of a query's values. readers: what turns each value of a row.
    """

    text: str
    table: Any
    into: str
    fixed: Row
    picked: Callable[[Row], tuple[Any, ...]]
    binders: tuple[tuple[int, Turn], ...]
    row: Callable[..., Any]
    readers: tuple[tuple[int, Turn], ...]

    def run(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Change something in the connection's transaction, for one row of values after the other.

        Raises:
            DBAPIError: the database refuses. StatementError: a value cannot be turned into its form.
        """
        with told(connection, self.text) as driver:
            cursor = driver.cursor()
            if len(rows) == 1:
                cursor.execute(self.text, self.bound(rows[0]))
            elif self.into:
                for begin in range(0, len(rows), TOGETHER):
                    cursor.execute(*_at_once(self.into, self._columns(rows[begin : begin + TOGETHER])))
            else:
                cursor.executemany(self.text, zip(*self._columns(rows), strict=True))

    def rows(self, connection: Connection, values: Row) -> list[Any]:
        """Run a query; its rows have names. See `run`."""
        with told(connection, self.text) as driver:
            cursor = driver.cursor()
            cursor.execute(self.text, self.bound(values))
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

    def bound(self, values: Row) -> Row:
        """The values in the database's form, by mark."""
        bound = list(self.picked((*values, *self.fixed)))
        for number, bind in self.binders:
            bound[number] = bind(bound[number])
        return bound

    def _columns(self, rows: Sequence[Row]) -> list[Row]:
        """The same for many rows, column by column: what all have in common is turned once."""
        columns = list(self.picked((*zip(*rows, strict=True), *((value,) * len(rows) for value in self.fixed))))
        for number, bind in self.binders:
            column = columns[number]
            alike = len({*map(id, column)}) == 1
            columns[number] = (bind(column[0]),) * len(column) if alike else tuple(map(bind, column))
        return columns


def _at_once(into: str, columns: Sequence[Row]) -> tuple[str, Row]:
    """One INSERT of SQLite for some rows, and its values: what they have in common is given once.

    Its driver takes longer to hand a value over than the database takes to write it.
    """
    first, *others = columns
    # One column must be each row's own, so that there are rows: the first is taken for it.
    alike = (False, *(column.count(column[0]) == len(column) for column in others))
    common = [column[0] for column, same in zip(columns, alike, strict=True) if same]
    own = [column for column, same in zip(columns, alike, strict=True) if not same]
    return _for_rows(into, alike, len(first)), [*chain.from_iterable(zip(*own, strict=True)), *common]


@lru_cache(maxsize=256)
def _for_rows(into: str, alike: tuple[bool, ...], count: int) -> str:
    own = [f"own_{number}" for number, same in enumerate(alike) if not same]
    chosen = ", ".join("?" if same else f"own_{number}" for number, same in enumerate(alike))
    rows = ", ".join([f"({', '.join('?' * len(own))})"] * count)
    return f"{into} WITH given({', '.join(own)}) AS (VALUES {rows}) SELECT {chosen} FROM given"


def run_together(connection: Connection, parts: Sequence[tuple[Prepared, Row]]) -> None:
    """Change several tables of PostgreSQL in one statement, which costs the server and us little more than one of them.

    All parts see what was there before any of them, so no two may change the same row.

    Raises:
        DBAPIError, StatementError: see `Prepared.run`.
    """
    text = _together(tuple(part.text for part, _ in parts))
    with told(connection, text) as driver:
        driver.cursor().execute(text, [value for part, values in parts for value in part.bound(values)])


@lru_cache(maxsize=64)
def _together(texts: tuple[str, ...]) -> str:
    before = ", ".join(f"part_{number} AS ({text})" for number, text in enumerate(texts[:-1]))
    return f"WITH {before} {texts[-1]}"


@contextmanager
def told(connection: Connection, text: str) -> Iterator[Any]:
    """Give the driver's connection: what it raises is told as SQLAlchemy does.

    A connection that is lost goes, and so does one that was interrupted: nobody knows how far the driver came.

    Args:
        text: of the statement.

    Raises:
        DBAPIError: the database refuses, or does not answer. StatementError: a value is none for a database.
    """
    dialect, driver = connection.dialect, connection.connection.dbapi_connection
    base: Any = dialect.dbapi
    try:
        yield driver
    except base.Error as error:
        if dialect.is_disconnect(error, cast("Any", driver), None):
            connection.invalidate(error)
        raise DBAPIError.instance(text, None, error, base.Error, dialect=dialect) from error
    except Exception as error:
        raise StatementError(str(error), text, None, error) from error
    except BaseException:
        connection.invalidate()
        raise


@lru_cache(maxsize=256)
def prepared(statement: Any, dialect: Dialect, names: tuple[str, ...]) -> Prepared:
    """Make a statement ready for a database.

    Args:
        statement: one that lives as long as the process. names: of the parameters whose values will be given.

    Raises:
        TypeError: a parameter is missing, or there is none of a name; that is a defect of the caller.
    """
    plain = isinstance(statement, Insert) and statement.select is None
    compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=list(names) if plain else None)
    types = {name: parameter.type for parameter, name in compiled.bind_names.items()}
    required = {name for parameter, name in compiled.bind_names.items() if parameter.required}
    if not required <= {*names} <= types.keys():
        # SQLAlchemy would take what is missing for NULL.
        raise TypeError(f"the statement's parameters are {sorted(required)}, not {sorted(names)}")
    fixed = [name for name in types if name not in names]
    places = {name: number for number, name in enumerate((*names, *fixed))}
    marks = compiled.positiontup or []
    columns = statement.selected_columns if isinstance(statement, Select) else ()
    readers = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    into, _, values = str(compiled).partition(" VALUES ")
    return Prepared(
        text=str(compiled),
        table=getattr(statement, "table", None),
        into=into if dialect.name == "sqlite" and values == f"({', '.join('?' * len(marks))})" else "",
        fixed=[compiled.params[name] for name in fixed],
        picked=_picker(*(places[name] for name in marks)),
        binders=tuple((number, bind) for number, name in enumerate(marks) if (bind := _binder(types[name], dialect))),
        row=_row([str(column.key) for column in columns]),
        readers=tuple((number, read) for number, read in enumerate(readers) if read),
    )


def _picker(*places: int) -> Callable[[Row], tuple[Any, ...]]:
    """Takes what stands at some places."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[place] for place in places)


def _row(names: list[str]) -> Callable[..., Any]:
    kind: Any = namedtuple("Row", names, rename=True)  # type: ignore[misc]
    make: Callable[..., Any] = kind._make
    return make


def _binder(type: TypeEngine[Any], dialect: Dialect) -> Turn | None:
    return type.dialect_impl(dialect).bind_processor(dialect)
