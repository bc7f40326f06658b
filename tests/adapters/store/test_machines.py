"""Machines in the store: the pool and its locks, on both databases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adapters.store.records import FULL_MACHINE, NOON, machine, machines, standing
from adslib.adapters.store import Store
from adslib.domain.environment import Environment
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine, Size


@pytest.mark.req("A10")
@pytest.mark.parametrize("known", [FULL_MACHINE, Machine("m-bare", "bare", "static")], ids=["full", "bare"])
def test_a_machine_comes_back_as_it_was(store: Store, known: Machine) -> None:
    with store.transaction() as tx:
        tx.machines.add_many([known])
    with store.reading() as tx:
        assert tx.machines.get(known.name) == known
        assert tx.machines.by_id(known.id) == known
        assert tx.machines.list() == [known]


@pytest.mark.req("A10")
@pytest.mark.parametrize("state", list(MachineState))
def test_every_state_can_be_stored(store: Store, state: MachineState) -> None:
    with store.transaction() as tx:
        tx.machines.add_many([machine(1, state=state)])
        assert tx.machines.get("m-00001").state is state


@pytest.mark.req("A10")
def test_machines_are_found_by_what_they_are(store: Store) -> None:
    west = machine(1, location="us-west", os="debian-12", tenant="acme", name="web-west")
    large = machine(2, size=Size("large", 8, 16384, 160), gateway="local")
    stopped = machine(3, state=MachineState.STOPPED, name="a_c", holder="shop")
    with store.transaction() as tx:
        tx.environments.add(Environment("shop"))
        tx.machines.add_many([west, large, stopped])
    with store.reading() as tx:
        assert tx.machines.list(location="us-west", os="debian-12", tenant="acme") == [west]
        assert tx.machines.list(size="large") == [large] == tx.machines.list(gateway="local")
        assert tx.machines.list(state=MachineState.STOPPED) == [stopped] == tx.machines.list(holder="shop")
        assert tx.machines.list(free=True) == [large, west]
        assert tx.machines.list(free=False) == [stopped]
        assert tx.machines.list(name_contains="EB-w") == [west]
        assert tx.machines.list(name_contains="a_c") == [stopped]
        assert tx.machines.list(name_contains="%") == []
        assert tx.machines.list(free=True, holder="shop") == []
        assert tx.machines.by_names(["web-west", "a_c"]) == [west, stopped]
        with pytest.raises(NotFound, match="no machine 'web-east'"):
            tx.machines.by_names(["web-west", "web-east"])


@pytest.mark.req("A10")
def test_names_ids_and_refs_are_taken_once_and_none_of_many_is_added(store: Store) -> None:
    with store.transaction() as tx:
        tx.machines.add_many([machine(1)])
        for twin, message in (
            (replace(machine(2), name="m-00001"), "machine 'm-00001': there is already a machine 'm-00001'"),
            (replace(machine(2), id="id-00001"), "machine 'm-00002': machine 'm-00001' already has the id 'id-00001'"),
            (replace(machine(2), ref="r-1"), "'m-00002': machine 'm-00001' is already known as 'r-1' of gateway 'sim'"),
        ):
            with pytest.raises(Conflict, match=message):
                tx.machines.add_many([machine(3), twin])
        with pytest.raises(Conflict, match="there is already a machine 'm-00004'"):
            tx.machines.add_many([machine(4), replace(machine(4), id="other", ref="")])
        with pytest.raises(NotFound, match="no environment 'nowhere'"):
            tx.machines.add_many([machine(5, holder="nowhere")])
        tx.machines.add_many([machine(6, ref=""), machine(7, ref=""), machine(8, ref="r-1", gateway="other")])
        tx.machines.add_many([])
        assert [known.name for known in tx.machines.list()] == ["m-00001", "m-00006", "m-00007", "m-00008"]


@pytest.mark.req("A10")
def test_updates_match_the_generation_and_are_all_or_none(shop: Store) -> None:
    with shop.transaction() as tx:
        first, second, *_ = tx.machines.list()
        changed = tx.machines.update(replace(first, state=MachineState.FAILED, reason="dead", labels={"a": "b"}))
        assert changed.generation == first.generation + 1
        assert tx.machines.get(first.name) == changed
        with pytest.raises(Conflict, match="'m-00000' was changed by somebody else: it is at generation 1, failed"):
            tx.machines.update_many([replace(second, reason="new"), first])
        assert tx.machines.get(second.name) == second
        with pytest.raises(Conflict, match="there is already a machine 'm-00000'"):
            tx.machines.update(replace(second, name="m-00000"))
        with pytest.raises(NotFound, match="no machine 'ghost' any more"):
            tx.machines.update_many([second, replace(machine(77), name="ghost")])
        assert tx.machines.update_many([]) == []
        both = tx.machines.update_many([replace(second, name="m-00000x"), replace(changed, name="m-y")])
        assert [(known.name, known.generation) for known in both] == [("m-00000x", 1), ("m-y", 2)]


@pytest.mark.req("A10")
def test_only_claims_change_who_holds_a_machine(shop: Store) -> None:
    with shop.transaction() as tx:
        free = tx.machines.get("m-00000")
        with pytest.raises(Conflict, match=r"'m-00000' was changed .* held by nobody"):
            tx.machines.update(replace(free, holder="shop"))
        tx.machines.claim([free.id], "shop")
        held = tx.machines.get("m-00000")
        assert (held.holder, held.generation) == ("shop", 1)
        with pytest.raises(Conflict, match=r"'m-00000' was changed .* held by environment 'shop'"):
            tx.machines.update(replace(held, holder=""))
        assert tx.machines.update(replace(held, reason="x")).holder == "shop"


@pytest.mark.req("A10")
def test_claims_are_all_or_nothing_and_name_the_holder(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.machines.claim(["id-00002"], "bank")
        with pytest.raises(Conflict, match="machine 'm-00002' is held by environment 'bank'"):
            tx.machines.claim(["id-00001", "id-00002", "id-00003"], "shop")
        with pytest.raises(NotFound, match="no machine with the id 'gone'"):
            tx.machines.claim(["id-00001", "gone"], "shop")
        with pytest.raises(NotFound, match="no environment 'nowhere'"):
            tx.machines.claim(["id-00001"], "nowhere")
        with pytest.raises(Conflict, match="machine 'm-00002' is held by environment 'bank'"):
            tx.machines.claim(["id-00002"], "bank")
        tx.machines.claim([], "shop")
        assert tx.machines.list(holder="shop") == []
        tx.machines.claim(["id-00001", "id-00001"], "shop")
        assert [known.name for known in tx.machines.list(holder="shop")] == ["m-00001"]


@pytest.mark.req("A13")
def test_machines_are_released_by_their_holder_only_and_twice_does_no_harm(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.machines.claim(["id-00001", "id-00002"], "shop")
        tx.machines.claim(["id-00003"], "bank")
        with pytest.raises(Conflict, match="machine 'm-00003' is held by environment 'bank'"):
            tx.machines.release(["id-00001", "id-00003"], "shop")
        assert len(tx.machines.list(holder="shop")) == 2
        assert tx.machines.release(["id-00001", "id-00002", "id-00000", "gone"], "shop", NOON) == 2
        assert [known.idle_since for known in tx.machines.by_ids(["id-00001"])] == [NOON]
        tx.machines.claim(["id-00001"], "shop")
        assert [known.idle_since for known in tx.machines.by_ids(["id-00001"])] == [None]
        tx.machines.release(["id-00001"], "shop")
        assert tx.machines.release(["id-00001"], "shop") == 0
        assert tx.machines.list(holder="shop") == []


@pytest.mark.req("A10")
def test_a_machine_that_is_being_deleted_is_nobodys_any_more(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.machines.update(replace(tx.machines.by_id("id-00001"), state=MachineState.DELETING))
        with pytest.raises(Conflict, match="machine 'm-00001' is being deleted"):
            tx.machines.claim(["id-00000", "id-00001"], "shop")
        assert tx.machines.list(holder="shop") == []


@pytest.mark.req("A13")
def test_a_machine_goes_only_when_nothing_stands_on_it(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.standings.put_many([standing("media-1", "id-00001")])
        with pytest.raises(Conflict, match="'media-1' of environment 'shop' still stands on machine 'm-00001'"):
            tx.machines.delete_many(["id-00000", "id-00001"])
        assert tx.machines.find("m-00000")
        tx.standings.remove_many("shop", ["media-1"])
        assert tx.machines.delete_many(["id-00000", "id-00001", "gone"]) == 2
        assert tx.machines.find("m-00000") is None


def test_what_is_missing_is_named(store: Store) -> None:
    with store.reading() as tx:
        assert tx.machines.find("web1") is None
        with pytest.raises(NotFound, match="no machine 'web1'"):
            tx.machines.get("web1")
        with pytest.raises(NotFound, match="no machine with the id 'x'"):
            tx.machines.by_id("x")


def test_a_number_that_no_database_holds_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match="cannot be stored"), store.transaction() as tx:
        tx.machines.add_many([machine(1, size=Size("huge", 1, 2**70))])


@pytest.mark.req("A10")
def test_more_machines_than_a_statement_takes(shop: Store) -> None:
    many = [replace(known, id=f"x{known.id}", name=f"x{known.name}", gateway="x") for known in machines(2500)]
    ids = [known.id for known in many]
    with shop.transaction() as tx:
        tx.machines.add_many(many)
        tx.machines.claim(ids, "shop")
        assert len(tx.machines.list(holder="shop")) == 2500
        assert tx.machines.release(ids, "shop") == 2500
        assert tx.machines.delete_many(ids) == 2500
