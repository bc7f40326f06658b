"""Virtual machines of KVM and QEMU, by libvirt: on this host, or on another that it reaches (A8, A9)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import libvirt

from adslib.adapters.gateways.libvirt.access import Access
from adslib.adapters.gateways.libvirt.documents import Interface
from adslib.adapters.gateways.libvirt.driver import LibvirtDriver
from adslib.adapters.gateways.libvirt.hypervisor import Hypervisor
from adslib.adapters.gateways.libvirt.volumes import Volumes
from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.remote.gateway import RemoteGateway, read_terms
from adslib.adapters.gateways.remote.keys import Keys
from adslib.adapters.gateways.remote.prefix import read_prefix
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.gateway import Gateway

INTERFACE = re.compile(r"(network|bridge):([\w.-]+)|user")

# It would print its errors beside raising them.
libvirt.registerErrorHandler(lambda _context, _error: None, None)


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway. Options: docs/gateways.md.

    Raises:
        Invalid: an option is wrong.
    """
    read = Options(name, options)
    place = around.home / "libvirt" / name
    uri = read.text("uri", "qemu:///system")
    pool = read.text("pool", "default")
    images = {system: volume or system for system, volume in read.pairs("images").items()}
    domain = read.word("domain", "", ("kvm", "qemu"))
    interface = _interface(read, read.text("interface", "network:default"))
    prefix = read_prefix(read)
    key = read.text("ssh_key")
    user = read.text("user", "ads")
    location = read.text("location")
    grace = read.number("grace", 60, most=3600)
    terms = read_terms(read)
    _check_uri(read, uri)
    if not images:
        read.refuse("images", "it is missing", "name the volume of each operating system: debian-12=debian-12.qcow2")
    if key and not Path(f"{key}.pub").is_file():
        read.refuse("ssh_key", f"there is no {key}.pub", "name a private key whose public key lies beside it")
    read.finish()
    driver = LibvirtDriver(
        gateway=name,
        hypervisor=Hypervisor(uri),
        volumes=Volumes(pool, images),
        sizes=around.sizes,
        domain=domain,
        interface=interface,
        prefix=prefix,
        access=Access(user, Path(key) if key else place / "key", Keys(place / "host-keys")),
        host_keys=around.host_keys,
        location=location,
        grace=grace,
        patience=terms.patience,
    )
    return RemoteGateway(name, driver, terms, place)


def _check_uri(read: Options, uri: str) -> None:
    """Refuse what holds a password, and what would run a program of this host."""
    parts = urlsplit(uri)
    if parts.password is not None:
        read.refuse("uri", "it holds a password", "put it into libvirt's authentication file (auth.conf)")
    if "command" in dict(parse_qsl(parts.query, keep_blank_values=True)):
        read.refuse("uri", "it names a command to run", "leave out 'command'")


def _interface(read: Options, given: str) -> Interface:
    found = INTERFACE.fullmatch(given)
    if not found:
        read.refuse("interface", f"'{given}' will not do", "use network:NAME, bridge:NAME or user")
        return Interface("user")
    return Interface(found[1] or "user", found[2] or "")
