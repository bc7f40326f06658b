"""Proxmox VE as a driver: machines are clones of templates there, on the nodes of one cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from adslib.adapters.gateways.proxmox.choices import Choices
from adslib.adapters.gateways.proxmox.cloning import COPIED_FROM, Cloning
from adslib.adapters.gateways.proxmox.cluster import Cluster, Guest
from adslib.adapters.gateways.proxmox.notes import MAKING, Note, noted
from adslib.adapters.gateways.proxmox.seeing import ABILITIES, Eyes, ref_of
from adslib.adapters.gateways.remote.prefix import check_address
from adslib.adapters.gateways.surroundings import HostKeys
from adslib.domain.errors import AdsError, Conflict, Invalid, NotFound
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.lifecycle import MachineState

SIDE_BY_SIDE = 8
NO_SNAPSHOT = ("current", COPIED_FROM)
NEVER = frozenset({Capability.UPLOAD, Capability.NOTIFY})
PREFIX, LONGEST = "ads-", 40
"""Names of snapshots begin with a letter and are so long at most, so ours get something before them."""


class ProxmoxDriver:
    """One cluster of Proxmox VE, or a single node, as a `Driver` (see `remote/driver.py`).

    Args:
        cluster: what there is. choices: what the options say. host_keys: where SSH host keys are pinned.
    """

    kind = "proxmox"
    refs = re.compile(r"[1-9][0-9]{2,8}(-[A-Za-z0-9][A-Za-z0-9_-]{0,63})?")

    def __init__(self, cluster: Cluster, choices: Choices, host_keys: HostKeys) -> None:
        self.capabilities = frozenset(Capability) - NEVER - (frozenset() if choices.prefix else {Capability.ADDRESS})
        self.images = choices.images
        self._cluster = cluster
        self._api = cluster.api
        self._choices = choices
        self._eyes = Eyes(cluster, choices, host_keys)
        self._cloning = Cloning(cluster, choices)

    def told(self, error: Exception) -> AdsError | None:
        """What an error means."""
        return self._api.told(error)

    def passing(self, error: Exception) -> bool:
        """Whether the same call may well succeed a little later."""
        return self._api.passing(error)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def machines(self) -> Sequence[Sighting]:
        """All of this form that are no templates."""
        guests = [guest for guest in self._cluster.guests() if not guest.is_template]
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            nodes = {guest.node for guest in guests if not guest.is_silent}
            now = {vmid: guest for found in pool.map(self._cluster.now, nodes) for vmid, guest in found.items()}
            return [
                seen for seen in pool.map(self._eyes.sighting, [now.get(guest.vmid, guest) for guest in guests]) if seen
            ]

    def machine(self, ref: str) -> Sighting | None:
        """One, as its node sees it now."""
        guest = self._guest(ref)
        seen = self._eyes.sighting(guest) if guest else None
        if guest and seen and seen.id and seen.state is MachineState.RUNNING:
            self._eyes.pin(guest, seen.id)
        return seen if seen and seen.ref == ref else None

    def find(self, id: str) -> Sighting | None:
        """The machine of an order."""
        guest = self._cloning.made_for(id)
        return self._eyes.sighting(guest) if guest else None

    def offer(self) -> Offer:
        """What the options say, on the nodes that answer, the least burdened first."""
        where = tuple(self._choices.within(self._cluster.nodes()))
        kind, systems = self._cluster.form.kind, tuple(self.images)
        return Offer(self._choices.name, kind, self._choices.sizes, where, systems, ABILITIES)

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def make(self, order: Order) -> str:
        """Clone a template, set the clone up and start it, or go on with that."""
        if order.address:
            self._refuse_address(order)
        guest = self._cloning.make(order)
        self._cluster.switch(guest, "start", "running")
        self._api.put(f"{self._cluster.place(guest)}/config", tags=";".join(sorted(guest.tags - {MAKING})))
        return ref_of(guest, order.id)

    def delete(self, ref: str) -> None:
        """Switch off and remove, with disks and what refers to it."""
        guest = self._guest(ref)
        if guest:
            self._cluster.switch(guest, "stop", "stopped")
            self._cluster.remove(guest)

    def start(self, ref: str) -> None:
        """Switch on."""
        guest = self._guest(ref)
        if guest:
            self._cluster.switch(guest, "start", "running")

    def stop(self, ref: str) -> None:
        """Shut down; what does not end in time is switched off."""
        guest = self._guest(ref)
        if guest:
            self._cluster.switch(guest, "shutdown", "stopped", timeout=self._choices.grace, forceStop=1)

    def reboot(self, ref: str) -> None:
        """Shut down and start."""
        self.stop(ref)
        self.start(ref)

    # ── snapshots and instance templates ─────────────────────────────────────────────────────────────

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """Those of a machine, each after the one that it grew from."""
        found = {row["name"]: row for row in self._api.get(self._saved_at(ref)) if row["name"] not in NO_SNAPSHOT}

        def age(name: str) -> tuple[int, int]:
            # Three may be taken within a second.
            depth, parent = 0, found[name].get("parent")
            while parent in found:
                depth, parent = depth + 1, found[parent].get("parent")
            return int(found[name]["snaptime"]), depth

        taken = {name: datetime.fromtimestamp(found[name]["snaptime"], UTC).isoformat() for name in found}
        return [Snapshot(name.removeprefix(PREFIX), ref, taken[name]) for name in sorted(found, key=age)]

    def create_snapshot(self, ref: str, name: str) -> None:
        """Save the disks."""
        most = LONGEST - len(PREFIX)
        if len(name) > most:
            raise Invalid(f"'{name}' is too long a name for Proxmox VE", remedy=f"use up to {most} characters")
        self._api.post(self._saved_at(ref), snapname=PREFIX + name)

    def restore_snapshot(self, ref: str, name: str) -> None:
        """Exchange the disks."""
        self._api.post(f"{self._saved_at(ref, name)}/rollback")

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Merge what it kept."""
        self._api.delete(self._saved_at(ref, name))

    def templates(self) -> Sequence[InstanceTemplate]:
        """All templates of this form but those of the option `images`."""
        found = {
            guest.name: guest
            for guest in self._cloning.templates()
            if not {guest.name, str(guest.vmid)} & {*self.images.values()}
        }
        systems = {name: noted(guest.vmid, self._cluster.config(guest) or {}).os for name, guest in found.items()}
        return [InstanceTemplate(name, systems[name], guest.disk << 30) for name, guest in found.items()]

    def upload_template(self, name: str, path: str) -> None:
        """Nobody calls it: a template is a machine, and no single file."""
        raise NotImplementedError

    def create_template(self, ref: str, name: str) -> None:
        """Copy a machine, and make the copy a template."""
        guest = self._guest(ref)
        if guest:
            self._cloning.capture(guest, name)

    def delete_template(self, name: str) -> None:
        """Remove it from every node."""
        for guest in self._cloning.templates():
            if guest.name == name:
                self._cluster.remove(guest)

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _guest(self, ref: str) -> Guest | None:
        """What a ref means; its number may have become somebody else's."""
        number, _, order = ref.partition("-")
        guest = self._cluster.guest(int(number))
        note = Note(int(number), order)
        return guest if guest and (not order or note.tag in guest.tags or note.first_name == guest.name) else None

    def _refuse_address(self, order: Order) -> None:
        """Make sure that an address is fit and free.

        Raises:
            Invalid: it is not in the network. Conflict: another machine has it.
        """
        check_address(order.address, self._choices.prefix)
        for seen in self.machines():
            if seen.reach.address == order.address and seen.id != order.id:
                raise Conflict(
                    f"address {order.address} belongs to machine '{seen.name}' ({seen.ref})",
                    place=f"gateway {self._choices.name}",
                    remedy="choose another address, or delete that machine",
                )

    def _saved_at(self, ref: str, name: str = "") -> str:
        """Where the snapshots of a machine are in the API, or one of them: ours, or one that somebody else made."""
        guest = self._guest(ref)
        if guest is None:
            raise NotFound(f"there is no machine '{ref}'", place=f"gateway {self._choices.name}")
        place = f"{self._cluster.place(guest)}/snapshot"
        if not name:
            return place
        ours = PREFIX + name
        return f"{place}/{ours if ours in [row['name'] for row in self._api.get(place)] else name}"
