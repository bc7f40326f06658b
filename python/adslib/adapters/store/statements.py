"""What the repositories of one transaction work with: reading, writing, and taking back what failed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Executable, Select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql.dml import UpdateBase

from adslib.adapters.store.connecting import NotPlainError
from adslib.adapters.store.prepared import Prepared, prepared, run_together
from adslib.domain.errors import Conflict, Invalid

T = TypeVar("T")
Values = Mapping[str, Any]

STORABLE = "give readable text, numbers up to 64 bits, lists and maps"

# PostgreSQL takes 65,535 parameters a statement and older SQLite 32,766.
CHUNK = 1000


def chunks(things: Iterable[T]) -> Iterator[list[T]]:
    """The things in lists that fit into one statement."""
    remaining = iter(things)
    while chunk := list(islice(remaining, CHUNK)):
        yield chunk


class Crossed(Conflict):
    """Somebody else was faster, or holds what is left: take all back, and begin again."""


class Statements:
    """The statements of one transaction.

    Args:
        connection: in its transaction. writable: whether this transaction may change anything.
    """

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self.connection = connection
        self.writable = writable
        self._later: list[tuple[Prepared, Sequence[tuple[Any, ...]]]] = []

    @property
    def postgresql(self) -> bool:
        """Whether the database is PostgreSQL."""
        return self.connection.dialect.name == "postgresql"

    def rows(self, query: Select[*tuple[Any, ...]], values: Values | None = None) -> Sequence[Any]:
        """All rows of a query; their values have names too.

        Args:
            values: of the parameters of a query that is made once, for all transactions; it runs several times as fast.
        """
        if values is None:
            found: Sequence[Any] = self._run(query).all()
            return found
        self.flush()
        return prepared(query, self.connection.dialect, tuple(values)).rows(self.connection, tuple(values.values()))

    def first(self, query: Select[*tuple[Any, ...]]) -> Any:
        """The first row of a query; None: there is none."""
        return self._run(query.limit(1)).first()

    def write(self, statement: Executable, rows: Values | Sequence[Values] | None = None) -> int:
        """Change something; returns how many rows were changed.

        Raises:
            RuntimeError: this is a reading, or was undone; that is a defect of the caller.
        """
        self._must_be_writable()
        return int(self._run(statement, rows).rowcount)

    def write_later(self, statement: UpdateBase, **values: Any) -> None:
        """Change something that nobody asks after: at the next statement, or at the end of the transaction.

        Args:
            statement: one that is made once, for all transactions. values: of its parameters.
        """
        self.write_all_later(statement, tuple(values), [tuple(values.values())])

    def write_all_later(self, statement: UpdateBase, names: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Change something for each of some rows; see `write_later`.

        Args:
            names: of the parameters. rows: their values, in the order of the names.
        """
        self._must_be_writable()
        if rows:
            # As they are now: what the caller does with his list until then is his own affair.
            self._later.append((prepared(statement, self.connection.dialect, names), tuple(rows)))

    def flush(self) -> None:
        """Write what was left for later.

        Raises:
            Crossed: somebody else was faster; PostgreSQL takes no more in this transaction.
        """
        if not self._later:
            return
        try:
            self._write_pending()
        except IntegrityError as error:
            raise Crossed("somebody else was faster", remedy="repeat it") from error
        # Only now: if it failed, whoever goes on all the same fails again, and never commits half.
        self._later.clear()

    def _write_pending(self) -> None:
        tables = {part.table for part, _ in self._later}
        apart = len(self._later) == len(tables) and all(len(rows) == 1 for _, rows in self._later)
        if self.postgresql and apart and len(tables) > 1:
            run_together(self.connection, [(part, rows[0]) for part, rows in self._later])
            return
        for part, rows in self._later:
            part.run(self.connection, rows)

    def forget(self) -> None:
        """Do not write what was left for later."""
        self._later.clear()

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """What is done inside is taken back if it fails; the transaction goes on as if it had not been tried.

        Raises:
            RuntimeError: this is a reading, or was undone; that is a defect of the caller.
        """
        self._must_be_writable()
        self.flush()
        with self.connection.begin_nested():
            yield

    def refused(self, statement: Executable, rows: Values | Sequence[Values] | None = None) -> IntegrityError | None:
        """Change something; returns the objection if a constraint of the database speaks against it."""
        try:
            with self.all_or_nothing():
                self.write(statement, rows)
        except IntegrityError as error:
            return error
        return None

    def _run(self, statement: Executable, rows: Values | Sequence[Values] | None = None) -> Any:
        self.flush()
        return self._execute(statement, rows)

    def _execute(self, statement: Executable, rows: Values | Sequence[Values] | None = None) -> Any:
        with _storable():
            return self.connection.execute(statement, rows)

    def _must_be_writable(self) -> None:
        if not self.writable:
            raise RuntimeError("a reading changes nothing, nor does what was undone; use store.transaction()")


@contextmanager
def _storable() -> Iterator[None]:
    try:
        yield
    except (OverflowError, UnicodeError, NotPlainError) as error:
        # The drivers raise these bare: a number beyond 64 bits, a file name that is no text.
        raise Invalid(f"the value cannot be stored: {error}", remedy=STORABLE) from error
