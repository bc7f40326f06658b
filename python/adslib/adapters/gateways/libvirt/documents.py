"""What libvirt reads and tells: the XML of machines and of volumes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from lxml import etree
from lxml.builder import E

from adslib.domain.gateway import Order
from adslib.domain.machine import Size

NAMESPACE = "urn:adslib:machine"
PREFIX = "ads"
IDS = uuid.UUID("6f0d7d2e-1c5b-5d2c-9a5e-0b8a3a5d4c11")
"""What the ids of orders become UUIDs in."""

CREATING, DELETING = "creating", "deleting"
PARSER = etree.XMLParser(resolve_entities=False, no_network=True)


def uuid_of(order: str) -> str:
    """The UUID of the machine for an order: the same order never makes two."""
    return str(uuid.uuid5(IDS, order))


def mac_of(order: str) -> str:
    """Its hardware address, in the range that is nobody's."""
    return "02:" + ":".join(f"{byte:02x}" for byte in sha256(order.encode()).digest()[:5])


def read(text: str) -> Any:
    """An XML document."""
    return etree.fromstring(text.encode(), PARSER)


@dataclass(frozen=True, slots=True)
class Interface:
    """How machines are connected: to a libvirt network, to a bridge, or out through QEMU alone (`user`)."""

    kind: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """What is written into a machine that ads made.

    Args:
        id: of the order. address: the one that it was given; empty: it gets one by DHCP.
        state: `creating` or `deleting` while that goes on.
    """

    id: str
    name: str
    size: Size
    os: str
    image: str
    location: str
    address: str
    state: str = ""

    def document(self) -> str:
        """As metadata, without the namespace, which libvirt adds."""
        return etree.tostring(self._element("machine"), encoding="unicode")

    def element(self) -> Any:
        """As a part of a machine's document."""
        return self._element(f"{{{NAMESPACE}}}machine")

    def _element(self, name: str) -> Any:
        told = {"id": self.id, "name": self.name, "os": self.os, "image": self.image, "location": self.location}
        size = {"size": self.size.name, "cpu": f"{self.size.cpu:g}", "memory": str(self.size.memory)}
        more = {"disk": str(self.size.disk), "address": self.address, "state": self.state}
        return etree.Element(name, told | size | more, nsmap={PREFIX: NAMESPACE} if "}" in name else None)


def tag_for(order: Order, state: str = "") -> Tag:
    """The tag of the machine for an order."""
    return Tag(order.id, order.name, order.size, order.os, order.image, order.location, order.address, state)


def tag_of(domain: Any) -> Tag | None:
    """The tag in the document of a machine; None: ads did not make it."""
    found = domain.find(f"metadata/{{{NAMESPACE}}}machine")
    if found is None:
        return None
    told = found.get
    size = Size(told("size", ""), float(told("cpu", 0)), int(told("memory", 0)), int(told("disk", 0)))
    names = ("os", "image", "location", "address", "state")
    return Tag(told("id", ""), told("name", ""), size, *(told(name, "") for name in names))


def size_of(domain: Any) -> Size:
    """The cores and the memory in the document of a machine; its disks are not looked at."""
    return Size("", float(domain.findtext("vcpu", "0")), int(domain.findtext("memory", "0")) // 1024)


def machine(order: Order, tag: Tag, kind: str, arch: str, pool: str, interface: Interface) -> str:
    """The document of a new machine.

    Args:
        kind: of the domain: `kvm`, `qemu`. arch: what its processor is. pool: where its volumes are.
    """
    links: Mapping[str, Any] = {
        "network": E.source(network=interface.name),
        "bridge": E.source(bridge=interface.name),
    }
    network = E.interface(E.mac(address=mac_of(order.id)), E.model(type="virtio"), type=interface.kind)
    if interface.kind in links:
        network.append(links[interface.kind])
    document = E.domain(
        E.name(order.name),
        E.uuid(uuid_of(order.id)),
        E.metadata(tag.element()),
        E.memory(str(order.size.memory), unit="MiB"),
        E.vcpu(str(max(1, round(order.size.cpu)))),
        # All that the host's processor has, or all that QEMU simulates.
        E.cpu(mode="host-model" if kind == "kvm" else "maximum"),
        E.os(E.type("hvm", arch=arch), E.boot(dev="hd")),
        E.features(E.acpi()),
        E.devices(
            _disk(pool, disk_name(order.id), "qcow2", "vda"),
            _disk(pool, seed_name(order.id), "raw", "vdb", E.readonly()),
            network,
            E.serial(type="pty"),
            E.channel(E.target(type="virtio", name="org.qemu.guest_agent.0"), type="unix"),
            E.rng(E.backend("/dev/urandom", model="random"), model="virtio"),
        ),
        type=kind,
    )
    return etree.tostring(document, encoding="unicode")


def _disk(pool: str, volume: str, format: str, target: str, *more: Any) -> Any:
    return E.disk(
        E.driver(name="qemu", type=format),
        E.source(pool=pool, volume=volume),
        E.target(dev=target, bus="virtio"),
        *more,
        type="volume",
        device="disk",
    )


def disk_name(order: str) -> str:
    """The volume of a machine's disk."""
    return f"{order}.qcow2"


def seed_name(order: str) -> str:
    """The volume that tells a machine its name and who may enter."""
    return f"{order}.iso"


def volume(name: str, size: int, format: str = "raw", base: str = "") -> str:
    """The document of a new volume.

    Args:
        size: in bytes. base: the document of the volume that it stands on.
    """
    document = E.volume(
        E.name(name), E.capacity(str(size), unit="bytes"), E.allocation("0"), E.target(E.format(type=format))
    )
    if base:
        told = read(base)
        # Said by the name of a template, as what is in it is its maker's.
        format = told.findtext("name", "").rpartition(".")[2]
        if format not in ("raw", "qcow2"):
            format = told.find("target/format").get("type")
        document.append(E.backingStore(E.path(told.findtext("target/path")), E.format(type=format)))
    return etree.tostring(document, encoding="unicode")


def base_of(volume: str) -> str:
    """The path of what a volume stands on, by its document; empty: nothing."""
    return str(read(volume).findtext("backingStore/path", ""))


def backup(path: str) -> str:
    """The document of a copy of a running machine's disk to a file."""
    disk = E.disk(E.driver(type="qcow2"), E.target(file=path), name="vda", type="file", backup="yes")
    return etree.tostring(E.domainbackup(E.disks(disk, E.disk(name="vdb", backup="no"))), encoding="unicode")


def snapshot(name: str) -> str:
    """The document of a new snapshot."""
    return etree.tostring(E.domainsnapshot(E.name(name)), encoding="unicode")
