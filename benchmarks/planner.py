"""Planning at 100, 1,000 and 10,000 instances: the usual case, and the shapes that could grow faster than they should.

The peer is writing the same machines and instances as JSON and reading them back: what merely touching the data costs.
"""

from __future__ import annotations

import gc
import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from adslib.domain.definition import Component, Definition, Need, Node, Placement, Requirement, Role, Service
from adslib.domain.desired import Desired, Digests, Seat
from adslib.domain.environment import Environment, Standing
from adslib.domain.gateway import Offer
from adslib.domain.machine import DEFAULT_SIZES, Machine
from adslib.domain.plan import Plan
from adslib.domain.planner import Actual, plan
from row import Row

SIZES = (100, 1_000, 10_000)
POD = 10
RUNS = 3
BUDGET = 1.0
ROLES = (Role("ads.deploy.component", ads_root=True),)


def definition(instances: int, version: str = "1.0") -> Definition:
    """Pods of five media servers and five account servers; media servers know their pod's accounts."""
    services = {
        "media": Service("media", "media", ROLES, requires=(Requirement(service="accounts"),)),
        "accounts": Service("accounts", "accounts", ROLES),
    }
    nodes = []
    for number in range(instances // POD):
        placed = (Placement("media", POD // 2), Placement("accounts", POD // 2))
        unit = Node("unit", "west", f"pod-{number}/west", place="west", services=placed)
        nodes.append(Node("pod", f"pod-{number}", f"pod-{number}", children=(unit,)))
    components = {name: Component(name, version if name == "accounts" else "1.0") for name in services}
    places = (Node("datacenter", "west", "west"),)
    return Definition("big", components=components, services=services, places=places, nodes=tuple(nodes))


def crowd(instances: int) -> Definition:
    """Everything in one node, four small services to a machine."""
    need = Need(shared=True, spread=False, cpu=0.25, memory=128)
    return Definition(
        "crowd",
        services={"cell": Service("cell", roles=ROLES, need=need)},
        nodes=(Node("pod", "all", "all", services=(Placement("cell", instances),)),),
    )


def choosy(instances: int) -> Definition:
    """Half of the instances take any system and come first; the other half needs what they would take."""
    services = {
        "any": Service("any", roles=ROLES),
        "debian": Service("debian", roles=ROLES, need=Need(os="debian")),
    }
    placed = tuple(Placement(name, instances // 2) for name in services)
    return Definition("choosy", services=services, nodes=(Node("pod", "all", "all", services=placed),))


def pool(count: int, **changes: Any) -> list[Machine]:
    """Free machines of three sizes."""
    return [
        replace(
            Machine(
                f"id-{n}", f"m{n:05}", "sim", size=DEFAULT_SIZES[n % 3], os="debian-12", location="west", kind="vm"
            ),
            **changes,
        )
        for n in range(count)
    ]


def deployed(wanted: Definition, free: list[Machine]) -> Actual:
    """What there is after a deployment."""
    desired = Desired(wanted)
    made = plan(desired, Actual(Environment(wanted.environment), free=free))
    ids = {machine.name: machine.id for machine in free}
    digests = Digests(desired, {id: Seat(name, ids[name], "") for id, name in made.seats.items()})
    standings = [
        Standing(wanted.environment, i.id, i.service, ids[made.seats[i.id]], "1.0", digests.of(i))
        for i in desired.topology.instances
    ]
    held = [replace(machine, holder=wanted.environment) for machine in free]
    return Actual(Environment(wanted.environment), standings, held)


def best(act: Callable[[], Any]) -> tuple[float, Any]:
    """The least seconds of some runs, and what came out."""
    spent = []
    for _ in range(RUNS):
        gc.collect()
        began = time.perf_counter()
        result = act()
        spent.append(time.perf_counter() - began)
    return min(spent), result


def peak(act: Callable[[], Any]) -> float:
    """MiB that something needs at most beside what was there before."""
    gc.collect()
    tracemalloc.start()
    act()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def touched(free: list[Machine], desired: Desired) -> float:
    """Seconds to write the same data as JSON and read it back."""
    rows = [[asdict(m) | {"capabilities": []} for m in free], [[i.id, i.service] for i in desired.topology.instances]]
    return best(lambda: json.loads(json.dumps(rows)))[0]


def expected(made: Plan, **counts: int) -> None:
    """A benchmark that plans something else measures nothing."""
    found = made.counts()
    if found != counts:
        raise RuntimeError(f"planned {found}, not {counts}")


def measure() -> list[Row]:
    """All cases at all sizes."""
    rows: list[Row] = []
    for size in SIZES:
        wanted, free = definition(size), pool(size)
        peer = touched(free, Desired(wanted))

        def row(what: str, seconds: float, size: int = size, peer: float = peer) -> Row:
            return Row(what, size, seconds, "s", "the same data to JSON and back", peer, BUDGET)

        def first(wanted: Definition = wanted, free: list[Machine] = free) -> Plan:
            return plan(Desired(wanted), Actual(Environment("big"), free=free))

        seconds, made = best(first)
        expected(made, allocate=size, deploy=size)
        rows.append(row("plan, nothing stands yet", seconds))
        rows.append(Row("memory of that plan", size, peak(first), "MiB"))
        rows.append(row("its id", best(lambda made=made: made.id)[0]))
        there = deployed(wanted, free)
        seconds, made = best(lambda w=wanted, t=there: plan(Desired(w), t))
        expected(made)
        rows.append(row("plan, nothing differs", seconds))
        seconds, made = best(lambda n=size, t=there: plan(Desired(definition(n, "2.0")), t))
        expected(made, update=size)
        rows.append(row("plan, a version differs", seconds))
        seconds, made = best(lambda n=size: plan(Desired(crowd(n)), Actual(Environment("crowd"), offers=OFFERS)))
        expected(made, create=size // 4, deploy=size)
        rows.append(row("plan, four instances to a machine in one node", seconds))
        mixed = [*pool(size // 2), *pool(size // 2, os="rocky-9")]
        mixed = [replace(m, id=f"id-{n}", name=f"m{n:05}", size=DEFAULT_SIZES[0]) for n, m in enumerate(mixed)]
        seconds, made = best(lambda n=size, f=mixed: plan(Desired(choosy(n)), Actual(Environment("choosy"), free=f)))
        expected(made, allocate=size, deploy=size)
        rows.append(row("plan, half gives way to the choosy other half", seconds))
        seconds, made = best(lambda w=wanted, f=free: plan(Desired(w), Actual(Environment("big"), free=f[:-1])))
        if sum(shortage.count for shortage in made.blocked) != 1:
            raise RuntimeError("one machine should be missing")
        rows.append(row("plan, one machine is missing", seconds))
    return sorted(rows, key=lambda row: [other.what for other in rows].index(row.what))


OFFERS = (Offer("cloud", "vm", DEFAULT_SIZES),)
