"""Jobs whose owner is gone: who comes next ends what is left, goes on, and loses nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from adslib.domain.errors import Conflict
from adslib.domain.gateway import order_of
from adslib.domain.job import JOB_MARKER, Job, Owner
from adslib.domain.lifecycle import JobState
from adslib.usecases.ads import Ads
from usecases.acting import (
    Run,
    begin,
    carry_out,
    dead_owner,
    job_of,
    opened_shop,
    outlived,
    pool,
    seen,
    state,
    told,
    with_machines,
)


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """Ann, on a store with a cloud of four machines at most and the environment `shop`."""
    with opened_shop(store_url, quota=4) as opened:
        yield opened


@pytest.mark.req("A22", "A23")
@pytest.mark.parametrize("reached", ["reserved", "half provided", "provided", "reported"])
def test_who_comes_after_a_dead_owner_recovers_and_completes_with_what_there_is(ads: Ads, reached: str) -> None:
    job = begin(ads, owner=dead_owner())
    run = Run(ads, job)
    if reached == "half provided":
        _only_one(ads, job)
    elif reached != "reserved":
        run.provide()
    if reached == "reported":
        ads.jobs.report(job.id, job.attempt, 1, {"db-1": ""})
    before = pool(ads)
    ended = carry_out(ads)
    assert ended.after["state"] == "live"
    assert ended.job != job.id
    lost = job_of(ads, job)
    assert (lost["state"], lost["message"]) == ("interrupted", "its owner is gone")
    assert "deploy of environment 'shop' interrupted: its owner is gone" in told(ads)
    assert pool(ads) == before, "no machine is lost, and none is made twice"
    assert seen(ads) == set(before)
    assert ads.environments.plan("shop").empty
    carry_out(ads, kind="undeploy")
    assert (pool(ads), seen(ads)) == ({}, set())


def _only_one(ads: Ads, job: Job) -> None:
    """The cloud made a machine, and the owner died before it could write that down."""
    with ads.app.store.reading() as tx:
        machine, settings = tx.machines.list(holder="shop", gateway="cloud")[0], tx.gateways.list()
    ads.app.gateways.open("cloud", settings).create(order_of(machine))
    assert job_of(ads, job)["state"] == "running"


@pytest.mark.req("A13", "A23")
@pytest.mark.parametrize("made", [False, True])
def test_an_interrupted_deployment_can_be_undeployed(ads: Ads, made: bool) -> None:
    with_machines(ads, "m1")
    job = begin(ads, owner=dead_owner())
    if made:
        _only_one(ads, job)
        Run(ads, job).provide()
    assert carry_out(ads, kind="undeploy").after["state"] == "not-deployed"
    assert (pool(ads), seen(ads)) == ({"m1": ""}, set())


@pytest.mark.req("A13", "A23")
def test_an_interrupted_undeployment_goes_on(ads: Ads) -> None:
    carry_out(ads)
    job = begin(ads, kind="undeploy", owner=dead_owner())
    ads.jobs.removed(job.id, job.attempt, {})
    assert carry_out(ads, kind="undeploy").after["state"] == "not-deployed"
    assert (pool(ads), seen(ads)) == ({}, set())


@pytest.mark.req("A23")
def test_what_a_dead_owner_left_running_is_ended_first(ads: Ads) -> None:
    job = begin(ads, owner=dead_owner())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, env={JOB_MARKER: job.id})
    try:
        begin(ads)
        assert child.wait(10) != 0
    finally:
        child.communicate()


@pytest.mark.req("A23")
def test_an_owner_on_another_host_is_gone_when_its_lease_is_over(ads: Ads) -> None:
    job = begin(ads, owner=Owner("elsewhere", 1, 1))
    with pytest.raises(Conflict, match="process 1 on elsewhere"):
        begin(ads)
    later = datetime.now(UTC) + outlived(job)
    ads.app.clock = lambda: later
    assert begin(ads).id != job.id
    assert job_of(ads, job)["state"] == JobState.INTERRUPTED


@pytest.mark.req("A23")
def test_an_owner_that_lives_is_not_gone_however_long_it_takes(ads: Ads) -> None:
    begin(ads)
    later = datetime.now(UTC) + timedelta(days=1)
    ads.app.clock = lambda: later
    with pytest.raises(Conflict, match="is at work"):
        begin(ads)


@pytest.mark.req("A23")
@pytest.mark.parametrize(("kind", "expected"), [("test", "live"), ("stop", "incomplete"), ("undeploy", "incomplete")])
def test_an_environment_falls_to_what_the_lifecycle_says(ads: Ads, kind: str, expected: str) -> None:
    carry_out(ads)
    job = begin(ads, kind=kind)
    shown = ads.jobs.lost(job.id, "its playbook ended without an exit status")
    assert (shown["state"], shown["message"]) == ("interrupted", "its playbook ended without an exit status")
    assert state(ads) == expected
    assert ads.jobs.lost(job.id, "again")["message"] == "its playbook ended without an exit status"


# ── who ──────────────────────────────────────────────────────────────────────────────────────────────
