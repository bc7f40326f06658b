"""Environments by their use cases: defined, planned, tested, live, returned; by whom, and with what written down."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import adslib
from adslib.domain.actor import Actor
from adslib.domain.errors import Blocked, Conflict, NotFound
from adslib.usecases.ads import Ads
from usecases.acting import (
    Run,
    acting_also,
    begin,
    carry_out,
    dead_owner,
    document,
    opened_shop,
    pool,
    seen,
    told,
    tree,
    with_machines,
)


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """Ann, on a store with a cloud of six machines at most and the environment `shop`."""
    with opened_shop(store_url, quota=6) as opened:
        yield opened


def state(ads: Ads, name: str = "shop") -> str:
    return str(ads.environments.show(name)["state"])


# ── definitions ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A4", "A2")
def test_creating_defines_once_and_defining_again_changes_nothing(ads: Ads) -> None:
    with pytest.raises(
        Conflict, match=r"there is an environment 'shop' already\. Change it with: ads environment edit"
    ):
        ads.environments.create(document(web=9))
    again = ads.environments.define(document())
    assert (again.changed, again.before, again.message) == (False, again.after, "environment 'shop' is as defined")
    assert [revision["revision"] for revision in ads.environments.history("shop")] == [1]


@pytest.mark.req("A2", "A4")
def test_an_edit_is_a_new_revision_that_can_be_compared(ads: Ads) -> None:
    outcome = ads.environments.edit("shop", document(web=3), comment="more calls")
    assert (outcome.changed, outcome.before["revision"], outcome.after["revision"]) == (True, 1, 2)
    newest = ads.environments.history("shop")[0]
    assert (newest["revision"], newest["created_by"], newest["comment"]) == (2, "ann", "more calls")
    (change,) = ads.environments.compare("shop", 1)
    assert (change.path, change.before, change.after) == (("services", "web", "instances"), 2, 3)
    assert ads.environments.document("shop", 1).tree == document().tree
    assert told(ads) == ["environment 'shop' created: revision 1", "environment 'shop' edited: revision 2"]


@pytest.mark.req("A4")
def test_a_dry_run_tells_and_writes_nothing(ads: Ads) -> None:
    assert ads.environments.create(document("other"), dry_run=True).changed
    assert ads.environments.edit("shop", document(web=3), dry_run=True).after["revision"] == 2
    assert ads.environments.delete("shop", dry_run=True).changed
    assert [found["name"] for found in ads.environments.list()] == ["shop"]
    assert ads.environments.show("shop")["revision"] == 1
    assert len(told(ads)) == 1


@pytest.mark.req("A4")
def test_only_what_is_not_deployed_is_deleted(ads: Ads) -> None:
    carry_out(ads)
    with pytest.raises(
        Blocked, match=r"environment 'shop' is live: 'delete' is not possible\. Possible now: .*undeploy"
    ):
        ads.environments.delete("shop")
    carry_out(ads, kind="undeploy")
    assert ads.environments.delete("shop").changed
    assert not ads.environments.delete("shop").changed
    assert told(ads)[-1] == "environment 'shop' deleted"
    with pytest.raises(NotFound, match="there is no environment 'shop'"):
        ads.environments.show("shop")


@pytest.mark.req("A21")
def test_jobs_of_a_deleted_environment_stay_known(ads: Ads) -> None:
    done = carry_out(ads).job
    carry_out(ads, kind="undeploy")
    ads.environments.delete("shop")
    assert [job["kind"] for job in ads.jobs.list(environment="shop")] == ["undeploy", "deploy"]
    assert ads.jobs.show(done)["plan"]["counts"]
    ads.environments.create(document())
    assert ads.environments.show("shop")["last_job"] == "", "they are another's of that name"


# ── plans ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A5")
def test_a_saved_plan_is_carried_out_as_long_as_it_holds(ads: Ads) -> None:
    saved = ads.environments.plan("shop", save=True)
    assert saved.counts() == {"create": 3, "deploy": 3}
    assert carry_out(ads, plan=saved.id).after["state"] == "live"
    again = ads.environments.plan("shop")
    assert again.empty
    assert again.seats == saved.seats


@pytest.mark.req("A5", "A12")
@pytest.mark.parametrize("moved_on", ["edit", "pool", "deployed"])
def test_a_saved_plan_is_refused_if_the_world_moved_on(ads: Ads, moved_on: str) -> None:
    saved = ads.environments.plan("shop", save=True)
    if moved_on == "edit":
        ads.environments.edit("shop", document(web=3))
    elif moved_on == "pool":
        with_machines(ads, "m1")
    else:
        carry_out(ads)
    before = state(ads), pool(ads)
    with pytest.raises(
        Conflict, match=f"the saved plan {saved.id} no longer holds.*Look at: ads environment plan shop"
    ):
        begin(ads, expected_plan=saved.id)
    assert (state(ads), pool(ads)) == before


@pytest.mark.req("A11", "A12")
def test_what_is_missing_is_told_and_nothing_is_held(ads: Ads) -> None:
    ads.environments.edit("shop", document(web=9))
    made = ads.environments.plan("shop")
    with pytest.raises(Blocked) as refused:
        begin(ads)
    assert [str(shortage) for shortage in made.blocked] == [
        "web: 4 × small missing (none free there; gateway cloud can make no more)"
    ]
    assert str(made.blocked[0]) in str(refused.value)
    assert "nothing is held" in str(refused.value)
    assert (state(ads), pool(ads), seen(ads), ads.jobs.list()) == ("not-deployed", {}, set(), [])


# ── going live ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A12")
def test_good_tests_go_live_and_hold_stays_ready_until_somebody_says_so(ads: Ads) -> None:
    assert carry_out(ads, hold=True).after["state"] == "ready"
    outcome = ads.environments.go_live("shop")
    assert (outcome.after["state"], outcome.after["live_despite"]) == ("live", "")
    assert not ads.environments.go_live("shop").changed
    assert told(ads)[-1] == "environment 'shop' is live"


@pytest.mark.req("A12")
def test_failed_tests_stay_ready_until_somebody_goes_live_despite_them_and_says_why(ads: Ads) -> None:
    ended = carry_out(ads, untrue=["web-1"])
    assert ended.after["state"] == "ready"
    assert ended.after["last_job"]["state"] == "failed"
    assert ended.after["tests"]["failures"] == ["web-1 tcp: refused"]
    with pytest.raises(Blocked, match=r"environment 'shop' does not go live: 1 tests failed.*--despite-failed-tests"):
        ads.environments.go_live("shop")
    assert ads.environments.go_live("shop", despite="customers wait", dry_run=True).changed
    assert state(ads) == "ready"
    with acting_also(ads, Actor("bob")) as bob:
        bob.environments.go_live("shop", despite="customers wait")
    shown = ads.environments.show("shop")
    assert (shown["state"], shown["live_despite"]) == ("live", "bob: customers wait")
    assert told(ads)[-1] == "environment 'shop' is live despite failed tests (bob: customers wait)"


@pytest.mark.req("A12")
def test_tests_are_run_again_and_decide_about_live(ads: Ads) -> None:
    carry_out(ads, untrue=["web-1"])
    assert carry_out(ads, kind="test").after["state"] == "ready", "testing alone lets nothing go live"
    assert ads.environments.go_live("shop").after["live_despite"] == ""
    assert carry_out(ads, kind="test").after["state"] == "live"
    assert carry_out(ads, kind="test", untrue=["db-1"]).after["state"] == "ready"


@pytest.mark.req("A12")
def test_tests_that_never_spoke_have_failed(ads: Ads) -> None:
    job = begin(ads)
    run = Run(ads, job)
    run.provide()
    run.stages()
    ended = ads.jobs.finish(job.id, job.attempt, tests=[{"instance": "db-1", "test": "tcp", "ok": True}])
    assert ended.after["state"] == "ready"
    silent = [said.partition(": ") for said in ended.after["tests"]["failures"]]
    assert [id for id, _, _ in silent] == ["web-1", "web-2"]
    assert all(why.endswith("did not run") for _, _, why in silent)


@pytest.mark.req("A12")
@pytest.mark.parametrize("given", ["not-deployed", "incomplete", "stopped"])
def test_only_what_is_ready_goes_live_whatever_reason_is_given(ads: Ads, given: str) -> None:
    _brought_to(ads, given)
    with pytest.raises(Blocked, match=f"environment 'shop' is {given}: 'go-live' is not possible"):
        ads.environments.go_live("shop", despite="I want it")
    assert state(ads) == given


# ── edits of what stands ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A12", "A7")
def test_a_live_environment_is_edited_and_only_what_differs_is_done(ads: Ads) -> None:
    carry_out(ads)
    ads.environments.edit("shop", document(web=3))
    assert state(ads) == "live"
    made = ads.environments.plan("shop")
    assert [(str(a.verb), a.subject) for a in made.actions] == [("create", "shop-4"), ("deploy", "web-3")]
    assert carry_out(ads).after["deployed_revision"] == 2
    assert state(ads) == "live"
    ads.environments.edit("shop", document(web=1))
    assert ads.environments.plan("shop").counts() == {"remove": 2, "delete": 2}
    carry_out(ads)
    assert set(pool(ads)) == seen(ads) == {"shop-1", "shop-2"}
    assert [i["instance"] for i in ads.environments.show("shop")["instances"]] == ["db-1", "web-1"]


@pytest.mark.req("A12")
def test_what_is_being_worked_on_is_not_edited(ads: Ads) -> None:
    job = begin(ads)
    for verb in ONLY_AT_REST.values():
        for dry_run in (True, False):
            with pytest.raises(Conflict) as refused:
                verb(ads, dry_run)
            assert f"job {job.id} (deploy) of environment 'shop' is at work: ann, process {os.getpid()} on" in str(
                refused.value
            )
            assert f"ads job cancel {job.id}" in str(refused.value)
    assert (state(ads), ads.environments.show("shop")["possible"]) == ("deploying", [])


ONLY_AT_REST: dict[str, Callable[[Ads, bool], Any]] = {
    "edit": lambda ads, dry_run: ads.environments.edit("shop", document(web=3), dry_run=dry_run),
    "go-live": lambda ads, dry_run: ads.environments.go_live("shop", despite="a show", dry_run=dry_run),
    "delete": lambda ads, dry_run: ads.environments.delete("shop", dry_run=dry_run),
    "stop a machine": lambda ads, dry_run: ads.machines.stop("shop-1", dry_run=dry_run),
}


@pytest.mark.req("A12", "A22", "A23")
@pytest.mark.parametrize(
    ("verb", "kind", "falls_to"),
    [
        ("edit", "deploy", "incomplete"),
        ("edit", "test", "live"),
        ("go-live", "test", "live"),
        ("stop a machine", "stop", "incomplete"),
    ],
)
def test_a_job_whose_owner_was_killed_is_cleared_away_first(ads: Ads, verb: str, kind: str, falls_to: str) -> None:
    carry_out(ads)
    job = begin(ads, kind=kind, owner=dead_owner())
    passing = state(ads)
    ONLY_AT_REST[verb](ads, True)
    assert (state(ads), ads.jobs.show(job.id)["state"]) == (passing, "running"), "a dry run writes nothing"
    ONLY_AT_REST[verb](ads, False)
    assert (state(ads), ads.jobs.show(job.id)["state"]) == (falls_to, "interrupted")


@pytest.mark.req("A12", "A22")
def test_what_is_refused_after_a_kill_is_refused_for_the_state_that_is_left(ads: Ads) -> None:
    carry_out(ads)
    begin(ads, owner=dead_owner())
    for dry_run in (True, False):
        with pytest.raises(Blocked) as refused:
            ads.environments.delete("shop", dry_run=dry_run)
        said = "environment 'shop' is incomplete: 'delete' is not possible. Possible now: deploy, stop, undeploy, edit"
        assert str(refused.value) == said


# ── undeploying ──────────────────────────────────────────────────────────────────────────────────────


def _brought_to(ads: Ads, wanted: str) -> None:
    """Bring the environment to a resting state by the ways that lead there."""
    ways: dict[str, Callable[[], Any]] = {
        "not-deployed": lambda: None,
        "incomplete": lambda: carry_out(ads, failing={"db-1": "disk full"}),
        "ready": lambda: carry_out(ads, hold=True),
        "live": lambda: carry_out(ads),
        "stopped": lambda: (carry_out(ads), carry_out(ads, kind="stop")),
    }
    ways[wanted]()
    assert state(ads) == wanted


@pytest.mark.req("A13", "A12")
@pytest.mark.parametrize("given", ["not-deployed", "incomplete", "ready", "live", "stopped"])
def test_undeploying_returns_everything_from_every_state(ads: Ads, given: str) -> None:
    with_machines(ads, "m1")
    _brought_to(ads, given)
    assert (pool(ads)["m1"] == "shop") is (given != "not-deployed")
    ended = carry_out(ads, kind="undeploy")
    assert (ended.after["state"], ended.after["deployed_revision"], ended.after["tests"]) == ("not-deployed", 0, None)
    assert (pool(ads), seen(ads)) == ({"m1": ""}, set())
    assert ads.environments.show("shop")["instances"] == []
    assert carry_out(ads).after["state"] == "live", "and it can be deployed again"


@pytest.mark.req("A13")
def test_what_could_not_be_returned_stays_held_and_is_returned_the_next_time(ads: Ads) -> None:
    with_machines(ads, "m1")
    carry_out(ads)
    with ads.app.store.transaction() as tx:
        setting = tx.gateways.get("cloud")
    dead = _unreachable(ads, setting)
    ended = carry_out(ads, kind="undeploy")
    assert ended.after["state"] == "incomplete"
    assert set(ended.after["last_job"]["failures"]) == {"machine shop-1", "machine shop-2"}
    assert pool(ads) == {"m1": "", "shop-1": "shop", "shop-2": "shop"}
    dead(False)
    assert seen(ads) == {"shop-1", "shop-2"}
    assert carry_out(ads, kind="undeploy").after["state"] == "not-deployed"
    assert (pool(ads), seen(ads)) == ({"m1": ""}, set())


def _unreachable(ads: Ads, setting: Any) -> Callable[[bool], None]:
    """Let the cloud answer nothing, until it is told otherwise."""
    from sqlalchemy import create_engine, update

    from adslib.adapters.store.schema import gateways

    def turn(down: bool) -> None:
        engine = create_engine(ads.app.settings.database_url)
        with engine.begin() as connection:
            options = {**setting.options, "down": down}
            connection.execute(update(gateways).where(gateways.c.name == setting.name).values(options=options))
        engine.dispose()

    turn(True)
    return turn


@pytest.mark.req("A14")
def test_stopping_stops_the_machines_that_were_made_and_starting_brings_all_back(ads: Ads) -> None:
    carry_out(ads)
    assert carry_out(ads, kind="stop").after["state"] == "stopped"
    with ads.app.store.reading() as tx:
        assert {str(machine.state) for machine in tx.machines.list(holder="shop")} == {"stopped"}
    assert carry_out(ads, kind="start").after["state"] == "live"
    assert ads.environments.plan("shop").empty


@pytest.mark.req("A12", "A14")
@pytest.mark.parametrize(("verb", "revision", "left"), [("deploy", 2, {}), ("start", 1, {"create": 1, "deploy": 1})])
def test_what_is_edited_while_it_is_stopped_waits_for_a_deployment(
    ads: Ads, verb: str, revision: int, left: dict[str, int]
) -> None:
    carry_out(ads)
    carry_out(ads, kind="stop")
    more = tree()
    more["services"]["web"]["instances"] += 1
    ads.environments.edit("shop", adslib.load(more))
    done = carry_out(ads, kind=verb)
    assert (done.after["state"], done.after["deployed_revision"]) == ("live", revision)
    with ads.app.store.reading() as tx:
        assert {str(machine.state) for machine in tx.machines.list(holder="shop")} == {"running"}
    assert ads.environments.plan("shop").counts() == left


@pytest.mark.req("A12", "A14")
def test_what_was_stopped_incomplete_is_incomplete_when_it_is_started(ads: Ads) -> None:
    assert carry_out(ads, failing={"web-2": "no luck"}).after["state"] == "incomplete"
    assert carry_out(ads, kind="stop").after["state"] == "stopped"
    started = carry_out(ads, kind="start")
    assert started.after["state"] == "incomplete"
    assert ads.environments.plan("shop").counts() == {"repair": 1}


@pytest.mark.req("A2")
def test_parameters_are_shown_and_compared(ads: Ads) -> None:
    written = {**tree(), "parameters": {"colour": {"type": "str", "default": "red"}}}
    for colour in ("blue", "green"):
        ads.environments.edit("shop", adslib.load(written, {"colour": colour}))
    assert ads.environments.show("shop")["parameters"] == {"colour": "green"}
    changes = ads.environments.compare("shop", 2)
    assert [(change.path, change.before, change.after) for change in changes] == [
        (("given", "colour"), "blue", "green")
    ]
