"""The store: where ads keeps what it knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from adslib.adapters.store.connecting import SQLITE, checked_url, shown
from adslib.adapters.store.database import Database
from adslib.adapters.store.location import has_content
from adslib.adapters.store.schema import SCHEMA
from adslib.adapters.store.transaction import Transaction
from adslib.adapters.store.versions import migrated, refuse_other_version, version_of


class Store:
    """A database of ads. It may be used by several threads, each with a transaction of its own at a time."""

    def __init__(self, database: Database, folder: TemporaryDirectory[str] | None = None) -> None:
        self._database = database
        self._folder = folder

    @property
    def url(self) -> str:
        """Where it is, without the password."""
        return shown(self._database.url)

    def schema_version(self) -> tuple[str, str]:
        """The version that the database has (empty: none yet), and the one that this ads wants."""
        with self._database.transaction(writable=False) as (connection, _):
            return version_of(connection), SCHEMA

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """See and change things together: committed when the block ends well, rolled back if it raises.

        Transactions are short: never around a gateway call, a playbook or a sleep.

        Raises:
            RuntimeError: this thread is in a transaction already; that is a defect of the caller.
            Failed: the database does not answer, cannot be written, or is locked by somebody for 30 seconds.
        """
        with self._database.transaction(writable=True) as (_, work):
            yield work

    @contextmanager
    def reading(self) -> Iterator[Transaction]:
        """See things as they are at one moment, without keeping anybody from changing them.

        Raises:
            RuntimeError: something is to be changed, or this thread is in a transaction already.
            Failed: the database does not answer.
        """
        with self._database.transaction(writable=False) as (_, work):
            yield work

    def close(self) -> None:
        """Close all connections; a store that was only stood in for goes."""
        self._database.close()
        if self._folder:
            self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str, *, check: bool = True, create: bool = True) -> Store:
    """Open a store; an SQLite file that is empty or missing is made ready first (A22).

    Args:
        url: `sqlite:////absolute/path.db`, `sqlite:///relative/path.db` or `postgresql+psycopg://user@host/database`.
        check: look at the version of the schema; without, only `schema_version` is safe to call.
        create: make an SQLite file that is missing; without, an empty store stands in for it until it is closed.

    Raises:
        Invalid: the URL is wrong, or an SQLite file would lie on a network filesystem.
        Failed: the database cannot be reached, read or made.
        Conflict: its schema is older or newer than this ads; the message says what to do.
    """
    place, folder = checked_url(url), None
    if not create and place.drivername == SQLITE and not has_content(Path(place.database or "")):
        folder = TemporaryDirectory(prefix="ads-empty-store-")
        place = place.set(database=str(Path(folder.name, "ads.db")))
    store = Store(Database(place), folder)
    try:
        if check:
            _check(store._database)
    except BaseException:
        store.close()
        raise
    return store


def migrate(url: str) -> None:
    """Bring a database to the newest schema; several processes may do so at once.

    Raises:
        Invalid, Failed: see `open_store`. Conflict: its schema is newer than this ads, or it is not ours.
    """
    database = Database(checked_url(url))
    try:
        with database.transaction(writable=True) as (connection, _):
            migrated(connection, database.url)
    finally:
        database.close()


def _check(database: Database) -> None:
    with database.transaction(writable=False) as (connection, _):
        have = version_of(connection)
    if have == SCHEMA:
        return
    if not have and database.url.drivername == "sqlite":
        with database.transaction(writable=True) as (connection, _):
            migrated(connection, database.url)
    else:
        refuse_other_version(have, database.url)
