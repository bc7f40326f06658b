"""What the rules of the pool would do now: which spare machines are made, which idle ones go, and why (A11).

Pure and deterministic. Growing and shrinking aim at the same number, so what one does the other never undoes: a plan
that was carried out leaves nothing to plan until time passes. Nobody's machine is touched, and none that ads did not
make.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from adslib.domain.definition import Need
from adslib.domain.fitting import Wanted, runs
from adslib.domain.gateway import Offer
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine, Size, size_class, size_order
from adslib.domain.making import Maker, NewMachine, NewMachines
from adslib.domain.pool import READY
from adslib.domain.pool_rule import PoolRule

LABEL = "pool"
"""The label of a machine that a rule made: it stays that rule's, whatever its gateway says of it later."""

WORKING = READY | {MachineState.CREATING}


class PoolVerb(StrEnum):
    CREATE = "create"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class PoolAction:
    """One step: `new` is a machine to be made, `machine` one that is there: to be deleted, or whose making goes on."""

    verb: PoolVerb
    rule: str
    name: str
    gateway: str
    reason: str
    new: NewMachine | None = None
    machine: Machine | None = None

    @property
    def starts(self) -> bool:
        """Whether it begins something, rather than end what was begun."""
        return self.machine is None or self.machine.state in READY


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """Deletions first, since they make room; why a rule does not do what it would; when time changes something."""

    actions: tuple[PoolAction, ...] = ()
    waiting: tuple[tuple[str, str], ...] = ()
    look_again_at: datetime | None = None


@dataclass(slots=True)
class Census:
    """The machines of a rule.

    Args:
        all: every one, those that failed or are on their way included. working: those that serve or soon will.
        free: those of them that nobody holds. target: how many the rule wants to work.
    """

    all: list[Machine]
    working: list[Machine]
    free: list[Machine]
    target: int
    why: str

    @property
    def held(self) -> int:
        """How many somebody holds."""
        return len(self.working) - len(self.free)


def census(rules: Sequence[PoolRule], machines: Iterable[Machine], sizes: Mapping[str, Size]) -> dict[str, Census]:
    """Which machines each rule counts, and how many it wants. What is handed out on request only is under no rule."""
    known = {rule.name for rule in rules}
    members: dict[str, list[Machine]] = {rule.name: [] for rule in rules}
    for machine in machines:
        if machine.on_request:
            continue
        label = machine.labels.get(LABEL, "")
        owner = label if label in known else _matching(rules, machine, sizes.values())
        if owner:
            members[owner].append(machine)
    return {rule.name: _counted(rule, members[rule.name]) for rule in rules}


def _matching(rules: Sequence[PoolRule], machine: Machine, sizes: Collection[Size]) -> str:
    called = size_class(machine.size, sizes) if rules else ""
    for rule in rules:
        if (
            rule.size == called
            and rule.gateway in ("", machine.gateway)
            and rule.location in ("", machine.location)
            and (not rule.os or runs(machine.os, rule.os))
        ):
            return rule.name
    return ""


def _counted(rule: PoolRule, members: list[Machine]) -> Census:
    working = [machine for machine in members if machine.state in WORKING]
    free = [machine for machine in working if not machine.holder]
    held = len(working) - len(free)
    wanted = [(rule.floor, f"the floor is {rule.floor}")]
    if rule.spare:
        wanted.append((held + rule.spare, f"{len(free)} free, {rule.spare} are to be"))
    if rule.grow_at and held:
        percent = held * 100 // len(working)
        wanted.append((held * 100 // rule.grow_at + 1, f"{percent} % held, it grows at {rule.grow_at} %"))
    most, why = max(wanted, key=lambda each: each[0])
    return Census(members, working, free, min(most, rule.ceiling), why)


@dataclass(slots=True)
class _Draft:
    """A plan in the making."""

    now: datetime
    actions: list[PoolAction] = field(default_factory=list)
    waiting: list[tuple[str, str]] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)

    def rests(self, rule: PoolRule) -> bool:
        """Whether a rule must not act yet."""
        until = rule.acted + timedelta(seconds=rule.cooldown) if rule.acted else self.now
        if until <= self.now:
            return False
        self.moments.append(until)
        self.waiting.append((rule.name, f"it cools down until {until:%Y-%m-%d %H:%M:%S} UTC"))
        return True


def plan_pool(
    rules: Sequence[PoolRule],
    machines: Sequence[Machine],
    offers: Sequence[Offer],
    sizes: Mapping[str, Size],
    now: datetime,
    *,
    taken: Iterable[str] = (),
    silent: Mapping[str, str] | None = None,
) -> PoolPlan:
    """Plan what the rules would do.

    Args:
        machines: of the tenant. offers: what gateways can make beside what was ordered, in order of preference.
        sizes: those that users know.
        taken: names that new machines may not have, beside those of `machines`. silent: gateways that did not answer.
    """
    draft = _Draft(now)
    rules = sorted(rules, key=lambda rule: rule.name)
    counted = census(rules, sorted(machines, key=lambda machine: machine.name), sizes)
    draft.actions += _unfinished(machines)
    growing = []
    for rule in rules:
        there = counted[rule.name]
        surplus = len(there.working) - there.target
        if surplus > 0 and rule.shrink_after:
            _shrink(draft, rule, there, surplus)
        elif surplus < 0 and not draft.rests(rule):
            growing.append((rule, there))
    going = [action.machine.id for action in draft.actions if action.verb is PoolVerb.DELETE and action.machine]
    new = NewMachines("", (*taken, *(machine.name for machine in machines)))
    makers = [Maker(offer.beside(going=going), new) for offer in offers]
    for rule, there in growing:
        _grow(draft, rule, there, makers, new, sizes, silent or {})
    order = {PoolVerb.DELETE: 0, PoolVerb.CREATE: 1}
    return PoolPlan(
        tuple(sorted(draft.actions, key=lambda action: order[action.verb])),
        tuple(draft.waiting),
        min(draft.moments, default=None),
    )


def _unfinished(machines: Iterable[Machine]) -> Iterator[PoolAction]:
    """What was begun for nobody and did not end: by a process that is gone, or by one that is still at it."""
    for machine in sorted(machines, key=lambda machine: machine.name):
        if machine.made and not machine.holder:
            rule = machine.labels.get(LABEL, "")
            if machine.state is MachineState.DELETING:
                why = "its deletion did not end"
                yield PoolAction(PoolVerb.DELETE, rule, machine.name, machine.gateway, why, machine=machine)
            elif machine.state is MachineState.CREATING:
                why = "its creation did not end"
                yield PoolAction(PoolVerb.CREATE, rule, machine.name, machine.gateway, why, machine=machine)


def _shrink(draft: _Draft, rule: PoolRule, there: Census, surplus: int) -> None:
    """Delete those that are idle longest; those that are not idle long enough wait for their time."""
    idle = [(machine.idle_since, machine) for machine in there.free if machine.made and machine.state in READY]
    known = sorted(((since, m) for since, m in idle if since), key=lambda each: (each[0], each[1].name))[:surplus]
    due = timedelta(seconds=rule.shrink_after)
    ripe = [(since, machine) for since, machine in known if since + due <= draft.now]
    if ripe and draft.rests(rule):
        return
    draft.moments += [since + due for since, _ in known if since + due > draft.now]
    for since, machine in ripe:
        why = f"idle since {since:%Y-%m-%d %H:%M:%S} UTC, {len(there.working)} there, {there.target} wanted"
        draft.actions.append(
            PoolAction(PoolVerb.DELETE, rule.name, machine.name, machine.gateway, why, machine=machine)
        )


def _grow(
    draft: _Draft,
    rule: PoolRule,
    there: Census,
    makers: Sequence[Maker],
    new: NewMachines,
    sizes: Mapping[str, Size],
    silent: Mapping[str, str],
) -> None:
    """Make what is missing where it fits best; say what cannot be had."""
    lacking = there.target - len(there.working)
    count = min(lacking, max(0, rule.ceiling - len(there.all)))
    if count < lacking:
        broken = len(there.all) - len(there.working)
        text = f"{lacking - count} more wanted ({there.why}), but its ceiling {rule.ceiling} counts {broken} that "
        draft.waiting.append((rule.name, text + "do not work: release or remove them"))
    need = Need(size=rule.size, os=rule.os, gateway=rule.gateway)
    # A larger one would be another rule's, however cheap it is.
    above = tuple(size for size in sizes.values() if size_order(size) > size_order(sizes[rule.size]))
    wanted = Wanted(rule.name, need, sizes[rule.size], rule.location, frozenset(), above)
    fitting = [maker for maker in makers if maker.serves(wanted)]
    # The best match first; Python's sort keeps the order of preference among equals.
    fitting.sort(key=lambda maker: maker.match(wanted))
    for made in range(count):
        name = next(filter(None, (maker.make(wanted, rule.name) for maker in fitting)), "")
        if not name:
            draft.waiting.append((rule.name, _missing(count - made, there.why, rule, wanted, makers, silent)))
            return
        shape = new.by_name[name]
        draft.actions.append(PoolAction(PoolVerb.CREATE, rule.name, name, shape.gateway, there.why, new=shape))


def _missing(
    count: int, why: str, rule: PoolRule, wanted: Wanted, makers: Sequence[Maker], silent: Mapping[str, str]
) -> str:
    there = [maker.why_not(wanted) for maker in makers if rule.gateway in ("", maker.gateway)]
    there += [f"gateway {name} does not answer: {said}" for name, said in silent.items() if rule.gateway in ("", name)]
    return f"{count} × {wanted} cannot be made ({why}): {'; '.join(there) or 'no gateway makes machines'}"
