"""What a gateway – where machines come from – offers and is asked (A8, A9).

Every connector implements the protocol `Gateway`; one contract suite runs over all of them. An operation that a
gateway does not declare is refused with `Unsupported` before anything is done.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf
from typing import Protocol

from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine, Reach, Size


class Capability(StrEnum):
    CREATE = "create"
    DELETE = "delete"
    START = "start"
    STOP = "stop"
    REBOOT = "reboot"
    SNAPSHOTS = "snapshots"
    TEMPLATES = "templates"
    UPLOAD = "upload"
    CAPTURE = "capture"
    NOTIFY = "notify"
    ADDRESS = "address"
    """`templates`: it keeps instance templates; `upload`: it takes them as files; `capture`: it makes them of machines.

    `address`: it takes an address that it is given; others report one.
    """


@dataclass(frozen=True, slots=True)
class Order:
    """A machine to be made. `id` is the tag by which the gateway knows what it already made for this order."""

    id: str
    name: str
    size: Size
    os: str = ""
    image: str = ""
    location: str = ""
    address: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A machine as its gateway sees it now. `id` is the order's id, empty for machines that ads did not make."""

    ref: str
    name: str
    state: MachineState
    id: str = ""
    kind: str = ""
    size: Size = Size("", 0, 0)
    os: str = ""
    location: str = ""
    image: str = ""
    reach: Reach = Reach()
    capabilities: frozenset[str] = frozenset()
    reason: str = ""


def order_of(machine: Machine, address: str = "") -> Order:
    """What a gateway is asked for, so that it makes a machine that was recorded before."""
    return Order(machine.id, machine.name, machine.size, machine.os, machine.image, machine.location, address)


def known_as(machine: Machine) -> Sighting:
    """A machine as its gateway would show it, from what the store knows."""
    return Sighting(
        ref=machine.ref,
        name=machine.name,
        state=machine.state,
        id=machine.id if machine.made else "",
        kind=machine.kind,
        size=machine.size,
        os=machine.os,
        location=machine.location,
        image=machine.image,
        reach=machine.reach,
        capabilities=machine.capabilities,
        reason=machine.reason,
    )


@dataclass(frozen=True, slots=True)
class InstanceTemplate:
    """An image that machines are made from; `size_bytes` 0 where the gateway does not tell."""

    name: str
    os: str = ""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A saved state of a machine; `taken` is ISO 8601 in UTC, empty where the gateway does not tell."""

    name: str
    ref: str
    taken: str = ""


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed up to a mark: machines as they are now, and the refs of those that are gone."""

    mark: str
    machines: tuple[Sighting, ...] = ()
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Offer:
    """What a gateway can make, for planning: read once, pure afterwards.

    Args:
        gateway: its name. kind: kind of its machines. capabilities: what roles may use on its machines.
        sizes: what it makes, smallest first. locations: where; empty: anywhere. systems: operating systems; empty: any.
        room: how many more machines it can make; None: no limit known. counted: orders whose machines it has, which
            `room` has left out already; nobody needs them where no limit is known.
        costs: of an hour by the name of the size, in the currency of all gateways; empty where nobody tells.
        images: names of the instance templates; None: nobody asked for them.
    """

    gateway: str
    kind: str
    sizes: tuple[Size, ...]
    locations: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    capabilities: frozenset[str] = frozenset()
    room: int | None = None
    costs: Mapping[str, float] = field(default_factory=dict, hash=False)
    images: frozenset[str] | None = None
    counted: frozenset[str] = frozenset()

    def beside(self, coming: Collection[str] = (), going: Collection[str] = ()) -> Offer:
        """The offer once what is under way has ended, every machine counted once, whether it is there already or not.

        Args:
            coming: ids of machines that were ordered. going: of those that are being deleted.
        """
        if self.room is None:
            return self
        return replace(self, room=self.room - len({*coming} - self.counted) + len(self.counted.intersection(going)))

    def match(self, size: Size) -> tuple[float, float, int, int]:
        """How well a size will do: of those that are large enough, the least is the best.

        The cost comes first. What nobody names a cost of is one's own where no size has one, and else the dearest.
        """
        cost = self.costs.get(size.name, inf if self.costs else 0.0)
        return cost, size.cpu, size.memory, size.disk


class Gateway(Protocol):
    """A connector. Calls may take long and may fail; they are never made inside a transaction.

    Every operation is idempotent: `create` with a known id returns what it made before, `delete` of what is gone,
    `start` of what runs and `stop` of what is stopped do nothing. Errors: `Failed` (the provider said no or did not
    answer), `NotFound` (no such ref, template or snapshot), `Unsupported`, `Invalid` (wrong size, image, name).
    """

    name: str
    kind: str
    capabilities: frozenset[Capability]

    def create(self, order: Order) -> Sighting:
        """Make and start a machine, tagged with the order's id; return it as it is."""

    def delete(self, ref: str) -> None:
        """Remove a machine with its processes, disks and snapshots."""

    def start(self, ref: str) -> Sighting:
        """Start a stopped machine."""

    def stop(self, ref: str) -> Sighting:
        """Shut a machine down; its disk stays."""

    def reboot(self, ref: str) -> Sighting:
        """Shut down and start again; what it ran at boot runs again."""

    def look(self, ref: str) -> Sighting:
        """Read the state of one machine now."""

    def machines(self) -> Sequence[Sighting]:
        """Read all machines of this gateway."""

    def offer(self) -> Offer:
        """Read what it can make: sizes, locations, systems, room."""

    def templates(self) -> Sequence[InstanceTemplate]:
        """List the instance templates, by name."""

    def upload_template(self, name: str, path: str) -> InstanceTemplate:
        """Take an instance template from a file of this host."""

    def create_template(self, ref: str, name: str) -> InstanceTemplate:
        """Make an instance template of a machine, as it is now, under a name that is free."""

    def delete_template(self, name: str) -> None:
        """Remove an instance template that no machine needs."""

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """List the snapshots of a machine, oldest first."""

    def create_snapshot(self, ref: str, name: str) -> Snapshot:
        """Save the state of a machine under a name that is free."""

    def restore_snapshot(self, ref: str, name: str) -> Sighting:
        """Bring a machine back to a snapshot; it runs afterwards if it ran before."""

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Remove a snapshot."""


class Notifying(Gateway, Protocol):
    """A gateway that declares NOTIFY tells what changed, so that nobody has to read all its machines (A10)."""

    def changes(self, since: str = "") -> Changes:
        """Tell what changed after a mark that an earlier call gave; without one: everything."""
