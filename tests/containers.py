"""Containers for tests: where they can be had here, and options that keep each gateway of a test to itself."""

from __future__ import annotations

import ipaddress
import itertools
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from hashlib import sha256
from pathlib import Path
from typing import Any

from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.lxc.foundations import Foundations
from adslib.adapters.gateways.lxc.limits import GROUPS
from adslib.adapters.gateways.lxc.network import OWNERS

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "build" / "hosts"
TOOLS = ("lxc", "mmdebstrap", "nftables")
"""Debian packages that make containers."""

NETWORKS = ipaddress.ip_network("198.19.0.0/16")
"""Addresses set aside for tests of networks (RFC 2544): nobody's real host is there."""
BLOCK = 28
"""Length of the smallest networks that are chosen of them."""

NUMBERS = itertools.count()


class NoHosts(Exception):
    """This machine cannot make containers; the text says why."""


def call(*words: str) -> str:
    """Run a program and give its output.

    Raises:
        NoHosts: it failed; with its last words.
    """
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoHosts(f"{' '.join(words)} failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    return done.stdout


@contextmanager
def one_at_a_time(what: str) -> Iterator[None]:
    """Keep other processes of tests waiting meanwhile."""
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{what}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def need(*packages: str) -> None:
    """Have Debian packages installed.

    Raises:
        NoHosts: they are missing and cannot be installed.
    """
    with one_at_a_time("packages"):
        call(sys.executable, str(ROOT / "tools" / "debian_packages.py"), *packages)


def container_options(**more: str) -> Mapping[str, Any]:
    """Options of a gateway of containers that no other has; what killed tests left behind is removed first.

    What its containers stand on is there: to build it may take minutes, which no test counts with.

    Args:
        more: options that are other than usual.

    Raises:
        NoHosts: there can be no containers here.
    """
    if os.geteuid() != 0:
        raise NoHosts("containers need root")
    need(*TOOLS)
    sweep()
    network = unused_network()
    bridge = f"adst{os.getpid()}x{next(NUMBERS)}"
    # The packages are those that hosts of the RPM family need, so that all tests share one foundation.
    options = {"cache": str(KEPT), "packages": "rpm,dnf", "bridge": bridge, "network": str(network), "grace": 3, **more}
    packages = tuple(filter(None, str(options["packages"]).split(",")))
    Foundations(KEPT, str(options.get("suite", "bookworm")), "", packages).ready()
    return options


def unused_network(length: int = BLOCK) -> ipaddress.IPv4Network:
    """Addresses that this host has no part of, and that no other process of tests is given while this one lives.

    Args:
        length: of the prefix.
    """
    every = 1 << (length - NETWORKS.prefixlen)
    for number in range(every):
        first = int(NETWORKS[0]) + (1 << 32 - length) * ((8 * os.getpid() + next(NUMBERS) + number) % every)
        network = ipaddress.IPv4Network((first, length))
        if not call("ip", "-o", "address", "show", "to", str(network)).strip() and hold(network):
            return network
    raise NoHosts(f"all of {NETWORKS} is in use on this host")


def hold(network: ipaddress.IPv4Network) -> bool:
    """Keep a network from other processes until this one ends; tells whether nobody held any of it.

    No address of it is seen on this host before its first machine starts.
    """
    marks = {socket.socket(socket.AF_UNIX): block for block in network.subnets(new_prefix=BLOCK)}
    try:
        for mark, block in marks.items():
            mark.bind(f"\0ads-tests-network-{block}")
    except OSError:
        for mark in marks:
            mark.close()
        return False
    for mark in marks:
        mark.detach()  # the kernel keeps the name from others until this process ends
    return True


def sweep() -> None:
    """Delete the containers of test processes that were killed, with their bridges."""
    with one_at_a_time("sweep"):
        for owner in OWNERS.glob("adst*") if OWNERS.exists() else ():
            found = re.fullmatch(r"adst(\d+)x\d+", owner.name)
            if found and not Path("/proc", found[1]).exists():
                folder = Path(owner.read_text())
                options = {"folder": str(folder), "bridge": owner.name, "cache": str(KEPT), "grace": 0}
                gateway = open_gateway("lxc", "left", options, home=folder)
                for machine in gateway.machines():
                    gateway.delete(machine.ref)


def found(folder: Path, bridge: str) -> list[str]:
    """All that this host has for the containers of a gateway: bridge, rules, control groups, processes, mounts."""
    mark = f"ads-{sha256(str(folder).encode()).hexdigest()[:8]}-"
    groups = [str(path) for path in [*GROUPS.glob(f"*/{mark}*"), *GROUPS.glob(f"{mark}*")]]
    # One that has ended and waits for its parent to hear of it has no command line.
    lines = {place: read(place / "cmdline") for place in Path("/proc").glob("[0-9]*")}
    processes = [f"{place} {line}" for place, line in lines.items() if line and mark in read(place / "cgroup") + line]
    mounts = [line for line in read(Path("/proc/mounts")).splitlines() if str(folder) in line]
    interfaces = [path.name for path in Path("/sys/class/net").iterdir() if path.name == bridge]
    tables = [line for line in call("nft", "list", "tables").splitlines() if bridge in line]
    owners = [path.name for path in OWNERS.iterdir() if path.name == bridge] if OWNERS.exists() else []
    return [*groups, *processes, *mounts, *interfaces, *tables, *owners]


def read(path: Path) -> str:
    """A file that may be gone by now."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""
