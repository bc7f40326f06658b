"""Real hosts: fifty containers until all answer SSH, and deploying on 6 and 30 against a hand-written playbook.

The playbook is in the usual style for such hosts: a task a file, a unit of systemd, handlers. Both go over SSH with
pipelining and kept connections. See `deployment` for what is compared; the base of the containers is built before.
"""

from __future__ import annotations

import ipaddress
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import deployment
from adslib.adapters.gateways.registry import open_gateway
from adslib.adapters.host_keys import KnownHosts
from adslib.domain.gateway import Gateway, Order, Sighting
from adslib.domain.machine import DEFAULT_SIZES
from row import Row

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests"))
from containers import NoHosts, call, container_options

FIFTY = 50
IN_TIERS = (2, 10)
RUNS = 1
ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class Hosts(deployment.Site):
    """Containers of one contender in one repetition."""

    playbook = "hosts.yml"

    @property
    def surroundings(self) -> Mapping[str, str]:
        # The next contender's hosts have these addresses again: no kept connection of one may serve another.
        return {"ANSIBLE_PIPELINING": "true", "ANSIBLE_SSH_CONTROL_PATH_DIR": f"{self.folder}/cp"}

    @cached_property
    def gateway(self) -> Gateway:
        options = {**container_options(), "network": str(unused())}
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        return open_gateway("lxc", "hosts", options, home=home, host_keys=KnownHosts(home))

    def host(self, machine: Sighting) -> dict[str, Any]:
        return {
            "ansible_user": machine.reach.user,
            "ansible_ssh_private_key_file": machine.reach.key,
            "ansible_python_interpreter": "/usr/bin/python3",
            **machine.reach.vars,
        }


def unused() -> ipaddress.IPv4Network:
    """Addresses for fifty hosts, of those set aside for tests, that this host has no part of."""
    for number in range(256):
        network = ipaddress.ip_network(f"198.18.{(os.getpid() + number) % 256}.0/24")
        if not call("ip", "-o", "address", "show", "to", str(network)).strip():
            return network
    raise NoHosts("all of 198.18.0.0/16 is in use on this host")


def until_all_answer(count: int) -> float:
    """Seconds from the order of some hosts until each has answered over SSH.

    Raises:
        RuntimeError: one does not.
    """
    with tempfile.TemporaryDirectory(prefix="ads-hosts-") as folder:
        gateway = Hosts(Path(folder), 0).gateway
        orders = [Order(f"h{n:03}", f"host-{n:03}", DEFAULT_SIZES[0]) for n in range(count)]
        with ThreadPoolExecutor(16) as pool:
            try:
                began = time.perf_counter()
                list(pool.map(answered, pool.map(gateway.create, orders)))
                return time.perf_counter() - began
            finally:
                list(pool.map(gateway.delete, [order.id for order in orders]))


def answered(machine: Sighting) -> None:
    """Run a program on a host over SSH."""
    reach = machine.reach
    more = shlex.split(str(reach.vars.get("ansible_ssh_common_args", "")))
    words = ["ssh", "-i", reach.key, "-o", "BatchMode=yes", *more, f"{reach.user}@{reach.address}", "true"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER_SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"{machine.name} does not answer: {done.stderr}")


def measure() -> list[Row]:
    """One host and fifty, then deployments."""
    until_all_answer(1)  # builds the base
    one, fifty = until_all_answer(1), until_all_answer(FIFTY)
    rows = [Row("hosts until all answer SSH", FIFTY, fifty, "s", "one host", one)]
    for in_tier in IN_TIERS:
        rows += deployment.rows(in_tier, RUNS, Hosts)
    return rows
