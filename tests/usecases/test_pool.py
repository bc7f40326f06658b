"""Rules of the pool on a simulated cloud: what they make and delete, what goes wrong, and going on after a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

import adslib
from adapters.store.contest import LONGEST, killed
from adslib.adapters.gateways.sim.gateway import SimulatedGateway
from adslib.domain.actor import Permission
from adslib.domain.errors import Blocked, Conflict, Forbidden, Invalid
from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.pool_rule import PoolRule
from adslib.usecases import pool_applying, providing
from adslib.usecases.ads import Ads
from usecases.acting import acting, carry_out, document, seen
from usecases.conftest import texts
from usecases.machines import names

RULE = PoolRule("web", "small", 10, gateway="cloud", spare=3)

STOPPING = """
import sys, time, adslib
from adslib.adapters.store import Transaction
commit, commits = Transaction.commit, []
def stop(tx):
    commits.append(tx)
    commit(tx) if len(commits) == 1 else time.sleep(600)
Transaction.commit = stop
adslib.connect(sys.argv[1]).pool.apply()
"""
"""Writes down what it is going to do, does it, and comes no further: nothing of what it did is recorded."""


@pytest.fixture
def cloud(ads: Ads) -> Ads:
    """Ann, with a simulated cloud."""
    ads.gateways.add("cloud", "sim")
    return ads


def faulty(ads: Ads, **options: Any) -> None:
    """Let the cloud misbehave from now on; its machines stay."""
    with ads.app.store.transaction() as tx:
        setting = tx.gateways.get("cloud")
        machines = tx.machines.list(gateway="cloud")
        tx.machines.delete_many([machine.id for machine in machines])
        tx.gateways.delete("cloud")
        tx.gateways.add(replace(setting, options=options))
        tx.machines.add_many(machines)


def later(ads: Ads, **span: int) -> None:
    """Let time pass."""
    at = ads.app.clock() + timedelta(**span)
    ads.app.clock = lambda: at


def states(ads: Ads) -> dict[str, str]:
    return {str(row["name"]): str(row["state"]) for row in ads.machines.list()}


# ── rules ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A11", "A21")
def test_rules_are_added_changed_listed_and_removed(cloud: Ads) -> None:
    assert cloud.pool.add_rule(RULE, dry_run=True).changed
    assert cloud.pool.rules() == []
    assert cloud.pool.add_rule(RULE).message == "rule 'web' added"
    assert not cloud.pool.add_rule(RULE).changed
    changed = cloud.pool.add_rule(replace(RULE, spare=1))
    assert (changed.before["spare"], changed.after["spare"]) == (3, 1)
    (shown,) = cloud.pool.rules()
    assert (shown["name"], shown["machines"], shown["acted"]) == ("web", 0, None)
    with pytest.raises(Conflict, match="rule 'web' counts the same machines as rule 'other' would"):
        cloud.pool.add_rule(replace(RULE, name="other", gateway=""))
    with pytest.raises(Invalid, match="there is no gateway 'fog'"):
        cloud.pool.add_rule(replace(RULE, gateway="fog"))
    assert cloud.pool.remove_rule("web").changed
    assert not cloud.pool.remove_rule("web").changed
    assert texts(cloud)[0] == "rule 'web' of the pool removed"


@pytest.mark.req("A20")
def test_who_may(cloud: Ads, acting: Callable[..., Ads]) -> None:
    cloud.pool.add_rule(RULE)
    viewer = acting("eve", permissions={Permission.VIEW})
    assert len(viewer.pool.plan().actions) == 3
    attempts: list[Callable[[], object]] = [
        viewer.pool.apply,
        lambda: viewer.pool.add_rule(RULE),
        lambda: viewer.pool.remove_rule("web"),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()
    other = acting("mallory", tenant="other", permissions=set(Permission) - {Permission.ADMINISTER})
    assert (other.pool.rules(), other.pool.plan().actions) == ([], ())
    assert not other.pool.remove_rule("web").changed
    with pytest.raises(Conflict, match="the name 'web' is taken"):
        other.pool.add_rule(RULE)


# ── growing and shrinking ────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A10", "A11")
def test_spare_machines_are_made_once_and_deployments_take_them(cloud: Ads) -> None:
    cloud.pool.add_rule(RULE)
    assert cloud.pool.apply(dry_run=True).message == "3 made"
    assert names(cloud) == []
    assert cloud.pool.apply().message == "3 made"
    assert names(cloud, availability="available") == ["web-1", "web-2", "web-3"]
    assert seen(cloud) == {"web-1", "web-2", "web-3"}
    assert not cloud.pool.apply().changed
    assert not cloud.machines.refresh().changed
    cloud.environments.create(document())
    assert carry_out(cloud).after["state"] == "live"
    assert names(cloud, holder="shop") == ["web-1", "web-2", "web-3"]
    assert cloud.pool.apply().message == "3 made"
    assert names(cloud, free=True) == ["web-4", "web-5", "web-6"]
    carry_out(cloud, kind="undeploy")
    assert names(cloud) == sorted(seen(cloud)) == ["web-4", "web-5", "web-6"]


@pytest.mark.req("A11")
def test_idle_machines_that_are_too_many_go_after_their_time(cloud: Ads) -> None:
    cloud.pool.add_rule(RULE)
    cloud.pool.apply()
    cloud.pool.add_rule(replace(RULE, spare=1, shrink_after=600, cooldown=60))
    later(cloud, minutes=5)
    assert cloud.pool.plan().actions == ()
    assert isinstance(cloud.pool.plan().look_again_at, datetime)
    later(cloud, minutes=5)
    assert cloud.pool.apply().message == "2 deleted"
    assert names(cloud) == sorted(seen(cloud))
    assert len(names(cloud)) == 1


@pytest.mark.req("A10", "A11")
def test_an_environment_takes_no_more_spare_machines_than_its_share(cloud: Ads) -> None:
    faulty(cloud, per_environment=2)
    cloud.pool.add_rule(RULE)
    assert cloud.pool.apply().message == "3 made"
    cloud.environments.create(document())
    with pytest.raises(
        Blocked, match=r"1 × small missing \(1 free there, but gateway cloud gives an environment 2 mach"
    ):
        carry_out(cloud)
    assert len(names(cloud, free=True)) == 3
    cloud.environments.create(document("bank", web=1))
    assert carry_out(cloud, "bank").after["state"] == "live"
    assert len(names(cloud, holder="bank")) == 2


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A11")
def test_a_machine_whose_answer_was_lost_is_adopted(cloud: Ads) -> None:
    faulty(cloud, create_times_out_yet_succeeds=1)
    cloud.pool.add_rule(RULE)
    assert cloud.pool.apply().message == "3 made"
    assert set(states(cloud).values()) == {"running"}
    assert set(names(cloud)) == seen(cloud)


@pytest.mark.req("A11", "A21")
def test_what_the_gateway_refuses_leaves_nothing_behind_and_is_told(cloud: Ads) -> None:
    faulty(cloud, create_fails=1)
    cloud.pool.add_rule(replace(RULE, cooldown=60))
    outcome = cloud.pool.apply()
    assert outcome.message == "3 failed"
    assert "refused order" in outcome.after["failed"]["web-1"]
    assert (names(cloud), seen(cloud)) == ([], set())
    assert any(text.startswith("machine 'web-1' could not be made: ") for text in texts(cloud))
    assert cloud.pool.plan().actions == (), "it cools down"


@pytest.mark.req("A10", "A11")
def test_a_machine_that_never_boots_is_in_quarantine(cloud: Ads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providing, "BOOT_PATIENCE", 0.0)
    faulty(cloud, never_boots=1)
    cloud.pool.add_rule(replace(RULE, spare=1, ceiling=1))
    assert cloud.pool.apply().message == "1 failed"
    assert names(cloud, availability="quarantined") == ["web-1"]
    assert "ceiling 1 counts 1 that do not work" in cloud.pool.apply().message
    cloud.machines.remove("web-1")
    assert seen(cloud) == set()


@pytest.mark.req("A11")
def test_a_gateway_that_is_down_is_named_and_what_was_begun_waits(cloud: Ads) -> None:
    cloud.pool.add_rule(RULE)
    faulty(cloud, down=True)
    outcome = cloud.pool.apply()
    assert not outcome.changed
    assert "gateway cloud does not answer" in outcome.message
    with cloud.app.store.transaction() as tx:
        begun = replace(_begun(cloud), id="id-begun", name="web-1")
        tx.machines.add_many([begun])
    assert cloud.pool.apply().message.startswith("1 failed")
    assert states(cloud) == {"web-1": "creating"}
    faulty(cloud)
    assert cloud.pool.apply().message == "3 made"
    assert set(names(cloud)) == seen(cloud) == {"web-1", "web-2", "web-3"}


def _begun(ads: Ads) -> Any:
    from adslib.domain.machine import DEFAULT_SIZES, Machine

    return Machine(
        "", "", "cloud", state=MachineState.CREATING, size=DEFAULT_SIZES[0], made=True, labels={"pool": "web"}
    )


@pytest.mark.req("A10", "A11")
def test_two_who_apply_at_once_make_no_more_than_one_would(cloud: Ads, store_url: str) -> None:
    cloud.pool.add_rule(replace(RULE, spare=6))

    def act(number: int) -> None:
        with adslib.connect(store_url, actor=f"ann-{number}") as own:
            own.pool.apply()

    with ThreadPoolExecutor(max_workers=3) as pool:
        list(pool.map(act, range(3)))
    assert set(states(cloud).values()) == {"running"}
    assert {str(row["ref"]) for row in cloud.machines.list()} == {each.ref for each in _made(cloud)}
    assert len(names(cloud)) == 6


@pytest.mark.req("A11")
def test_killed_while_it_makes_machines_the_next_run_finds_them_and_goes_on(cloud: Ads, store_url: str) -> None:
    cloud.pool.add_rule(replace(RULE, spare=5))
    child = subprocess.Popen([sys.executable, "-c", STOPPING, store_url])
    try:
        deadline = time.monotonic() + LONGEST
        while not _made(cloud):
            assert time.monotonic() < deadline, "nothing was made"
            assert child.poll() is None, "it ended by itself"
            time.sleep(0.01)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    assert set(states(cloud).values()) == {"creating"}
    before = {each.ref for each in _made(cloud)}
    assert cloud.pool.apply().changed
    assert states(cloud) == {f"web-{number}": "running" for number in range(1, 6)}
    there = _made(cloud)
    assert len(there) == 5, "none was made twice"
    assert before <= {each.ref for each in there}
    assert {str(row["ref"]) for row in cloud.machines.list()} == {each.ref for each in there}
    assert not cloud.pool.apply().changed


def killed_in(place: object, name: str, url: str, act: Callable[[Ads], object]) -> None:
    """Let somebody act who is killed, as by `kill -9`, when he calls something."""

    def work(die: Callable[[], None]) -> None:
        setattr(place, name, lambda *_words, **_named: die())
        with acting(url) as own:
            act(own)

    killed(work)


@pytest.mark.req("A11", "A21")
def test_killed_before_it_makes_machines_they_have_their_places_already(cloud: Ads, store_url: str) -> None:
    faulty(cloud, quota=4)
    cloud.pool.add_rule(replace(RULE, spare=2))
    killed_in(SimulatedGateway, "create", store_url, lambda own: own.pool.apply())
    assert (set(states(cloud).values()), seen(cloud)) == ({"creating"}, set())
    cloud.pool.add_rule(replace(RULE, spare=5))
    assert cloud.pool.apply().message == (
        "4 made; rule 'web': 1 × small from gateway cloud cannot be made (2 free, 5 are to be): "
        "gateway cloud can make no more"
    )
    assert set(names(cloud, state="running")) == seen(cloud) == {"web-1", "web-2", "web-3", "web-4"}


@pytest.mark.req("A11", "A21")
def test_killed_after_it_deleted_machines_they_make_room_once(cloud: Ads, store_url: str) -> None:
    faulty(cloud, quota=4)
    cloud.pool.add_rule(replace(RULE, spare=4))
    cloud.pool.apply()
    cloud.pool.add_rule(replace(RULE, spare=2, shrink_after=60))
    later(cloud, hours=1)
    soon = cloud.app.clock()

    def shrink(own: Ads) -> None:
        own.app.clock = lambda: soon
        own.pool.apply()

    killed_in(pool_applying, "_record", store_url, shrink)
    assert sorted(states(cloud).values()) == ["deleting", "deleting", "running", "running"]
    assert len(seen(cloud)) < 4
    cloud.pool.add_rule(replace(RULE, spare=5))
    assert cloud.pool.apply().message.startswith("2 deleted, 2 made; rule 'web': 1 × small from gateway cloud cannot")
    assert set(names(cloud, state="running")) == seen(cloud)
    assert len(seen(cloud)) == 4


@pytest.mark.req("A11", "A21")
def test_a_deployment_is_told_that_others_have_ordered_the_last_machines(cloud: Ads, store_url: str) -> None:
    faulty(cloud, quota=3)
    cloud.pool.add_rule(replace(RULE, spare=2))
    killed_in(SimulatedGateway, "create", store_url, lambda own: own.pool.apply())
    cloud.environments.create(document(web=1))
    with pytest.raises(Blocked, match=r"1 × small missing .*gateway cloud can make no more"):
        carry_out(cloud)
    assert names(cloud, holder="shop") == []
    faulty(cloud, quota=4)
    assert carry_out(cloud).after["state"] == "live"
    assert cloud.pool.apply().message == "2 made"


def _made(ads: Ads) -> list[Sighting]:
    """What is at the cloud, looked at without its delay."""
    with ads.app.store.reading() as tx:
        setting = replace(tx.gateways.get("cloud"), options={})
    return list(ads.app.gateways.open_setting(setting).machines())
