"""Versions of the schema: which one a database has, and how it gets to ours."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import URL, Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from adslib.adapters.store.connecting import shown
from adslib.adapters.store.schema import SCHEMA, VERSION_TABLE
from adslib.domain.errors import Conflict

# Any number will do, as long as nobody else locks it: processes that migrate at once wait for each other.
_LOCK = 0x6164735F6D696772


def version_of(connection: Connection) -> str:
    """The version that a database has; empty: none yet.

    One small query, since every task of a playbook pays for it. Where there is no table of versions, PostgreSQL takes
    no further query in this transaction.
    """
    try:
        return str(connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar() or "")
    except DBAPIError as error:
        if "no such table" in str(error.orig) or getattr(error.orig, "sqlstate", "") == "42P01":
            return ""
        raise


def refuse_other_version(have: str, url: URL) -> None:
    """Let a database pass that has our version.

    Raises:
        Conflict: it has another; the message says both, and what to do.
    """
    if have == SCHEMA:
        return
    if have > SCHEMA:
        raise Conflict(
            f"the store has schema {have}, which is newer than the {SCHEMA} that this ads knows",
            place=shown(url),
            remedy="install the newer adslib; 'ads doctor --migrate' does not go back",
        )
    what = f"schema {have}" if have else "no schema yet"
    raise Conflict(
        f"the store has {what}, this ads needs {SCHEMA}",
        place=shown(url),
        remedy="make a backup, then run: ads doctor --migrate",
    )


def migrated(connection: Connection, url: URL) -> None:
    """Bring the database of a writing transaction to our version; the caller commits.

    Raises:
        Conflict: it is newer than this ads, or an SQLite file of another program.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    have = version_of(connection) if inspect(connection).has_table(VERSION_TABLE) else ""
    if have == SCHEMA:
        return
    if have > SCHEMA:
        refuse_other_version(have, url)
    if not have and connection.dialect.name == "sqlite" and (tables := inspect(connection).get_table_names()):
        raise Conflict(
            f"the file is a database of another program: it has a table '{tables[0]}'",
            place=shown(url),
            remedy="name another file",
        )
    _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    # Alembic takes a third of a second to import and is needed once in the life of a store.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
