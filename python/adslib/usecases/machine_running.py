"""What a machine's gateway does to it: start, stop, reboot, snapshots (A8, A14, A18); refused first if it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.errors import Conflict, Unsupported
from adslib.domain.gateway import Capability, Gateway, Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine
from adslib.domain.machine_lock import MachineLock
from adslib.domain.names import checked_name
from adslib.domain.refreshing import UNDERWAY
from adslib.usecases.log import log
from adslib.usecases.machine_locks import locks, refuse_locked
from adslib.usecases.outcome import Outcome
from adslib.usecases.providing import delete_at, merged
from adslib.usecases.reserving import at_rest, recover
from adslib.usecases.viewing import machine_shown, visible_machine

LONGEST = timedelta(hours=1)
"""How long a lock counts on hosts that cannot see whether its process lives."""


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
        Unsupported: the gateway does not offer it. Conflict: see `held_still`.
    """
    operation = OPERATIONS[what]
    machine, gateway = _opened(app, actor, name, operation.needs)
    before = machine_shown(machine)
    done = operation.done + (f" '{snapshot}'" if snapshot else "")
    message = f"machine '{name}' {done}"
    with held_still(app, actor, machine, done, dry_run=dry_run):
        if dry_run:
            changed = machine.state is not operation.target
            return Outcome(changed, before, before, message=f"would be done: {message}")
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


@contextmanager
def held_still(app: App, actor: Actor, machine: Machine, doing: str, *, dry_run: bool = False) -> Iterator[None]:
    """Keep jobs and everybody else off a machine while its gateway works on it (A10).

    Args:
        doing: what is done, after "it is being". dry_run: only make sure that nobody is at work on it now.

    Raises:
        Conflict: a job is at work on its environment, somebody else on the machine, or it is being made or deleted.
    """
    if dry_run:
        with app.store.reading() as tx:
            _at_peace(app, tx, machine.id, dry_run=True)
        yield
        return
    if machine.holder:
        recover(app, actor, machine.holder)
    lock = MachineLock(machine.id, app.new_id(), doing, actor.name, app.owner, app.clock() + LONGEST)
    with app.store.transaction() as tx:
        # Whoever takes or deletes it at this moment waits for us and then sees the lock, or this is stale.
        tx.machines.update(_at_peace(app, tx, machine.id, dry_run=False))
        living = locks(app, tx)
        tx.machine_locks.delete_many(each.id for each in tx.machine_locks.list() if each.machine_id not in living)
        tx.machine_locks.add(lock)
    try:
        yield
    finally:
        with app.store.transaction() as tx:
            tx.machine_locks.delete_many([lock.id])


def _at_peace(app: App, tx: Transaction, machine_id: str, *, dry_run: bool) -> Machine:
    """The machine as it is now, if nobody is at work on it."""
    now = tx.machines.by_id(machine_id)
    if now.holder:
        environment = tx.environments.get(now.holder) if dry_run else tx.environments.locked(now.holder)
        at_rest(app, tx, environment, dry_run=dry_run)
    refuse_locked(app, tx, [now])
    if now.state in UNDERWAY:
        raise Conflict(f"machine '{now.name}' is {now.state}", remedy=f"look at it: ads machine show {now.name}")
    return now


def snapshots(app: App, actor: Actor, name: str) -> Sequence[Mapping[str, Any]]:
    """The snapshots of a machine.

    Raises:
        Unsupported: its gateway takes none.
    """
    machine, gateway = _opened(app, actor, name, Capability.SNAPSHOTS)
    return [asdict(taken) for taken in gateway.snapshots(machine.ref)]


def delete_made(app: App, machine: Machine) -> Machine:
    """Delete a machine that ads made and that nobody holds, at its gateway; the intent is recorded first."""
    with app.store.transaction() as tx:
        settings = tx.gateways.list()
        refuse_locked(app, tx, [machine])
        machine = tx.machines.update(replace(machine, state=MachineState.DELETING))
    gateway = app.gateways.open(machine.gateway, settings)
    delete_at(gateway, machine)
    return machine


def _opened(app: App, actor: Actor, name: str, needs: Capability) -> tuple[Machine, Gateway]:
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
    return machine, gateway
