"""Ten thousand machines, and what is looked for among many, on both databases."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from adapters.store.records import NOON, machines, standing, with_shop
from adslib.adapters.store import Store, Transaction
from adslib.domain.assignment import Assignment
from adslib.domain.network import Network
from adslib.domain.prefix import Address, read_prefix

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


@pytest.mark.req("I4")
@pytest.mark.parametrize(
    ("index", "look"),
    [
        ("uq_addresses_name", lambda tx: tx.addresses.named("zone-1", LABELS)),
        ("uq_addresses_name", lambda tx: tx.zones.named("zone-1", LABELS)),
        ("uq_addresses_name", lambda tx: tx.zones.given(["zone-1"])),
        ("ix_addresses_pointer", lambda tx: tx.zones.at(["zone-1"], [Address(4, 1)])),
        ("ix_addresses_pointer", lambda tx: tx.zones.at(["zone-1"], [Address(4, number) for number in range(150)])),
    ],
)
def test_names_and_addresses_are_found_by_their_own_index(
    store: Store, index: str, look: Callable[[Transaction], object]
) -> None:
    words = ("", None, "", "", "", "", "", "default", NOON, "ann")
    with store.transaction() as tx:
        tx.networks.add(Network("n", "blue", "default", read_prefix("10.0.0.0/8")))
        tx.addresses.add(
            [
                Assignment(str(n), "n", "default", 4, n, f"zone-{n % 20}", f"web-{n}" if n % 2 else None, *words)
                for n in range(3000)
            ]
        )
    with store.transaction() as tx:
        connection, sqlite = tx.zones._statements.connection, not tx.zones._statements.postgresql
        if not sqlite:
            connection.execute(text("ANALYZE addresses"))
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        asked: list[tuple[str, Any]] = []
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        look(tx)
        [(statement, values)] = asked
        driver: Any = connection.connection.dbapi_connection
        explained = driver.execute(f"EXPLAIN {'QUERY PLAN ' * sqlite}{statement}", values).fetchall()
    assert index in str(explained)
