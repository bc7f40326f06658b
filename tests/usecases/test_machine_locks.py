"""What a gateway does to a machine and what a job does there never meet, whoever comes first; a crash locks nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from adapters.store.contest import killed
from adslib.adapters.gateways.sim.gateway import SimulatedGateway
from adslib.domain.errors import Conflict
from adslib.domain.gateway import InstanceTemplate
from adslib.domain.job import JobKind
from adslib.domain.lifecycle import MachineState
from adslib.domain.pool_rule import PoolRule
from adslib.usecases import machine_running, reserving
from adslib.usecases.ads import Ads
from adslib.usecases.machine_running import LONGEST, held_still
from usecases.acting import ANN, acting, begin, carry_out, document, with_cloud, with_machines
from usecases.machines import names

GOLDEN = r"machine '{0}' is being made into instance template 'golden': ann, process \d+ on "


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], None]], None]:
    """Lets something happen while the cloud makes an instance template."""

    def let(happen: Callable[[], None]) -> None:
        make = SimulatedGateway.create_template

        def slowly(self: SimulatedGateway, ref: str, name: str) -> InstanceTemplate:
            happen()
            return make(self, ref, name)

        monkeypatch.setattr(SimulatedGateway, "create_template", slowly)

    return let


def templates(ads: Ads) -> set[str]:
    return {str(template["name"]) for template in ads.gateways.templates("cloud")}


@pytest.mark.req("A8", "A10")
@pytest.mark.parametrize("dry_run", [True, False])
def test_no_template_is_made_of_a_machine_while_a_job_works_there(ads: Ads, running: str, dry_run: bool) -> None:
    job = begin(ads, kind="stop")
    with pytest.raises(Conflict, match=rf"job {job.id} \(stop\) of environment 'shop' is at work"):
        ads.gateways.create_template(running, "golden", dry_run=dry_run)
    assert "golden" not in templates(ads)
    ads.jobs.lost(job.id, "over")
    assert ads.gateways.create_template(running, "golden", dry_run=dry_run).changed


@pytest.mark.req("A8", "A10")
def test_while_a_template_is_made_nobody_begins_anything_there(
    ads: Ads, running: str, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    attempts: list[Callable[[], object]] = [
        lambda: ads.jobs.reserve("shop", JobKind.STOP),
        lambda: ads.jobs.reserve("shop", JobKind.UNDEPLOY, dry_run=True),
        lambda: ads.machines.stop(running),
        lambda: ads.machines.create_snapshot(running, "now", dry_run=True),
        lambda: ads.gateways.create_template(running, "silver"),
    ]
    refused = []

    def happen() -> None:
        for attempt in attempts:
            with pytest.raises(Conflict, match=GOLDEN.format(running)):
                attempt()
            refused.append(attempt)

    meanwhile(happen)
    ads.gateways.create_template(running, "golden")
    assert refused == attempts
    assert ads.machines.stop(running).changed
    assert begin(ads, kind="undeploy").id


@pytest.mark.req("A8", "A10", "A11")
def test_a_spare_that_a_template_is_made_of_is_nobodys_until_then(
    ads: Ads, meanwhile: Callable[[Callable[[], None]], None]
) -> None:
    with_cloud(ads)
    ads.pool.add_rule(PoolRule("spare", "small", 9, gateway="cloud", spare=1, shrink_after=1))
    ads.pool.apply()
    ads.pool.add_rule(PoolRule("spare", "small", 9, gateway="cloud", shrink_after=1))
    ads.environments.create(document(web=1))
    soon = ads.app.clock() + LONGEST / 2
    seen: list[set[str]] = []

    def happen() -> None:
        ads.app.clock = lambda: soon
        with pytest.raises(Conflict, match=GOLDEN.format("spare-1")):
            ads.machines.remove("spare-1")
        assert not ads.pool.apply().changed
        carry_out(ads)
        seen.append({*names(ads, holder="shop")})

    meanwhile(happen)
    ads.gateways.create_template("spare-1", "golden")
    assert len(seen[0]) == 2
    assert "spare-1" not in seen[0]
    assert ads.pool.apply().message == "1 deleted"


@pytest.mark.req("A8", "A10")
def test_what_is_being_made_or_deleted_is_not_touched(ads: Ads, running: str) -> None:
    with ads.app.store.transaction() as tx:
        tx.machines.update(replace(tx.machines.get(running), state=MachineState.DELETING))
    with pytest.raises(Conflict, match=f"machine '{running}' is deleting"):
        ads.gateways.create_template(running, "golden")


@pytest.mark.req("A8", "A10")
def test_killed_while_it_makes_a_template_nothing_stays_locked(ads: Ads, running: str, store_url: str) -> None:
    def work(die: Callable[[], None]) -> None:
        with acting(store_url) as own, own.app.store.reading() as tx:
            machine = tx.machines.get(running)
        with acting(store_url) as own, held_still(own.app, ANN, machine, "looked at"):
            die()

    killed(work)
    with ads.app.store.reading() as tx:
        assert [lock.doing for lock in tx.machine_locks.list()] == ["looked at"], "it died within"
    assert ads.gateways.create_template(running, "golden").changed
    with ads.app.store.reading() as tx:
        assert tx.machine_locks.list() == []
    killed(work)
    assert begin(ads, kind="stop").id


@pytest.mark.req("A10")
def test_a_lock_of_another_host_counts_until_its_lease_ends(ads: Ads, running: str) -> None:
    with ads.app.store.reading() as tx:
        machine = tx.machines.get(running)
    ads.app.owner = replace(ads.app.owner, host="elsewhere")
    with held_still(ads.app, ANN, machine, "looked at"):
        with pytest.raises(Conflict, match=r"is being looked at: ann, process \d+ on elsewhere"):
            ads.machines.stop(running)
        later = ads.app.clock() + LONGEST * 1.1
        ads.app.clock = lambda: later
        assert ads.machines.stop(running).changed


@pytest.fixture
def in_between(monkeypatch: pytest.MonkeyPatch, store_url: str) -> Iterator[Callable[[str], None]]:
    """Locks a machine after a job was planned and before it is written."""
    with ExitStack() as held:

        def let(name: str) -> None:
            claim = reserving._lock_machines

            def slowly(*words: Any) -> None:
                monkeypatch.setattr(reserving, "_lock_machines", claim)
                other = held.enter_context(acting(store_url))
                with other.app.store.reading() as tx:
                    machine = tx.machines.get(name)
                held.enter_context(held_still(other.app, ANN, machine, "looked at"))
                claim(*words)

            monkeypatch.setattr(reserving, "_lock_machines", slowly)

        yield let


ONLY_POSTGRESQL = pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
"""SQLite lets nobody in between."""


@ONLY_POSTGRESQL
@pytest.mark.req("A10", "A22")
def test_a_free_machine_that_is_locked_at_this_moment_is_left_alone(
    ads: Ads, in_between: Callable[[str], None]
) -> None:
    with_machines(ads, "m1", "m2", "m3")
    ads.environments.create(document(web=1))
    in_between("m1")
    assert begin(ads).id
    assert names(ads, holder="shop") == ["m2", "m3"]


@ONLY_POSTGRESQL
@pytest.mark.req("A10", "A22")
def test_a_job_is_refused_if_its_machine_is_locked_at_this_moment(
    ads: Ads, running: str, in_between: Callable[[str], None]
) -> None:
    in_between(running)
    with pytest.raises(Conflict, match=f"machine '{running}' is being looked at: ann"):
        ads.jobs.reserve("shop", JobKind.STOP)
    assert ads.environments.show("shop")["state"] == "live"


@ONLY_POSTGRESQL
@pytest.mark.req("A10", "A22")
def test_what_was_taken_since_it_was_looked_at_is_not_locked(
    ads: Ads, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_machines(ads, "m1", "m2")
    ads.environments.create(document(web=1))
    with ads.app.store.reading() as tx:
        machine = tx.machines.get("m1")
    refuse = machine_running.refuse_locked

    def slowly(*words: Any) -> None:
        refuse(*words)
        with acting(store_url) as other:
            begin(other)

    monkeypatch.setattr(machine_running, "refuse_locked", slowly)
    with pytest.raises(Conflict, match="machine 'm1' was changed"), held_still(ads.app, ANN, machine, "looked at"):
        pytest.fail("it is held, and locked too")
