"""desired × actual → plan. Pure: the same input gives the same plan; a plan carried out leaves nothing to plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field

from adslib.domain.desired import Desired, Digests, Seat
from adslib.domain.environment import Environment, Standing, left_on, original
from adslib.domain.errors import Invalid, Problem
from adslib.domain.gateway import Offer
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import DEFAULT_SIZES, Machine, Size
from adslib.domain.placement import USABLE, Placer, Seating, Shortage, unknown_sizes
from adslib.domain.plan import Action, Plan, Verb
from adslib.domain.reading.findings import TreePath, dotted
from adslib.domain.topology import Instance


@dataclass(frozen=True, slots=True)
class Actual:
    """What stands, read in one transaction.

    Args:
        environment: its row. standings: what is deployed of it.
        held: machines that it holds. free: machines of the pool that nobody holds. offers: what gateways can make.
        taken: names of machines like those that it would make. wipes: by gateway, the role that wipes what is returned.
        shares: by gateway, how many machines of it the environment may have; others give any number.
    """

    environment: Environment
    standings: Sequence[Standing] = ()
    held: Sequence[Machine] = ()
    free: Sequence[Machine] = ()
    offers: Sequence[Offer] = ()
    taken: Sequence[str] = ()
    wipes: Mapping[str, str] = field(default_factory=dict)
    shares: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, Size] = field(default_factory=lambda: {size.name: size for size in DEFAULT_SIZES})


def plan(desired: Desired, actual: Actual) -> Plan:
    """Compare what shall stand with what stands.

    Raises:
        Invalid: the definition names a size that nobody knows.
    """
    named = {machine.id: machine.name for machine in actual.held}
    seating = _seating(desired, actual)
    _check_sizes(desired, actual.sizes, seating)
    if seating.missing:
        return Plan(
            actual.environment.name,
            actual.environment.revision,
            actual.environment.generation,
            stages=desired.stages,
            blocked=tuple(seating.missing),
        )
    actions = (
        *_machine_actions(actual, seating),
        *_instance_actions(desired, actual, seating, named),
        *_removals(desired, actual, seating, named),
        *_returns(actual, seating),
    )
    return Plan(
        actual.environment.name,
        actual.environment.revision,
        actual.environment.generation,
        actions=actions,
        stages=desired.stages,
        seats=seating.seats,
        new=tuple(seating.new),
    )


def shortages(desired: Desired, actual: Actual) -> Sequence[Shortage]:
    """What is missing to seat every instance."""
    return _seating(desired, actual).missing


def _seating(desired: Desired, actual: Actual) -> Seating:
    named = {machine.id: machine.name for machine in actual.held}
    current = {s.instance: named[s.machine_id] for s in actual.standings if s.machine_id in named}
    machines = actual.held, actual.free
    return Placer(desired, current, *machines, actual.offers, actual.sizes, actual.taken, actual.shares).seat()


def plan_undeploy(actual: Actual) -> Plan:
    """Return everything: machines that ads made are deleted, the others go back to the pool (A13)."""
    named = {machine.id: machine.name for machine in actual.held}
    removals = [
        Action(Verb.REMOVE, s.instance, named.get(s.machine_id, ""), "the environment is undeployed", service=s.service)
        for s in actual.standings
        if not any(m.id == s.machine_id and m.made for m in actual.held)
    ]
    returns = _returns(actual, Seating(), "the environment is undeployed")
    environment = actual.environment
    return Plan(environment.name, environment.revision, environment.generation, actions=(*removals, *returns))


def size_problems(desired: Desired, sizes: Mapping[str, Size]) -> Iterator[tuple[TreePath, str, str]]:
    """Sizes that a definition asks for and nobody knows: the path, what is wrong, and what would be right."""
    for service, size in unknown_sizes(desired, sizes):
        path = ("services", service, "machine", "size")
        yield path, f"no size is called '{size}'", f"known sizes: {', '.join(sizes)}"


def _check_sizes(desired: Desired, sizes: Mapping[str, Size], seating: Seating) -> None:
    """Any size stands in for one that nobody knows: so what else is missing is told with it."""
    problems = [Problem(what, dotted(path), remedy) for path, what, remedy in size_problems(desired, sizes)]
    if problems:
        raise Invalid(problems=[*problems, *(Problem(str(shortage)) for shortage in seating.missing)])


def _machine_actions(actual: Actual, seating: Seating) -> Iterator[Action]:
    held = {machine.name: machine for machine in actual.held}
    used = dict.fromkeys(seating.seats.values())
    new = {machine.name: machine for machine in seating.new}
    for name in used:
        if name in new:
            made = new[name]
            what = " ".join(part for part in (made.size.name, made.os) if part)
            where = f" in {made.location}" if made.location else ""
            yield Action(Verb.CREATE, name, name, f"{what} from gateway {made.gateway}{where}")
        elif name not in held:
            yield Action(Verb.ALLOCATE, name, name, "free in the pool")
        elif held[name].state is MachineState.CREATING:
            yield Action(Verb.CREATE, name, name, "its creation did not end")
        elif held[name].state is MachineState.STOPPED:
            yield Action(Verb.START, name, name, "it is stopped")


def _instance_actions(desired: Desired, actual: Actual, seating: Seating, named: Mapping[str, str]) -> Iterator[Action]:
    known = {m.name: Seat(m.name, m.id, m.reach.address) for m in (*actual.held, *actual.free)}
    seats = {id: known.get(name) or Seat(name) for id, name in seating.seats.items()}
    digests = Digests(desired, seats)
    usable = {machine.id for machine in actual.held if machine.state in USABLE}
    standing = {s.instance: s for s in actual.standings}
    order = sorted(
        desired.topology.instances,
        key=lambda i: desired.stage_of[i.service],
    )
    for instance in order:
        found = standing.get(instance.id)
        seat = seats[instance.id]
        verb, reason = _judge(desired, instance, found, seat, digests, usable)
        if verb:
            origin = named.get(found.machine_id, "") if found and verb is Verb.MOVE else ""
            stage = desired.stage_of[instance.service]
            yield Action(verb, instance.id, seat.machine, reason, stage, instance.service, origin)


def _judge(
    desired: Desired, instance: Instance, found: Standing | None, seat: Seat, digests: Digests, usable: Set[str]
) -> tuple[Verb | None, str]:
    version = desired.version(instance.service)
    if found is None:
        return Verb.DEPLOY, f"{instance.service} {version}".strip()
    if found.machine_id != seat.id:
        if found.machine_id not in usable:
            return Verb.MOVE, "its machine is gone"
        fixed = f"the definition names {instance.machine}"
        return Verb.MOVE, fixed if instance.machine else "its machine no longer fits"
    if found.failed:
        return Verb.REPAIR, "its last deployment failed"
    if found.digest == digests.of(instance):
        return None, ""
    if found.version != version:
        return Verb.UPDATE, f"version {found.version or 'none'} → {version or 'none'}"
    if found.detail.get("software") != desired.software(instance):
        return Verb.UPDATE, "its definition changed"
    return Verb.UPDATE, "what it works with changed"


def _removals(desired: Desired, actual: Actual, seating: Seating, named: Mapping[str, str]) -> Iterator[Action]:
    usable = {machine.name for machine in actual.held if machine.state in USABLE}
    # What an instance left behind is part of it again when it comes back there.
    returning = {left_on(instance, machine) for instance, machine in seating.seats.items()}
    for standing in actual.standings:
        if standing.instance not in desired.topology.by_id and standing.instance not in returning:
            machine = named.get(standing.machine_id, "")
            moved = original(standing.instance) in desired.topology.by_id
            reason = "it moved away and was not removed" if moved else "the definition no longer has it"
            if machine not in usable:
                reason += "; its machine is gone"
            yield Action(Verb.REMOVE, standing.instance, machine, reason, service=standing.service)


def _returns(actual: Actual, seating: Seating, reason: str = "no instance stands on it any more") -> Iterator[Action]:
    used = set(seating.seats.values())
    returned = [machine for machine in actual.held if machine.name not in used]
    for machine in returned:
        role = "" if machine.made else actual.wipes.get(machine.gateway, "")
        if role:
            asks = f"gateway {machine.gateway} asks for role {role} before it is returned"
            yield Action(Verb.WIPE, machine.name, machine.name, asks, role=role)
    for machine in returned:
        why = f"it is {machine.state}" if machine.state not in USABLE and used else reason
        yield Action(Verb.DELETE if machine.made else Verb.RELEASE, machine.name, machine.name, why)
