"""EC2, and private clouds that speak like it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from libcloud.compute.base import NodeSize
from libcloud.compute.drivers.ec2 import VALID_EC2_REGIONS

from adslib.adapters.gateways.libcloud import trouble
from adslib.adapters.gateways.libcloud.account import Account
from adslib.adapters.gateways.libcloud.ec2.disks import Disks
from adslib.adapters.gateways.libcloud.ec2.images import Images
from adslib.adapters.gateways.libcloud.ec2.library import Library
from adslib.adapters.gateways.libcloud.ec2.machines import REFS, Machines
from adslib.adapters.gateways.libcloud.per_thread import PerThread
from adslib.adapters.gateways.libcloud.seeing import KIND, ROLES_MAY
from adslib.adapters.gateways.libcloud.sizes import Sizes
from adslib.adapters.gateways.orders import check_choice
from adslib.adapters.gateways.remote.calls import Calls
from adslib.domain.errors import AdsError
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot

C = Capability
USUAL = ("t3.micro", "t3.small", "t3.medium", "t3.large", "t3.xlarge", "t3.2xlarge")
"""The sizes that are offered where none is chosen: there are some 800, and not all run every image."""

US_EAST = "us-east-1"
LISTED: dict[str, Sequence[NodeSize]] = {}
"""The sizes of each region that was asked for. The library has them in a table, and takes 0.2 s to copy it."""


class Ec2:
    """A `Driver` over the library's for EC2.

    Args:
        account: at EC2.
    """

    kind = "libcloud"
    refs = REFS
    capabilities = frozenset({C.CREATE, C.DELETE, C.START, C.STOP, C.REBOOT, C.SNAPSHOTS, C.TEMPLATES, C.CAPTURE})

    def __init__(self, account: Account) -> None:
        choices = account.choices
        self.images = choices.images
        self._account = account
        self._region = region = choices.region or US_EAST
        check_choice("region of EC2", region, VALID_EC2_REGIONS)
        where = {"host": choices.host or None, "port": choices.port or None, "secure": choices.secure}
        self._library = PerThread(
            lambda: Library(region=region, signature_version="4", timeout=choices.timeout, **where, **account.who)
        )
        calls = Calls(account.gateway, self, account.patience)
        self._disks = Disks(self._library, calls)
        self._made = Images(account.gateway, choices.images, self._library, calls)

    def told(self, error: Exception) -> AdsError | None:
        """What an error means."""
        return trouble.told("EC2", error)

    def passing(self, error: Exception) -> bool:
        """Whether it may pass."""
        return trouble.passing(error)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def machines(self) -> Sequence[Sighting]:
        """All machines of the region."""
        return self._machines.all()

    def machine(self, ref: str) -> Sighting | None:
        """One machine."""
        return self._machines.one(ref)

    def find(self, id: str) -> Sighting | None:
        """The machine with the tag of an order."""
        return self._machines.of_order(id)

    def offer(self) -> Offer:
        """The sizes that are allowed, where there are images for them to boot."""
        self._made.check()
        zones = [location.name for location in self._library().list_locations()]
        for location in self._account.choices.locations:
            check_choice("location", location, zones)
        return Offer(
            gateway=self._account.gateway,
            kind=KIND,
            sizes=self._sizes.offered(),
            locations=self._account.choices.locations or tuple(zones),
            systems=tuple(self.images),
            capabilities=ROLES_MAY,
            costs=self._sizes.costs(),
        )

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def make(self, order: Order) -> str:
        """Make a machine, unless there is one."""
        seen = self.find(order.id)
        return seen.ref if seen else self._machines.make(order, self._made.named(order.image))

    def delete(self, ref: str) -> None:
        """Delete a machine with its disks, also those that it had before it went back to a snapshot."""
        seen = self.machine(ref)
        self._disks.sweep(ref)
        self._library().destroy_node(self._machines.node(ref))
        self._account.booting.forget(seen.id if seen else "")

    def start(self, ref: str) -> None:
        """Switch a machine on."""
        self._library().start_node(self._machines.node(ref))

    def stop(self, ref: str) -> None:
        """Shut a machine down."""
        self._library().stop_node(self._machines.node(ref))

    def reboot(self, ref: str) -> None:
        """Reboot a machine."""
        self._library().reboot_node(self._machines.node(ref))

    # ── snapshots and instance templates ─────────────────────────────────────────────────────────────

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """The snapshots of a machine."""
        return self._disks.snapshots(ref)

    def create_snapshot(self, ref: str, name: str) -> None:
        """Save the disk that a machine boots from."""
        self._disks.save(ref, name)

    def restore_snapshot(self, ref: str, name: str) -> None:
        """Exchange that disk."""
        self._disks.restore(ref, name)

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Delete a snapshot."""
        self._disks.forget(ref, name)

    def templates(self) -> Sequence[InstanceTemplate]:
        """The images that were made of machines."""
        return self._made.templates()

    def upload_template(self, name: str, path: str) -> None:
        """Nobody calls it: EC2 takes files by way of another of its services."""
        raise NotImplementedError

    def create_template(self, ref: str, name: str) -> None:
        """Make an image of a machine."""
        seen = self.machine(ref)
        self._made.make(ref, seen.os if seen else "", name)

    def delete_template(self, name: str) -> None:
        """Delete an image."""
        self._made.delete(name)

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _sizes(self) -> Sizes:
        choices = self._account.choices
        allowed = choices.sizes or dict.fromkeys(USUAL, choices.disk)
        if self._region not in LISTED:
            LISTED[self._region] = self._library().list_sizes()
        return Sizes(self._account.gateway, LISTED[self._region], allowed, choices.disk)

    @cached_property
    def _machines(self) -> Machines:
        return Machines(self._account, self._library, self._sizes)
