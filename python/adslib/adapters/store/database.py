"""A database and its transactions: begun, ended and translated in one place."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

from sqlalchemy import URL, Connection, Engine, Pool
from sqlalchemy.exc import SQLAlchemyError

from adslib.adapters.store.connecting import READING, make_engine, shown
from adslib.adapters.store.transaction import Transaction
from adslib.adapters.store.trouble import translated

_open: WeakSet[Database] = WeakSet()

# Pools of connections that a fork inherited: kept, since SQLite must not even close what another process opened.
_of_parents: list[Pool] = []


class Database:
    """A database behind a URL; connected when it is first used.

    A process that forks may go on in both halves: the child never touches connections of its parent.
    """

    def __init__(self, url: URL) -> None:
        self.url = url
        self._engine: Engine | None = None
        self._closed = False
        self._within = threading.local()
        _open.add(self)

    @property
    def engine(self) -> Engine:
        """The engine, made when it is first asked for.

        Raises:
            RuntimeError: the store was closed; that is a defect of the caller.
        """
        if self._closed:
            raise RuntimeError(f"the store {shown(self.url)} is closed")
        if self._engine is None:
            self._engine = make_engine(self.url)
        return self._engine

    @contextmanager
    def transaction(self, *, writable: bool) -> Iterator[tuple[Connection, Transaction]]:
        """One transaction; committed when the block ends well and rolled back otherwise.

        Raises:
            RuntimeError: this thread is in a transaction already; that is a defect of the caller.
            Failed, Conflict, Invalid: the database objects, see `translated`.
        """
        if getattr(self._within, "transaction", False):
            raise RuntimeError("transactions are never nested; end the one that is open first")
        engine = self.engine
        self._within.transaction = True
        try:
            with engine.connect() as connection:
                self._begin(connection, writable=writable)
                work = Transaction(connection, writable=writable)
                yield connection, work
                if writable:
                    work.commit()
        except SQLAlchemyError as error:
            raise translated(error, self.url) from error
        finally:
            self._within.transaction = False

    def _begin(self, connection: Connection, *, writable: bool) -> None:
        if not writable:
            connection.execution_options(**{READING: True})
            if connection.dialect.name == "postgresql":
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        connection.begin()

    def close(self) -> None:
        """Close all connections; the database is not to be used afterwards."""
        if self._engine is not None:
            self._engine.dispose()
        self._closed = True

    def forget_connections(self) -> None:
        """Leave the connections to the parent process that made them."""
        if self._engine is not None:
            _of_parents.append(self._engine.pool)
            self._engine.dispose(close=False)
        self._within = threading.local()


def _after_fork() -> None:
    for database in list(_open):
        database.forget_connections()


os.register_at_fork(after_in_child=_after_fork)
