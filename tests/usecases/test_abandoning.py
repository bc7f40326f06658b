"""A machine that never answers again: it stays held until it is clean, or is given up and kept from the pool."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from adslib.usecases.ads import Ads
from adslib.usecases.machine_spec import MachineSpec
from adslib.usecases.outcome import Outcome
from usecases.acting import (
    Run,
    acting,
    begin,
    carry_out,
    dead_owner,
    document,
    opened_shop,
    pool,
    seen,
    with_machines,
)


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """Ann, on a store with a cloud and the environment `shop`."""
    with opened_shop(store_url, quota=4) as opened:
        yield opened


def machine(ads: Ads, name: str) -> dict[str, object]:
    return dict(ads.machines.show(name))


def warnings(ads: Ads) -> list[str]:
    return [str(event["text"]) for event in ads.events.list() if event["level"] == "warning"]


@pytest.fixture
def standing(store_url: str) -> Iterator[Ads]:
    """Ann, with `shop` standing on three machines that were added by hand."""
    with acting(store_url) as opened:
        with_machines(opened, "m1", "m2", "m3")
        opened.environments.create(document())
        assert carry_out(opened).after["state"] == "live"
        yield opened


@pytest.mark.req("A10", "A13", "A21")
def test_what_cannot_be_cleaned_stays_held_until_it_is_abandoned(standing: Ads) -> None:
    ads = standing
    (dead,) = (i["machine"] for i in ads.environments.show("shop")["instances"] if i["instance"] == "db-1")
    failed = carry_out(ads, kind="undeploy", unremoved={"db-1": "no route to host"})
    assert failed.after["state"] == "incomplete"
    assert "give up what cannot be removed: ads environment undeploy shop --abandon" in failed.message
    assert {name for name, holder in pool(ads).items() if holder} == {dead}
    given_up = carry_out(ads, kind="undeploy", options={"abandon": True}, unremoved={"db-1": "no route to host"})
    assert given_up.after["state"] == "not-deployed"
    assert given_up.after["last_job"]["state"] == "succeeded"
    assert f"machine '{dead}' abandoned uncleaned, db-1 may be left on it" in given_up.message
    assert f"db-1 on machine '{dead}' abandoned uncleaned: no route to host" in warnings(ads)
    assert (set(pool(ads).values()), ads.environments.show("shop")["instances"]) == ({""}, [])
    assert (machine(ads, dead)["state"], machine(ads, dead)["availability"]) == ("failed", "quarantined")
    assert "abandoned uncleaned by environment 'shop': db-1" in str(machine(ads, dead)["reason"])
    assert ads.environments.plan("shop").blocked, "nobody is handed it"
    assert f"ads machine release {dead}" in ads.machines.add(MachineSpec(dead)).message
    assert machine(ads, dead)["state"] == "failed", "only a person's word brings it back"
    assert ads.machines.release(dead).changed
    assert (machine(ads, dead)["availability"], machine(ads, dead)["reason"]) == ("available", "")
    assert not ads.machines.release(dead).changed
    assert carry_out(ads).after["state"] == "live"


@pytest.mark.req("A13")
def test_what_answers_is_returned_as_always_also_when_the_rest_is_abandoned(ads: Ads) -> None:
    with_machines(ads, "m1")
    carry_out(ads)
    (dead,) = (i["instance"] for i in ads.environments.show("shop")["instances"] if i["machine"] == "m1")
    ended = carry_out(ads, kind="undeploy", options={"abandon": True}, unremoved={dead: "lost"})
    assert ended.after["state"] == "not-deployed"
    assert (pool(ads), seen(ads)) == ({"m1": ""}, set()), "what ads made is deleted"
    ads.environments.edit("shop", document(web=0))
    carry_out(ads)
    carry_out(ads, kind="undeploy", options={"abandon": True})
    assert len(warnings(ads)) == 1, "where everything could be removed, nothing is abandoned"


def moved(ads: Ads, **words: Any) -> Outcome:
    """Carry out a deployment in which the database moves from m1 to m9, and m1 is no longer wanted."""
    nodes = {"levels": {"node": {}}, "nodes": {"all": {"services": [{"service": "db", "machines": ["m9"]}]}}}
    ads.environments.edit("solo", document("solo", web=0, **nodes))
    return carry_out(ads, "solo", **words)


@pytest.fixture
def solo(store_url: str) -> Iterator[Ads]:
    """Ann, with a database on m1, and m9 free."""
    with acting(store_url) as opened:
        with_machines(opened, "m1")
        nodes = {"levels": {"node": {}}, "nodes": {"all": {"services": [{"service": "db", "machines": ["m1"]}]}}}
        opened.environments.create(document("solo", web=0, **nodes))
        assert carry_out(opened, "solo").after["state"] == "live"
        with_machines(opened, "m9")
        yield opened


@pytest.mark.req("A7", "A10", "A13")
def test_a_machine_that_was_moved_away_from_is_returned_only_when_it_is_clean(solo: Ads) -> None:
    dead = {"all/db-1@m1": "no route to host"}
    ended = moved(solo, unremoved=dead)
    assert ended.after["state"] == "incomplete"
    assert ended.after["last_job"]["failures"]["all/db-1@m1"] == "no route to host"
    assert pool(solo) == {"m1": "solo", "m9": "solo"}
    shown = {i["instance"]: (i["machine"], i["state"]) for i in solo.environments.show("solo")["instances"]}
    assert shown == {"all/db-1": ("m9", "deployed"), "all/db-1@m1": ("m1", "failed")}
    assert solo.environments.plan("solo").lines() == [
        "remove all/db-1@m1 on m1: it moved away and was not removed",
        "release m1: no instance stands on it any more",
    ]
    work = Run(solo, begin(solo, "solo"))
    work.provide()
    leaving = [host["variables"]["ads_removals"] for host in work.hosts if host["name"] == "m1"]
    assert [entry["instance"]["id"] for entry in leaving[0]] == ["all/db-1"], "there it goes by its own id"
    work.stages()
    work.returns()
    assert work.finish().after["state"] == "live"
    assert (pool(solo), machine(solo, "m1")["state"]) == ({"m1": "", "m9": "solo"}, "running")
    assert solo.environments.plan("solo").empty


@pytest.mark.req("A10", "A23")
def test_what_was_left_is_known_also_when_the_job_is_cut_off_before_the_removals(solo: Ads) -> None:
    nodes = {"levels": {"node": {}}, "nodes": {"all": {"services": [{"service": "db", "machines": ["m9"]}]}}}
    solo.environments.edit("solo", document("solo", web=0, **nodes))
    work = Run(solo, begin(solo, "solo", owner=dead_owner()))
    work.provide()
    work.stages()
    assert carry_out(solo, "solo", unremoved={"all/db-1@m1": "lost"}).after["state"] == "incomplete"
    assert pool(solo)["m1"] == "solo"
    ended = carry_out(solo, "solo", options={"abandon": True}, unremoved={"all/db-1@m1": "lost"})
    assert ended.after["state"] == "live"
    assert (pool(solo)["m1"], machine(solo, "m1")["state"]) == ("", "failed")


@pytest.mark.req("A7")
def test_what_comes_back_to_where_it_left_something_is_one_instance_again(solo: Ads) -> None:
    moved(solo, unremoved={"all/db-1@m1": "lost"})
    solo.environments.edit("solo", solo.environments.document("solo", 1))
    assert solo.environments.plan("solo").counts() == {"move": 1, "release": 1}
    assert carry_out(solo, "solo").after["state"] == "live"
    assert [i["instance"] for i in solo.environments.show("solo")["instances"]] == ["all/db-1"]
    assert pool(solo) == {"m1": "solo", "m9": ""}
