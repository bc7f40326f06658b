"""Ten thousand machines, and what is looked for among many, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from adapters.store.records import NOON, machines, standing, with_shop
from adslib.adapters.store import Store, Transaction, open_store
from adslib.domain.assignment import Assignment
from adslib.domain.event import Event, EventFilter, EventLevel
from adslib.domain.network import Network
from adslib.domain.prefix import Address, Prefix, read_prefix

MANY = 10_000


@contextmanager
def within(seconds: float, what: str) -> Iterator[None]:
    """Fail if something takes too long; print how long it took (pytest -s, or on failure)."""
    began = time.perf_counter()
    yield
    took = time.perf_counter() - began
    print(f"{what}: {took:.3f} s")
    assert took < seconds, f"{what} took {took:.2f} s, allowed are {seconds} s"


@pytest.mark.scale
@pytest.mark.req("A10")
def test_ten_thousand_machines(store: Store) -> None:
    with_shop(store)
    many = machines(MANY)
    ids = [machine.id for machine in many]
    stand = [standing(f"media-{number}", id_, deployed_at=NOON) for number, id_ in enumerate(ids)]
    with store.transaction() as tx, within(2.0, "add_many"):
        tx.machines.add_many(many)
    with store.reading() as tx, within(0.5, "list"):
        listed = tx.machines.list()
    assert listed == many
    with store.transaction() as tx, within(2.0, "update_many"):
        tx.machines.update_many(listed)
    with store.transaction() as tx, within(2.0, "claim"):
        tx.machines.claim(ids, "shop")
    with store.transaction() as tx, within(2.0, "put_many"):
        tx.standings.put_many(stand)
    with store.reading() as tx, within(0.5, "of"):
        assert len(tx.standings.of("shop")) == MANY
    with store.transaction() as tx, within(2.0, "remove_many"):
        assert tx.standings.remove_many("shop", [known.instance for known in stand]) == MANY
    with store.transaction() as tx, within(2.0, "release"):
        assert tx.machines.release(ids, "shop") == MANY
    with store.transaction() as tx, within(2.0, "delete_many"):
        assert tx.machines.delete_many(ids) == MANY


LABELS = [f"web-{number}" for number in range(150)]
BLUE = Network("n", "blue", "default", read_prefix("10.0.0.0/8"))
GREEN = Network("g", "green", "default", read_prefix("0.0.8.0/29"))


@pytest.mark.req("I4", "I6")
@pytest.mark.parametrize(
    ("index", "look"),
    [
        ("uq_addresses_name", lambda tx: tx.addresses.named("zone-1", LABELS)),
        ("uq_addresses_name", lambda tx: tx.zones.named("zone-1", LABELS)),
        ("uq_addresses_name", lambda tx: tx.zones.given(["zone-1"])),
        ("ix_addresses_pointer", lambda tx: tx.zones.at(["zone-1"], [Address(4, 1)])),
        ("ix_addresses_pointer", lambda tx: tx.zones.at(["zone-1"], [Address(4, number) for number in range(30)])),
        # What has a condition on the index reads nothing else of it.
        ("(space", lambda tx: tx.addresses.list(network=GREEN, limit=11)),
        ("ix_addresses_name_only", lambda tx: tx.addresses.list(network=GREEN, limit=11)),
        ("ix_addresses_name_only", lambda tx: tx.addresses.list(of_networks={"vlan": 7}, limit=11)),
    ],
)
def test_names_and_addresses_are_found_by_their_own_index(
    store: Store, index: str, look: Callable[[Transaction], object]
) -> None:
    words = ("", None, "", "", "", "", "", "default", NOON, "ann")
    with store.transaction() as tx:
        tx.networks.add(BLUE)
        tx.networks.add(GREEN)
        tx.addresses.add(
            [
                Assignment(str(n), "n", "default", 4, n, f"zone-{n % 20}", f"web-{n}" if n % 2 else None, *words)
                for n in range(3000)
            ]
        )
    with store.transaction() as tx:
        connection, sqlite = tx.zones._statements.connection, not tx.zones._statements.postgresql
        if not sqlite:
            connection.execute(text("ANALYZE addresses, networks"))
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked: list[tuple[str, Any]] = []
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        look(tx)
        driver: Any = connection.connection.dbapi_connection
        explained = [
            driver.execute(f"EXPLAIN {'QUERY PLAN ' * sqlite}{statement}", values).fetchall()
            for statement, values in asked
        ]
    assert index in str(explained)


def crowd(path: Path, count: int) -> Store:
    """An SQLite store with so many networks of one space, an address and a name in each."""
    words = ("", "", "", "", "default", NOON, "ann")
    store = open_store(f"sqlite:///{path / f'{count}.db'}")
    with store.transaction() as tx:
        for number in range(count):
            prefix = Prefix(4, number << 8, 24)
            tags = {
                "vlan": 1 + number % 4000,
                "datacenter": f"d-{number}",
                "owner": f"o-{number}",
                "zone": f"z-{number}",
            }
            tx.networks.add(Network(f"n-{number:04}", f"blue-{number:04}", "default", prefix, **tags))
        each = [(f"n-{number:04}", "default", 4) for number in range(count)]
        given = [
            (*where, (number << 8) + 1, "", None, "", None, "", "", f"e-{number}", f"m-{number}", *words[3:])
            for number, where in enumerate(each)
        ]
        named = [(*where, None, f"z-{number}", "web", "", None, "", *words) for number, where in enumerate(each)]
        tx.events.add_many([Event(NOON, EventLevel.INFO, "ann", "did it", f"e-{n}") for n in range(count)])
        tx.machines.add_many([replace(each, gateway="cloud", ref=f"i-{each.name}") for each in machines(count)])
        tx.addresses.add([Assignment(f"{number:05}", *row) for number, row in enumerate([*given, *named])])
    return store


def instructions(store: Store, look: Callable[[Transaction], object]) -> int:
    """How many instructions SQLite takes to answer, in tens."""
    told: list[int] = []
    with store.transaction() as tx:
        driver: Any = tx.networks._statements.connection.connection.dbapi_connection
        driver.set_progress_handler(lambda: told.append(1), 10)
        assert look(tx)
        driver.set_progress_handler(None, 0)
    return len(told)


@pytest.mark.req("I1", "I3", "I6")
@pytest.mark.parametrize(
    "look",
    [
        lambda tx: tx.networks.beside("default", Prefix(4, 7 << 8, 24)),
        lambda tx: tx.networks.any_of("default", "none"),
        lambda tx: tx.networks.list(owner="o-7") == tx.networks.list(zone="z-7"),
        lambda tx: not tx.machines.by_refs("cloud", ["m-7"]),
        lambda tx: tx.events.list(EventFilter(since=NOON + timedelta(seconds=1), limit=1000)) == [],
        lambda tx: len(tx.events.list(EventFilter(environment="e-7", limit=1000))) == 1,
        lambda tx: len(tx.events.list(EventFilter(limit=5))) == 5,
        lambda tx: tx.networks.any_of("default", "none") and not tx.networks.in_zone_of_another("z-7", "default"),
        lambda tx: tx.networks.of_vlan("d-7", 8),
        lambda tx: tx.networks.of_owner("o-7", "default"),
        lambda tx: tx.networks.named("blue-0007"),
        lambda tx: tx.addresses.list(of_networks={"id": "n-0007"}),
        lambda tx: tx.addresses.list(of_networks={"vlan": 8, "datacenter": "d-7"}),
        lambda tx: tx.addresses.at("default", [Address(4, (7 << 8) + 1)]),
        lambda tx: tx.addresses.list(machine="m-7"),
        lambda tx: tx.addresses.list(machine="m-7", service="", environment="e-7"),
        lambda tx: tx.addresses.list(environment="e-7"),
        lambda tx: tx.addresses.by_ids(["00007"]),
        lambda tx: tx.addresses.locked(["00007"]),
        lambda tx: tx.networks.by_ids({"n-0007"}) and tx.networks.giving_back({"n-0007"}),
        lambda tx: not tx.addresses.end(["00007"], NOON, "ann") and not tx.addresses.by_ids(["00007"]),
        lambda tx: tx.addresses.saw(["00007"], NOON),
        lambda tx: not tx.addresses.saw_machines(["m-7"], NOON),
        lambda tx: tx.addresses.adopt("01007", "web-{n}", 7) is not None,
        lambda tx: not tx.addresses.move("n-0007", "n-0008", "default", 4, range(7 << 8, 8 << 8)),
        lambda tx: not tx.addresses.move_names("n-0007", "n-0008"),
        lambda tx: not tx.blocks.taken(["n-0007"]),
        lambda tx: tx.networks.those(["blue-0007"]) and tx.networks.names("blue-0007"),
        lambda tx: tx.addresses.named("z-7", ["web"]),
        lambda tx: not tx.addresses.history("default", Address(4, (7 << 8) + 1)),
        lambda tx: not tx.addresses.ended(["00007"]),
        lambda tx: tx.addresses.numbers("default", 4, range(7 << 8, 8 << 8)),
        lambda tx: tx.addresses.within("default", 4, range(7 << 8, 8 << 8), 5),
    ],
)  # fmt: skip
def test_what_is_asked_of_a_network_costs_the_same_among_many(
    tmp_path: Path, look: Callable[[Transaction], object]
) -> None:
    with crowd(tmp_path, 20) as few, crowd(tmp_path, 1000) as many:
        assert instructions(many, look) <= 1.3 * instructions(few, look) + 5
