"""Machines that are directories of this host, each with an address, an init and processes of its own; no root needed.

What is written of a machine never changes after its making. Whether it runs is asked of the host, never remembered.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from adslib.adapters.gateways.local import processes, snapshots
from adslib.adapters.gateways.local.addresses import checked
from adslib.adapters.gateways.local.control import Control
from adslib.adapters.gateways.local.directory import Directory
from adslib.adapters.gateways.local.looking import KIND, sight
from adslib.adapters.gateways.local.machines import ID, Machines, checked_id
from adslib.adapters.gateways.orders import check_choice, check_size
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.machine import Size


class LocalGateway:
    """The gateway of machines on this host (A8, A9).

    Args:
        machines: their directories. control: their inits.
        sizes: what its machines are said to be. locations: the names that their location may have; empty: any.
    """

    kind = "local"
    capabilities = frozenset(Capability) - {Capability.NOTIFY}

    def __init__(
        self, machines: Machines, control: Control, sizes: tuple[Size, ...], locations: tuple[str, ...]
    ) -> None:
        self.name = machines.gateway
        self._machines = machines
        self._control = control
        self._sizes = sizes
        self._locations = locations

    # ── making and deleting ──────────────────────────────────────────────────────────────────────────

    def create(self, order: Order) -> Sighting:
        """Make and start a machine. What an earlier call left half made is thrown away or finished."""
        self._check(order)
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
        marked = processes.marked(processes.running().values())
        with ThreadPoolExecutor(16) as pool:
            looks = [
                pool.submit(sight, machine, self._control, marked.get(str(machine.path), ()))
                for machine in self._machines.all()
            ]
        return tuple(look.result() for look in looks)

    def offer(self) -> Offer:
        """Offer nominal sizes: nothing limits what the processes of a machine take."""
        return Offer(
            gateway=self.name,
            kind=KIND,
            sizes=self._sizes,
            locations=self._locations,
            systems=(self._machines.templates.os,),
            room=max(0, self._machines.limit - len(self._machines.all())),
        )

    # ── templates and snapshots ──────────────────────────────────────────────────────────────────────

    def templates(self) -> Sequence[InstanceTemplate]:
        """List the instance templates."""
        return self._machines.templates.all()

    def upload_template(self, name: str, path: str) -> InstanceTemplate:
        """Take a tar file as an instance template."""
        return self._machines.templates.upload(name, Path(path))

    def delete_template(self, name: str) -> None:
        """Remove an instance template; machines made from it are copies and stay."""
        self._machines.templates.delete(name)

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """List the snapshots of a machine."""
        with self._machines.known(ref) as machine:
            return snapshots.of(machine)

    def create_snapshot(self, ref: str, name: str) -> Snapshot:
        """Save the files of a machine as they are now; its processes go on meanwhile."""
        with self._machines.known(ref) as machine:
            return snapshots.create(machine, name)

    def restore_snapshot(self, ref: str, name: str) -> Sighting:
        """Bring the files of a machine back; it is stopped meanwhile."""
        with self._machines.known(ref) as machine:
            runs = self._control.init_of(machine) is not None
            ran = snapshots.prepare(machine, name, runs)
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
        if self._control.init_of(machine):
            if self._control.answers(machine):
                return
            self._control.stop(machine)
        # A restart of this host may have wiped the claims, and somebody may have been faster.
        self._machines.addresses.claim(machine.path, machine.path.name, machine.read().address)
        snapshots.exchange(machine)
        self._control.start(machine)

    def _sight(self, machine: Directory) -> Sighting:
        marked = processes.marked(processes.running().values())
        return sight(machine, self._control, marked.get(str(machine.path), ()))

    def _check(self, order: Order) -> None:
        """Refuse an order that cannot be met, before anything is done."""
        checked_id(order.id)
        check_size(order.size, self._sizes)
        check_choice("operating system", order.os, [self._machines.templates.os])
        if self._locations:
            check_choice("location", order.location, self._locations)
        if order.image:
            self._machines.templates.check(order.image)
        if order.address:
            checked(order.address)
