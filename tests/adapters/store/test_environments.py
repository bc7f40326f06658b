"""Environments in the store, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from adapters.store.records import NOON, job, revision, standing
from adslib.adapters.store import Store
from adslib.domain.environment import Environment
from adslib.domain.environment import TestReport as Report
from adslib.domain.errors import Conflict, Invalid, NotFound
from adslib.domain.lifecycle import EnvironmentState, JobState

FULL = Environment(
    "telephony",
    EnvironmentState.LIVE,
    revision=7,
    deployed=6,
    project="https://example.org/p.git@abc",
    tests=Report(NOON, 3, ("pod-1/media-1 http: 500",)),
    live_despite="ann: Ürgent",
    tenant="acme",
    created=NOON,
    generation=4,
)


@pytest.mark.req("A12", "A22")
@pytest.mark.parametrize("environment", [FULL, Environment("bare")], ids=["full", "bare"])
def test_an_environment_comes_back_as_it_was(store: Store, environment: Environment) -> None:
    with store.transaction() as tx:
        tx.environments.add(environment)
    with store.reading() as tx:
        assert tx.environments.get(environment.name) == environment
        assert tx.environments.list() == [environment]


@pytest.mark.req("A12")
@pytest.mark.parametrize("state", list(EnvironmentState))
def test_every_state_can_be_stored(store: Store, state: EnvironmentState) -> None:
    with store.transaction() as tx:
        tx.environments.add(Environment("shop", state))
        assert tx.environments.get("shop").state is state


def test_a_state_that_is_none_is_refused_by_the_database(store: Store) -> None:
    with (
        pytest.raises(Conflict, match=r"the store refuses the change: .*ck_environments_state"),
        store.transaction() as tx,
    ):
        tx.environments.add(Environment("shop", "sleeping"))  # type: ignore[arg-type]
    with store.reading() as tx:
        assert tx.environments.find("shop") is None


@pytest.mark.req("A22")
def test_times_come_back_in_utc_whatever_zone_they_were_given_in(store: Store) -> None:
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    with store.transaction() as tx:
        tx.environments.add(Environment("shop", created=elsewhere))
        created = tx.environments.get("shop").created
    assert created == NOON
    assert created is not None
    assert created.utcoffset() == timedelta(0)


def test_a_time_without_zone_is_refused(store: Store) -> None:
    with pytest.raises(Invalid, match=r"2026-05-04T12:00:00\.123456 has no time zone"), store.transaction() as tx:
        tx.environments.add(Environment("shop", created=NOON.replace(tzinfo=None)))


def test_a_name_is_taken_once_and_the_transaction_goes_on(store: Store) -> None:
    with store.transaction() as tx:
        tx.environments.add(Environment("shop", EnvironmentState.READY))
        with pytest.raises(Conflict, match="already an environment 'shop'; it is ready"):
            tx.environments.add(Environment("shop"))
        tx.environments.add(Environment("bank"))
    with store.reading() as tx:
        assert [environment.name for environment in tx.environments.list()] == ["bank", "shop"]


def test_lists_are_filtered_and_sorted_by_code_point(store: Store) -> None:
    with store.transaction() as tx:
        for name, tenant in (("b", "x"), ("a-1", "y"), ("a1", "x"), ("a", "x")):
            tx.environments.add(Environment(name, tenant=tenant))
        tx.environments.add(Environment("c", EnvironmentState.LIVE, tenant="x"))
    with store.reading() as tx:
        assert [e.name for e in tx.environments.list()] == ["a", "a-1", "a1", "b", "c"]
        assert [e.name for e in tx.environments.list(tenant="y")] == ["a-1"]
        assert [e.name for e in tx.environments.list(tenant="x", state=EnvironmentState.LIVE)] == ["c"]


@pytest.mark.req("A23")
def test_an_update_matches_the_generation_that_was_read(store: Store) -> None:
    with store.transaction() as tx:
        tx.environments.add(Environment("shop"))
        first = tx.environments.get("shop")
        written = tx.environments.update(replace(first, state=EnvironmentState.DEPLOYING))
        assert written.generation == first.generation + 1
        assert tx.environments.get("shop") == written
        with pytest.raises(Conflict, match="at generation 1 and deploying, you have read 0"):
            tx.environments.update(replace(first, state=EnvironmentState.LIVE))
    with store.reading() as tx:
        assert tx.environments.get("shop") == written


def test_what_is_missing_is_named(store: Store) -> None:
    with store.transaction() as tx:
        assert tx.environments.find("shop") is None
        with pytest.raises(NotFound, match="no environment 'shop'"):
            tx.environments.get("shop")
        with pytest.raises(NotFound, match="no environment 'shop' any more"):
            tx.environments.update(Environment("shop"))
        with pytest.raises(NotFound, match="no environment 'shop'"):
            tx.environments.delete("shop")
        with pytest.raises(Invalid, match="cannot be stored"):
            tx.environments.get("shop\udcff")


@pytest.mark.req("A21")
def test_deleting_takes_revisions_and_plans_along_but_no_ended_job(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.revisions.add(revision("shop", 1))
        tx.plans.add("p", "shop", {}, NOON)
        tx.jobs.add(job("j", state=JobState.SUCCEEDED))
        tx.environments.delete("shop")
        assert tx.revisions.list("shop") == []
        assert [known.id for known in tx.jobs.list(environment="shop")] == ["j"]
        with pytest.raises(NotFound):
            tx.plans.get("p")


@pytest.mark.req("A13")
def test_what_is_still_in_use_is_not_deleted(shop: Store) -> None:
    with shop.transaction() as tx:
        tx.machines.claim(["id-00001"], "shop")
        with pytest.raises(Conflict, match="environment 'shop' still holds machine 'm-00001'"):
            tx.environments.delete("shop")
        tx.machines.release(["id-00001"], "shop")
        tx.standings.put_many([standing("media-1", "id-00001")])
        with pytest.raises(Conflict, match="instance 'media-1' of environment 'shop' still stands"):
            tx.environments.delete("shop")
        tx.standings.remove_many("shop", ["media-1"])
        running = tx.jobs.add(job("j"))
        with pytest.raises(Conflict, match="has a job under way: deploy j"):
            tx.environments.delete("shop")
        tx.jobs.update(replace(running, state=JobState.CANCELLED))
        tx.environments.delete("shop")
