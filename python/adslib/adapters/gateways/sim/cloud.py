"""The database side of a simulated cloud: connections, transactions, and the tables when they are needed first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, NullPool, create_engine, event, func, insert, inspect, select, text, update
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from adslib.adapters.gateways.sim.tables import clouds, metadata
from adslib.domain.errors import Failed, Invalid

WAIT_SECONDS = 30
# The store opens its connections for reading with this option; then SQLite readers never wait for a writer.
READING = {"ads_reading": True}


class Cloud:
    """The tables of one simulated cloud.

    Args:
        name: tells several clouds in one store apart. engine: of the store.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self._engine = engine
        self._ready = False

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Read in one transaction."""
        self._prepare()
        with self._translated(), self._engine.connect().execution_options(**READING) as connection:
            yield connection

    @contextmanager
    def changing(self) -> Iterator[tuple[Connection, int]]:
        """Change something in one transaction, one writer after another; with the number of the change."""
        self._prepare()
        with self._translated(), self._engine.begin() as connection:
            counted = update(clouds).where(clouds.c.cloud == self.name).values(serial=clouds.c.serial + 1)
            connection.execute(counted)
            serial = connection.scalar(select(clouds.c.serial).where(clouds.c.cloud == self.name))
            yield connection, int(serial or 0)

    def _prepare(self) -> None:
        """Make the tables, and the row of this cloud, unless they are there."""
        if self._ready:
            return
        with self._translated():
            with self._engine.connect().execution_options(**READING) as connection:
                there = inspect(connection).has_table(clouds.name)
                found = there and connection.scalar(select(clouds.c.cloud).where(clouds.c.cloud == self.name))
            if not found:
                self._make()
        self._ready = True

    def _make(self) -> None:
        with self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # "create if absent" fails there when two do it at once.
                connection.execute(select(func.pg_advisory_xact_lock(text("hashtext('ads sim')"))))
            metadata.create_all(connection)
            if not connection.scalar(select(clouds.c.cloud).where(clouds.c.cloud == self.name)):
                connection.execute(insert(clouds).values(cloud=self.name, serial=0))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn trouble with the database into words."""
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise Failed(f"the store of simulated cloud '{self.name}' does not work: {reason}") from error


def engine_of(given: Engine | str) -> Engine:
    """Return the engine, or make one of a URL.

    Raises:
        Invalid: it is no URL of a database.
    """
    if isinstance(given, Engine):
        return given
    sqlite = given.startswith("sqlite")
    arguments = {"timeout": WAIT_SECONDS, "isolation_level": None} if sqlite else {"connect_timeout": WAIT_SECONDS}
    try:
        engine = create_engine(given, poolclass=NullPool, connect_args=arguments)
    except (ArgumentError, ModuleNotFoundError) as error:
        raise Invalid(f"the store of a simulated cloud cannot be opened ({error})") from error
    if sqlite:
        event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    """Take the write lock at once: a reader that turned writer would be refused while another writes."""
    reads = connection.get_execution_options().get("ads_reading")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
