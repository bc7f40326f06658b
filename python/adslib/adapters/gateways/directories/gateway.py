"""A gateway whose machines are directories of this host; how they run and are seen is what its kinds differ in.

What is written of a machine never changes after its making. Whether it runs is asked of the host, never remembered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from adslib.adapters.gateways.directories import snapshots
from adslib.adapters.gateways.directories.directory import Directory
from adslib.adapters.gateways.directories.looking import Eyes, sights
from adslib.adapters.gateways.directories.machines import Machines, identity
from adslib.adapters.gateways.directories.snapshots import Pack, Unpack
from adslib.adapters.gateways.orders import ID, check_choice, check_size, checked_id
from adslib.domain.errors import Conflict
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.machine import Size
from adslib.domain.names import checked_name


class Control(Protocol):
    """Starts and stops machines."""

    def runs(self, machine: Directory) -> bool:
        """Whether its init lives."""

    def answers(self, machine: Directory) -> bool:
        """Whether an init that lives is of use."""

    def start(self, machine: Directory) -> None:
        """Start a machine that does not run, and wait for it."""

    def stop(self, machine: Directory) -> None:
        """End all that runs of a machine; nothing happens if nothing does."""


class Templates(Protocol):
    """The instance templates that machines are made from."""

    def all(self) -> Sequence[InstanceTemplate]:
        """List them by name."""

    def check(self, name: str) -> None:
        """Make sure that there is one of this name, or refuse with those there are."""

    def upload(self, name: str, source: Path) -> InstanceTemplate:
        """Take a tar file as a template."""

    def capture(self, name: str, packed: Path, image: str) -> InstanceTemplate:
        """Take the packed files of a machine that was made from an image; nobody has the name yet."""

    def delete(self, name: str) -> None:
        """Remove one; nothing happens if it is gone."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a gateway is put together from.

    Args:
        machines: their directories. control: starts and stops them. eyes: sees them.
        templates: what they are made from. pack, unpack: how a snapshot is saved and brought back.
        sizes: what its machines can be. locations: the names that their location may have; empty: any.
        forget: told the id of a machine that was deleted.
    """

    machines: Machines
    control: Control
    eyes: Eyes
    templates: Templates
    pack: Pack
    unpack: Unpack
    sizes: tuple[Size, ...]
    locations: tuple[str, ...]
    forget: Callable[[str], None] = lambda _id: None


class DirectoryGateway:
    """The gateway of machines that are directories of this host (A8, A9)."""

    capabilities = frozenset(Capability) - {Capability.NOTIFY}

    def __init__(self, kind: str, parts: Parts) -> None:
        self.kind = kind
        self.name = parts.machines.gateway
        self._machines = parts.machines
        self._control = parts.control
        self._parts = parts

    # ── making and deleting ──────────────────────────────────────────────────────────────────────────

    def create(self, order: Order) -> Sighting:
        """Make and start a machine. What an earlier call left half made is thrown away or finished."""
        self._check(order)
        order = replace(order, location=order.location or next(iter(self._parts.locations), ""))
        with self._machines.busy(order.id) as machine:
            if not machine.path.exists():
                self._machines.clear(order.id)
                self._machines.make(order)
            if machine.unstarted.exists():
                self._start(machine)
                machine.unstarted.unlink()
            return self._sight(machine)

    def delete(self, ref: str) -> None:
        """Stop a machine and remove its directory; called again, it goes on where it was interrupted."""
        if not ID.fullmatch(ref):
            return
        with self._machines.busy(ref) as machine:
            if machine.path.exists():
                self._control.stop(machine)
                self._machines.clear(ref)
                self._machines.part(machine)
            self._machines.clear(ref)
            self._parts.forget(ref)

    # ── running ──────────────────────────────────────────────────────────────────────────────────────

    def start(self, ref: str) -> Sighting:
        """Start the init of a machine, which starts its programs."""
        with self._machines.known(ref) as machine:
            self._start(machine)
            return self._sight(machine)

    def stop(self, ref: str) -> Sighting:
        """End all processes of a machine, also those that daemonised themselves."""
        with self._machines.known(ref) as machine:
            self._control.stop(machine)
            return self._sight(machine)

    def reboot(self, ref: str) -> Sighting:
        """Stop and start a machine."""
        with self._machines.known(ref) as machine:
            self._control.stop(machine)
            self._start(machine)
            return self._sight(machine)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def look(self, ref: str) -> Sighting:
        """Read the state of one machine from its files and processes."""
        return self._sight(self._machines.find(ref))

    def machines(self) -> Sequence[Sighting]:
        """Read the state of all machines, half made and half deleted ones too."""
        return sights(self._machines.all(), self._parts.eyes)

    def offer(self) -> Offer:
        """Offer its sizes, as many as its limit allows."""
        there = self._machines.all()
        return Offer(
            gateway=self.name,
            kind=self._parts.eyes.kind,
            sizes=self._parts.sizes,
            locations=self._parts.locations,
            systems=(self._machines.os,),
            capabilities=self._parts.eyes.capabilities,
            room=max(0, self._machines.limit - len(there)),
            counted=frozenset(identity(machine.path) for machine in there),
        )

    # ── templates and snapshots ──────────────────────────────────────────────────────────────────────

    def templates(self) -> Sequence[InstanceTemplate]:
        """List the instance templates."""
        return self._parts.templates.all()

    def upload_template(self, name: str, path: str) -> InstanceTemplate:
        """Take a tar file as an instance template."""
        return self._parts.templates.upload(name, Path(path))

    def create_template(self, ref: str, name: str) -> InstanceTemplate:
        """Make an instance template of the files of a machine as they are now; its processes go on meanwhile."""
        templates = self._parts.templates
        checked_name(name, "an instance template")
        if name in {template.name for template in templates.all()}:
            raise Conflict(f"there is another instance template '{name}'", remedy="choose another name or delete it")
        with self._machines.known(ref) as machine:
            file = machine.path / "template.tar"
            try:
                self._parts.pack(machine.root, file)
                return templates.capture(name, file, machine.read().image)
            finally:
                file.unlink(missing_ok=True)

    def delete_template(self, name: str) -> None:
        """Remove an instance template."""
        self._parts.templates.delete(name)

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """List the snapshots of a machine."""
        with self._machines.known(ref) as machine:
            return snapshots.of(machine)

    def create_snapshot(self, ref: str, name: str) -> Snapshot:
        """Save the files of a machine as they are now; its processes go on meanwhile."""
        with self._machines.known(ref) as machine:
            return snapshots.create(machine, name, self._parts.pack)

    def restore_snapshot(self, ref: str, name: str) -> Sighting:
        """Bring the files of a machine back; it is stopped meanwhile."""
        with self._machines.known(ref) as machine:
            ran = snapshots.prepare(machine, name, self._parts.unpack, self._control.runs(machine))
            self._control.stop(machine)
            snapshots.exchange(machine)
            if ran:
                self._start(machine)
            snapshots.finish(machine)
            return self._sight(machine)

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Remove a snapshot; nothing happens if it is gone."""
        with self._machines.known(ref) as machine:
            snapshots.delete(machine, name)

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _start(self, machine: Directory) -> None:
        """Start a machine unless it runs, on the address that it was made with."""
        if self._control.runs(machine):
            if self._control.answers(machine):
                return
            self._control.stop(machine)
        # A restart of the host may have wiped the claims, and somebody may have been faster.
        self._machines.addresses.claim(machine.path, machine.path.name, machine.read().address)
        snapshots.exchange(machine)
        self._control.start(machine)

    def _sight(self, machine: Directory) -> Sighting:
        return sights([machine], self._parts.eyes)[0]

    def _check(self, order: Order) -> None:
        """Refuse an order that cannot be met, before anything is done."""
        checked_id(order.id)
        check_size(order.size, self._parts.sizes)
        check_choice("operating system", order.os, [self._machines.os])
        if self._parts.locations:
            check_choice("location", order.location, self._parts.locations)
        if order.image:
            self._parts.templates.check(order.image)
        if order.address:
            self._machines.addresses.fit(order.address)
