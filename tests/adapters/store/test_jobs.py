"""Jobs in the store, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.store.records import NOON, OWNER, job
from adslib.adapters.store import NOT_READ, Store
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.job import Job, JobKind, Owner
from adslib.domain.lifecycle import ACTIVE_JOB_STATES, JobState

FULL = Job(
    id="j-full",
    environment="shop",
    kind=JobKind.UNDEPLOY,
    state=JobState.RUNNING,
    plan={"actions": [{"verb": "remove"}]},
    options={"hold": True},
    step="stage 1",
    attempt=2,
    owner=OWNER,
    lease=NOON,
    request_key="key",
    artifacts="/var/lib/ads/j",
    result={"failures": {}},
    actor="ann",
    created=NOON,
    finished=NOON,
    tenant="acme",
    generation=5,
)


@pytest.mark.req("A22")
@pytest.mark.parametrize("known", [FULL, job("bare")], ids=["full", "bare"])
def test_a_job_comes_back_as_it_was(shop: Store, known: Job) -> None:
    with shop.transaction() as tx:
        assert tx.jobs.add(known) == known
    with shop.reading() as tx:
        assert tx.jobs.get(known.id) == known
        assert tx.jobs.active("shop") == known
        assert tx.jobs.active("bank") is None


@pytest.mark.req("A22")
@pytest.mark.parametrize("state", list(JobState))
def test_an_environment_has_one_active_job(shop: Store, state: JobState) -> None:
    with shop.transaction() as tx:
        tx.jobs.add(job("first", state=state, actor="ann"))
        if state in ACTIVE_JOB_STATES:
            with pytest.raises(Conflict, match=f"'shop' has a job under way: deploy first, {state}, by ann"):
                tx.jobs.add(job("second"))
        else:
            tx.jobs.add(job("second"))
        tx.jobs.add(job("other", "bank"))


@pytest.mark.req("A22")
def test_an_ended_job_is_not_waked_while_another_is_under_way(shop: Store) -> None:
    with shop.transaction() as tx:
        ended = tx.jobs.add(job("first", state=JobState.FAILED))
        tx.jobs.add(job("second"))
    with pytest.raises(Conflict), shop.transaction() as tx:
        tx.jobs.update(replace(ended, state=JobState.QUEUED))


@pytest.mark.req("A22")
def test_the_same_request_twice_is_the_same_job(shop: Store) -> None:
    with shop.transaction() as tx:
        first = tx.jobs.add(job("first", request_key="key", plan={"a": 1}))
        assert tx.jobs.add(job("second", request_key="key")) == first
        with pytest.raises(NotFound, match="no job second"):
            tx.jobs.get("second")
        with pytest.raises(Conflict, match="request key 'key' was used before, for another request"):
            tx.jobs.add(job("third", "bank", request_key="key"))
        tx.jobs.update(replace(first, state=JobState.SUCCEEDED))
        assert tx.jobs.add(job("fourth", request_key="key")).id == "first"


def test_a_job_needs_an_environment_and_an_id_of_its_own(shop: Store) -> None:
    with shop.transaction() as tx:
        with pytest.raises(NotFound, match="no environment 'nowhere'"):
            tx.jobs.add(job("j", "nowhere"))
        tx.jobs.add(job("j", state=JobState.FAILED))
        with pytest.raises(Conflict, match="already a job j"):
            tx.jobs.add(job("j", "bank"))


@pytest.mark.req("A22")
def test_lists_are_newest_first_filtered_and_light(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.jobs.add(job("1", state=JobState.FAILED, plan={"large": True}))
        tx.jobs.add(job("2", kind=JobKind.TEST, lease=NOON, tenant="acme"))
        tx.jobs.add(job("3", "bank", lease=NOON + timedelta(seconds=2)))
    with shop.reading() as tx:
        assert [known.id for known in tx.jobs.list()] == ["3", "2", "1"]
        assert [known.id for known in tx.jobs.list(limit=1)] == ["3"]
        assert [known.id for known in tx.jobs.list(environment="shop")] == ["2", "1"]
        assert [known.id for known in tx.jobs.list(state=JobState.QUEUED, kind=JobKind.TEST)] == ["2"]
        assert [known.id for known in tx.jobs.list(tenant="acme")] == ["2"]
        assert [known.id for known in tx.jobs.list(lease_before=NOON + timedelta(seconds=1))] == ["2"]
        assert tx.jobs.list()[2].plan is NOT_READ


def test_an_update_leaves_a_plan_alone_that_was_not_read(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.jobs.add(job("j", plan={"large": True}))
        (light,) = tx.jobs.list()
        tx.jobs.update(replace(light, step="stage 1"))
        assert tx.jobs.get("j").plan == {"large": True}
        assert tx.jobs.get("j").step == "stage 1"
        tx.jobs.update(replace(tx.jobs.get("j"), plan={}))
        assert tx.jobs.get("j").plan == {}


@pytest.mark.req("A22")
def test_an_update_matches_the_generation_that_was_read(shop: Store) -> None:
    with shop.transaction() as tx:
        first = tx.jobs.add(job("j"))
        written = tx.jobs.update(replace(first, state=JobState.CANCELLED, finished=NOON, result={"message": "no"}))
        assert written == tx.jobs.get("j")
        with pytest.raises(Conflict, match="job j was changed by somebody else: it is at generation 1 and cancelled"):
            tx.jobs.update(replace(first, state=JobState.RUNNING))
        with pytest.raises(NotFound, match="no job k any more"):
            tx.jobs.update(job("k"))


@pytest.mark.req("A22")
def test_a_claim_hands_out_the_next_attempt_and_fences_off_the_earlier(shop: Store) -> None:
    other = Owner("other", 1, 2)
    with shop.transaction() as tx:
        queued = tx.jobs.add(job("j", attempt=3))
        claimed = tx.jobs.claim("j", OWNER, NOON)
        assert claimed == replace(queued, state=JobState.RUNNING, attempt=4, owner=OWNER, lease=NOON, generation=1)
        with pytest.raises(Conflict, match="job j cannot be claimed: it is running by process 4711 on host"):
            tx.jobs.claim("j", other, NOON)
        with pytest.raises(NotFound, match="no job k"):
            tx.jobs.claim("k", other, NOON)
        with pytest.raises(Conflict, match="generation 1 and running, you have read 0"):
            tx.jobs.update(queued)
        later = NOON + timedelta(minutes=1)
        assert tx.jobs.renew("j", 4, later)
        assert not tx.jobs.renew("j", 3, later + timedelta(minutes=1))
        assert not tx.jobs.renew("k", 1, later)
        assert tx.jobs.get("j") == replace(claimed, lease=later)
        ended = tx.jobs.update(replace(claimed, state=JobState.SUCCEEDED))
        assert ended.generation == 2
        assert not tx.jobs.renew("j", 4, later)
