"""Records to put into a store, with only what a test cares about given."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from adslib.adapters.store import Store
from adslib.domain.environment import Environment, Origin, Revision, Standing
from adslib.domain.job import Job, JobKind, Owner
from adslib.domain.lifecycle import JobState
from adslib.domain.machine import Connection, Machine, Reach, Size

NOON = datetime(2026, 5, 4, 12, 0, 0, 123456, tzinfo=UTC)
OWNER = Owner("host", 4711, 99, person=True)

FULL_MACHINE = Machine(
    id="m-full",
    name="web1",
    gateway="local",
    ref="r-1",
    kind="process",
    size=Size("small", 1.5, 1024, 10),
    os="debian-12",
    location="us-west",
    image="base",
    reach=Reach(
        Connection.LOCAL, "127.0.1.7", 2222, "ops", "sudo", "~/.ssh/id", "/srv/m", "/usr/bin/python3", {"a": 1}
    ),
    capabilities=frozenset({"packages", "systemd"}),
    labels={"rack": "ä"},
    made=True,
    reason="because",
    tenant="acme",
    generation=3,
    on_request=True,
    idle_since=NOON,
)


def machine(number: int, **changes: Any) -> Machine:
    """A free machine: `m-00007` with the id `id-00007`."""
    made = Machine(f"id-{number:05}", f"m-{number:05}", "sim", ref=f"r-{number}", size=Size("small", 1, 1024, 10))
    return replace(made, **{"reach": Reach(address=f"10.0.{number >> 8}.{number & 255}"), **changes})


def machines(count: int, **changes: Any) -> list[Machine]:
    """Free machines, by name."""
    return [machine(number, **changes) for number in range(count)]


def revision(environment: str, number: int, **changes: Any) -> Revision:
    """A revision of an environment."""
    made = Revision(environment, number, {"environment": environment}, {}, {}, Origin(), NOON, "ann")
    return replace(made, **changes)


def job(job_id: str, environment: str = "shop", **changes: Any) -> Job:
    """A queued deployment."""
    return replace(Job(job_id, environment, JobKind.DEPLOY, JobState.QUEUED), **changes)


def standing(instance: str, machine_id: str, environment: str = "shop", **changes: Any) -> Standing:
    """An instance of `media` that stands on a machine."""
    return replace(Standing(environment, instance, "media", machine_id, "1.0", "digest"), **changes)


def with_shop(store: Store, count: int = 0) -> None:
    """Put the environments `shop` and `bank` and free machines into a store."""
    with store.transaction() as tx:
        tx.environments.add(Environment("shop", created=NOON))
        tx.environments.add(Environment("bank", created=NOON))
        tx.machines.add_many(machines(count))
