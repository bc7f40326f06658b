"""Addresses: given one by one and in batches, by one client and many, against a bare INSERT and commit in the same run.

The ceiling is one row into a table with a unique key, through the same driver and pool. Clients are processes. The
PostgreSQL keeps what it commits (fsync is on), as one in production does.
"""

from __future__ import annotations

import ipaddress
import multiprocessing
import os
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from typing import Any

from sqlalchemy import Engine, ForeignKeyConstraint, MetaData, Table, insert

import adslib
from adslib.adapters.store import migrate
from adslib.adapters.store.address_schema import addresses
from adslib.adapters.store.connecting import checked_url, make_engine
from adslib.domain.assignment import AddressRequest
from adslib.usecases.ads import Ads
from row import Row

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from servers import PostgreSQL

FORK = multiprocessing.get_context("fork")
SECONDS = 3.0
ROUNDS = 3
TURNS = 200
CLIENTS = (1, 8, 32)
BATCHES = (64, 1024)
BATCH = 8192
WORST_POSTGRESQL, WORST_SQLITE = 2.5, 2.0
"""Times the ceiling: 40 and 50 in a hundred of its rate."""
BARE = "a bare INSERT of the same row, and commit"
Act = Callable[[Ads, Engine, int], None]
Work = Callable[[Ads], object]


def bare_table() -> Table:
    """A table like the one of addresses, with its keys and indexes, for rows that nothing decides about."""
    table = addresses.to_metadata(MetaData(), name="bare")
    for number, each in enumerate(sorted((*table.indexes, *table.constraints), key=lambda each: type(each).__name__)):
        each.name = f"bare_{number}"
    table.constraints = {each for each in table.constraints if not isinstance(each, ForeignKeyConstraint)}
    return table


BARE_TABLE = bare_table()


def bare(count: int = 1) -> Act:
    """The rows of so many addresses, committed together."""
    same = {
        **dict.fromkeys(("network", "zone", "stem", "link", "service", "environment", "machine", "why"), ""),
        "version": 4,
        "tenant": "default",
        "actor": "bench",
    }

    def write(_ads: Ads, engine: Engine, turn: int) -> None:
        own = {**same, "space": f"{os.getpid()}", "given": datetime.now(UTC)}
        numbers = range(turn * count, (turn + 1) * count)
        rows = [{**own, "id": f"{os.getpid()}-{number}", "number": number} for number in numbers]
        with engine.begin() as connection:
            connection.execute(insert(BARE_TABLE), rows if count > 1 else rows[0])

    return write


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
    pairs = [(per_second(url, clients, one(network)), per_second(url, clients, bare())) for _ in range(ROUNDS)]
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
                {"name": "small", "prefix": "10.0.0.0/24", "vlan": 110, "datacenter": "west"},
                {"name": "medium", "prefix": "10.1.0.0/16"},
                {"name": "large", "prefix": "11.0.0.0/8"},
                {"name": "vast", "prefix": "2001:db8::/64"},
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


def with_releases(ads: Ads, _engine: Engine, _number: int) -> None:
    """An address of a /16, taken and returned."""
    given = ads.addresses.allocate(AddressRequest(network="medium")).after["addresses"]
    ads.addresses.release([given[0]["id"]])


def on_postgresql() -> Iterator[Row]:
    """One address at a time, from one client to many."""
    with postgresql() as url:
        prepared(url)
        for clients in CLIENTS:
            yield compared(
                "PostgreSQL, clients that take one address of a /16", url, clients, "medium", WORST_POSTGRESQL
            )
        pairs = per_second(url, 1, with_releases)
        yield Row(
            "PostgreSQL, one client takes and returns (go-ipam says 1/331 s)", 0, 1 / pairs, "s", "go-ipam", 1 / 331
        )


def in_batches(folder: Path) -> Iterator[Row]:
    """SQLite: one at a time, and many in one request."""
    url = f"sqlite:///{folder / 'batches.db'}"
    prepared(url)
    yield compared("SQLite, one client takes one address of a /16", url, 1, "medium", WORST_SQLITE)
    for count in BATCHES:
        pairs = [(per_second(url, 1, one("large", count)), per_second(url, 1, bare(count))) for _ in range(ROUNDS)]
        ours, ceiling = (1 / (median(each) * count) for each in zip(*pairs, strict=True))
        yield Row("SQLite, an address in a request for so many", count, ours, "s", BARE, ceiling, 1 / 50_000)


def given(**words: Any) -> Work:
    """One address."""
    request = AddressRequest(**words)
    return lambda ads: ads.addresses.allocate(request)


def returned(ads: Ads) -> None:
    """An address of a /8, taken and returned."""
    [taken] = ads.addresses.allocate(AddressRequest(network="large")).after["addresses"]
    ads.addresses.release([taken["id"]])


def added(ads: Ads) -> None:
    """A network, added and removed."""
    ads.networks.add({"name": "one-more", "prefix": "10.2.0.0/24", "vlan": 7, "datacenter": "east"})
    ads.networks.remove("one-more")


@dataclass(frozen=True)
class Case:
    """Work in a store of its own, and what to compare it with: the same work where nothing is taken.

    Args:
        size: of what is there. taken: addresses, of which network. networks: how many more there are.
        plain: the work to compare with, if it is another.
    """

    what: str
    size: int
    work: Work
    taken: int = 0
    network: str = ""
    networks: int = 0
    plain: Work | None = None


CASES = (
    Case("an address of a /16, so many taken", 58_982, given(network="medium"), 58_982, "medium"),
    Case("an address of a /8, so many taken", 1_000_000, given(network="large"), 1_000_000, "large"),
    Case("an address taken and returned, so many taken", 1_000_000, returned, 1_000_000, "large"),
    Case("an address of a /64, against a /24", 0, given(network="vast", version=6), plain=given(network="small")),
    Case(
        "an address by VLAN among so many networks, against 20",
        20_000,
        given(datacenter="west", vlan=110),
        networks=20_000,
    ),
    Case("a network added and removed among so many, against 4", 20_000, added, networks=20_000),
)


def flatness(folder: Path) -> Iterator[Row]:
    """What does not make a request dearer: taken addresses, the size of the network, other networks."""
    for number, case in enumerate(CASES):
        stores = [f"sqlite:///{folder / f'{kind}-{number}.db'}" for kind in ("loaded", "plain")]
        for url in stores:
            prepared(url)
        fill(stores[0], case)
        ours, theirs = case.work, case.plain or case.work
        with adslib.connect(stores[0]) as loaded, adslib.connect(stores[1]) as plain:
            pairs = [(seconds(loaded, ours), seconds(plain, theirs)) for _ in range(TURNS)]
            peaks = peak(loaded, ours), peak(plain, theirs)
        figure, peer = (median(each) for each in zip(*pairs, strict=True))
        yield Row(case.what, case.size, figure, "s", "the same where nothing is taken", peer, 1.3, True)
        yield Row(
            f"memory of: {case.what}",
            case.size,
            peaks[0],
            "KiB",
            "the same where nothing is taken",
            peaks[1],
            1.3,
            True,
        )


def fill(url: str, case: Case) -> None:
    """Take what is to be taken, and add what is to be beside it."""
    with adslib.connect(url) as ads:
        for done in range(0, case.taken, BATCH):
            ads.addresses.allocate(AddressRequest(network=case.network, count=min(BATCH, case.taken - done)))
        if case.networks:
            first = int(ipaddress.IPv4Address("20.0.0.0"))
            others = [
                {
                    "name": f"n-{n}",
                    "prefix": f"{ipaddress.IPv4Address(first + (n << 8))}/24",
                    "vlan": 1 + n % 4000,
                    "datacenter": f"d-{n}",
                }
                for n in range(case.networks)
            ]
            ads.networks.add_all(others)


def seconds(ads: Ads, work: Work) -> float:
    """How long something takes."""
    began = time.perf_counter()
    work(ads)
    return time.perf_counter() - began


def peak(ads: Ads, work: Work) -> float:
    """The most memory that it takes at once, in KiB."""
    tracemalloc.start()
    work(ads)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / 1024


def measure() -> list[Row]:
    """All of it."""
    with tempfile.TemporaryDirectory(prefix="ads-addresses-") as name:
        return [*in_batches(Path(name)), *flatness(Path(name)), *on_postgresql()]
