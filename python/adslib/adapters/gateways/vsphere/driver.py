"""A vCenter as a driver: machines are clones of templates there, on the clusters of one datacenter."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from ipaddress import ip_address
from typing import Any

from pyVmomi import vim, vmodl

from adslib.adapters.gateways.remote.calls import came
from adslib.adapters.gateways.remote.prefix import check_address
from adslib.adapters.gateways.vsphere.choices import Choices
from adslib.adapters.gateways.vsphere.cloning import Cloning
from adslib.adapters.gateways.vsphere.guests import IMAGE, OS, SIZE, Guest
from adslib.adapters.gateways.vsphere.inventory import Inventory
from adslib.domain.errors import AdsError, Conflict
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Reach, Size

KIND = "vm"
ABILITIES = frozenset({"packages", "systemd"})
NEVER = frozenset({Capability.UPLOAD, Capability.NOTIFY})


class VsphereDriver:
    """One datacenter of a vCenter, as a `Driver` (see `remote/driver.py`).

    Args:
        inventory: what there is. choices: what the options say.
    """

    kind = "vsphere"
    refs = re.compile(r"vm-[0-9]+")

    def __init__(self, inventory: Inventory, choices: Choices) -> None:
        self.capabilities = frozenset(Capability) - NEVER - (frozenset() if choices.prefix else {Capability.ADDRESS})
        self.images = choices.images
        self._inventory = inventory
        self._access = inventory.access
        self._choices = choices
        self._cloning = Cloning(inventory, choices)

    def told(self, error: Exception) -> AdsError | None:
        """What an error means."""
        return self._access.told(error)

    def passing(self, error: Exception) -> bool:
        """Whether the same call may well succeed a little later."""
        return self._access.passing(error)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def machines(self) -> Sequence[Sighting]:
        """All of the datacenter that are no templates."""
        return [self._sighting(guest) for guest in self._inventory.guests() if not guest.is_template]

    def machine(self, ref: str) -> Sighting | None:
        """One, as it is now."""
        guest = self._inventory.guest(ref)
        return self._sighting(guest) if guest else None

    def find(self, id: str) -> Sighting | None:
        """The machine of an order."""
        guest = self._cloning.made_for(id)
        return self._sighting(guest) if guest else None

    def offer(self) -> Offer:
        """What the options say, on the clusters that there are."""
        systems, where = tuple(self.images), tuple(self._inventory.usable())
        return Offer(self._choices.name, KIND, self._choices.sizes, where, systems, ABILITIES)

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def make(self, order: Order) -> str:
        """Clone a template, set the clone up and start it, or go on with that."""
        check_address(order.address, self._choices.prefix)
        if order.address:
            order = replace(order, address=str(ip_address(order.address)))
            self._refuse_taken(order)
        return self._cloning.make(order)

    def delete(self, ref: str) -> None:
        """Switch off and remove, with disks."""
        guest = self._inventory.guest(ref)
        if guest:
            if guest.is_on:
                self._cut_off(guest.vm)
            with suppress(vmodl.fault.ManagedObjectNotFound):
                self._access.done(guest.vm.Destroy_Task())

    def start(self, ref: str) -> None:
        """Switch on."""
        with suppress(vim.fault.InvalidPowerState):
            self._access.done(self._access.machine(ref).PowerOnVM_Task())

    def stop(self, ref: str) -> None:
        """Have the guest shut down; what does not end in time, or has no guest tools, is switched off."""
        guest = self._inventory.guest(ref)
        if guest and guest.has_tools:
            with suppress(vim.fault.InvalidPowerState, vim.fault.ToolsUnavailable):
                guest.vm.ShutdownGuest()
                guest = came(lambda: self._inventory.guest(ref), _is_off, self._choices.grace)
        if guest and guest.is_on:
            self._cut_off(guest.vm)

    def reboot(self, ref: str) -> None:
        """Shut down and start: a guest that reboots by itself does not tell when it has."""
        self.stop(ref)
        self.start(ref)

    # ── snapshots and instance templates ─────────────────────────────────────────────────────────────

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """Those of a machine, oldest first."""
        found = sorted(self._saved(ref), key=lambda each: (each.createTime, each.id))
        return [Snapshot(each.name, ref, each.createTime.astimezone(UTC).isoformat()) for each in found]

    def create_snapshot(self, ref: str, name: str) -> None:
        """Save the disks."""
        words = {"name": name, "description": "made by ads", "memory": False, "quiesce": False}
        self._access.done(self._access.machine(ref).CreateSnapshot_Task(**words))

    def restore_snapshot(self, ref: str, name: str) -> None:
        """Exchange the disks."""
        for each in self._saved(ref):
            if each.name == name:
                self._access.done(each.snapshot.RevertToSnapshot_Task())

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Merge what it kept; those that grew from it stay."""
        for each in self._saved(ref):
            if each.name == name:
                self._access.done(each.snapshot.RemoveSnapshot_Task(removeChildren=False))

    def templates(self) -> Sequence[InstanceTemplate]:
        """All templates but those of the option `images`."""
        return [InstanceTemplate(each.name, each.notes.get(OS, ""), each.committed) for each in self._own_templates()]

    def upload_template(self, name: str, path: str) -> None:
        """Nobody calls it: a template is a machine, and no single file."""
        raise NotImplementedError

    def create_template(self, ref: str, name: str) -> None:
        """Copy a machine; the copy is a template."""
        guest = self._inventory.guest(ref)
        if guest:
            self._cloning.capture(guest, name)

    def delete_template(self, name: str) -> None:
        """Remove it with its disks."""
        for guest in self._own_templates():
            if guest.name == name:
                self._access.done(guest.vm.Destroy_Task())

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _refuse_taken(self, order: Order) -> None:
        """Make sure that no other machine has the address of an order.

        Raises:
            Conflict: one has.
        """
        for guest in self._inventory.guests():
            if guest.id != order.id and order.address in (guest.given, guest.address):
                what = f"address {order.address} belongs to machine '{guest.name}' ({guest.ref})"
                remedy = "choose another address, or delete that machine"
                raise Conflict(what, place=f"gateway {self._choices.name}", remedy=remedy)

    def _own_templates(self) -> list[Guest]:
        built_in = {*self.images.values()}
        return [guest for guest in self._inventory.guests() if guest.is_template and guest.name not in built_in]

    def _saved(self, ref: str) -> Iterator[Any]:
        told = self._access.look(self._access.machine(ref), ["snapshot"]) or {}
        left = list(told["snapshot"].rootSnapshotList) if told.get("snapshot") else []
        while left:
            each = left.pop()
            yield each
            left += each.childSnapshotList

    def _cut_off(self, vm: Any) -> None:
        with suppress(vim.fault.InvalidPowerState):
            self._access.done(vm.PowerOffVM_Task())

    def _sighting(self, guest: Guest) -> Sighting:
        state, reason = _state(guest)
        return Sighting(
            ref=guest.ref,
            name=guest.name,
            state=state,
            id=guest.id,
            kind=KIND,
            size=self._size(guest),
            os=guest.notes.get(OS, ""),
            location=self._inventory.location(guest),
            image=guest.notes.get(IMAGE, ""),
            reach=self._reach(guest.address),
            capabilities=ABILITIES,
            reason=reason,
        )

    def _size(self, guest: Guest) -> Size:
        """The size that it was ordered in, unless it was changed since."""
        for size in self._choices.sizes:
            if size.name == guest.notes.get(SIZE) and guest.computes_as(size):
                return size
        return Size("", guest.cores, guest.memory, guest.disk)

    def _reach(self, address: str) -> Reach:
        user, key = self._choices.user, str(self._choices.ssh_key)
        return Reach(address=address, user=user, key=key, become="" if user == "root" else "sudo")


def _is_off(guest: Guest | None) -> bool:
    return guest is None or not guest.is_on


def _state(guest: Guest) -> tuple[MachineState, str]:
    if guest.connection != "connected":
        return MachineState.UNKNOWN, f"its host does not answer: it is {guest.connection}"
    if not guest.is_whole:
        return MachineState.UNKNOWN, "it is being copied"
    if guest.id and not guest.is_made:
        return MachineState.CREATING, "its making was not finished"
    if not guest.is_on:
        return MachineState.STOPPED, ""
    if guest.address or not guest.id:
        return MachineState.RUNNING, ""
    return MachineState.CREATING, "its guest tools do not tell its address yet"
