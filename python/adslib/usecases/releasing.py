"""Releasing: a machine that was kept back is handed out again, once its gateway shows nothing against it (A10)."""

from __future__ import annotations

from dataclasses import replace

from adslib.adapters.gateways.opening import STATIC
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.errors import Blocked, NotFound
from adslib.domain.gateway import Gateway
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome
from adslib.usecases.providing import merged, ref_at
from adslib.usecases.viewing import machine_shown, visible_machine

RELEASED = frozenset({MachineState.RUNNING, MachineState.STOPPED})


def release(app: App, actor: Actor, name: str, *, dry_run: bool) -> Outcome:
    """See `Machines.release`."""
    with app.store.reading() as tx:
        machine = visible_machine(tx, actor, name)
        settings = tx.gateways.list()
    shown = machine_shown(machine)
    if machine.state is not MachineState.FAILED and not machine.on_request:
        return Outcome(False, shown, shown, message=f"machine '{name}' is not kept back")
    after = machine
    if machine.state is MachineState.FAILED:
        after = _mended(machine, app.gateways.open(machine.gateway, settings))
    after = replace(after, on_request=False, idle_since=None if machine.holder else app.clock())
    if not dry_run:
        with app.store.transaction() as tx:
            after = tx.machines.update(after)
            log(tx, app.clock(), actor, f"machine '{name}' released", environment=machine.holder, machine=name)
    return Outcome(True, shown, machine_shown(after), message=f"machine '{name}' released: it is {after.state}")


def _mended(machine: Machine, gateway: Gateway) -> Machine:
    """The machine as its gateway shows it now; where there is nobody to ask, the person's word counts.

    Raises:
        Blocked: the gateway does not show it, or shows that it fails.
    """
    if gateway.kind == STATIC:
        return replace(machine, state=MachineState.RUNNING, reason="")
    try:
        seen = gateway.look(ref_at(gateway, machine))
    except NotFound:
        raise Blocked(
            f"gateway '{machine.gateway}' has no machine '{machine.name}' any more",
            remedy=f"take it out: ads machine remove {machine.name}",
        ) from None
    if seen.state not in RELEASED:
        raise Blocked(
            f"gateway '{machine.gateway}' shows machine '{machine.name}' as {seen.state}"
            + (f": {seen.reason}" if seen.reason else ""),
            remedy=f"mend it first, or take it out: ads machine remove {machine.name}",
        )
    return merged(machine, seen) if machine.made else replace(machine, state=seen.state, reason="")
