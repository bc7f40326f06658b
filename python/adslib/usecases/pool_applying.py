"""Carrying out what the rules of the pool say: intent first, then the gateways side by side, then the record (A11)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.errors import AdsError, Conflict, NotFound
from adslib.domain.event import EventLevel
from adslib.domain.gateway import Gateway, Offer, Sighting, order_of
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine
from adslib.domain.pool_planner import LABEL, PoolPlan, PoolVerb, plan_pool
from adslib.domain.pool_rule import PoolRule
from adslib.usecases.commissioning import decommission
from adslib.usecases.log import log
from adslib.usecases.machine_locks import locks
from adslib.usecases.providing import booted, delete_at, each, merged, ref_at
from adslib.usecases.situation import beside_orders, offers

ATTEMPTS = 5
"""How often it is planned again because somebody took one of the machines in between."""


def planned(app: App, actor: Actor, tx: Transaction, rules: Sequence[PoolRule], offered: Sequence[Offer]) -> PoolPlan:
    """What the rules would do, as the store is now; what somebody works on is not idle."""
    locked = locks(app, tx)
    machines = tx.machines.list(tenant=actor.tenant)
    return plan_pool(
        rules,
        [replace(machine, idle_since=None) if machine.id in locked else machine for machine in machines],
        beside_orders(tx, offered),
        app.settings.sizes,
        app.clock(),
        taken=[name for rule in rules for name in tx.machines.names(f"{rule.name}-")],
        silent=getattr(offered, "silent", {}),
    )


def carry_out(app: App, actor: Actor) -> tuple[PoolPlan, dict[str, str]]:
    """Do what the rules say; returns what was planned, and the cause of each failure by the machine's name."""
    plan, begun = _begin(app, actor)
    with app.store.reading() as tx:
        settings = tx.gateways.list()
    gateways = {name: app.gateways.open(name, settings) for name in {machine.gateway for machine in begun}}
    failed: dict[str, str] = {}

    def record(before: Machine, after: Machine) -> Machine:
        after = _record(app, actor, before, after)
        if after.reason and after.state is not MachineState.RUNNING:
            failed[after.name] = after.reason
        return after

    # First what goes: it makes room for what comes.
    going = [machine for machine in begun if machine.state is MachineState.DELETING]
    coming = [machine for machine in begun if machine.state is MachineState.CREATING]
    each(going, lambda machine: replace(delete_at(gateways[machine.gateway], machine), reason=""), record, _silently)
    each(coming, lambda machine: _make(gateways[machine.gateway], machine), record, _silently)
    return plan, failed


def _silently(text: str) -> None:
    """Nobody watches."""


def _begin(app: App, actor: Actor) -> tuple[PoolPlan, list[Machine]]:
    """Plan, and write down what is going to be done."""
    offered = offers(app)
    for _ in range(ATTEMPTS - 1):
        with suppress(Conflict):
            return _begin_once(app, actor, offered)
    return _begin_once(app, actor, offered)


def _begin_once(app: App, actor: Actor, offered: Sequence[Offer]) -> tuple[PoolPlan, list[Machine]]:
    with app.store.transaction() as tx:
        rules = tx.pool_rules.list(actor.tenant, lock=True)
        plan = planned(app, actor, tx, rules, offered)
        new = [
            action.new.intended(app.new_id(), tenant=actor.tenant, labels={LABEL: action.rule})
            for action in plan.actions
            if action.new
        ]
        going = [a.machine for a in plan.actions if a.verb is PoolVerb.DELETE and a.machine]
        begun = [a.machine for a in plan.actions if a.verb is PoolVerb.CREATE and a.machine]
        tx.machines.add_many(new)
        fresh = [replace(m, state=MachineState.DELETING) for m in going if m.state is not MachineState.DELETING]
        deleting = [*(m for m in going if m.state is MachineState.DELETING), *tx.machines.update_many(fresh)]
        tx.pool_rules.acted(sorted({action.rule for action in plan.actions if action.starts}), app.clock())
        for action in plan.actions:
            text = f"{action.verb} machine '{action.name}' of the pool: {action.reason}"
            log(tx, app.clock(), actor, text, machine=action.name)
    return plan, [*begun, *new, *deleting]


def _make(gateway: Gateway, machine: Machine) -> Machine:
    """Make a machine, or find the one that was made for this order before.

    Returns: `unknown` with the reason if there is none; `failed` if there is one that does not come up.

    Raises:
        AdsError: nobody knows whether there is one; the order stays.
    """
    try:
        made = gateway.create(order_of(machine))
    except AdsError as error:
        # The answer may be lost while the machine is there.
        found = _found(gateway, machine)
        if found is None:
            return replace(machine, state=MachineState.UNKNOWN, reason=str(error))
        made = found
    try:
        return merged(machine, booted(gateway, made))
    except AdsError as error:
        return replace(merged(machine, made), state=MachineState.FAILED, reason=str(error))


def _found(gateway: Gateway, machine: Machine) -> Sighting | None:
    try:
        return gateway.look(ref_at(gateway, machine))
    except NotFound:
        return None


def _record(app: App, actor: Actor, before: Machine, after: Machine) -> Machine:
    """Write down how it ended; whoever was faster has done so already."""
    with suppress(Conflict, NotFound), app.store.transaction() as tx:
        level = EventLevel.ERROR if after.reason else EventLevel.INFO
        if after.state is MachineState.UNKNOWN:
            tx.machines.delete_many([after.id])
            decommission(tx, app, actor, [after.name])
            what = "could not be made" if before.state is MachineState.CREATING else "deleted"
        elif after.ref:
            # A creation may end long after it began; only then does idleness begin.
            making = before.state is MachineState.CREATING
            after = tx.machines.update(replace(after, idle_since=app.clock()) if making else after)
            what = str(after.state)
        else:
            after = tx.machines.update(replace(before, reason=after.reason))
            what = "may be there: it is tried again"
        text = f"machine '{after.name}' {what}" + (f": {after.reason}" if after.reason else "")
        log(tx, app.clock(), actor, text, level=level, machine=after.name)
    return after
