"""A big estate to measure with: one environment of many pods, every machine seated, written straight into a store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from adslib.adapters.store import open_store
from adslib.domain.definition import Tree
from adslib.domain.desired import Desired, Digests, Seat
from adslib.domain.environment import Environment, Origin, Revision, Standing
from adslib.domain.lifecycle import EnvironmentState
from adslib.domain.machine import DEFAULT_SIZES, Machine, Reach
from adslib.domain.reading import read

POD = 10
"""Machines in a pod: five of each service."""

AT = datetime(2026, 1, 1, tzinfo=UTC)


def tree(machines: int) -> Tree:
    """A definition with as many instances as machines, in two data centres; media servers know their pod's accounts."""
    roles = ["ads.deploy.component"]
    services: dict[str, Any] = {
        "accounts": {
            "component": "accounts",
            "roles": roles,
            "machine": {"size": "small"},
            "ports": {"http": 8080},
            "requires": [{"configuration": "limits"}],
            "tests": [{"http": "/healthz", "port": "http"}],
        },
        "media": {
            "component": "media",
            "roles": roles,
            "machine": {"size": "medium"},
            "ports": {"sip": 5060, "http": 8080},
            "requires": ["accounts", {"configuration": "limits"}],
            "vars": {"directory": "{{ members.accounts[0].address }}", "own": "{{ self.address }}"},
            "tests": [{"tcp": "sip"}],
        },
    }
    placed = [{"service": name, "instances": POD // 2} for name in services]
    return {
        "environment": "big",
        "components": {
            "accounts": {"version": "1.4.0", "process": {"command": "/opt/accounts/bin/serve"}},
            "media": {
                "version": "2.3.1",
                "files": [{"path": "/etc/media.conf", "content": "listen {{ ads_instance.address }}\n"}],
                "process": {"command": "/opt/media/bin/serve"},
            },
        },
        "configurations": {"limits": {"settings": {"calls": 500, "log": "info"}}},
        "services": services,
        "datacenters": {"us-west": {}, "us-east": {}},
        "pods": {
            f"pod-{number}": {"units": {("us-west", "us-east")[number % 2]: {"services": placed}}}
            for number in range(machines // POD)
        },
    }


def fill(url: str, machines: int) -> None:
    """Write the estate into an empty store: deployed, live, every instance on a machine of its own."""
    written = tree(machines)
    wanted = Desired(read(written))
    pool = [
        Machine(
            id=f"m{number:025}",
            name=f"node-{number:05}",
            gateway=("dc-a", "dc-b")[number % 2],
            ref=f"ref-{number}",
            kind="vm",
            size=DEFAULT_SIZES[number % 3],
            os="debian-12",
            location=instance.scope.location,
            reach=Reach(address=f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", user="ops", become="sudo"),
            capabilities=frozenset({"packages", "systemd"}),
            labels={"rack": f"r{number % 40}"},
            holder="big",
        )
        for number, instance in enumerate(wanted.topology.instances)
    ]
    instances = wanted.topology.instances
    seats = {i.id: Seat(m.name, m.id, m.reach.address) for i, m in zip(instances, pool, strict=True)}
    digests = Digests(wanted, seats)
    with open_store(url) as store, store.transaction() as tx:
        tx.environments.add(replace(Environment("big", EnvironmentState.LIVE), deployed=1, created=AT))
        tx.revisions.add(Revision("big", 1, written, written, {}, Origin(), AT, "benchmark"))
        tx.machines.add_many(pool)
        tx.standings.put_many(
            Standing(
                environment="big",
                instance=i.id,
                service=i.service,
                machine_id=seats[i.id].id,
                version=wanted.version(i.service),
                digest=digests.of(i),
                deployed_at=AT,
                detail={"software": wanted.software(i), "message": ""},
            )
            for i in instances
        )
