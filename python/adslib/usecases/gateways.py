"""Gateways: added, looked at, and their sizes and instance templates (A8, A9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from adslib.adapters.gateways import KINDS
from adslib.adapters.gateways.opening import DEFAULTS, LOCAL, SIDE_BY_SIDE, STATIC
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import AdsError, Conflict, Invalid, NotFound, Unsupported
from adslib.domain.gateway import Capability, Gateway
from adslib.domain.gateway_setting import GatewaySetting
from adslib.domain.names import checked_name
from adslib.usecases.log import log
from adslib.usecases.machine_running import held_still
from adslib.usecases.outcome import Outcome
from adslib.usecases.situation import DEFAULT_ASIDE, default_offers
from adslib.usecases.viewing import visible_machine

REFUSED = {
    Capability.TEMPLATES: "keeps no instance templates",
    Capability.UPLOAD: "takes no instance templates from files",
    Capability.CAPTURE: "makes no instance templates of machines",
}


class Gateways:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def add(self, name: str, kind: str, options: Mapping[str, Any] | None = None, *, dry_run: bool = False) -> Outcome:
        """Add a gateway; saying the same again changes nothing, other options replace it while it has no machines.

        Args:
            kind: which connector, see `kinds`. options: of that connector; texts are read as what they must be.

        Raises:
            Invalid: no such kind, or an option is wrong. Conflict: it has machines.
        """
        self._actor.must(Permission.ADMINISTER, f"gateway '{name}'")
        checked_name(name, "a gateway")
        if name == STATIC:
            raise Invalid(f"gateway '{STATIC}' is always there", remedy="choose another name")
        setting = GatewaySetting(name, kind, dict(options or {}), self._app.clock())
        self._app.gateways.open_setting(setting)
        with self._app.store.transaction() as tx:
            found = tx.gateways.find(name)
            if found and (found.kind, dict(found.options)) == (kind, dict(setting.options)):
                return Outcome(False, _setting(found), _setting(found), message=f"gateway '{name}' unchanged")
            verb = "changed" if found else "added"
            aside = f"; {DEFAULT_ASIDE}" if default_offers(tx) and kind != LOCAL and not dry_run else ""
            if not dry_run:
                if found:
                    tx.gateways.delete(name)
                tx.gateways.add(setting)
                log(tx, self._app.clock(), self._actor, f"gateway '{name}' ({kind}) {verb}")
        return Outcome(
            True, _setting(found) if found else {}, _setting(setting), message=f"gateway '{name}' {verb}{aside}"
        )

    def remove(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Forget a gateway; absent ones are left alone.

        Raises:
            Conflict: there are machines of it. Invalid: it is a default one, which is always there.
        """
        self._actor.must(Permission.ADMINISTER, f"gateway '{name}'")
        with self._app.store.transaction() as tx:
            found = tx.gateways.find(name)
            if found is None:
                if name in DEFAULTS:
                    raise Invalid(f"gateway '{name}' is always there", remedy="it does no harm: leave it")
                return Outcome(False, message=f"there is no gateway '{name}'")
            tx.gateways.delete(name)
            if dry_run:
                # The refusal, if any, was the store's; nothing of this is kept.
                tx.gateways.add(found)
            else:
                log(tx, self._app.clock(), self._actor, f"gateway '{name}' removed")
        return Outcome(True, _setting(found), message=f"gateway '{name}' removed")

    def kinds(self) -> Sequence[str]:
        """The kinds of gateways there are."""
        self._actor.must(Permission.VIEW, "gateways")
        return sorted(KINDS)

    def list(self, *, ask: bool = True) -> Sequence[Mapping[str, Any]]:
        """All gateways by name, with what they can do, what they offer, and whether they answer.

        Args:
            ask: look at each now; without, only what the store knows.
        """
        self._actor.must(Permission.VIEW, "gateways")
        chosen, machines = self._known()
        if not ask:
            return [_setting(setting) for setting in chosen]
        with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
            return list(pool.map(lambda setting: self._looked_at(setting, machines.get(setting.name, 0)), chosen))

    def show(self, name: str) -> Mapping[str, Any]:
        """One gateway as in `list`, with its options."""
        self._actor.must(Permission.VIEW, f"gateway '{name}'")
        chosen, machines = self._known()
        setting = self._app.gateways.setting(name, chosen)
        return {**self._looked_at(setting, machines.get(name, 0)), "options": dict(setting.options)}

    def sizes(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The sizes of machines that a gateway makes, smallest first; none if it makes no machines."""
        self._actor.must(Permission.VIEW, f"gateway '{name}'")
        chosen, _ = self._known()
        offer = self._app.gateways.offer(self._app.gateways.setting(name, chosen), self._open(name))
        return [{**asdict(size), "cost": offer.costs.get(size.name)} for size in offer.sizes]

    # ── instance templates ───────────────────────────────────────────────────────────────────────────

    def templates(self, name: str) -> Sequence[Mapping[str, Any]]:
        """The instance templates of a gateway.

        Raises:
            Unsupported: it keeps none.
        """
        self._actor.must(Permission.VIEW, f"gateway '{name}'")
        return [asdict(template) for template in self._with_templates(name).templates()]

    def upload_template(self, name: str, template: str, path: str, *, dry_run: bool = False) -> Outcome:
        """Give a gateway an instance template, from a file of this host; see `templates`."""
        self._actor.must(Permission.MACHINES, f"gateway '{name}'")
        gateway = self._with_templates(name, Capability.UPLOAD)
        checked_name(template, "an instance template")
        message = f"instance template '{template}' uploaded to gateway '{name}'"
        if not Path(path).is_file():
            raise Invalid("it cannot be read: there is no such file", place=path)
        if dry_run:
            return Outcome(True, message=f"would be done: {message}")
        taken = gateway.upload_template(template, path)
        self._log(message)
        return Outcome(True, {}, asdict(taken), message=message)

    def create_template(self, machine: str, template: str, *, dry_run: bool = False) -> Outcome:
        """Make an instance template of a machine as it is now, at its gateway; see `templates`.

        Args:
            machine: its name in the pool.

        Raises:
            NotFound: there is no such machine. Conflict: there is another template of this name, or a job or somebody
                else is at work on the machine.
            Unsupported: its gateway makes none of machines.
        """
        self._actor.must(Permission.MACHINES, f"machine '{machine}'")
        with self._app.store.reading() as tx:
            found = visible_machine(tx, self._actor, machine)
        gateway = self._with_templates(found.gateway, Capability.CAPTURE)
        checked_name(template, "an instance template")
        if template in {each.name for each in gateway.templates()}:
            raise Conflict(
                f"gateway '{found.gateway}' has an instance template '{template}' already",
                remedy="choose another name or delete it",
            )
        message = f"instance template '{template}' made of machine '{machine}' at gateway '{found.gateway}'"
        with held_still(self._app, self._actor, found, f"made into instance template '{template}'", dry_run=dry_run):
            if dry_run:
                return Outcome(True, message=f"would be done: {message}")
            made = gateway.create_template(found.ref, template)
            self._log(message)
        return Outcome(True, {}, asdict(made), message=message)

    def delete_template(self, name: str, template: str, *, dry_run: bool = False) -> Outcome:
        """Remove an instance template of a gateway; an absent one is left alone; see `templates`."""
        self._actor.must(Permission.MACHINES, f"gateway '{name}'")
        gateway = self._with_templates(name)
        found = next((each for each in gateway.templates() if each.name == template), None)
        if found is None:
            return Outcome(False, message=f"gateway '{name}' has no instance template '{template}'")
        message = f"instance template '{template}' deleted from gateway '{name}'"
        if not dry_run:
            gateway.delete_template(template)
            self._log(message)
        return Outcome(True, asdict(found), message=message)

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _known(self) -> tuple[Sequence[GatewaySetting], Mapping[str, int]]:
        with self._app.store.reading() as tx:
            added = {setting.name: setting for setting in tx.gateways.list()}
            machines = tx.machines.list(tenant=self._actor.tenant)
        counts: dict[str, int] = {}
        for machine in machines:
            counts[machine.gateway] = counts.get(machine.gateway, 0) + 1
        return [setting for _, setting in sorted({**DEFAULTS, **added}.items())], counts

    def _looked_at(self, setting: GatewaySetting, machines: int) -> Mapping[str, Any]:
        shown = {**_setting(setting), "machines": machines}
        try:
            gateway = self._app.gateways.open_setting(setting)
            offer = self._app.gateways.offer(setting, gateway)
        except (AdsError, OSError, ImportError) as error:
            nothing: dict[str, Any] = {"capabilities": [], "sizes": [], "locations": [], "systems": [], "room": 0}
            return {**shown, "reachable": False, "reason": str(error), **nothing}
        return {
            **shown,
            "reachable": True,
            "reason": "",
            "capabilities": sorted(str(capability) for capability in gateway.capabilities),
            "sizes": [size.name for size in offer.sizes],
            "locations": list(offer.locations),
            "systems": list(offer.systems),
            "room": offer.room,
        }

    def _open(self, name: str) -> Gateway:
        with self._app.store.reading() as tx:
            settings = tx.gateways.list()
        try:
            return self._app.gateways.open(name, settings)
        except NotFound as error:
            raise NotFound(str(error.problems[0].message), remedy="list them with: ads gateway list") from None

    def _with_templates(self, name: str, capability: Capability = Capability.TEMPLATES) -> Gateway:
        gateway = self._open(name)
        if capability not in gateway.capabilities:
            offered = ", ".join(sorted(gateway.capabilities)) or "nothing of the kind"
            raise Unsupported(f"gateway '{name}' ({gateway.kind}) {REFUSED[capability]}", remedy=f"it offers {offered}")
        return gateway

    def _log(self, text: str) -> None:
        with self._app.store.transaction() as tx:
            log(tx, self._app.clock(), self._actor, text)


def _setting(setting: GatewaySetting) -> dict[str, Any]:
    return {"name": setting.name, "kind": setting.kind, "default": setting.created is None}
