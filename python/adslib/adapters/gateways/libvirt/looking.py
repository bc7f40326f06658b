"""Seeing what machines are right now, and how they are reached."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import Any

import libvirt

from adslib.adapters.gateways.libvirt import documents
from adslib.adapters.gateways.libvirt.access import Access
from adslib.adapters.gateways.libvirt.documents import Interface
from adslib.adapters.gateways.libvirt.errors import unless_gone
from adslib.adapters.gateways.surroundings import HostKeys
from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Reach

KIND = "vm"
ABILITIES = frozenset({"packages", "systemd"})
RUNNING = MachineState.RUNNING
STATES = {
    libvirt.VIR_DOMAIN_RUNNING: RUNNING,
    libvirt.VIR_DOMAIN_BLOCKED: RUNNING,
    libvirt.VIR_DOMAIN_SHUTDOWN: RUNNING,
    libvirt.VIR_DOMAIN_SHUTOFF: MachineState.STOPPED,
    libvirt.VIR_DOMAIN_CRASHED: MachineState.FAILED,
}
"""What is not among these is paused or asleep, and neither runs nor is stopped."""


@dataclass(frozen=True, slots=True)
class Eyes:
    """What a hypervisor shows of machines.

    Args:
        access: who may enter those that ads made. host_keys: where theirs were pinned.
        interface: how they are connected. location: where they are.
    """

    access: Access
    host_keys: HostKeys
    interface: Interface
    location: str

    def see(self, domain: Any) -> Sighting | None:
        """A machine as it is; None if it goes meanwhile."""
        return unless_gone(lambda: self._sighting(domain))

    def _sighting(self, domain: Any) -> Sighting:
        document = documents.read(domain.XMLDesc())
        tag = documents.tag_of(document)
        state = STATES.get(domain.state()[0], MachineState.UNKNOWN)
        address = tag.address if tag else ""
        if state is RUNNING and not address:
            address = _address(domain, document)
        seen = Sighting(domain.UUIDString(), domain.name(), state, kind=KIND, location=self.location)
        if tag is None:
            return replace(seen, size=documents.size_of(document), reach=Reach(address=address))
        if tag.state:
            state = MachineState(tag.state)
        elif state is RUNNING and not address and self.interface.kind != "user":
            state = MachineState.CREATING
        return replace(
            seen,
            id=tag.id,
            name=tag.name,
            state=state,
            size=tag.size,
            os=tag.os,
            image=tag.image,
            location=tag.location,
            reach=self._reach(tag.id, address),
            capabilities=ABILITIES,
        )

    def _reach(self, id: str, address: str) -> Reach:
        arguments = self.host_keys.arguments(id)
        variables = {"ansible_ssh_common_args": arguments} if arguments else {}
        return Reach(address=address, user=self.access.user, become="sudo", key=str(self.access.key), vars=variables)


def _address(domain: Any, document: Any) -> str:
    """The first address of a running machine that others can use.

    What libvirt lent it, else what its agent tells, else whom the hypervisor heard on the bridge.
    """
    sources = [libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_LEASE]
    if document.find("devices/channel/target[@state='connected']") is not None:
        sources.append(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_AGENT)
    sources.append(libvirt.VIR_DOMAIN_INTERFACE_ADDRESSES_SRC_ARP)
    for source in sources:
        try:
            interfaces = domain.interfaceAddresses(source).values()
        except libvirt.libvirtError:
            continue
        told = [ipaddress.ip_address(each["addr"]) for interface in interfaces for each in interface["addrs"] or ()]
        for address in told:
            if not address.is_loopback and not address.is_link_local:
                return str(address)
    return ""
