"""Refreshing the pool: what happened at gateways without ads is found and written down, with an event (A10).

The store is read first, then the gateway, so that what ads makes meanwhile is never taken for lost. What is written
must still be what was read; what is not waits for the next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from adslib.adapters.gateways.opening import DEFAULTS, LOCAL, SIDE_BY_SIDE, STATIC
from adslib.adapters.host_keys import KnownHosts
from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.errors import AdsError, Conflict, Invalid, NotFound
from adslib.domain.event import Event, EventLevel
from adslib.domain.gateway import Capability, Gateway, Notifying, Sighting
from adslib.domain.gateway_setting import GatewaySetting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine
from adslib.domain.refreshing import Differences, compare, names_for, wishes
from adslib.usecases.commissioning import decommission
from adslib.usecases.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Look:
    """What a gateway showed.

    Args:
        gateway: its name. known: its machines in the store before it was asked; None: it told only what changed.
        gone: refs that are gone; None: `seen` is everything. mark: where to go on the next time. failure: why it
            showed nothing.
    """

    gateway: str
    known: Sequence[Machine] | None = None
    seen: Sequence[Sighting] = ()
    gone: Sequence[str] | None = ()
    mark: str = ""
    failure: str = ""


def refresh(app: App, actor: Actor, gateway: str, *, due: bool, dry_run: bool) -> Outcome:
    """Read gateways side by side; one that does not answer does not stop the others. See `Machines.refresh`."""
    with app.store.reading() as tx:
        added, read = tx.gateways.list(), tx.gateways.last_read()
        settings = [app.gateways.setting(gateway, added)] if gateway else added
        # The default gateway is there without being added; where it made nothing there is nothing to look for.
        if not gateway and LOCAL not in {setting.name for setting in added} and tx.machines.list(gateway=LOCAL):
            settings.append(DEFAULTS[LOCAL])
    asked = [setting for setting in settings if setting.kind != STATIC and (not due or _due(app, setting, read))]
    with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
        looks = list(pool.map(lambda setting: _look(app, setting), asked))
    return _outcome([_written(app, actor, look, dry_run=dry_run) for look in looks])


def _due(app: App, setting: GatewaySetting, read: Mapping[str, datetime]) -> bool:
    """Whether the time between two refreshes of a gateway is over; for most there is no such time."""
    every, last = app.gateways.interval(setting), read.get(setting.name)
    return bool(every) and (last is None or last + timedelta(seconds=every) <= app.clock())


def notify(app: App, actor: Actor, gateway: str, ref: str, *, dry_run: bool) -> Outcome:
    """Read one machine; see `Machines.notify`."""
    with app.store.reading() as tx:
        settings = tx.gateways.list()
    opened = app.gateways.open(gateway, settings)
    try:
        look = Look(gateway, seen=[opened.look(ref)])
    except NotFound:
        look = Look(gateway, gone=[ref])
    return _outcome([_write(app, actor, look, dry_run=dry_run, one=True)])


def _look(app: App, setting: GatewaySetting) -> Look:
    try:
        opened = app.gateways.open_setting(setting)
        with app.store.reading() as tx:
            mark = tx.gateways.mark(setting.name)
        told = _told(opened, mark) if mark else None
        return told or _everything(app, opened)
    except (AdsError, OSError, ImportError) as error:
        # Whoever reads it is told the gateway's name with it.
        said = str(error).removeprefix(f"gateway {setting.name}: ")
        return Look(setting.name, failure=said or type(error).__name__)


def _told(gateway: Gateway, mark: str) -> Look | None:
    """What changed after a mark; None: the gateway does not tell, or knows this mark no more."""
    if Capability.NOTIFY not in gateway.capabilities:
        return None
    try:
        changes = cast("Notifying", gateway).changes(mark)
    except Invalid:
        return None
    return Look(gateway.name, None, changes.machines, changes.gone, changes.mark)


def _everything(app: App, gateway: Gateway) -> Look:
    with app.store.reading() as tx:
        known = tx.machines.list(gateway=gateway.name)
    if Capability.NOTIFY not in gateway.capabilities:
        return Look(gateway.name, known, gateway.machines(), None)
    changes = cast("Notifying", gateway).changes()
    return Look(gateway.name, known, changes.machines, None, changes.mark)


def _written(app: App, actor: Actor, look: Look, *, dry_run: bool) -> dict[str, Any]:
    """Write down what is different, unless somebody changes the same machines at this moment: then the next time."""
    try:
        return _write(app, actor, look, dry_run=dry_run)
    except Conflict as error:
        return _shown(replace(look, failure=str(error)), Differences(), [])


def _write(app: App, actor: Actor, look: Look, *, dry_run: bool, one: bool = False) -> dict[str, Any]:
    """Write down what is different.

    Args:
        one: a single machine was looked at, so nothing is said about how far the gateway was read.
    """
    at = app.clock()
    with app.store.reading() if dry_run else app.store.transaction() as tx:
        if look.failure:
            if not dry_run and tx.gateways.failure(look.gateway) != look.failure:
                text = f"gateway '{look.gateway}' was not read: {look.failure}"
                tx.events.add(Event(at, EventLevel.WARNING, actor.name, text, tenant=actor.tenant))
                tx.gateways.refreshed(look.gateway, tx.gateways.mark(look.gateway), at, look.failure)
            return _shown(look, Differences(), [])
        known = _known(tx, look) if look.known is None else look.known
        found = compare(known, look.seen, look.gone)
        settled = _settled(tx, look.gateway, found)
        new = _new(app, actor, tx, look.gateway, settled.appeared)
        if not dry_run:
            tx.machines.add_many(new)
            tx.machines.update_many([each.after for each in settled.changed])
            tx.machines.delete_many([machine.id for machine in settled.vanished])
            decommission(tx, app, actor, [machine.name for machine in settled.vanished])
            tx.events.add_many(list(_events(app, actor, look.gateway, new, settled)))
            whole = (len(found.changed), len(found.vanished)) == (len(settled.changed), len(settled.vanished))
            if not one and (whole or look.gone is None):
                tx.gateways.refreshed(look.gateway, look.mark if whole else "", at)
    if not dry_run:
        KnownHosts(app.settings.home).forget([machine.id for machine in settled.vanished])
    return _shown(look, settled, new)


def _known(tx: Transaction, look: Look) -> Sequence[Machine]:
    """The machines that a gateway told of; it may tell of one whose making has not been recorded yet."""
    refs = [*(seen.ref for seen in look.seen), *(look.gone or ())]
    found = {m.id: m for m in tx.machines.by_refs(look.gateway, refs)}
    found |= {m.id: m for m in tx.machines.by_ids(seen.id for seen in look.seen if seen.id)}
    return list(found.values())


def _settled(tx: Transaction, gateway: str, found: Differences) -> Differences:
    """Only what is still as it was read."""
    touched = [*(each.before for each in found.changed), *found.vanished]
    now = {m.id: m.generation for m in tx.machines.by_ids(m.id for m in touched)}
    there = {m.ref for m in tx.machines.by_refs(gateway, (seen.ref for seen in found.appeared))}
    ids = {m.id for m in tx.machines.by_ids(seen.id for seen in found.appeared if seen.id)}
    return Differences(
        tuple(seen for seen in found.appeared if seen.ref not in there and seen.id not in ids),
        tuple(each for each in found.changed if now.get(each.before.id) == each.before.generation),
        tuple(machine for machine in found.vanished if now.get(machine.id) == machine.generation),
    )


def _new(app: App, actor: Actor, tx: Transaction, gateway: str, appeared: Sequence[Sighting]) -> list[Machine]:
    """Rows of machines that were found: others may use them, so nobody is handed one who does not name it."""
    names = names_for(appeared, gateway, tx.machines.taken_names(wishes(appeared, gateway)))
    return [
        Machine(
            id=app.new_id(),
            name=name,
            gateway=gateway,
            ref=seen.ref,
            state=seen.state,
            kind=seen.kind,
            size=seen.size,
            os=seen.os,
            location=seen.location,
            image=seen.image,
            reach=seen.reach,
            capabilities=seen.capabilities,
            reason=seen.reason if seen.state is MachineState.FAILED else "",
            tenant=actor.tenant,
            on_request=True,
        )
        for name, seen in zip(names, appeared, strict=True)
    ]


def _events(app: App, actor: Actor, gateway: str, new: Iterable[Machine], found: Differences) -> Iterable[Event]:
    at = app.clock()

    def event(machine: Machine, what: str, level: EventLevel = EventLevel.INFO) -> Event:
        text = f"machine '{machine.name}' of gateway '{gateway}' {what}"
        return Event(at, level, actor.name, text, machine.holder, machine.name, tenant=machine.tenant)

    for machine in new:
        yield event(machine, "found; it is handed out on request only")
    for each in found.changed:
        gone = each.after.state in (MachineState.UNKNOWN, MachineState.FAILED)
        worse = gone and each.before.state is not each.after.state
        what = "vanished" if each.after.state is MachineState.UNKNOWN else f"changed: {each.what}"
        yield event(each.before, what, EventLevel.WARNING if worse else EventLevel.INFO)
    for machine in found.vanished:
        yield event(machine, "vanished; nobody held it", EventLevel.WARNING)


def _shown(look: Look, found: Differences, new: Sequence[Machine]) -> dict[str, Any]:
    return {
        "gateway": look.gateway,
        "appeared": [machine.name for machine in new],
        "changed": {each.before.name: each.what for each in found.changed},
        "vanished": [machine.name for machine in found.vanished],
        "failure": look.failure,
    }


def _outcome(results: Sequence[dict[str, Any]]) -> Outcome:
    counts = {what: sum(len(each[what]) for each in results) for what in ("appeared", "changed", "vanished")}
    silent = [each["gateway"] for each in results if each["failure"]]
    message = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing changed"
    if silent:
        message += f"; not read: {', '.join(silent)}"
    return Outcome(any(counts.values()), after={"gateways": list(results)}, message=message)
