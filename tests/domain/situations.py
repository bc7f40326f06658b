"""Any definition on any pool, drawn by Hypothesis; and the rules of seating, written down once more."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import event
from hypothesis import strategies as st

from adslib.domain.definition import (
    Component,
    Configuration,
    Definition,
    Need,
    Node,
    Package,
    Placement,
    Requirement,
    Role,
    Service,
)
from adslib.domain.desired import Desired
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import DEFAULT_SIZES, Connection, Machine, Reach
from adslib.domain.plan import Plan
from adslib.domain.topology import Instance
from domain.definitions import OWN_ROLE, World, apply, offer

PLACES = ("east", "west")
SYSTEMS = ("debian-12", "rocky-9")
KINDS = ("vm", "process")
BOTH = frozenset({"packages", "systemd"})
SIZES = {size.name: size for size in DEFAULT_SIZES}

flags = st.booleans()
seldom = st.sampled_from([False, False, False, True])


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """A value that is most often the usual one."""
    return st.sampled_from([*([usual] * (2 * len(others))), *others])


needs = st.builds(
    Need,
    size=mostly("", "small", "medium", "large"),
    os=mostly("", "debian", *SYSTEMS),
    kind=mostly("", *KINDS),
    gateway=mostly("", "cloud", "pool"),
    shared=flags,
    spread=flags,
    cpu=st.sampled_from([0.0, 0.1, 0.2, 0.3, 1.0, 2.0]),
    memory=st.sampled_from([0, 512, 1024]),
)


@st.composite
def services(draw: st.DrawFn, number: int) -> Service:
    """A service that requires earlier ones in order, and any at all without order."""
    earlier = draw(st.sets(st.integers(0, number - 1), max_size=2)) if number else set()
    seen = draw(st.sets(st.integers(0, 4), max_size=1)) - earlier
    return Service(
        f"s{number}",
        component=draw(mostly(f"c{number}", "c0", "")),
        roles=draw(mostly((OWN_ROLE,), (OWN_ROLE, Role("theirs")))),
        instances=draw(st.integers(0, 3)),
        need=draw(needs),
        requires=(
            *(Requirement(service=f"s{other}") for other in sorted(earlier)),
            *(Requirement(service=f"s{other}", ordered=False) for other in sorted(seen)),
            *([Requirement(configuration="limits")] if draw(flags) else []),
        ),
    )


@st.composite
def placements(draw: st.DrawFn, count: int, pool: list[str], but: tuple[Placement, ...] = ()) -> tuple[Placement, ...]:
    """Some of the services, each once, now and then on machines that the user fixes."""
    found = []
    taken = {int(placement.service[1:]) for placement in but}
    for number in sorted(draw(st.sets(st.integers(0, count - 1), max_size=3)) - taken):
        fixed = (pool.pop(),) if pool and draw(seldom) else ()
        many = draw(st.integers(1, 3)) if fixed else draw(mostly(None, 1, 2))
        found.append(Placement(f"s{number}", many, fixed))
    return tuple(found)


@st.composite
def definitions(draw: st.DrawFn, machines: tuple[Machine, ...]) -> Definition:
    """Up to five services in places, pods and units, or at the root."""
    count = draw(st.integers(1, 5))
    known = [draw(services(number)) for number in range(count)]
    names = {service.name for service in known}
    kept = [replace(s, requires=tuple(r for r in s.requires if not r.service or r.service in names)) for s in known]
    pool = sorted((m.name for m in machines), reverse=True)
    here = PLACES[: draw(st.integers(0, 2))]
    common = tuple(replace(p, machines=()) for p in draw(placements(count, []))) if here else ()
    places = tuple(Node("datacenter", name, name, services=draw(placements(count, pool, common))) for name in here)
    nodes = []
    for pod in range(draw(st.integers(0 if places else 1, 2))):
        path = f"pod-{pod}"
        units = tuple(
            Node("unit", at.name, f"{path}/{at.name}", place=at.name, services=draw(placements(count, pool)))
            for at in places
        )
        overlay = {"limits": {"calls": pod}} if draw(seldom) else {}
        own = draw(placements(count, pool))
        nodes.append(Node("pod", path, path, services=own, children=units, configurations=overlay))
    components = {
        f"c{number}": Component(f"c{number}", "1.0", packages=(Package("nginx"),) if draw(seldom) else ())
        for number in range(count)
    }
    return Definition(
        "shop",
        components=components,
        configurations={"limits": Configuration("limits", {"calls": 1})},
        services={service.name: service for service in kept},
        common=common,
        places=places,
        nodes=tuple(nodes),
        allow_host_changes=draw(seldom),
    )


@st.composite
def pools(draw: st.DrawFn) -> tuple[Machine, ...]:
    """Up to six free machines of every kind and state."""
    found = []
    for number in range(draw(st.integers(0, 6))):
        kind = draw(st.sampled_from(KINDS))
        found.append(
            Machine(
                f"id-m{number}",
                f"m{number}",
                draw(st.sampled_from(["pool", "cloud"])),
                state=draw(mostly(MachineState.RUNNING, MachineState.STOPPED, MachineState.FAILED)),
                kind=kind,
                size=draw(st.sampled_from(DEFAULT_SIZES)),
                os=draw(st.sampled_from(SYSTEMS)),
                location=draw(st.sampled_from(["", *PLACES])),
                reach=Reach(Connection.LOCAL if kind == "process" else Connection.SSH, f"10.0.0.{number}",
                            root="/srv" if kind == "process" else ""),
                capabilities=draw(st.sampled_from([BOTH, frozenset()])),
            )
        )  # fmt: skip
    return tuple(found)


offers = st.one_of(
    st.just((offer("pool"), offer("cloud"), offer("trial", kind="process", capabilities=frozenset()))),
    st.lists(
        st.builds(
            offer,
            st.sampled_from(["pool", "cloud"]),
            kind=st.sampled_from(KINDS),
            sizes=st.sampled_from([DEFAULT_SIZES, DEFAULT_SIZES[:1], DEFAULT_SIZES[1:]]),
            locations=st.sampled_from([(), PLACES, PLACES[:1]]),
            systems=st.sampled_from([(), SYSTEMS, SYSTEMS[::-1], SYSTEMS[:1]]),
            capabilities=st.sampled_from([BOTH, frozenset()]),
            room=mostly(None, 0, 2, 5),
        ),
        max_size=2,
        unique_by=lambda made: made.gateway,
    ).map(tuple),
)


@dataclass(frozen=True)
class Situation:
    """A definition, what there is, and the plan that was made of both."""

    wanted: Definition
    world: World

    @property
    def desired(self) -> Desired:
        """The definition expanded."""
        return Desired(self.wanted)

    def plan(self) -> Plan:
        """What is to be done now."""
        return self.world.plan(self.wanted)

    def deployed(self) -> Situation | None:
        """The same after a deployment; None where it is blocked."""
        made = self.plan()
        event(f"blocked: {bool(made.blocked)}")
        return None if made.blocked else replace(self, world=apply(made, self.desired, self.world))


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """Any definition on any pool."""
    free = draw(pools())
    return Situation(draw(definitions(free)), World(free=free, offers=draw(offers)))


@st.composite
def deployments(draw: st.DrawFn) -> Situation:
    """Any definition, deployed."""
    found = draw(situations().filter(lambda s: not s.plan().blocked))
    return replace(found, world=apply(found.plan(), found.desired, found.world))


def shows(situation: Situation, instance: Instance) -> set[str]:
    """Ids of all instances that an instance works with."""
    topology = situation.desired.topology
    required = [r.service for r in topology.service(instance).requires if r.service]
    return {member.id for name in required for member in topology.members(instance.scope, name)}


# ── the rules of seating, written down once more, in another way ─────────────────────────────────────


def broken_rules(situation: Situation, made: Plan) -> list[str]:
    """Every way in which a plan puts an instance where it must not be."""
    desired = situation.desired
    world = situation.world
    machines: dict[str, Any] = {m.name: m for m in (*world.held, *world.free)} | {new.name: new for new in made.new}
    broken = []
    by_machine: dict[str, list[Instance]] = defaultdict(list)
    for instance in desired.topology.instances:
        name = made.seats.get(instance.id)
        if name is None:
            broken.append(f"{instance.id} has no seat")
            continue
        by_machine[name].append(instance)
        broken += [f"{instance.id} on {name}: {why}" for why in unfit(desired, instance, machines[name])]
        if instance.machine and name != instance.machine:
            broken.append(f"{instance.id} is fixed to {instance.machine}, not {name}")
    for name, instances in by_machine.items():
        broken += [f"{name}: {why}" for why in crowded(desired, instances, machines[name])]
    return broken


def unfit(desired: Desired, instance: Instance, machine: Any) -> list[str]:
    """Why a machine is not what an instance asks for; what the user fixed has only to be safe."""
    service = desired.topology.service(instance)
    need = service.need
    local = machine.reach.root != "" if isinstance(machine, Machine) else machine.kind == "process"
    packages = service.component and desired.definition.components[service.component].packages
    why = []
    if not desired.definition.allow_host_changes:
        if packages and "packages" not in machine.capabilities:
            why.append("it takes no packages")
        if local and any(not role.ads_root for role in service.roles):
            why.append("a role would change the host")
    if isinstance(machine, Machine) and machine.state not in (
        MachineState.RUNNING,
        MachineState.STOPPED,
        MachineState.CREATING,
    ):
        why.append(f"it is {machine.state}")
    if instance.machine:
        return why
    asked = SIZES[need.size] if need.size else None
    if asked and (machine.size.cpu < asked.cpu or machine.size.memory < asked.memory or machine.size.disk < asked.disk):
        why.append("it is too small")
    if need.os and not (machine.os == need.os or machine.os.startswith(f"{need.os}-")):
        why.append("it has another system")
    if need.kind and machine.kind != need.kind:
        why.append("it is of another kind")
    if need.gateway and machine.gateway != need.gateway:
        why.append("it is of another gateway")
    if instance.scope.place and machine.location != instance.scope.place:
        why.append("it is elsewhere")
    return why


def crowded(desired: Desired, instances: list[Instance], machine: Any) -> list[str]:
    """Why instances cannot share a machine."""
    needs = [desired.topology.service(instance).need for instance in instances]
    names = [instance.service for instance in instances]
    why = []
    if len(instances) > 1 and not all(need.shared for need in needs):
        why.append("one of its instances wants it alone")
    if any(need.spread and names.count(name) > 1 for need, name in zip(needs, names, strict=True)):
        why.append("instances of a service that spreads")
    shared = [need for need in needs if need.shared]
    if sum(need.cpu for need in shared) > machine.size.cpu + 1e-6:
        why.append("more cores than it has")
    if sum(need.memory for need in shared) > machine.size.memory:
        why.append("more memory than it has")
    return why
