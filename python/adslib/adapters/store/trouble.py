"""What databases complain about, in words a person can act on."""

from __future__ import annotations

from sqlalchemy import URL
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from adslib.adapters.store.connecting import LONGEST_WAIT, SQLITE, shown
from adslib.adapters.store.statements import STORABLE, Crossed
from adslib.domain.errors import AdsError, Conflict, Failed, Invalid

BUSY = (
    f"somebody else has kept it locked for {LONGEST_WAIT:.0f} seconds",
    "repeat it; if that does not help, look for a hanging process of ads",
)

# A part of what SQLite says, in lower case → what it means, and what to do.
SQLITE_SAYS = {
    "unable to open": ("it cannot be opened", "check that the file and its directory are yours to read and write"),
    "readonly": ("it cannot be written", "check that the file and its directory are yours to write"),
    "is locked": BUSY,
    "is full": ("the disk is full", "make room on the disk that holds it, then repeat"),
    "not a database": ("the file is no SQLite database", "name another file, or move this one away"),
    "malformed": ("the file is damaged", "restore it from a backup"),
    "disk i/o": ("the disk reports an error", "look at the kernel's log, and restore the store on a good disk"),
}

# The beginning of PostgreSQL's SQLSTATE → what it means, and what to do.
POSTGRESQL_SAYS = {
    "25006": ("the server takes no changes now", "connect to the primary server, not to a standby"),
    "28": ("the server refuses this user or password", "check the user and the password in ADS_DATABASE_URL"),
    "3D000": ("there is no such database on the server", "make it with: createdb"),
    "42501": ("this user may not do that", "let the user own the database: ALTER DATABASE … OWNER TO …"),
    "53100": ("the server's disk is full", "make room on the server, then repeat"),
    "53300": ("the server has no connection left", "raise max_connections, or stop what is not needed"),
    "55P03": BUSY,
    "57": ("the server is shutting down or starting", "wait until it is up, then repeat"),
}
POSTGRESQL_CONNECTING = (
    "password authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
)


def translated(error: SQLAlchemyError, url: URL) -> AdsError:
    """Say what went wrong with a store: `Conflict`, `Invalid` or `Failed`, naming the URL without its password."""
    if isinstance(error, DataError):
        return Invalid(f"the value cannot be stored: {_said(error)}", remedy=STORABLE)
    if _state(error).startswith("40"):
        return Crossed("two changes crossed, and this one was taken back", place=shown(url), remedy="repeat it")
    if isinstance(error, IntegrityError):
        return Conflict(f"the store refuses the change: {_said(error)}", place=shown(url), remedy="read again, repeat")
    if isinstance(error, PoolTimeoutError):
        return Failed("all connections to the store are in use", place=shown(url), remedy="repeat it later")
    if isinstance(error, DBAPIError):
        meaning, remedy = _meaning(error, url)
        return Failed(f"the store does not work: {meaning} ({_said(error)})", place=shown(url), remedy=remedy)
    if isinstance(error, StatementError):
        return Invalid(f"the value cannot be stored: {error.orig}", remedy=STORABLE)
    return Failed(f"the store does not work: {_said(error)}", place=shown(url), remedy="run: ads doctor")


def _meaning(error: DBAPIError, url: URL) -> tuple[str, str]:
    said = _said(error)
    if url.drivername == SQLITE:
        for part, meaning in SQLITE_SAYS.items():
            if part in said.lower():
                return meaning
    else:
        state = _state(error)
        for beginning, meaning in POSTGRESQL_SAYS.items():
            if state.startswith(beginning):
                return meaning
        # While connecting, the driver gives the server's sentence without its code.
        if any(part in said for part in POSTGRESQL_CONNECTING):
            return POSTGRESQL_SAYS["28"]
        if "does not exist" in said and "database" in said:
            return POSTGRESQL_SAYS["3D000"]
        if error.connection_invalidated or not state:
            return "the server does not answer", "check that it runs and that host and port are right"
    return "the database refuses", "run: ads doctor"


def _state(error: SQLAlchemyError) -> str:
    """PostgreSQL's SQLSTATE; empty where there is none."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _said(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    # PostgreSQL's detail repeats the whole row.
    said = str(cause).partition("\nDETAIL:")[0]
    return " ".join(said.split()) or type(cause).__name__
