"""The pool with 10,000 simulated machines: refreshed when nothing and when 1 % changed, and 1,000 of them allocated.

The cloud lies in the same store. It is read as a whole where it does not tell of changes, and asked for them where it
does. The peer is reading the machines of the store: what merely looking at both sides costs at least.
"""

from __future__ import annotations

import gc
import os
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
from sqlalchemy import insert

import adslib
from addresses import postgresql
from adslib.adapters.gateways.sim.cloud import Cloud, engine_of
from adslib.adapters.gateways.sim.tables import machines
from adslib.adapters.store import migrate
from adslib.domain.gateway import Gateway, Order
from adslib.domain.job import JobKind
from adslib.domain.machine import DEFAULT_SIZES
from adslib.usecases.ads import Ads
from estate import tree
from row import Row
from servers import plain

MACHINES = 10_000
CHANGED = 100
ALLOCATED = 1_000
RUNS = 3
REFRESHED, TAKEN = 2.0, 1.0
PEER = "reading the machines of the store"


def fill(url: str) -> None:
    """Machines that somebody made at the cloud without ads."""
    cloud = Cloud("cloud", engine_of(url))
    rows = [
        {
            "cloud": "cloud", "ref": f"sim-a{number:07}", "id": f"theirs-{number}", "name": f"node-{number:05}",
            "power": True, "boots": True, "ready": 0.0, "size": size.name, "cpu": size.cpu, "memory": size.memory,
            "disk": size.disk, "os": "debian-12", "location": ("us-west", "us-east")[number % 2], "image": "",
            "address": f"198.{18 + (number >> 16)}.{number >> 8 & 255}.{number & 255}", "labels": {}, "changed": 1,
        }
        for number in range(MACHINES)
        for size in [DEFAULT_SIZES[number // 2 % 3]]
    ]  # fmt: skip
    with cloud.changing() as (connection, _):
        connection.execute(insert(machines), rows)


def change(there: Gateway, turn: int) -> None:
    """Stop, delete and make machines behind the back of ads."""
    third = CHANGED // 3
    first = turn * CHANGED
    for number in range(first, first + third):
        there.stop(f"sim-a{number:07}")
    for number in range(first + third, first + 2 * third):
        there.delete(f"sim-a{number:07}")
    for number in range(first + 2 * third, first + CHANGED):
        there.create(Order(f"late-{number}", f"late-{number}", DEFAULT_SIZES[0], "debian-12", location="us-west"))


def spent(act: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds that something takes, and what it returns."""
    gc.collect()
    began = time.perf_counter()
    result = act()
    return time.perf_counter() - began, result


def reading(ads: Ads) -> list[Any]:
    """The machines of the store."""
    with ads.app.store.reading() as tx:
        return tx.machines.list()


def refreshed(url: str, lacks: str) -> Iterator[Row]:
    """All refreshes of one cloud."""
    database = url.partition(":")[0].partition("+")[0]
    how = "read as a whole" if lacks else "asked for changes"
    with adslib.connect(url, actor="benchmark") as ads:
        ads.gateways.add("cloud", "sim", {"lacks": lacks})
        with ads.app.store.reading() as tx:
            there = ads.app.gateways.open("cloud", tx.gateways.list())
        fill(url)
        first, outcome = spent(ads.machines.refresh)
        expected(outcome.message, f"{MACHINES} appeared")
        peer = min(spent(lambda: reading(ads))[0] for _ in range(RUNS))
        still = []
        for _ in range(RUNS):
            seconds, outcome = spent(ads.machines.refresh)
            expected(outcome.message, "nothing changed")
            still.append(seconds)
        moved = []
        for turn in range(RUNS):
            change(there, turn)
            seconds, outcome = spent(ads.machines.refresh)
            expected(outcome.message, "34 appeared, 33 changed, 33 vanished")
            moved.append(seconds)
        yield Row(f"refresh, {how}, all new, {database}", MACHINES, first, "s", PEER, peer)
        yield Row(f"refresh, {how}, no change, {database}", MACHINES, min(still), "s", PEER, peer, REFRESHED)
        yield Row(f"refresh, {how}, 1 % changed, {database}", MACHINES, min(moved), "s", PEER, peer, REFRESHED)
        if not lacks:
            yield from allocated(ads, database)


def allocated(ads: Ads, database: str) -> Iterator[Row]:
    """A deployment takes machines of the pool; and what the pool needs in memory."""
    with ads.app.store.transaction() as tx:
        tx.machines.update_many([replace(machine, on_request=False) for machine in tx.machines.list()])
    ads.environments.create(adslib.load(tree(ALLOCATED)))
    seconds, reservation = spent(lambda: ads.jobs.reserve("big", JobKind.DEPLOY))
    expected(reservation.plan.counts()["allocate"], ALLOCATED)
    yield Row(f"reserve a deployment on 1,000 of 10,000 machines, {database}", ALLOCATED, seconds, "s", budget=TAKEN)
    gc.collect()
    tracemalloc.start()
    kept = reading(ads)
    gc.collect()
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    yield Row(f"memory of {len(kept) // 1000},000 machines, {database}", MACHINES, held / 2**20, "MiB")
    yield Row(f"memory while they are read, {database}", MACHINES, most / 2**20, "MiB")


def expected(found: object, wanted: object) -> None:
    """A benchmark that does something else measures nothing."""
    if found != wanted:
        raise RuntimeError(f"found {found!r}, not {wanted!r}")


def measure() -> list[Row]:
    """All of it, on both databases."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="ads-pool-") as name, postgresql() as server:
        os.environ["ADS_HOME"] = f"{name}/home"
        for lacks in ("notify", ""):
            database = f"pool_{lacks or 'told'}"
            with psycopg.connect(plain(server), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {database}")
            for url in (f"sqlite:///{name}/{database}.db", f"{server.rpartition('/')[0]}/{database}"):
                migrate(url)
                rows += refreshed(url, lacks)
    return rows
