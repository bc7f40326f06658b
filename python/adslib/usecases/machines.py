"""Machines: the pool, what is added to it by hand or from an inventory, and what gateways can do (A8–A10)."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from typing import Any

from adslib.adapters.host_keys import KnownHosts, fingerprint
from adslib.adapters.inventories import read_inventory
from adslib.app import App
from adslib.domain import pool
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import Conflict, Invalid
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Availability, Machine
from adslib.usecases.commissioning import decommission, had_by
from adslib.usecases.log import log
from adslib.usecases.machine_importing import Wanted, specs_of
from adslib.usecases.machine_locks import refuse_locked
from adslib.usecases.machine_putting import Put, Trust, put
from adslib.usecases.machine_running import delete_made, operate, snapshots
from adslib.usecases.machine_spec import MachineSpec
from adslib.usecases.outcome import Outcome
from adslib.usecases.refreshing import notify, refresh
from adslib.usecases.releasing import release
from adslib.usecases.situation import DEFAULT_ASIDE, default_offers
from adslib.usecases.viewing import machine_shown, needs_on, visible_machine

FILTERS = ("gateway", "location", "state", "os", "size", "holder", "availability", "free", "text")
UNKNOWN_KEYS = (
    "nothing will be deployed there until they are: give each with ads machine add NAME --host-key FILE, "
    "or import again with --trust-first-contact"
)


class Machines:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    # ── adding and removing ──────────────────────────────────────────────────────────────────────────

    def add(
        self,
        spec: MachineSpec,
        *,
        host_key: str = "",
        trust_first_contact: bool = False,
        dry_run: bool = False,
    ) -> Outcome:
        """Add a machine by hand, or change the one of that name; saying the same again changes nothing (A10).

        Args:
            spec: what it is and how it is reached; what is not said stays as it is.
            host_key: its public SSH host key, or a file with it; empty: the one that the user knows already.
            trust_first_contact: ask the machine for its key now, and believe it.

        Raises:
            Invalid: the description is wrong. Conflict: the name is another's.
            Failed: it is to be trusted, but shows no key.
        """
        self._actor.must(Permission.MACHINES, f"machine '{spec.name}'")
        [made], aside = self._put([spec], Trust(host_key, trust_first_contact), dry_run=dry_run)
        verb = "unchanged" if not made.changed else "changed" if made.before else "added"
        message = f"machine '{spec.name}' {verb}"
        if made.keys:
            message += "; host key " + ", ".join(fingerprint(key) for key in made.keys)
        elif made.unknown_key:
            message += (
                "; its host key is not known, so nothing will be deployed on it until you give it: "
                f"ads machine add {spec.name} --host-key FILE (or --trust-first-contact)"
            )
        if made.after.state is MachineState.FAILED:
            message += f"; it is in quarantine: {made.after.reason}; once it is mended: ads machine release {spec.name}"
        before = machine_shown(made.before) if made.before else {}
        return Outcome(made.changed, before, machine_shown(made.after), message=message + aside)

    def import_inventory(
        self,
        path: str,
        *,
        size: str = "",
        os: str = "",
        location: str = "",
        size_var: str = "",
        os_var: str = "",
        location_var: str = "",
        gateway: str = "static",
        trust_first_contact: bool = False,
        dry_run: bool = False,
    ) -> Outcome:
        """Take the hosts of an Ansible inventory into the pool, all or none; hosts that are there are changed.

        Args:
            path: inventory file or directory, of any format that Ansible reads.
            size, os, location: of every host that has no variable for it.
            size_var, os_var, location_var: names of the variables that say it for each host.

        Raises:
            NotFound: there is no such file. Invalid: everything that cannot be taken in, secrets named by host.
        """
        self._actor.must(Permission.MACHINES, "machines")
        named = {"size": size_var, "os": os_var, "location": location_var}
        fixed = {"size": size, "os": os, "location": location}
        values = {what: value for what, value in fixed.items() if value or not named[what]}
        specs = specs_of(read_inventory(path), Wanted(named, values, gateway))
        if not specs:
            raise Invalid("this inventory has no hosts", place=path, remedy="name another one")
        made, aside = self._put(specs, Trust("", trust_first_contact), dry_run=dry_run)
        added = sum(1 for each in made if each.before is None)
        changed = sum(1 for each in made if each.before and each.changed)
        message = f"{added} machines added, {changed} changed, {len(made) - added - changed} unchanged"
        unknown = [each.after.name for each in made if each.unknown_key]
        if unknown:
            message += (
                f"; host keys not known: {', '.join(unknown[:5])}{' …' if len(unknown) > 5 else ''}; {UNKNOWN_KEYS}"
            )
        after = {"machines": [machine_shown(each.after) for each in made], "without_host_key": unknown}
        before = {"machines": [machine_shown(each.before) for each in made if each.before]}
        return Outcome(added + changed > 0, before, after, message=message + aside)

    def _put(self, specs: Sequence[MachineSpec], trust: Trust, *, dry_run: bool) -> tuple[builtins.list[Put], str]:
        """Put machines into the pool; returns what there is to say once the default gateway stands aside for them."""
        with self._app.store.reading() as tx:
            before = default_offers(tx)
        made = put(self._app, self._actor, specs, trust, dry_run=dry_run)
        with self._app.store.reading() as tx:
            aside = before and not default_offers(tx)
        return made, f"; {DEFAULT_ASIDE}" if aside else ""

    def remove(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Take a machine out of the pool; one that ads made is deleted at its gateway. Absent ones are left alone.

        Raises:
            Conflict: an environment holds it, or somebody works on it.
        """
        self._actor.must(Permission.MACHINES, f"machine '{name}'")
        with self._app.store.reading() as tx:
            found = visible_machine(tx, self._actor, name, missing_ok=True)
            refuse_locked(self._app, tx, [found] if found else ())
        if found is None:
            return Outcome(False, message=f"there is no machine '{name}'")
        if found.holder:
            raise Conflict(
                f"machine '{name}' is held by environment '{found.holder}'",
                remedy=f"undeploy it first: ads environment undeploy {found.holder}",
            )
        if dry_run:
            with self._app.store.reading() as tx:
                had = ", ".join(map(str, had_by(tx, self._actor, [name])))
            message = f"machine '{name}' would be removed" + (f"; it would release {had}" if had else "")
            return Outcome(True, machine_shown(found), message=message)
        if found.made:
            found = delete_made(self._app, found)
        with self._app.store.transaction() as tx:
            now = tx.machines.get(name)
            if now.holder:
                raise Conflict(f"machine '{name}' is held by environment '{now.holder}'", remedy="undeploy it first")
            refuse_locked(self._app, tx, [now])
            tx.machines.delete_many([now.id])
            released = decommission(tx, self._app, self._actor, [name])
            message = f"machine '{name}' removed" + (f"; released {', '.join(released)}" if released else "")
            log(tx, self._app.clock(), self._actor, message, machine=name)
        KnownHosts(self._app.settings.home).forget([found.id])
        return Outcome(True, machine_shown(found), message=message)

    def refresh(self, gateway: str = "", *, due: bool = False, dry_run: bool = False) -> Outcome:
        """Write down what happened at gateways without ads: machines that appeared, changed or vanished (A10).

        A gateway that tells what changed is asked for that only; others are read as a whole. Machines that were found
        are handed out on request only; one that vanished stays known as long as somebody holds it.

        Args:
            gateway: this one only; empty: all.
            due: only those that were not read for as long as their option `refresh_every` says.

        Returns: `after` has `gateways`, each with `appeared`, `changed`, `vanished`, and the `failure` of one that
            did not answer; the others were read.

        Raises:
            NotFound: there is no such gateway.
        """
        self._actor.must(Permission.MACHINES, f"gateway '{gateway}'" if gateway else "machines")
        return refresh(self._app, self._actor, gateway, due=due, dry_run=dry_run)

    def notify(self, gateway: str, ref: str, *, dry_run: bool = False) -> Outcome:
        """Take note that one machine changed: only that one is looked at; see `refresh`.

        Args:
            ref: what the gateway calls it.

        Raises:
            NotFound: there is no such gateway. Failed: it does not answer.
        """
        self._actor.must(Permission.MACHINES, f"gateway '{gateway}'")
        return notify(self._app, self._actor, gateway, ref, dry_run=dry_run)

    def release(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Hand a machine out again that is in quarantine, or hand out one that was found to anybody it fits (A10).

        It is looked at first: one that its gateway shows as failed stays where it is.

        Raises:
            Blocked: its gateway shows it as failed, or has it no more.
        """
        self._actor.must(Permission.MACHINES, f"machine '{name}'")
        return release(self._app, self._actor, name, dry_run=dry_run)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def list(
        self,
        *,
        gateway: str = "",
        location: str = "",
        state: str = "",
        os: str = "",
        size: str = "",
        holder: str = "",
        availability: str = "",
        free: bool | None = None,
        text: str = "",
    ) -> Sequence[Mapping[str, Any]]:
        """Machines by name; what is empty does not filter.

        Args:
            os: `debian` also finds `debian-12`. free: held by nobody (True) or by somebody (False).
            text: a part of the name, address, reference or a label, without case.

        Raises:
            Invalid: no such state or availability.
        """
        self._actor.must(Permission.VIEW, "machines")
        _one_of("state", state, tuple(MachineState))
        _one_of("availability", availability, tuple(Availability))
        shown = []
        for machine, available in self._pool(gateway=gateway, location=location, size=size, holder=holder, free=free):
            if (
                (not state or machine.state == state)
                and (not availability or available == availability)
                and (not os or os in (machine.os, machine.os.partition("-")[0]))
                and (not text or text.lower() in _searched(machine))
            ):
                shown.append(machine_shown(machine, available))
        return shown

    def show(self, name: str) -> Mapping[str, Any]:
        """One machine, and the instances that stand on it."""
        self._actor.must(Permission.VIEW, f"machine '{name}'")
        with self._app.store.reading() as tx:
            machine = visible_machine(tx, self._actor, name)
            standing = tx.standings.on_machine(machine.id)
            needs = needs_on(tx, [machine.holder]) if machine.holder else {}
        available = pool.availability(machine, needs.get(machine.id, ()))
        keys = [fingerprint(key) for key in KnownHosts(self._app.settings.home).pinned(machine.id)]
        instances = [{"instance": s.instance, "service": s.service, "version": s.version} for s in standing]
        return {**machine_shown(machine, available), "host_keys": keys, "instances": instances}

    def summary(self) -> Mapping[str, Any]:
        """The pool in numbers: by availability, and by size and location, system, gateway (A10)."""
        self._actor.must(Permission.VIEW, "machines")
        return pool.summary(self._pool(), self._app.settings.sizes.values())

    def _pool(
        self, *, gateway: str = "", location: str = "", size: str = "", holder: str = "", free: bool | None = None
    ) -> builtins.list[tuple[Machine, Availability]]:
        with self._app.store.reading() as tx:
            machines = tx.machines.list(
                gateway=gateway or None,
                location=location or None,
                size=size or None,
                holder=holder or None,
                free=free,
                tenant=self._actor.tenant,
            )
            needs = needs_on(tx, sorted({machine.holder for machine in machines if machine.holder}))
        return [(machine, pool.availability(machine, needs.get(machine.id, ()))) for machine in machines]

    # ── what the gateway does ────────────────────────────────────────────────────────────────────────

    def start(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Start a machine.

        Raises:
            Unsupported: its gateway cannot. Conflict: a job or somebody else is at work on it.
        """
        self._actor.must(Permission.OPERATE, f"machine '{name}'")
        return operate(self._app, self._actor, name, "start", dry_run=dry_run)

    def stop(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Shut a machine down; see `start`."""
        self._actor.must(Permission.OPERATE, f"machine '{name}'")
        return operate(self._app, self._actor, name, "stop", dry_run=dry_run)

    def reboot(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Shut a machine down and start it again; see `start`."""
        self._actor.must(Permission.OPERATE, f"machine '{name}'")
        return operate(self._app, self._actor, name, "reboot", dry_run=dry_run)

    def snapshots(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The snapshots of a machine, oldest first.

        Raises:
            Unsupported: its gateway takes none.
        """
        self._actor.must(Permission.VIEW, f"machine '{name}'")
        return snapshots(self._app, self._actor, name)

    def create_snapshot(self, name: str, snapshot: str, *, dry_run: bool = False) -> Outcome:
        """Save the state of a machine under a name; see `start`."""
        self._actor.must(Permission.OPERATE, f"machine '{name}'")
        return operate(self._app, self._actor, name, "create_snapshot", snapshot, dry_run=dry_run)

    def restore_snapshot(self, name: str, snapshot: str, *, dry_run: bool = False) -> Outcome:
        """Bring a machine back to a snapshot; see `start`."""
        self._actor.must(Permission.OPERATE, f"machine '{name}'")
        return operate(self._app, self._actor, name, "restore_snapshot", snapshot, dry_run=dry_run)

    def delete_snapshot(self, name: str, snapshot: str, *, dry_run: bool = False) -> Outcome:
        """Remove a snapshot; see `start`."""
        self._actor.must(Permission.OPERATE, f"machine '{name}'")
        return operate(self._app, self._actor, name, "delete_snapshot", snapshot, dry_run=dry_run)


def _one_of(what: str, value: str, known: Sequence[str]) -> None:
    if value and value not in known:
        raise Invalid(f"'{value}' is no {what} of a machine", remedy=f"use {', '.join(known)}")


def _searched(machine: Machine) -> str:
    labels = (f"{name}={value}" for name, value in machine.labels.items())
    # What was added by hand has its own id for a reference, which nobody types.
    ref = machine.ref if machine.ref != machine.id else ""
    return " ".join((machine.name, machine.reach.address, ref, *labels)).lower()
