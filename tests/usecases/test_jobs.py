"""Jobs by their use cases: step by step, fenced, failed, cancelled, interrupted and recovered."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from adslib.adapters import processes
from adslib.adapters.store.jobs import Jobs as StoredJobs
from adslib.domain.errors import Blocked, Conflict, Forbidden, Invalid, NotFound
from adslib.domain.job import JOB_MARKER, Job, JobKind, Owner
from adslib.usecases import providing
from adslib.usecases.ads import Ads
from usecases.acting import (
    Run,
    acting_also,
    begin,
    carry_out,
    document,
    job_of,
    opened_shop,
    pool,
    seen,
    state,
    tenant,
    told,
    with_machines,
)


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """Ann, on a store with a cloud of four machines at most and the environment `shop`."""
    with opened_shop(store_url, quota=4) as opened:
        yield opened


# ── the steps ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A12", "A16", "A21")
def test_every_step_is_written_down(ads: Ads) -> None:
    with_machines(ads, "m1")
    job = begin(ads)
    assert (state(ads), pool(ads)) == ("deploying", {"m1": "shop", "shop-1": "shop", "shop-2": "shop"})
    assert seen(ads) == set(), "nothing outside was touched yet"
    run = Run(ads, job)
    run.provide()
    assert seen(ads) == {"shop-1", "shop-2"}
    assert [host["name"] for host in run.hosts] == ["m1", "shop-1", "shop-2"]
    run.stages()
    assert job_of(ads, job)["step"] == "stage 2"
    run.returns()
    ended = run.finish()
    assert (ended.after["state"], ended.after["tests"]["passed"]) == ("live", 3)
    assert job_of(ads, job)["state"] == "succeeded"
    lines = told(ads)
    assert lines[1] == "deploy of environment 'shop' began"
    assert sorted(lines[2:4]) == ["machine 'shop-1' running", "machine 'shop-2' running"]
    assert lines[4:] == ["deploy of environment 'shop' ended: it is live; 3 tests passed"]


@pytest.mark.req("A12")
def test_tests_that_had_no_reason_to_run_again_still_count(ads: Ads) -> None:
    with_machines(ads, "m1", "m2")
    carry_out(ads)
    ads.environments.edit("shop", document(web=3))
    grown = carry_out(ads)
    assert grown.after["tests"]["passed"] == 4
    assert grown.message.endswith("it is live; 4 tests passed (3 of them earlier)")
    ads.environments.edit("shop", document(web=4))
    failed = carry_out(ads, untrue=["web-4"])
    assert (failed.after["tests"]["passed"], len(failed.after["tests"]["failures"])) == (4, 1)
    assert carry_out(ads, kind="test").message.endswith("it is ready; 5 tests passed"), "after a failure all run"


@pytest.mark.req("A16")
def test_a_failure_stops_what_stands_on_it_and_lets_the_rest_finish(ads: Ads) -> None:
    ended = carry_out(ads, failing={"db-1": "disk full"})
    assert ended.after["state"] == "incomplete"
    failures = ended.after["last_job"]["failures"]
    assert failures["db-1"] == "disk full"
    assert {id for id in failures if id.startswith("web")} == {"web-1", "web-2"}
    assert {failures[id] for id in ("web-1", "web-2")} == {"something it requires failed"}
    assert "db-1 failed: disk full" in told(ads)
    shown = {i["instance"]: (i["state"], i["message"]) for i in ads.environments.show("shop")["instances"]}
    assert shown["db-1"] == ("failed", "disk full")
    assert ads.environments.plan("shop").counts() == {"repair": 3}
    assert carry_out(ads).after["state"] == "live"
    assert ads.environments.plan("shop").empty


@pytest.mark.req("A16")
def test_one_host_that_is_lost_fails_its_instance_only(ads: Ads) -> None:
    ended = carry_out(ads, silent=["web-2"])
    assert ended.after["last_job"]["failures"] == {"web-2": "its host did not answer"}
    assert ads.environments.plan("shop").counts() == {"repair": 1}


@pytest.mark.req("A16")
def test_what_no_stage_reported_is_not_deployed(ads: Ads) -> None:
    """A run whose plays found no hosts says nothing about them; that is no success."""
    work = Run(ads, begin(ads))
    work.provide()
    ended = work.finish()
    assert ended.after["state"] == "incomplete"
    assert ended.after["last_job"]["failures"] == {
        "db-1": "stage 1 did not run",
        "web-1": "stage 2 did not run",
        "web-2": "stage 2 did not run",
    }
    assert ads.environments.plan("shop").counts()["deploy"] == 3


@pytest.mark.req("A13", "A16")
def test_a_removal_that_failed_is_planned_again(ads: Ads) -> None:
    with_machines(ads, "m1", "m2", "m3")
    carry_out(ads)
    ads.environments.edit("shop", document(web=1))
    work = Run(ads, begin(ads))
    work.provide()
    work.stages()
    ads.jobs.removed(work.job.id, 1, {"web-2": "busy"})
    ended = work.finish()
    assert ended.after["state"] == "incomplete"
    assert ended.after["last_job"]["failures"] == {"web-2": "busy"}
    assert ads.environments.plan("shop").counts() == {"remove": 1, "release": 1}


@pytest.mark.req("A11", "A16")
def test_a_machine_that_cannot_be_made_fails_its_instances_and_is_replaced_the_next_time(ads: Ads) -> None:
    with ads.app.store.transaction() as tx:
        setting = tx.gateways.get("cloud")
        tx.gateways.delete("cloud")
        tx.gateways.add(replace(setting, options={"quota": 4, "create_fails": 1}))
    ended = carry_out(ads)
    assert ended.after["state"] == "incomplete"
    assert {"machine shop-1", "machine shop-2", "machine shop-3"} <= set(ended.after["last_job"]["failures"])
    with ads.app.store.reading() as tx:
        assert {str(machine.state) for machine in tx.machines.list(holder="shop")} == {"failed"}
    _set_options(ads, quota=4)
    assert ads.environments.plan("shop").counts()["delete"] == 3
    assert carry_out(ads).after["state"] == "live"
    assert seen(ads) == set(pool(ads)) == {"shop-4", "shop-5", "shop-6"}


@pytest.mark.req("A11", "A16")
def test_what_was_made_and_is_of_no_use_is_deleted_at_once_if_that_is_asked(
    ads: Ads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providing, "BOOT_PATIENCE", 0.0)
    _set_options(ads, quota=4, never_boots=1)
    with_machines(ads, "m1")
    kept = carry_out(ads)
    assert (state(ads), seen(ads)) == ("incomplete", {"shop-1", "shop-2"})
    gone = carry_out(ads, options={"discard": True})
    assert (state(ads), seen(ads), pool(ads)) == ("incomplete", set(), {"m1": "shop"})
    missing = {id: why for id, why in gone.after["last_job"]["failures"].items() if "machine 'shop-" in why}
    assert len(missing) == 2
    assert all("it did not boot within 0 s" in why for why in missing.values())
    assert kept.after["last_job"]["failures"].keys() & gone.after["last_job"]["failures"].keys() >= missing.keys()
    _set_options(ads, quota=4)
    assert carry_out(ads).after["state"] == "live"


def _set_options(ads: Ads, **options: object) -> None:
    """Set the options of the cloud behind the store's back: with machines of it, the store would refuse."""
    from sqlalchemy import create_engine, update

    from adslib.adapters.store.schema import gateways

    engine = create_engine(ads.app.settings.database_url)
    with engine.begin() as connection:
        connection.execute(update(gateways).values(options=options))
    engine.dispose()


@pytest.mark.req("A16")
@pytest.mark.parametrize("tests", [[{"instance": "db-1"}], [{"test": "x", "ok": True}], ["db-1"]])
def test_reports_that_say_too_little_are_refused(ads: Ads, tests: list[dict[str, object]]) -> None:
    job = begin(ads)
    with pytest.raises(Invalid, match="a test result needs instance, test and ok"):
        ads.jobs.finish(job.id, job.attempt, tests=tests)
    assert state(ads) == "deploying"


# ── one at a time, and only its own steps ────────────────────────────────────────────────────────────


@pytest.mark.req("A12", "A22")
def test_a_second_job_is_refused_and_told_whose_the_first_is(ads: Ads) -> None:
    job = begin(ads)
    for kind in ("deploy", "undeploy", "test", "stop"):
        with pytest.raises(Conflict) as refused:
            begin(ads, kind=kind)
        assert f"job {job.id} (deploy) of environment 'shop' is at work: ann, process {os.getpid()} on" in str(
            refused.value
        )
        assert f"ads job cancel {job.id}" in str(refused.value)
    assert len(ads.jobs.list()) == 1


@pytest.mark.req("A23")
def test_old_attempts_are_fenced_off(ads: Ads) -> None:
    job = begin(ads)
    old = job.attempt - 1
    for late in (
        lambda: ads.jobs.provide(job.id, old),
        lambda: ads.jobs.report(job.id, old, 1, {"db-1": ""}),
        lambda: ads.jobs.removed(job.id, old, {}),
        lambda: ads.jobs.rest(job.id, old),
        lambda: ads.jobs.give_back(job.id, old),
        lambda: ads.jobs.finish(job.id, old),
    ):
        with pytest.raises(Conflict, match=rf"this run \(attempt {old}\) no longer owns it. Look at: ads job show"):
            late()
    assert ads.jobs.renew(job.id, old) is False
    assert ads.jobs.renew(job.id, job.attempt) is True
    assert (state(ads), seen(ads)) == ("deploying", set())


@pytest.mark.req("A23")
def test_whoever_reports_for_a_job_that_ended_is_refused(ads: Ads) -> None:
    job = begin(ads)
    ads.jobs.cancel(job.id)
    with pytest.raises(Conflict, match=f"job {job.id} is cancelled at attempt 1"):
        ads.jobs.report(job.id, job.attempt, 1, {"db-1": ""})
    assert ads.environments.show("shop")["instances"] == []
    again = begin(ads)
    with pytest.raises(Conflict):
        ads.jobs.finish(job.id, job.attempt)
    assert job_of(ads, again)["state"] == "running"


@pytest.mark.req("A22")
def test_a_playbook_adopts_its_own_job_and_no_other(ads: Ads) -> None:
    job = begin(ads)
    assert ads.jobs.adopt(job.id, "shop", JobKind.DEPLOY).id == job.id
    begun = ads.playbooks.begin("shop", "deploy", job_id=job.id, options={})
    assert (begun["job"], begun["attempt"], begun["stages"]) == (job.id, 1, [1, 2])
    with pytest.raises(Conflict, match=f"job {job.id} is a deploy of 'shop'.*a undeploy of 'shop'"):
        ads.jobs.adopt(job.id, "shop", JobKind.UNDEPLOY)
    with pytest.raises(Conflict, match="Leave ads_job out"):
        ads.jobs.adopt(job.id, "other", JobKind.DEPLOY)
    ads.jobs.cancel(job.id)
    with pytest.raises(Conflict, match="cancelled"):
        ads.jobs.adopt(job.id, "shop", JobKind.DEPLOY)
    with pytest.raises(NotFound):
        ads.jobs.adopt("no-such-job", "shop", JobKind.DEPLOY)


@pytest.mark.req("A12")
def test_a_dry_run_shows_the_plan_and_writes_nothing(ads: Ads) -> None:
    reserved = ads.jobs.reserve("shop", JobKind.DEPLOY, dry_run=True)
    assert (reserved.job, reserved.plan.counts()) == (None, {"create": 3, "deploy": 3})
    assert (state(ads), pool(ads), ads.jobs.list(), len(told(ads))) == ("not-deployed", {}, [], 1)


# ── cancelled ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A12")
def test_cancelling_ends_the_processes_of_the_job_and_the_environment_can_go_on(ads: Ads) -> None:
    job = begin(ads)
    Run(ads, job).provide()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={JOB_MARKER: job.id})
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={JOB_MARKER: job.id + "x"})
    try:
        outcome = ads.jobs.cancel(job.id)
        assert child.wait(10) != 0
        assert other.poll() is None, "nobody else's process is touched"
    finally:
        other.communicate()
        child.communicate()
    assert (outcome.after["state"], outcome.after["message"]) == ("cancelled", "cancelled by ann")
    assert (state(ads), told(ads)[-1]) == ("incomplete", "deploy of environment 'shop' cancelled: cancelled by ann")
    with pytest.raises(Blocked, match=f"job {job.id} is cancelled: there is nothing to cancel"):
        ads.jobs.cancel(job.id)
    assert ads.environments.plan("shop").counts() == {"deploy": 3}, "the machines that were made are used"
    assert carry_out(ads).after["state"] == "live"
    assert len(pool(ads)) == len(seen(ads)) == 3


@pytest.mark.req("A12")
def test_a_cancelled_job_is_cancelled_whoever_sees_its_end_first(ads: Ads, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program that carries it out sees its playbook cut off, and writes that down before who cancels does."""
    job, end = begin(ads), processes.end_marked

    def end_and_be_slower(job_id: str) -> bool:
        ended = end(job_id)
        with acting_also(ads, replace(ads.actor, name="bob")) as bob:
            bob.jobs.lost(job_id, "its playbook was cut off before it was done")
        return ended

    monkeypatch.setattr(processes, "end_marked", end_and_be_slower)
    outcome = ads.jobs.cancel(job.id)
    assert (outcome.after["state"], outcome.after["message"]) == ("cancelled", "cancelled by ann")
    assert job_of(ads, job)["message"] == "cancelled by ann"
    assert state(ads) == "incomplete"


@pytest.mark.req("A12")
def test_a_step_that_is_reported_meanwhile_does_not_keep_a_job_from_being_cancelled(
    ads: Ads, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, update, faster = begin(ads), StoredJobs.update, [1, 1]

    def meet(jobs: StoredJobs, changed: Job) -> Job:
        if faster and faster.pop():
            raise Conflict("it was changed by somebody else")
        return update(jobs, changed)

    monkeypatch.setattr(StoredJobs, "update", meet)
    assert ads.jobs.cancel(job.id).after["state"] == "cancelled"
    assert (faster, state(ads)) == ([], "incomplete")


@pytest.mark.req("A12", "A23")
def test_the_processes_of_a_person_and_of_another_host_are_left_alone(ads: Ads) -> None:
    person = begin(ads, owner=processes.owner_of(os.getpid(), person=True))
    with pytest.raises(Conflict, match=f"somebody's own ansible-playbook, process {os.getpid()}"):
        ads.jobs.cancel(person.id)
    assert job_of(ads, person)["state"] == "running"
    ads.environments.create(document("far", web=0))
    far = begin(ads, "far", owner=Owner("elsewhere", 1, 1))
    with pytest.raises(Conflict, match=f"job {far.id} runs on elsewhere. Cancel it there"):
        ads.jobs.cancel(far.id)


@pytest.mark.req("A20")
def test_jobs_are_the_tenants_and_steps_need_the_permission(ads: Ads) -> None:
    job = begin(ads)
    from adslib.domain.actor import Actor, Permission

    with acting_also(ads, Actor("eve", permissions=frozenset({Permission.VIEW}))) as eve:
        with pytest.raises(Forbidden, match=f"eve lacks the permission 'operate' for job '{job.id}'"):
            eve.jobs.cancel(job.id)
        with pytest.raises(Forbidden, match="eve lacks the permission 'deploy' for environment 'shop'"):
            eve.jobs.adopt(job.id, "shop", JobKind.DEPLOY)
        assert eve.jobs.show(job.id)["state"] == "running"
    with acting_also(ads, tenant("acme")) as foreign, pytest.raises(NotFound):
        foreign.jobs.show(job.id)
    assert job_of(ads, job)["state"] == "running"
