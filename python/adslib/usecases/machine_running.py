"""What a machine's gateway does to it: start, stop, reboot, snapshots (A8, A14, A18); refused first if it cannot."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.errors import Unsupported
from adslib.domain.gateway import Capability, Gateway, Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine
from adslib.domain.names import checked_name
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome
from adslib.usecases.providing import delete_at, merged
from adslib.usecases.reserving import at_rest, recover
from adslib.usecases.viewing import machine_shown, visible_machine


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a gateway on a machine.

    Args:
        needs: what the gateway must offer. act: does it; the last argument is the snapshot's name, if any.
        done: what happened, for people. target: the state that the machine has afterwards, None: any.
    """

    needs: Capability
    act: Callable[[Gateway, str, str], Sighting | None]
    done: str
    target: MachineState | None = None


def _create_snapshot(gateway: Gateway, ref: str, name: str) -> None:
    gateway.create_snapshot(ref, checked_name(name, "a snapshot"))


OPERATIONS: Mapping[str, Operation] = {
    "start": Operation(Capability.START, lambda g, ref, _: g.start(ref), "started", MachineState.RUNNING),
    "stop": Operation(Capability.STOP, lambda g, ref, _: g.stop(ref), "stopped", MachineState.STOPPED),
    "reboot": Operation(Capability.REBOOT, lambda g, ref, _: g.reboot(ref), "rebooted"),
    "create_snapshot": Operation(Capability.SNAPSHOTS, _create_snapshot, "saved as snapshot"),
    "restore_snapshot": Operation(
        Capability.SNAPSHOTS, lambda g, ref, name: g.restore_snapshot(ref, name), "brought back to snapshot"
    ),
    "delete_snapshot": Operation(
        Capability.SNAPSHOTS, lambda g, ref, name: g.delete_snapshot(ref, name), "freed of snapshot"
    ),
}


def operate(app: App, actor: Actor, name: str, what: str, snapshot: str = "", *, dry_run: bool) -> Outcome:
    """Do one operation.

    Raises:
        Unsupported: the gateway does not offer it. Conflict: a job is at work on the machine.
    """
    operation = OPERATIONS[what]
    machine, gateway = _opened(app, actor, name, operation.needs, dry_run=dry_run)
    before = machine_shown(machine)
    message = f"machine '{name}' {operation.done}" + (f" '{snapshot}'" if snapshot else "")
    if dry_run:
        return Outcome(machine.state is not operation.target, before, before, message=f"would be done: {message}")
    if what == "delete_snapshot" and snapshot not in {taken.name for taken in gateway.snapshots(machine.ref)}:
        return Outcome(False, before, before, message=f"machine '{name}' has no snapshot '{snapshot}'")
    seen = operation.act(gateway, machine.ref, snapshot)
    with app.store.transaction() as tx:
        now = tx.machines.by_id(machine.id)
        after = now
        if seen:
            after = merged(now, seen) if machine.made else replace(now, state=seen.state, reason=seen.reason)
        if now.state is MachineState.FAILED:
            after = replace(after, state=now.state, reason=now.reason)
            message += f"; it stays in quarantine until: ads machine release {name}"
        if after != now:
            after = tx.machines.update(after)
        log(tx, app.clock(), actor, message, environment=machine.holder, machine=name)
    changed = operation.target is None or machine.state is not after.state
    return Outcome(changed, before, machine_shown(after), message=message)


def snapshots(app: App, actor: Actor, name: str) -> Sequence[Mapping[str, Any]]:
    """The snapshots of a machine.

    Raises:
        Unsupported: its gateway takes none.
    """
    machine, gateway = _opened(app, actor, name, Capability.SNAPSHOTS, at_work_ok=True)
    return [asdict(taken) for taken in gateway.snapshots(machine.ref)]


def delete_made(app: App, machine: Machine) -> Machine:
    """Delete a machine that ads made and that nobody holds, at its gateway; the intent is recorded first."""
    with app.store.transaction() as tx:
        settings = tx.gateways.list()
        machine = tx.machines.update(replace(machine, state=MachineState.DELETING))
    gateway = app.gateways.open(machine.gateway, settings)
    delete_at(gateway, machine)
    return machine


def _opened(
    app: App, actor: Actor, name: str, needs: Capability, *, at_work_ok: bool = False, dry_run: bool = False
) -> tuple[Machine, Gateway]:
    with app.store.reading() as tx:
        machine = visible_machine(tx, actor, name)
        settings = tx.gateways.list()
    gateway = app.gateways.open(machine.gateway, settings)
    if needs not in gateway.capabilities:
        offered = ", ".join(sorted(gateway.capabilities)) or "nothing of the kind"
        raise Unsupported(
            f"gateway '{gateway.name}' ({gateway.kind}) of machine '{name}' does not offer '{needs}'",
            remedy=f"it offers {offered}",
        )
    if machine.holder and not at_work_ok:
        if not dry_run:
            recover(app, actor, machine.holder)
        with app.store.reading() as tx:
            at_rest(app, tx, tx.environments.get(machine.holder), dry_run=dry_run)
    return machine, gateway
