"""System containers of this host: real hosts with systemd and sshd, on a bridge of their own (A8, A9)."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from adslib.adapters.gateways.directories.addresses import Addresses
from adslib.adapters.gateways.directories.gateway import DirectoryGateway, Parts
from adslib.adapters.gateways.directories.machines import Machines
from adslib.adapters.gateways.lxc.containers import Containers
from adslib.adapters.gateways.lxc.foundations import SYSTEMS, Foundations
from adslib.adapters.gateways.lxc.furnishing import Furnishing
from adslib.adapters.gateways.lxc.layers import pack, unpack
from adslib.adapters.gateways.lxc.limits import Limit
from adslib.adapters.gateways.lxc.looking import Eyes
from adslib.adapters.gateways.lxc.network import Bridge
from adslib.adapters.gateways.lxc.programs import require
from adslib.adapters.gateways.lxc.templates import Templates
from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.errors import Invalid
from adslib.domain.gateway import Gateway

# lxc reads these in paths of its configuration: between the layers of a file system, and as the end of a value.
UNFIT = re.compile(r"[:,\\\s\x00-\x1f\x7f]")
BRIDGE = re.compile(r"[a-z][a-z0-9-]{0,14}")


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway. Options: docs/gateways.md.

    Raises:
        Unsupported: this host cannot run containers; with the reason. Invalid: an option is wrong.
    """
    read = Options(name, options)
    folder = Path(read.text("folder", str(around.home / "lxc" / name))).resolve()
    cache = Path(read.text("cache", str(around.home / "lxc" / ".cache"))).resolve()
    mark = sha256(str(folder).encode()).digest()
    bridge = read.text("bridge", f"ads-{mark.hex()[:8]}")
    network = read.text("network", f"10.{192 + mark[0] % 32}.{mark[1]}.0/24")
    limit = read.whole("limit", 100)
    locations = read.names("locations")
    suite = read.text("suite", "bookworm")
    mirror = read.text("mirror")
    packages = read.names("packages")
    limits = read.chosen("limits", Limit)
    patience = read.number("patience", 120, least=1, most=3600)
    grace = read.number("grace", 10, most=600)
    forks = read.whole("forks", 4 * (os.cpu_count() or 1), least=1)
    read.finish()
    _check(name, folder, cache, bridge, suite)
    require(name)
    machines = folder / "machines"
    ours = Bridge(bridge, _network(network, name), folder, machines, cache / "packages")
    foundations = Foundations(cache, suite, mirror, packages)
    templates = Templates(folder / "templates", machines, foundations)
    furnishing = Furnishing(folder, machines, mark.hex()[:8], ours, templates, limits, around.host_keys)
    containers = Containers(ours, mark.hex()[:8], patience, grace, BoundedSemaphore(forks))
    parts = Parts(
        machines=Machines(
            gateway=name,
            noun="container",
            place=machines,
            os=foundations.os,
            image=foundations.os,
            limit=limit,
            addresses=Addresses(folder / "addresses", ours.network, ours.fit),
            furnish=furnishing.furnish,
        ),
        control=containers,
        eyes=Eyes(containers, folder / "key", around.host_keys),
        templates=templates,
        pack=pack,
        unpack=unpack,
        sizes=around.sizes,
        locations=locations,
        forget=lambda id: around.host_keys.forget([id]),
    )
    return DirectoryGateway("lxc", parts)


def _check(gateway: str, folder: Path, cache: Path, bridge: str, suite: str) -> None:
    place = f"gateway {gateway}"
    for path in (folder, cache):
        unfit = UNFIT.search(str(path))
        if unfit:
            what = f"containers cannot lie below a path with {unfit[0]!r} in it"
            raise Invalid(what, place=str(path), remedy="set the options 'folder' and 'cache' to other directories")
    if not BRIDGE.fullmatch(bridge):
        raise Invalid(
            f"option bridge: '{bridge}' is no name for a bridge",
            place=place,
            remedy="use up to 15 lower-case letters, digits and '-'",
        )
    if suite not in SYSTEMS:
        known = ", ".join(sorted(SYSTEMS))
        raise Invalid(f"option suite: '{suite}' is not known", place=place, remedy=f"use one of: {known}")


def _network(text: str, gateway: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        network, why = None, str(error)
    else:
        why = "it has room for no host"
    if network is None or network.prefixlen > 29:
        remedy = "use an IPv4 network of /29 or larger that this host has no part of, like 10.20.30.0/24"
        raise Invalid(f"option network: '{text}' will not do: {why}", place=f"gateway {gateway}", remedy=remedy)
    return network
