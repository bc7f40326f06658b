"""Acting as somebody on a store, and carrying jobs out as the playbooks do, without Ansible in between."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from adslib.adapters import processes
from adslib.adapters.documents import Document
from adslib.app import open_app
from adslib.domain.actor import ALL, Actor, Permission
from adslib.domain.definition import Tree
from adslib.domain.gateway_setting import GatewaySetting
from adslib.domain.job import Job, JobKind, Owner
from adslib.domain.machine import DEFAULT_SIZES, Machine, Reach
from adslib.domain.reading import read
from adslib.usecases.ads import Ads
from adslib.usecases.outcome import Outcome

ANN = Actor("ann")


def tree(environment: str = "shop", web: int = 2, **changes: Any) -> Tree:
    """Web servers in front of a database, with tests; everything small."""
    services = {
        "db": {"component": "db", "tests": [{"tcp": "5432"}]},
        "web": {"component": "web", "instances": web, "requires": ["db"], "tests": [{"tcp": "80"}]},
    }
    written: dict[str, Any] = {
        "environment": environment,
        "components": {"db": {"version": "1.0"}, "web": {"version": "1.0"}},
        "services": {name: {**service, "machine": {"size": "small"}} for name, service in services.items()},
    }
    return {**written, **changes}


def document(environment: str = "shop", web: int = 2, **changes: Any) -> Document:
    """The same as a document."""
    written = tree(environment, web, **changes)
    return Document(written, written, read(written))


@contextmanager
def acting(url: str, actor: Actor = ANN) -> Iterator[Ads]:
    """Act as somebody; the store is closed at the end."""
    with Ads(open_app(url), actor) as ads:
        yield ads


@contextmanager
def acting_also(ads: Ads, actor: Actor) -> Iterator[Ads]:
    """Act as somebody else on the same store."""
    yield Ads(ads.app, actor)


def tenant(name: str, *permissions: Permission) -> Actor:
    """Somebody of another tenant; without permissions given, all but those of an administrator."""
    return Actor(f"{name}-user", name, frozenset(permissions) or ALL - {Permission.ADMINISTER})


def with_cloud(ads: Ads, **options: Any) -> None:
    """Add a simulated cloud."""
    with ads.app.store.transaction() as tx:
        tx.gateways.add(GatewaySetting("cloud", "sim", options, ads.app.clock()))


def with_machines(ads: Ads, *names: str, **changes: Any) -> None:
    """Add machines by hand."""
    with ads.app.store.transaction() as tx:
        tx.machines.add_many(
            Machine(
                **{
                    "id": f"id-{name}",
                    "name": name,
                    "gateway": "static",
                    "ref": name,
                    "kind": "vm",
                    "size": DEFAULT_SIZES[0],
                    "reach": Reach(address=f"192.0.2.{number}"),
                    **changes,
                }
            )
            for number, name in enumerate(names, 1)
        )


def pool(ads: Ads) -> dict[str, str]:
    """Name of each machine in the store → its holder, empty: nobody."""
    with ads.app.store.reading() as tx:
        return {machine.name: machine.holder for machine in tx.machines.list()}


def seen(ads: Ads) -> set[str]:
    """Names of the machines that the simulated cloud has."""
    with ads.app.store.reading() as tx:
        settings = tx.gateways.list()
    return {found.name for found in ads.app.gateways.open("cloud", settings).machines()}


def told(ads: Ads, environment: str = "shop") -> list[str]:
    """The log of an environment, oldest first."""
    from adslib.domain.event import EventFilter

    with ads.app.store.reading() as tx:
        return [line.text for line in reversed(tx.events.list(EventFilter(environment=environment)))]


@contextmanager
def opened_shop(url: str, quota: int) -> Iterator[Ads]:
    """Act as Ann on a store with a cloud and the environment `shop`.

    Args:
        quota: machines that the cloud makes at most.
    """
    with acting(url) as ads:
        with_cloud(ads, quota=quota)
        ads.environments.create(document())
        yield ads


@dataclass
class Run:
    """A job carried out step by step.

    Args:
        failing: cause by instance. untrue: instances whose tests fail. silent: those whose hosts are lost.
        unremoved: cause by the id of what cannot be removed.
    """

    ads: Ads
    job: Job
    failing: Mapping[str, str] = field(default_factory=dict)
    untrue: Collection[str] = ()
    silent: Collection[str] = ()
    unremoved: Mapping[str, str] = field(default_factory=dict)
    hosts: list[dict[str, Any]] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)

    def provide(self) -> None:
        """Make and start machines."""
        self.hosts, missing = self.ads.jobs.provide(self.job.id, self.job.attempt)
        self.kept.update(missing)

    def stages(self) -> None:
        """Every stage, reported."""
        blocked: list[str] = []
        entries = [entry for host in self.hosts for entry in host["variables"]["ads_instances"]]
        for stage in self.ads.jobs.stages(self.job) if self.job.kind is JobKind.DEPLOY else ():
            reached = [e["id"] for e in entries if e["stage"] == stage and e["id"] not in (*blocked, *self.silent)]
            results = {id: self.failing.get(id, "") for id in reached}
            blocked = self.ads.jobs.report(self.job.id, self.job.attempt, stage, results)

    def returns(self) -> None:
        """Removals, and machines that go."""
        removed = {e["id"]: "" for host in self.hosts for e in host["variables"]["ads_removals"]}
        self.ads.jobs.removed(self.job.id, self.job.attempt, {**removed, **self.failing, **self.unremoved})
        self.kept.update(self.ads.jobs.give_back(self.job.id, self.job.attempt))

    def finish(self) -> Outcome:
        """The tests, and the end."""
        tests = [
            {"instance": test["instance"], "test": "tcp", "ok": test["instance"] not in self.untrue, "cause": "refused"}
            for host in self.hosts
            for test in host["variables"].get("ads_tests", [])
        ]
        return self.ads.jobs.finish(self.job.id, self.job.attempt, tests=tests, kept=self.kept)


def begin(ads: Ads, name: str = "shop", kind: str = "deploy", **words: Any) -> Job:
    """Reserve a job."""
    job = ads.jobs.reserve(name, JobKind(kind), **words).job
    assert job is not None
    return job


def carry_out(
    ads: Ads,
    name: str = "shop",
    kind: str = "deploy",
    hold: bool = False,
    plan: str = "",
    options: Mapping[str, Any] | None = None,
    **run: Any,
) -> Outcome:
    """Reserve a job and take all its steps."""
    work = Run(ads, begin(ads, name, kind, options={"hold": hold, **(options or {})}, expected_plan=plan), **run)
    if kind == "stop":
        work.kept.update(ads.jobs.rest(work.job.id, work.job.attempt))
    else:
        work.provide()
        work.stages()
        work.returns()
    return work.finish()


def job_of(ads: Ads, job: Job) -> dict[str, object]:
    """A job as it is shown now."""
    return dict(ads.jobs.show(job.id))


def state(ads: Ads) -> str:
    """The state of the environment `shop`."""
    return str(ads.environments.show("shop")["state"])


def dead_owner() -> Owner:
    """A process that carried something out and is gone."""
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = processes.owner_of(child.pid)
    child.communicate()
    assert processes.alive(owner) is False
    return owner


def outlived(job: Job) -> timedelta:
    """A time beyond a job's lease."""
    assert job.lease is not None
    assert job.created is not None
    return job.lease - job.created + timedelta(seconds=1)
