"""Machines, sizes and who holds them: the vocabulary of the pool (A9, A10)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from adslib.domain.lifecycle import MachineState


@dataclass(frozen=True, slots=True)
class Size:
    """A class of machine: cores, memory in MiB, disk in GiB. Sizes are ordered by (cpu, memory, disk)."""

    name: str
    cpu: float
    memory: int
    disk: int = 0

    def holds(self, other: Size) -> bool:
        """Whether a machine of this size will do where the other is asked for."""
        return self.cpu >= other.cpu and self.memory >= other.memory and self.disk >= other.disk


def size_class(size: Size, known: Collection[Size]) -> str:
    """What users call a size: the largest of theirs that it holds, so each of theirs reaches up to the next (A10).

    Args:
        size: as a gateway reports it; a disk of 0 is one that it does not tell.

    Returns: the name; empty if it is smaller than all of them.
    """
    told = size if size.disk else replace(size, disk=max((each.disk for each in known), default=0))
    held = [each for each in known if told.holds(each)]
    return max(held, key=size_order).name if held else ""


def size_order(size: Size) -> tuple[float, int, int]:
    """What sizes are sorted by, the smallest first."""
    return size.cpu, size.memory, size.disk


DEFAULT_SIZES = (
    Size("small", 1, 1024, 10),
    Size("medium", 2, 4096, 40),
    Size("large", 8, 16384, 160),
)


class Connection(StrEnum):
    SSH = "ssh"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Reach:
    """How Ansible reaches a machine. Holds the path of a key, never its contents, and no password.

    Args:
        connection: `ssh`, or `local` for machines that are directories of this host.
        address: what to connect to.
        port: TCP port. user: login name; empty: Ansible's default.
        become: become method, empty: none. key: path of a private key file on the controller.
        root: directory that is the machine's file system (`ads_root`); empty: the machine has its own `/`.
        python: interpreter; empty: Ansible finds it.
        vars: further Ansible connection variables (from an imported inventory).
    """

    connection: Connection = Connection.SSH
    address: str = ""
    port: int = 22
    user: str = ""
    become: str = ""
    key: str = ""
    root: str = ""
    python: str = ""
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Machine:
    """Anything that ads can deploy on.

    Args:
        id: stable identity, made once (26 characters, sortable by time); gateways tag what they make with it.
        name: unique in the store; the inventory's host name.
        gateway: name of the gateway it came from.
        ref: what the gateway calls it; empty while it is not made yet.
        kind: `process`, `container`, `vm`, `metal`.
        capabilities: what roles may use there: `packages`, `systemd`.
        made: ads made it at its gateway and deletes it on undeploy; otherwise it returns to the pool.
        holder: name of the environment that holds it; empty: free.
        reason: why it is in its state (for `failed`).
        generation: matched in every UPDATE; counts changes.
        on_request: nobody is handed it who does not ask for it by name: it was found, and others may use it.
        idle_since: when it was last given back or made as a spare; None: it is held, or nobody knows.
    """

    id: str
    name: str
    gateway: str
    ref: str = ""
    state: MachineState = MachineState.RUNNING
    kind: str = ""
    size: Size = Size("", 0, 0)
    os: str = ""
    location: str = ""
    image: str = ""
    reach: Reach = Reach()
    capabilities: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    made: bool = False
    holder: str = ""
    reason: str = ""
    tenant: str = "default"
    generation: int = 0
    on_request: bool = False
    idle_since: datetime | None = None


class Availability(StrEnum):
    """The pool's view of a machine (A10)."""

    AVAILABLE = "available"
    PARTLY = "partly available"
    UNAVAILABLE = "unavailable"
    DEPLOYED = "deployed"
    ON_REQUEST = "on request"
    QUARANTINED = "quarantined"
