"""Machines on this host: directories with an address, an init and processes of their own (A8, A9, A22)."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from adslib.adapters.gateways.directories import archives
from adslib.adapters.gateways.directories.addresses import Addresses
from adslib.adapters.gateways.directories.directory import Directory, Record
from adslib.adapters.gateways.directories.gateway import DirectoryGateway, Parts
from adslib.adapters.gateways.directories.machines import Machines
from adslib.adapters.gateways.directories.system import system_of
from adslib.adapters.gateways.local.addresses import LOOPBACK, checked
from adslib.adapters.gateways.local.control import Control
from adslib.adapters.gateways.local.looking import Eyes
from adslib.adapters.gateways.local.templates import MINIMAL, Templates
from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.errors import Invalid
from adslib.domain.gateway import Gateway

HOST = ipaddress.IPv4Network("127.0.0.0/24")
NETWORK = "127.64.0.0/10"
CLAIMS = "/tmp/ads-loopback"
# supervisord reads these in paths of its configuration: as expansions, patterns and comments.
UNFIT = re.compile(r"[%*?\[\];\x00-\x1f\x7f]")


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open the gateway. Options: docs/gateways.md.

    Raises:
        Invalid: an option is wrong, or the home's path cannot be used.
    """
    read = Options(name, options)
    network = read.text("network", NETWORK)
    limit = read.whole("limit", 200)
    grace = read.number("grace", 6, most=600)
    locations = read.names("locations")
    claims = read.text("claims", CLAIMS)
    runtime = read.text("runtime", f"/tmp/ads-{os.geteuid()}")
    read.finish()
    home = around.home.resolve()
    unfit = UNFIT.search(str(home))
    if unfit:
        raise Invalid(
            f"local machines cannot lie below a path with {unfit[0]!r} in it",
            place=str(home),
            remedy="set ADS_HOME to another directory",
        )
    templates = Templates(home / "templates", system_of())
    control = Control(Path(runtime), grace)

    def furnish(machine: Directory, record: Record) -> None:
        templates.unfold(record.image, machine.root)

    machines = Machines(
        gateway=name,
        noun="local machine",
        place=home / "machines",
        os=templates.os,
        image=MINIMAL,
        limit=limit,
        addresses=Addresses(Path(claims), _network(network, name), checked),
        furnish=furnish,
    )
    parts = Parts(
        machines=machines,
        control=control,
        eyes=Eyes(control),
        templates=templates,
        pack=archives.pack,
        unpack=partial(archives.unpack, own=True),
        sizes=around.sizes,
        locations=locations,
    )
    return DirectoryGateway("local", parts)


def _network(text: str, gateway: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError:
        network = ipaddress.IPv4Network("0.0.0.0/0")
    if not network.subnet_of(LOOPBACK) or network.overlaps(HOST):
        raise Invalid(
            f"option network: '{text}' will not do",
            place=f"gateway {gateway}",
            remedy=f"use a network of {LOOPBACK} without {HOST}, like {NETWORK}",
        )
    return network
