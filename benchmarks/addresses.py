"""Addresses: given one by one and in batches, by one client and many, against a bare INSERT and commit in the same run.

The ceiling is one row into a table with a unique key, through the same driver and pool. Clients are processes. The
PostgreSQL keeps what it commits (fsync is on), as one in production does.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median

from sqlalchemy import Engine, ForeignKeyConstraint, MetaData, Table, insert

import adslib
from adslib.adapters.store import migrate
from adslib.adapters.store.address_schema import addresses
from adslib.adapters.store.connecting import checked_url, make_engine
from adslib.domain.assignment import AddressRequest
from adslib.usecases.ads import Ads
from row import Row

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from servers import PostgreSQL  # noqa: E402

FORK = multiprocessing.get_context("fork")
SECONDS = 4.0
ROUNDS = 3
BATCHES = (64, 1024)
BARE = "a bare INSERT of the same row, and commit"
SLOWEST_OF_BARE = 2.5
Act = Callable[[Ads, Engine, int], None]


def bare_table() -> Table:
    """A table like the one of addresses, with its keys and indexes, for rows that nothing decides about."""
    table = addresses.to_metadata(MetaData(), name="bare")
    for number, each in enumerate(sorted((*table.indexes, *table.constraints), key=lambda each: type(each).__name__)):
        each.name = f"bare_{number}"
    table.constraints = {each for each in table.constraints if not isinstance(each, ForeignKeyConstraint)}
    return table


BARE_TABLE = bare_table()


def bare(_ads: Ads, engine: Engine, number: int) -> None:
    """The row of an address, committed."""
    row = {
        **dict.fromkeys(("network", "zone", "stem", "link", "service", "environment", "machine", "why"), ""),
        **{
            "id": f"{os.getpid()}-{number}",
            "space": f"{os.getpid()}",
            "version": 4,
            "number": number,
            "tenant": "default",
        },
        **{"given": datetime.now(UTC), "actor": "bench"},
    }
    with engine.begin() as connection:
        connection.execute(insert(BARE_TABLE), row)


def one(network: str, count: int = 1) -> Act:
    """One request for addresses of a network."""

    def allocate(ads: Ads, _engine: Engine, _number: int) -> None:
        ads.addresses.allocate(AddressRequest(network=network, count=count))

    return allocate


def per_second(url: str, clients: int, act: Act) -> float:
    """How often some processes can do something, together, in a second."""
    barrier, counts = FORK.Barrier(clients + 1), FORK.Queue()
    processes = [FORK.Process(target=_client, args=(url, act, barrier, counts)) for _ in range(clients)]
    for process in processes:
        process.start()
    barrier.wait()
    done = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return done / SECONDS


def _client(url: str, act: Act, barrier: Barrier, counts: multiprocessing.Queue[int]) -> None:
    with adslib.connect(url) as ads:
        engine = make_engine(checked_url(url))
        act(ads, engine, 0)
        barrier.wait()
        until, done = time.monotonic() + SECONDS, 0
        while time.monotonic() < until:
            done += 1
            act(ads, engine, done)
        counts.put(done)
        engine.dispose()


def compared(what: str, url: str, clients: int, network: str, worst: float) -> Row:
    """Giving one address against the ceiling, in turns."""
    pairs = [(per_second(url, clients, one(network)), per_second(url, clients, bare)) for _ in range(ROUNDS)]
    ours, ceiling = (median(each) for each in zip(*pairs, strict=True))
    return Row(what, clients, 1 / ours, "s", BARE, 1 / ceiling, worst, True)


def prepared(url: str) -> None:
    """Make the networks, and the table of the ceiling."""
    migrate(url)
    engine = make_engine(checked_url(url))
    BARE_TABLE.create(engine)
    engine.dispose()
    with adslib.connect(url) as ads:
        ads.networks.add_all(
            [
                {"name": "medium", "prefix": "10.1.0.0/16"},
                {"name": "large", "prefix": "11.0.0.0/8"},
            ]
        )


@contextmanager
def postgresql() -> Iterator[str]:
    """A PostgreSQL that keeps what it commits."""
    server = PostgreSQL(durable=True)
    server.start()
    try:
        yield f"{server.url}/postgres"
    finally:
        server.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/ads.db"
        prepared(url)
        r = compared("sqlite", url, 1, "medium", 2.0)
        print(r, r.ratio)
        for c in BATCHES:
            print(c, per_second(url, 1, one("large", c)) * c)
    with postgresql() as url:
        prepared(url)
        for clients in (1, 8, 32):
            r = compared("pg", url, clients, "medium", 2.5)
            print(r, r.ratio)
