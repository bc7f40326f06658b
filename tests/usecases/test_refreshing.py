"""Refreshing the pool from a simulated cloud, by polling and by notification, and quarantine."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from adslib.domain.actor import Permission
from adslib.domain.errors import Blocked, Forbidden, NotFound
from adslib.domain.gateway import Gateway, Order
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import DEFAULT_SIZES
from adslib.domain.pool_rule import PoolRule
from adslib.usecases.ads import Ads
from adslib.usecases.machine_spec import MachineSpec
from usecases.acting import carry_out, document, with_machines
from usecases.conftest import texts
from usecases.machines import names


def cloud(ads: Ads, name: str = "cloud", **options: Any) -> Gateway:
    """Add a simulated cloud; what is done to what this returns happens outside of ads."""
    ads.gateways.add(name, "sim", options)
    with ads.app.store.reading() as tx:
        return ads.app.gateways.open(name, tx.gateways.list())


def order(number: int) -> Order:
    return Order(f"foreign-{number}", f"old-{number}", DEFAULT_SIZES[0])


def told(ads: Ads, gateway: str = "") -> tuple[list[str], dict[str, str], list[str]]:
    """What a refresh found: appeared, changed, vanished."""
    found = ads.machines.refresh(gateway).after["gateways"][0]
    return found["appeared"], found["changed"], found["vanished"]


@pytest.mark.req("A10", "A21")
@pytest.mark.parametrize("lacks", ["", "notify"], ids=["told", "polled"])
def test_what_appears_changes_and_vanishes_outside_is_written_down(ads: Ads, lacks: str) -> None:
    there = cloud(ads, lacks=lacks)
    made = [there.create(order(number)) for number in range(3)]
    assert told(ads) == (["old-0", "old-1", "old-2"], {}, [])
    assert "machine 'old-0' of gateway 'cloud' found; it is handed out on request only" in texts(ads)
    assert told(ads) == ([], {}, [])
    there.stop(made[0].ref)
    there.delete(made[1].ref)
    there.create(order(3))
    assert ads.machines.refresh(dry_run=True).message == "1 appeared, 1 changed, 1 vanished"
    assert told(ads) == (["old-3"], {"old-0": "running → stopped"}, ["old-1"])
    assert ads.machines.show("old-0")["state"] == "stopped"
    assert names(ads) == ["old-0", "old-2", "old-3"]
    assert {
        "machine 'old-0' of gateway 'cloud' changed: running → stopped",
        "machine 'old-1' of gateway 'cloud' vanished; nobody held it",
    } <= set(texts(ads))
    assert told(ads) == ([], {}, [])


@pytest.mark.req("A10")
def test_each_gateway_is_read_at_its_own_interval(ads: Ads, monkeypatch: pytest.MonkeyPatch) -> None:
    cloud(ads, "often", refresh_every=60)
    cloud(ads, "seldom", refresh_every=3600)
    cloud(ads, "asked")

    def read(**words: Any) -> list[str]:
        return [each["gateway"] for each in ads.machines.refresh(**words).after["gateways"]]

    now = ads.app.clock()
    for seconds, expected in ((0, ["often", "seldom"]), (59, []), (60, ["often"]), (3600, ["often", "seldom"])):
        monkeypatch.setattr(ads.app, "clock", lambda later=seconds: now + timedelta(seconds=later))
        assert read(due=True) == expected
    assert read() == ["asked", "often", "seldom"]


@pytest.mark.req("A10")
def test_a_machine_is_looked_at_when_somebody_says_that_it_changed(ads: Ads) -> None:
    there = cloud(ads)
    first, second = there.create(order(1)), there.create(order(2))
    ads.machines.refresh()
    there.stop(first.ref)
    there.delete(second.ref)
    assert ads.machines.notify("cloud", first.ref).message == "1 changed"
    assert ads.machines.show("old-2")["state"] == "running", "only one was looked at"
    assert ads.machines.notify("cloud", second.ref).message == "1 vanished"
    assert ads.machines.notify("cloud", "nothing").changed is False
    assert ads.machines.refresh().changed is False
    with pytest.raises(NotFound, match="no gateway 'fog'"):
        ads.machines.notify("fog", "x")


@pytest.mark.req("A10", "A11", "A21")
def test_power_that_comes_and_goes_is_written_down_and_unsettles_no_rule(
    ads: Ads, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud(ads, power_flaps=1, flap_ms=1000)
    ads.pool.add_rule(PoolRule("web", size="small", ceiling=4, spare=3, shrink_after=3600))
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.5)
    ads.pool.apply()
    for second in range(1, 5):
        monkeypatch.setattr(time, "time", lambda now=second: 2_000_000_000.5 + now)
        change = "running → stopped" if second % 2 else "stopped → running"
        assert told(ads) == ([], dict.fromkeys(("web-1", "web-2", "web-3"), change), [])
        assert told(ads) == ([], {}, []), "it is told once"
        assert ads.pool.plan().actions == ()
    assert len(names(ads)) == 3


@pytest.mark.req("A10")
def test_a_gateway_that_is_down_is_told_once_and_does_not_stop_the_others(ads: Ads) -> None:
    cloud(ads, "clear").create(order(1))
    cloud(ads, "dark", down=True)
    outcome = ads.machines.refresh()
    assert outcome.message == "1 appeared; not read: dark"
    assert "is down" in {each["gateway"]: each["failure"] for each in outcome.after["gateways"]}["dark"]
    ads.machines.refresh()
    assert len([text for text in texts(ads) if text.startswith("gateway 'dark' was not read")]) == 1


@pytest.mark.req("A10", "A11")
def test_a_found_machine_serves_who_names_it_and_after_a_release_anybody(ads: Ads) -> None:
    with_machines(ads, "m1", "m2")
    there = cloud(ads, quota=1)
    there.create(order(1))
    ads.machines.refresh()
    assert ads.machines.show("old-1")["availability"] == "on request"
    ads.environments.create(document())
    assert ads.environments.plan("shop").blocked, "others may use it"
    assert ads.machines.add(MachineSpec("old-1", user="ops")).after["user"] == "ops"
    placed = {"west": {"services": [{"service": "db", "machines": ["old-1"]}]}}
    ads.environments.create(document("named", datacenters=placed))
    assert list(ads.environments.plan("named").seats.values()) == ["old-1"]
    assert ads.machines.release("old-1").changed
    assert not ads.machines.release("old-1").changed
    assert not ads.environments.plan("shop").blocked


@pytest.mark.req("A10", "A12")
def test_a_held_machine_that_vanished_is_replaced_by_the_next_deployment(ads: Ads) -> None:
    there = cloud(ads)
    ads.environments.create(document())
    carry_out(ads)
    lost = ads.machines.list(holder="shop")[0]
    there.delete(lost["ref"])
    assert told(ads)[1] == {lost["name"]: "vanished"}
    assert ads.machines.show(lost["name"])["state"] == "unknown"
    assert carry_out(ads).after["state"] == "live"
    assert lost["name"] not in names(ads)
    assert told(ads) == ([], {}, [])


@pytest.mark.req("A10")
def test_what_ads_makes_is_never_taken_for_found(ads: Ads) -> None:
    cloud(ads)
    ads.environments.create(document())
    ads.machines.refresh()
    carry_out(ads)
    assert told(ads) == ([], {}, [])


@pytest.mark.req("A10")
def test_quarantine_ends_with_a_release_and_not_before_the_gateway_shows_it_well(ads: Ads) -> None:
    there = cloud(ads)
    made = there.create(order(1))
    ads.machines.refresh()
    with ads.app.store.transaction() as tx:
        found = tx.machines.get("old-1")
        tx.machines.update(replace(found, state=MachineState.FAILED, reason="disk"))
    assert (ads.machines.show("old-1")["availability"], names(ads, availability="quarantined")) == (
        "quarantined",
        ["old-1"],
    )
    assert told(ads) == ([], {}, [])
    assert "stays in quarantine" in ads.machines.start("old-1").message
    assert ads.machines.release("old-1", dry_run=True).changed
    assert ads.machines.show("old-1")["state"] == "failed"
    ads.machines.release("old-1")
    assert (ads.machines.show("old-1")["availability"], ads.machines.show("old-1")["reason"]) == ("available", "")
    with ads.app.store.transaction() as tx:
        found = tx.machines.get("old-1")
        tx.machines.update(replace(found, state=MachineState.FAILED))
    there.delete(made.ref)
    with pytest.raises(Blocked, match=r"has no machine 'old-1' any more\. Take it out: ads machine remove"):
        ads.machines.release("old-1")


@pytest.mark.req("A20")
def test_who_may_refresh(ads: Ads, acting: Callable[..., Ads]) -> None:
    other = acting("mallory", permissions={Permission.VIEW})
    attempts: list[Callable[[], object]] = [
        other.machines.refresh,
        lambda: other.machines.notify("cloud", "r-1"),
        lambda: other.machines.release("web1"),
    ]
    for attempt in attempts:
        with pytest.raises(Forbidden):
            attempt()


@pytest.mark.req("A10")
def test_machines_of_this_host_are_looked_at_too(ads: Ads) -> None:
    ads.environments.create(document())
    carry_out(ads)
    stopped = ads.machines.list(holder="shop")[0]
    try:
        with ads.app.store.reading() as tx:
            here = ads.app.gateways.open("local", tx.gateways.list())
        here.stop(stopped["ref"])
        assert told(ads)[1] == {stopped["name"]: "running → stopped"}
        assert told(ads) == ([], {}, [])
    finally:
        carry_out(ads, kind="undeploy")
