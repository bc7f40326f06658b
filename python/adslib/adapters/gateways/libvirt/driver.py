"""What libvirt tells of its machines and does with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, TypeVar

import libvirt

from adslib.adapters.gateways.libvirt import documents, errors, seed
from adslib.adapters.gateways.libvirt.access import Access
from adslib.adapters.gateways.libvirt.documents import CREATING, DELETING, NAMESPACE, PREFIX, Interface, Tag
from adslib.adapters.gateways.libvirt.errors import code_of, unless_gone
from adslib.adapters.gateways.libvirt.hypervisor import Hypervisor
from adslib.adapters.gateways.libvirt.looking import ABILITIES, KIND, Eyes
from adslib.adapters.gateways.libvirt.volumes import Volumes
from adslib.adapters.gateways.remote.calls import came
from adslib.adapters.gateways.remote.keys import KeyPair
from adslib.adapters.gateways.remote.prefix import Prefix, check_address
from adslib.adapters.gateways.surroundings import HostKeys
from adslib.domain.errors import AdsError, Conflict, Failed, Invalid
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.machine import Size

T = TypeVar("T")
EVERYTHING = frozenset(Capability) - {Capability.NOTIFY}
UNDEFINE = (
    libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE
    | libvirt.VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA
    | libvirt.VIR_DOMAIN_UNDEFINE_NVRAM
)
BOTH = libvirt.VIR_DOMAIN_AFFECT_LIVE | libvirt.VIR_DOMAIN_AFFECT_CONFIG


@dataclass
class LibvirtDriver:
    """The machines of one libvirtd.

    Args:
        gateway: its name. volumes: where their disks are. sizes: what machines can be.
        domain: `kvm` or `qemu`; empty: the better of those there are. interface: how they are connected.
        prefix: where addresses come from that are given; None: none are.
        access: who may enter. host_keys: where theirs are pinned. location: where they are.
        grace: seconds to shut down in; then they are cut off. patience: seconds for what copies.
    """

    gateway: str
    hypervisor: Hypervisor
    volumes: Volumes
    sizes: tuple[Size, ...]
    domain: str
    interface: Interface
    prefix: Prefix | None
    access: Access
    host_keys: HostKeys
    location: str
    grace: float
    patience: float

    kind = "libvirt"
    refs = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

    def __post_init__(self) -> None:
        """Addresses are taken where it is known how to give them."""
        self.capabilities = EVERYTHING if self.prefix else EVERYTHING - {Capability.ADDRESS}
        self.images = self.volumes.images
        self._eyes = Eyes(self.access, self.host_keys, self.interface, self.location)

    def told(self, error: Exception) -> AdsError | None:
        """What an error of libvirt means."""
        return errors.told(error, f"gateway {self.gateway}", self.hypervisor.uri, self.volumes.pool)

    def passing(self, error: Exception) -> bool:
        """Whether libvirt may do it a little later."""
        return errors.passing(error)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def machines(self) -> Sequence[Sighting]:
        """All machines of the hypervisor."""
        return self._ask(
            lambda at: [seen for each in at.listAllDomains() if (seen := self._eyes.see(each))], self.patience
        )

    def machine(self, ref: str) -> Sighting | None:
        """One machine."""
        return self._ask(lambda at: (domain := _domain(at, ref)) and self._eyes.see(domain))

    def find(self, id: str) -> Sighting | None:
        """The machine of an order."""
        return self.machine(documents.uuid_of(id))

    def offer(self) -> Offer:
        """The sizes of the settings that fit into the hypervisor's memory, and the systems that there are images of."""
        memory = self._ask(lambda at: at.getInfo())[1]
        sizes = tuple(size for size in self.sizes if size.memory <= memory)
        places = (self.location,) if self.location else ()
        return Offer(self.gateway, KIND, sizes, places, tuple(self.images), ABILITIES)

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def make(self, order: Order) -> str:
        """Define a machine with its tag, give it its volumes, start it, and say in the tag that it is made."""
        check_address(order.address, self.prefix)
        order = replace(order, location=order.location or self.location)
        public, ref = self.access.public(), documents.uuid_of(order.id)

        def make(connection: Any) -> None:
            image = self.volumes.fit(connection, order)
            domain = _domain(connection, ref) or self._define(connection, order)
            if not domain.isActive():
                host_key = self.access.keys.pair(order.id)
                self.volumes.lay(connection, order, image, self._seed(order, public, host_key))
                self.host_keys.pin({order.id: [host_key.public]})
                domain.create()
            _write(domain, documents.tag_for(order))

        self._ask(make, self.patience)
        return ref

    def delete(self, ref: str) -> None:
        """Remove a machine: its tag goes last, so that what is left can be found."""

        def delete(connection: Any) -> None:
            domain = _domain(connection, ref)
            if domain is None:
                return
            tag = documents.tag_of(documents.read(domain.XMLDesc()))
            if tag is None:
                raise _foreign(domain)
            _write(domain, replace(tag, state=DELETING))
            _cut_off(domain)
            self.volumes.clear(connection, tag.id)
            self.host_keys.forget([tag.id])
            domain.undefineFlags(UNDEFINE)

        self._ask(delete, self.patience)

    def start(self, ref: str) -> None:
        """Start a machine."""
        self._with(ref, lambda domain: domain.isActive() or domain.create())

    def stop(self, ref: str) -> None:
        """Press a machine's power button, again while it does not hear; cut it off if it never does."""

        def press(domain: Any) -> bool:
            if not domain.isActive():
                return True
            domain.shutdown()
            return False

        if not came(lambda: self._with(ref, _unless_stopped(press)), bool, self.grace):
            self._with(ref, _unless_stopped(lambda domain: domain.destroy()))

    def reboot(self, ref: str) -> None:
        """Stop and start, since nobody can see whether a machine that stays on has rebooted."""
        self.stop(ref)
        self.start(ref)

    # ── snapshots and instance templates ─────────────────────────────────────────────────────────────

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """Its snapshots; several of one second are in the order in which they stand on each other."""

        def read(domain: Any) -> list[Snapshot]:
            found = []
            for each in domain.listAllSnapshots(libvirt.VIR_DOMAIN_SNAPSHOT_LIST_TOPOLOGICAL):
                taken = int(documents.read(each.getXMLDesc()).findtext("creationTime", "0"))
                found.append((taken, Snapshot(each.getName(), ref, datetime.fromtimestamp(taken, UTC).isoformat())))
            return [snapshot for _, snapshot in sorted(found, key=lambda pair: pair[0])]

        return self._with(ref, read)

    def create_snapshot(self, ref: str, name: str) -> None:
        """Save a machine, with its memory if it runs."""
        self._with(ref, lambda domain: domain.snapshotCreateXML(documents.snapshot(name)), self.patience)

    def restore_snapshot(self, ref: str, name: str) -> None:
        """Bring a machine back."""

        def restore(domain: Any) -> None:
            _cut_off(domain)
            domain.revertToSnapshot(domain.snapshotLookupByName(name))

        self._with(ref, restore, self.patience)

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Remove a snapshot."""
        self._with(ref, lambda domain: domain.snapshotLookupByName(name).delete(), self.patience)

    def templates(self) -> Sequence[InstanceTemplate]:
        """Those in the pool."""
        return self._ask(self.volumes.templates)

    def upload_template(self, name: str, path: str) -> None:
        """Take a disk image."""
        self._ask(lambda at: self.volumes.upload(at, name, path), self.patience)

    def create_template(self, ref: str, name: str) -> None:
        """Copy the disk of a machine as it is now, whether it runs or not."""

        def capture(connection: Any) -> None:
            domain = connection.lookupByUUIDString(ref)
            tag = documents.tag_of(documents.read(domain.XMLDesc()))
            if tag is None:
                raise _foreign(domain)

            def copy(path: str) -> None:
                domain.backupBegin(documents.backup(path), None, libvirt.VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL)
                came(lambda: domain.jobInfo()[0], lambda job: job == libvirt.VIR_DOMAIN_JOB_NONE, self.patience)
                if not domain.jobStats(libvirt.VIR_DOMAIN_JOB_STATS_COMPLETED).get("success"):
                    raise Failed("its disk could not be copied", place=domain.name(), remedy="look at libvirtd's log")

            self.volumes.capture(connection, name, tag.id, copy if domain.isActive() else None)

        self._ask(capture, self.patience)

    def delete_template(self, name: str) -> None:
        """Remove a template."""
        self._ask(lambda at: self.volumes.drop(at, name))

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _ask(self, act: Callable[[Any], T], seconds: float = 0) -> T:
        return self.hypervisor.ask(act, seconds)

    def _with(self, ref: str, act: Callable[[Any], T], seconds: float = 0) -> T:
        """Do something with a machine."""
        return self._ask(lambda at: act(at.lookupByUUIDString(ref)), seconds)

    @cached_property
    def _able(self) -> tuple[str, str]:
        """The architecture of the hypervisor, and the kind of machine for it."""
        told = documents.read(self._ask(lambda at: at.getCapabilities()))
        arch = told.findtext("host/cpu/arch")
        kinds = [each.get("type") for each in told.findall(f"guest/arch[@name='{arch}']/domain")]
        return arch, self.domain or next(kind for kind in ("kvm", "qemu", *kinds) if kind in kinds)

    def _define(self, connection: Any, order: Order) -> Any:
        """Write down that a machine is being made.

        Raises:
            Conflict: another has its address, or its name.
        """
        arch, kind = self._able
        tag = documents.tag_for(order, CREATING)
        for other in connection.listAllDomains():
            document = unless_gone(other.XMLDesc)
            held = documents.tag_of(documents.read(document)) if document else None
            if document and other.name() == order.name:
                told = f"the hypervisor has another machine '{order.name}'"
                raise Conflict(told, remedy="choose another name, or rename that one")
            if held and order.address and held.address == order.address:
                raise Conflict(f"machine '{held.name}' ({held.id}) has address {order.address}")
        text = documents.machine(order, tag, kind, arch, self.volumes.pool, self.interface)
        return connection.defineXML(text)

    def _seed(self, order: Order, enters: str, host_key: KeyPair) -> bytes:
        user = seed.user_data(order.name, self.access.user, enters, host_key)
        network = seed.network_data(documents.mac_of(order.id), order.address, self.prefix)
        return seed.image(order.id, user, network)


def _foreign(domain: Any) -> Invalid:
    return Invalid("ads did not make this machine", place=domain.name(), remedy="use virsh for what others made")


def _unless_stopped(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """What a machine that stops meanwhile needs no more; it may be on its way for a moment."""

    def try_it(domain: Any) -> Any:
        try:
            return act(domain)
        except libvirt.libvirtError as error:
            if code_of(error) == libvirt.VIR_ERR_OPERATION_INVALID:
                return not domain.isActive()
            raise

    return try_it


def _domain(connection: Any, ref: str) -> Any | None:
    return unless_gone(lambda: connection.lookupByUUIDString(ref))


def _cut_off(domain: Any) -> None:
    """Have a machine not run; it may stop by itself meanwhile."""
    try:
        if domain.isActive():
            domain.destroy()
    except libvirt.libvirtError:
        if domain.isActive():
            raise


def _write(domain: Any, tag: Tag) -> None:
    """Write the tag of a machine, also for when it starts again; it may stop by itself meanwhile."""
    words = (libvirt.VIR_DOMAIN_METADATA_ELEMENT, tag.document(), PREFIX, NAMESPACE)
    try:
        if domain.isActive():
            domain.setMetadata(*words, BOTH)
            return
    except libvirt.libvirtError:
        if domain.isActive():
            raise
    domain.setMetadata(*words, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
