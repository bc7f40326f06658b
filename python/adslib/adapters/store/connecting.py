"""From a URL to an engine: which databases there are, and how each is spoken to."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from adslib.adapters.store.location import prepare_file
from adslib.adapters.store.prepared import told
from adslib.domain.errors import Failed, Invalid

LONGEST_WAIT = 30.0
"""Seconds that a change waits for others before it gives up."""

SQLITE = "sqlite"
POSTGRESQL = "postgresql+psycopg"
REMEDY = (
    "write sqlite:////absolute/path.db, sqlite:///relative/path.db or postgresql+psycopg://user:password@host/database"
)
READING = "ads_reading"
"""Execution option of a connection that only reads."""

# What psycopg notes besides raising it would be written to the terminal where nobody has set up any logging.
logging.getLogger("psycopg").addHandler(logging.NullHandler())


def checked_url(url: str) -> URL:
    """Understand the URL of a store; the path of an SQLite file becomes absolute.

    Raises:
        Invalid: it is none, or names a database that ads does not use. The message never shows a password.
    """
    if url.startswith(f"{SQLITE}:"):
        return _checked_sqlite(url)
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        scheme, separator, _ = url.partition("://")
        what = f"what follows '{scheme}://' is no URL of a store" if separator else "a store is named by a URL"
        # The reason would show what was given, and with it a password.
        raise Invalid(what, remedy=REMEDY) from None
    if parsed.drivername != POSTGRESQL:
        raise Invalid(f"ads does not keep its store in '{parsed.drivername}'", place=shown(parsed), remedy=REMEDY)
    if not parsed.database:
        raise Invalid("the URL names no database", place=shown(parsed), remedy=REMEDY)
    return parsed


def _checked_sqlite(url: str) -> URL:
    """A path is taken as it is: not all versions of SQLAlchemy agree on what a percent sign means in it."""
    path = url.removeprefix(f"{SQLITE}:///")
    if path == url or not path or "?" in path or path == ":memory:" or path.startswith("file:"):
        raise Invalid("an SQLite store is a file, named without a host and without options", remedy=REMEDY)
    if path.startswith("~"):
        raise Invalid("'~' means nothing in a URL", place=url, remedy="write the path of your home in full")
    return URL.create(SQLITE, database=str(Path(path).absolute()))


def shown(url: URL) -> str:
    """The URL as people may see it: no password, and no options, which may hold one."""
    if url.drivername == SQLITE:
        return f"{SQLITE}:///{url.database}"
    return url.set(query={}).render_as_string(hide_password=True)


def preload(url: str) -> None:
    """Import what opening this store needs, so that a process that forks often pays for it once.

    Raises:
        Invalid: the URL is wrong. Failed: the driver is not installed.
    """
    parsed = checked_url(url)
    with _driver_needed(parsed):
        parsed.get_dialect().import_dbapi()


class NotPlainError(Exception):
    """A value is not made of texts, numbers, lists and maps. Some drivers raise it as it is, some wrap it."""


@contextmanager
def _driver_needed(url: URL) -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise Failed(
            f"the PostgreSQL driver '{error.name}' is not installed",
            place=shown(url),
            remedy="install it with: pip install 'adslib[postgresql]'",
        ) from error


def make_engine(url: URL) -> Engine:
    """Make an engine; nothing is connected yet, but the file of an SQLite store is there afterwards.

    Raises:
        Invalid, Failed: there cannot be a store here, see `prepare_file`; or the driver is not installed.
    """
    if url.drivername == SQLITE:
        return _sqlite_engine(url)
    return _postgresql_engine(url)


def _sqlite_engine(url: URL) -> Engine:
    prepare_file(Path(url.database or ""))
    # Whoever closes the last connection of a file writes its whole log back; so one stays open between transactions.
    engine = create_engine(
        url,
        poolclass=QueuePool,
        pool_size=1,
        max_overflow=-1,
        json_serializer=as_json,
        connect_args={"timeout": LONGEST_WAIT, "isolation_level": None},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    until = time.monotonic() + LONGEST_WAIT
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            # SQLite does not wait by itself here when several processes open a new file at once.
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.005)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    reading = bool(connection.get_execution_options().get(READING))
    begin = "BEGIN" if reading else "BEGIN IMMEDIATE"
    with told(connection, begin) as driver:
        # Only where it changes: SQLite compiles all statements of the connection anew after it.
        if connection.info.get(READING) is not reading:
            driver.execute(f"PRAGMA query_only = {reading:d}")
            connection.info[READING] = reading
        driver.execute(begin)


def _postgresql_engine(url: URL) -> Engine:
    arguments = {"connect_timeout": 10, "application_name": "ads", "options": f"-c lock_timeout={LONGEST_WAIT:.0f}s"}
    with _driver_needed(url):
        return create_engine(
            url,
            isolation_level="READ COMMITTED",
            paramstyle="format",
            pool_pre_ping=True,
            use_native_hstore=False,
            json_serializer=as_json,
            connect_args={name: value for name, value in arguments.items() if name not in url.query},
        )


def as_json(value: Any) -> str:
    """Write plain data as JSON.

    Raises:
        NotPlainError: it holds what JSON cannot carry: nan, infinity, an object, or itself.
    """
    try:
        return _JSON.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotPlainError(str(error)) from error


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is no plain data")


# One for all: `json.dumps` would make another at each call.
_JSON = json.JSONEncoder(allow_nan=False, default=_plain, separators=(",", ":"))
