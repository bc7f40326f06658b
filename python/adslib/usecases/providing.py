"""Providing: the machines of a job are made and started, and given back when nobody needs them (A8, A11, A13).

Each machine was recorded before; here the gateway acts, side by side and outside of any transaction, and every result
is recorded as it comes. Gateways are idempotent by the machine's id, so doing it again after a crash is safe.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.errors import AdsError, Blocked, Conflict, Failed, Forbidden, Invalid, NotFound
from adslib.domain.event import EventLevel
from adslib.domain.gateway import Capability, Gateway, Sighting, order_of
from adslib.domain.job import Job
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine
from adslib.domain.plan import removals
from adslib.usecases.commissioning import Wish, commission, decommission, refuse_other, wishes
from adslib.usecases.log import log

SIDE_BY_SIDE = 16
BOOT_PATIENCE = 300.0
LOOK_EVERY = 0.2

Told = Callable[[str], None]
"""Told of each machine as it is done, for progress."""


def provide(app: App, actor: Actor, job: Job, told: Told) -> list[Machine]:
    """Make and start every machine that the job's instances stand on or are removed from.

    Returns:
        All these machines; those that could not be had are `failed`, with the reason.
    """
    names = {*job.plan["seats"].values(), *_left(job)}
    with app.store.reading() as tx:
        machines = [m for m in tx.machines.list(holder=job.environment) if m.name in names]
        settings = tx.gateways.list()
    ready = [m for m in machines if m.state not in (MachineState.CREATING, MachineState.STOPPED)]
    waiting = [m for m in machines if m.state in (MachineState.CREATING, MachineState.STOPPED)]
    gateways = {name: app.gateways.open(name, settings) for name in {m.gateway for m in waiting}}
    new = [m for m in waiting if m.state is MachineState.CREATING]
    wanted = wishes(app, job) if new else {}
    # In the order of their names, one by one: so addresses and names follow those of the machines.
    given = {
        m.name: _addressed(app, actor, m, wanted[m.name])
        for m in sorted(new, key=lambda each: each.name)
        if m.name in wanted and Capability.ADDRESS in gateways[m.gateway].capabilities
    }

    def bring_up(machine: Machine) -> Machine:
        gateway = gateways[machine.gateway]
        if machine.state is not MachineState.CREATING:
            return _start(gateway, machine)
        address = given.get(machine.name, "")
        if isinstance(address, AdsError):
            raise address
        return _make(app, actor, gateway, machine, address, wanted.get(machine.name))

    done = each(waiting, bring_up, partial(_record, app, actor, job), told)
    if job.options.get("discard"):
        _discard(app, actor, job, gateways, [m for m in done if m.made and m.state is MachineState.FAILED], told)
    return ready + done


def _discard(
    app: App, actor: Actor, job: Job, gateways: Mapping[str, Gateway], unusable: Sequence[Machine], told: Told
) -> None:
    """Delete what was made and is of no use; why it is missing stays with the job (A11)."""
    if not unusable:
        return
    with app.store.transaction() as tx:
        kept = tx.jobs.get(job.id)
        tx.jobs.update(replace(kept, result={**kept.result, "lost": {m.name: m.reason for m in unusable}}))
        going = tx.machines.update_many([replace(m, state=MachineState.DELETING) for m in unusable])
    each(going, lambda m: delete_at(gateways[m.gateway], m), partial(_record, app, actor, job), told)


def _left(job: Job) -> set[str]:
    """The machines that something is removed from; one that is deleted needs no removal."""
    actions = job.plan["actions"]
    left = {removal.machine for removal in removals(actions)}
    return left - {a["machine"] for a in actions if a["verb"] == "delete"}


def _addressed(app: App, actor: Actor, machine: Machine, wish: Wish) -> str | AdsError:
    """The address that a machine is to have, or why there is none for it."""
    try:
        return commission(app, actor, machine, wish)
    except AdsError as error:
        return error


def _make(app: App, actor: Actor, gateway: Gateway, machine: Machine, address: str, wish: Wish | None) -> Machine:
    """Make a machine; one whose address cannot be recorded, or is another than it was given, is given back at once.

    Raises:
        Failed, Invalid: the gateway cannot make it. Blocked, Conflict, Forbidden, NotFound: its address will not do.
    """
    made = gateway.create(order_of(machine, address))
    try:
        seen = booted(gateway, made)
        refuse_other(machine, seen.reach.address, address)
        if wish and not address:
            commission(app, actor, machine, wish, reported=seen.reach.address)
    except (Blocked, Conflict, Forbidden, Invalid, NotFound):
        with suppress(NotFound):
            gateway.delete(made.ref)
        raise
    return merged(machine, seen)


def _start(gateway: Gateway, machine: Machine) -> Machine:
    if Capability.START not in gateway.capabilities:
        return replace(machine, state=MachineState.RUNNING)
    return merged(machine, gateway.start(machine.ref))


def booted(gateway: Gateway, seen: Sighting) -> Sighting:
    """Wait until a machine that was made runs.

    Raises:
        Failed: it does not in time.
    """
    deadline = time.monotonic() + BOOT_PATIENCE
    while seen.state is MachineState.CREATING:
        if time.monotonic() > deadline:
            raise Failed(f"it did not boot within {BOOT_PATIENCE:.0f} s", place=seen.name)
        time.sleep(LOOK_EVERY)
        seen = gateway.look(seen.ref)
    return seen


def merged(machine: Machine, seen: Sighting) -> Machine:
    """A machine's row with what its gateway says of it."""
    return replace(
        machine,
        ref=seen.ref,
        state=seen.state,
        kind=seen.kind or machine.kind,
        os=seen.os or machine.os,
        location=seen.location or machine.location,
        reach=seen.reach,
        capabilities=seen.capabilities,
        reason=seen.reason,
    )


def rest(app: App, actor: Actor, job: Job, told: Told) -> list[Machine]:
    """Stop every machine that ads made and whose gateway can stop it; the others stay ready (A14)."""
    with app.store.reading() as tx:
        machines = tx.machines.list(holder=job.environment)
        settings = tx.gateways.list()
    gateways = {name: app.gateways.open(name, settings) for name in {m.gateway for m in machines}}
    stoppable = [
        m
        for m in machines
        if m.made and m.state is MachineState.RUNNING and Capability.STOP in gateways[m.gateway].capabilities
    ]
    return each(
        stoppable, lambda m: merged(m, gateways[m.gateway].stop(m.ref)), partial(_record, app, actor, job), told
    )


def give_back(app: App, actor: Actor, job: Job, told: Told) -> list[Machine]:
    """Delete the machines that ads made and release the others, as the job's plan says (A13).

    A machine that the job abandoned is released too, but as `failed`.

    Returns:
        The machines that could not be given back, with the reason; they stay held, to be tried again.
    """
    returned = {a["machine"] for a in job.plan["actions"] if a["verb"] in ("delete", "release")}
    with app.store.transaction() as tx:
        machines = [m for m in tx.machines.list(holder=job.environment) if m.name in returned]
        settings = tx.gateways.list()
        result = tx.jobs.get(job.id).result
        failures, abandoned = result.get("failures", {}), result.get("abandoned", {})
        kept_back = {**_dirty(job, result), **_occupied(tx, job, machines, failures)}
        kept = [replace(m, reason=kept_back[m.name]) for m in machines if not m.made and m.name in kept_back]
        released = [m for m in machines if not m.made and m.name not in kept_back]
        tx.standings.remove_many(
            job.environment,
            [s.instance for s in tx.standings.of(job.environment) if s.machine_id in {m.id for m in released}],
        )
        for machine in released:
            if machine.name in abandoned:
                _abandon(app, actor, tx, job, machine, abandoned[machine.name])
        tx.machines.release([m.id for m in released], job.environment, app.clock())
        made = tx.machines.update_many([replace(m, state=MachineState.DELETING) for m in machines if m.made])
        for machine in released:
            if machine.name not in abandoned:
                text = f"machine '{machine.name}' returned to the pool"
                log(tx, app.clock(), actor, text, environment=job.environment, machine=machine.name, job=job.id)
    gateways = {name: app.gateways.open(name, settings) for name in {m.gateway for m in made}}
    done = each(made, lambda m: delete_at(gateways[m.gateway], m), partial(_record, app, actor, job), told)
    return [*kept, *(m for m in done if m.state is not MachineState.UNKNOWN)]


def _dirty(job: Job, result: Mapping[str, Any]) -> Mapping[str, str]:
    """Machines that were not wiped, with the reason; only what was reported counts as wiped."""
    done = {*result.get("wiped", ()), *result.get("abandoned", ())}
    wipes = (removal for removal in removals(job.plan["actions"]) if removal.role and removal.machine not in done)
    causes = result.get("failures", {})
    return {wipe.machine: f"it was not wiped: {causes.get(wipe.id, 'nobody reported it')}" for wipe in wipes}


def _occupied(tx: Transaction, job: Job, machines: Iterable[Machine], failures: Mapping[str, str]) -> Mapping[str, str]:
    """Machines on which something still stands, with the reason why they cannot be given back."""
    names = {machine.id: machine.name for machine in machines}
    standings = [s for s in tx.standings.of(job.environment) if s.instance in failures and s.machine_id in names]
    return {names[s.machine_id]: f"{s.instance} was not removed from it" for s in standings}


def _abandon(app: App, actor: Actor, tx: Transaction, job: Job, machine: Machine, left: Mapping[str, str]) -> None:
    """Nobody is handed a machine that was not cleaned until a person says that it is clean."""
    reason = f"abandoned uncleaned by environment '{job.environment}': {', '.join(left)} may be left on it"
    tx.machines.update(replace(machine, state=MachineState.FAILED, reason=reason))
    for id, why in left.items():
        log(
            tx, app.clock(), actor, f"{id} on machine '{machine.name}' abandoned uncleaned: {why}",
            level=EventLevel.WARNING, environment=job.environment, machine=machine.name, job=job.id,
        )  # fmt: skip


def delete_at(gateway: Gateway, machine: Machine) -> Machine:
    """Delete a machine at its gateway; one that is not there is gone already."""
    with suppress(NotFound):
        gateway.delete(ref_at(gateway, machine))
    return replace(machine, state=MachineState.UNKNOWN)


def ref_at(gateway: Gateway, machine: Machine) -> str:
    """What a gateway calls a machine; a creation that was interrupted left it unrecorded.

    Raises:
        NotFound: it has no such machine.
    """
    ref = machine.ref or next((seen.ref for seen in gateway.machines() if seen.id == machine.id), "")
    if not ref:
        raise NotFound(f"gateway '{machine.gateway}' has no machine '{machine.name}'")
    return ref


def each(
    machines: Sequence[Machine],
    act: Callable[[Machine], Machine],
    record: Callable[[Machine, Machine], Machine],
    told: Told,
) -> list[Machine]:
    """Act on machines side by side; record each result at once; a failure is recorded and does not stop the others.

    Args:
        record: takes a machine before and after, and returns it as it is written down.
    """
    done: list[Machine] = []
    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        futures = {pool.submit(act, machine): machine for machine in machines}
        for future in as_completed(futures):
            machine = futures[future]
            try:
                result = future.result()
            except AdsError as error:
                deleting = machine.state is MachineState.DELETING
                result = replace(machine, state=machine.state if deleting else MachineState.FAILED, reason=str(error))
            done.append(record(machine, result))
            told(f"{result.name} {'gone' if result.state is MachineState.UNKNOWN else result.state}")
    return done


def _record(app: App, actor: Actor, job: Job, before: Machine, after: Machine) -> Machine:
    with app.store.transaction() as tx:
        released: list[str] = []
        deleted = before.state is MachineState.DELETING and after.state is MachineState.UNKNOWN
        if deleted:
            standing = [s.instance for s in tx.standings.of(job.environment) if s.machine_id == after.id]
            tx.standings.remove_many(job.environment, standing)
            tx.machines.delete_many([after.id])
            released = decommission(tx, app, actor, [after.name])
        else:
            after = tx.machines.update(after)
        # Why it failed before is no trouble any more when it is gone.
        reason = "" if deleted else after.reason
        text = f"machine '{after.name}' {'deleted' if deleted else after.state}" + (f": {reason}" if reason else "")
        text += f"; released {', '.join(released)}" if released else ""
        level = EventLevel.ERROR if reason else EventLevel.INFO
        log(tx, app.clock(), actor, text, level=level, environment=job.environment, machine=after.name, job=job.id)
    return after


def failed(machines: Iterable[Machine]) -> dict[str, str]:
    """Names and reasons of machines that are not to be had."""
    return {m.name: m.reason or f"it is {m.state}" for m in machines if m.state is not MachineState.RUNNING}
