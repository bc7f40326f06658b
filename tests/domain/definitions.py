"""Builders of definitions, machines and offers, and a world in which plans are carried out: only what a test says."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from adslib.domain.definition import Component, Definition, Need, Node, Placement, Requirement, Role, Service
from adslib.domain.desired import Desired, Digests, Seat
from adslib.domain.environment import Environment, Standing
from adslib.domain.gateway import Offer
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import DEFAULT_SIZES, Connection, Machine, Reach
from adslib.domain.placement import OWN_SYSTEM
from adslib.domain.plan import INSTANCE_VERBS, Plan, Verb
from adslib.domain.planner import Actual, plan

SMALL, MEDIUM, LARGE = DEFAULT_SIZES
OWN_ROLE = Role("ads.deploy.component", ads_root=True)


def service(name: str, *requires: str, **changes: Any) -> Service:
    """A service with a component of its own name; words of `Need` go to its need, `after~` marks an unordered one."""
    need = {key: changes.pop(key) for key in list(changes) if key in Need.__slots__}
    required = tuple(Requirement(service=word.rstrip("~"), ordered=not word.endswith("~")) for word in requires)
    made = Service(name, component=name, roles=(OWN_ROLE,), need=Need(**need), requires=required)
    return replace(made, **changes)


def place(name: str, *services: str | Placement, children: Iterable[Node] = (), **attributes: Any) -> Node:
    """A place at the top, with children whose paths are put right."""
    return rooted(Node("datacenter", name, services=placed(services), attributes=attributes, children=tuple(children)))


def node(name: str, *services: str | Placement, children: Iterable[Node] = (), **changes: Any) -> Node:
    """A logical node at the top, with children whose paths are put right."""
    return rooted(replace(Node("pod", name, services=placed(services), children=tuple(children)), **changes))


def unit(at: str, *services: str | Placement, **changes: Any) -> Node:
    """A unit in a place of the same name."""
    return replace(Node("unit", at, place=at, services=placed(services)), **changes)


def placed(services: Iterable[str | Placement]) -> tuple[Placement, ...]:
    """Placements of services that are given by name or as they are."""
    return tuple(Placement(given) if isinstance(given, str) else given for given in services)


def rooted(top: Node, above: str = "") -> Node:
    """A node with the paths that it and all below it have."""
    path = f"{above}/{top.name}" if above else top.name
    return replace(top, path=path, children=tuple(rooted(child, path) for child in top.children))


def definition(
    *services: Service,
    nodes: Iterable[Node] = (),
    places: Iterable[Node] = (),
    common: Iterable[str | Placement] = (),
    environment: str = "shop",
    **changes: Any,
) -> Definition:
    """A definition of these services; without nodes and places, each of them stands once at the root."""
    nodes, places = tuple(nodes), tuple(places)
    if not nodes and not places:
        nodes = (Node("", "", services=tuple(Placement(known.name) for known in services)),)
    components = {known.component: Component(known.component, "1.0") for known in services if known.component}
    return Definition(
        environment,
        components={**components, **changes.pop("components", {})},
        services={known.name: known for known in services},
        nodes=nodes,
        places=places,
        common=placed(common),
        **changes,
    )


def machine(name: str, **changes: Any) -> Machine:
    """A machine of the pool that runs and is small."""
    made = Machine(f"id-{name}", name, "static", ref=name, size=SMALL, os="debian-12", kind="vm")
    reach = Reach(Connection.SSH, f"10.0.0.{sum(map(ord, name)) % 250}")
    return replace(made, **{"reach": reach, "capabilities": frozenset({"packages", "systemd"}), **changes})


def offer(gateway: str = "cloud", **changes: Any) -> Offer:
    """A gateway that makes virtual machines of every size, anywhere, without a limit."""
    return replace(Offer(gateway, "vm", DEFAULT_SIZES, capabilities=frozenset({"packages", "systemd"})), **changes)


@dataclass(frozen=True)
class World:
    """What there is: machines, what stands, and what gateways can make. `machines` counts those that were made.

    `shares`: by gateway, how many of its machines the environment may have.
    """

    environment: Environment = field(default_factory=lambda: Environment("shop"))
    standings: tuple[Standing, ...] = ()
    held: tuple[Machine, ...] = ()
    free: tuple[Machine, ...] = ()
    offers: tuple[Offer, ...] = ()
    machines: int = 0
    shares: Mapping[str, int] = field(default_factory=dict)

    def actual(self) -> Actual:
        """What the planner sees of it."""
        return Actual(self.environment, self.standings, self.held, self.free, self.offers, shares=self.shares)

    def plan(self, wanted: Definition) -> Plan:
        """What is to be done to make it what a definition says."""
        return plan(Desired(wanted), self.actual())

    def after(self, wanted: Definition, failing: Collection[str] = ()) -> World:
        """The world when what a definition asks for was planned and carried out."""
        made = self.plan(wanted)
        assert not made.blocked, [str(shortage) for shortage in made.blocked]
        return apply(made, Desired(wanted), self, failing)

    def standing(self) -> dict[str, str]:
        """Instance id → name of its machine."""
        names = {known.id: known.name for known in self.held}
        return {found.instance: names[found.machine_id] for found in self.standings}

    def with_machine(self, name: str, **changes: Any) -> World:
        """The same world with one machine that it holds changed."""
        return replace(self, held=tuple(replace(m, **changes) if m.name == name else m for m in self.held))


def apply(made: Plan, desired: Desired | None, world: World, failing: Collection[str] = ()) -> World:
    """Carry a plan out as the playbooks and their reports do: reserve, provide, stages, removals, returns.

    Args:
        failing: ids of instances whose deployment fails.
    """
    world = returned(made, reported(made, desired, provided(made, reserved(made, world)), failing))
    return replace(world, held=tuple(sorted(world.held, key=lambda m: m.name)))


def reserved(made: Plan, world: World) -> World:
    """Lock the machines of a plan and record those that are to be made."""
    taken = {action.machine for action in made.actions if action.verb is Verb.ALLOCATE}
    new = [
        Machine(
            f"id-{world.machines + number}",
            order.name,
            order.gateway,
            state=MachineState.CREATING,
            kind=order.kind,
            size=order.size,
            os=order.os,
            location=order.location,
            image=order.image,
            capabilities=order.capabilities - {OWN_SYSTEM},
            made=True,
        )
        for number, order in enumerate(made.new, 1)
    ]
    held = (*world.held, *(m for m in world.free if m.name in taken), *new)
    return replace(
        world,
        held=tuple(replace(m, holder=world.environment.name) for m in held),
        free=tuple(m for m in world.free if m.name not in taken),
        machines=world.machines + len(new),
    )


def provided(made: Plan, world: World, most: int | None = None) -> World:
    """Make and start the machines of a plan's seats, or only the first few of them."""
    seated = set(made.seats.values())
    waiting = [m for m in world.held if m.name in seated and m.state is not MachineState.RUNNING][:most]
    ready = {m.id: _up(m) for m in waiting}
    created = [m.gateway for m in waiting if m.state is MachineState.CREATING]
    offers = tuple(o if o.room is None else replace(o, room=o.room - created.count(o.gateway)) for o in world.offers)
    return replace(world, held=tuple(ready.get(m.id, m) for m in world.held), offers=offers)


def _up(waiting: Machine) -> Machine:
    if waiting.state is MachineState.STOPPED:
        return replace(waiting, state=MachineState.RUNNING)
    local = waiting.kind == "process"
    reach = Reach(Connection.LOCAL if local else Connection.SSH, f"at {waiting.id}", root="/root" if local else "")
    return replace(waiting, ref=waiting.id, reach=reach, state=MachineState.RUNNING)


def reported(
    made: Plan, desired: Desired | None, world: World, failing: Collection[str] = (), last: int | None = None
) -> World:
    """Write down what stands after the stages of a plan, up to the last one that was reached."""
    acted = {
        action.subject
        for action in made.actions
        if action.verb in INSTANCE_VERBS and (last is None or action.stage <= last)
    }
    if desired is None:
        return world
    held = {known.name: known for known in world.held}
    seats = {id: Seat(name, held[name].id, held[name].reach.address) for id, name in made.seats.items()}
    digests = Digests(desired, seats)
    standings = {found.instance: found for found in world.standings}
    for instance in desired.topology.instances:
        if instance.id in acted:
            standings[instance.id] = Standing(
                world.environment.name,
                instance.id,
                instance.service,
                seats[instance.id].id,
                desired.version(instance.service),
                digests.of(instance),
                failed=instance.id in failing,
                detail={"software": desired.software(instance)},
            )
    return replace(world, standings=tuple(sorted(standings.values(), key=lambda s: s.instance)))


def returned(made: Plan, world: World) -> World:
    """Remove what the plan removes, and give its machines back."""
    removed = {action.subject for action in made.actions if action.verb is Verb.REMOVE}
    gone = {action.subject for action in made.actions if action.verb in (Verb.DELETE, Verb.RELEASE)}
    leaving = [m for m in world.held if m.name in gone]
    ids = {m.id for m in leaving}
    deleted = [m.gateway for m in leaving if m.made]
    released = [replace(m, holder="") for m in leaving if not m.made]
    return replace(
        world,
        standings=tuple(s for s in world.standings if s.instance not in removed and s.machine_id not in ids),
        held=tuple(m for m in world.held if m.name not in gone),
        free=tuple(sorted((*world.free, *released), key=lambda m: m.name)),
        offers=tuple(o if o.room is None else replace(o, room=o.room + deleted.count(o.gateway)) for o in world.offers),
    )


def verbs(made: Plan) -> dict[str, set[str]]:
    """What is done, by verb: ids of instances and names of machines."""
    result: dict[str, set[str]] = {}
    for action in made.actions:
        result.setdefault(str(action.verb), set()).add(action.subject)
    return result


def with_versions(wanted: Definition, **versions: str) -> Definition:
    """The same definition with other versions of some components."""
    changed: Mapping[str, Component] = {
        name: replace(component, version=versions.get(name, component.version))
        for name, component in wanted.components.items()
    }
    return replace(wanted, components=changed)


def seats(wanted: Definition, *free: Machine, **changes: object) -> dict[str, str]:
    """Where the instances go; the plan is not blocked."""
    made = World(free=free, **changes).plan(wanted)  # type: ignore[arg-type]
    assert not made.blocked, [str(shortage) for shortage in made.blocked]
    return dict(made.seats)


def said(wanted: Definition, *free: Machine, **changes: object) -> str:
    """What a blocked plan says."""
    made = World(free=free, **changes).plan(wanted)  # type: ignore[arg-type]
    assert made.blocked
    assert not made.actions
    return "\n".join(str(shortage) for shortage in made.blocked)


def fixed(*names: str, **need: object) -> Definition:
    return definition(service("web", **need), nodes=[node("p", Placement("web", max(1, len(names)), names))])
