"""Any provider, by what the library's drivers have in common and little that is a provider's own."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property

from libcloud.compute.base import Node, NodeImage, NodeSize
from libcloud.compute.types import NodeState

from adslib.adapters.gateways.libcloud import trouble
from adslib.adapters.gateways.libcloud.account import Account
from adslib.adapters.gateways.libcloud.per_thread import PerThread
from adslib.adapters.gateways.libcloud.providers.standard import New, Standard
from adslib.adapters.gateways.libcloud.seeing import DISK, GATEWAY, ID, KIND, ROLES_MAY
from adslib.adapters.gateways.libcloud.sizes import Sizes
from adslib.adapters.gateways.orders import check_choice
from adslib.adapters.gateways.remote.calls import Calls
from adslib.domain.errors import AdsError, Invalid
from adslib.domain.gateway import Capability, InstanceTemplate, Offer, Order, Sighting, Snapshot
from adslib.domain.lifecycle import MachineState

C = Capability
ACTING = frozenset({C.CREATE, C.DELETE, C.START, C.STOP, C.REBOOT})
SAVING = frozenset({C.SNAPSHOTS, C.TEMPLATES, C.CAPTURE})
STATES: Mapping[NodeState, MachineState] = {
    NodeState.RUNNING: MachineState.RUNNING,
    NodeState.PENDING: MachineState.CREATING,
    NodeState.STARTING: MachineState.CREATING,
    NodeState.STOPPED: MachineState.STOPPED,
    NodeState.PAUSED: MachineState.STOPPED,
    NodeState.SUSPENDED: MachineState.STOPPED,
    NodeState.ERROR: MachineState.FAILED,
}
GONE = NodeState.TERMINATED


class Plain:
    """A `Driver` over the library's driver for a provider.

    Images that are made of machines are known by their names: not every provider has tags for them.

    Args:
        account: at the provider. provider: what it has of its own.
    """

    kind = "libcloud"
    refs = re.compile(r"[/\w][\w.:/-]{0,250}")

    def __init__(self, account: Account, provider: Standard) -> None:
        self.images = account.choices.images
        self.capabilities = ACTING | (SAVING if provider.saves else frozenset())
        self._account, self._provider = account, provider
        self._library = PerThread(lambda: provider.build(account.who))
        self._calls = Calls(account.gateway, self, account.patience)

    def told(self, error: Exception) -> AdsError | None:
        """What an error means."""
        return trouble.told(self._provider.name, error)

    def passing(self, error: Exception) -> bool:
        """Whether it may pass."""
        return trouble.passing(error)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def machines(self) -> Sequence[Sighting]:
        """All machines."""
        return [self._seen(node) for node in self._nodes()]

    def machine(self, ref: str) -> Sighting | None:
        """One machine, out of all: not every driver can ask for one."""
        return next((self._seen(node) for node in self._nodes() if str(node.id) == ref), None)

    def find(self, id: str) -> Sighting | None:
        """The machine with the tag of an order."""
        ours = {GATEWAY: self._account.gateway, ID: id}.items()
        return next((self._seen(node) for node in self._nodes() if ours <= self._provider.tags(node).items()), None)

    def offer(self) -> Offer:
        """What the provider lists, as far as its user allows it."""
        library = self._library()
        for os, id in self.images.items():
            self._check_image(os, id)
        places = tuple(self._provider.locations(library))
        for location in self._account.choices.locations:
            check_choice("location", location, places)
        return Offer(
            gateway=self._account.gateway,
            kind=KIND,
            sizes=self._sizes.offered(),
            locations=self._account.choices.locations or places,
            systems=tuple(self.images),
            capabilities=ROLES_MAY,
            costs=self._sizes.costs(),
        )

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def make(self, order: Order) -> str:
        """Make a machine, unless there is one."""
        seen = self.find(order.id)
        if seen:
            return seen.ref
        library = self._library()
        image, os = self._image_of(order.image)
        new = New(order, self._account.eyes.tags(order, order.os or os), self._account.booting.told(order.id))
        return str(self._provider.make(library, new, self._sizes.named(order.size.name), image).id)

    def delete(self, ref: str) -> None:
        """Delete a machine; its disks go with it where the provider does so."""
        node = self._node(ref)
        self._library().destroy_node(node)
        self._account.booting.forget(self._provider.tags(node).get(ID, ""))

    def start(self, ref: str) -> None:
        """Switch a machine on."""
        self._provider.start(self._library(), self._node(ref))

    def stop(self, ref: str) -> None:
        """Shut a machine down."""
        self._provider.stop(self._library(), self._node(ref))

    def reboot(self, ref: str) -> None:
        """Reboot a machine."""
        self._library().reboot_node(self._node(ref))

    # ── snapshots and instance templates ─────────────────────────────────────────────────────────────

    def snapshots(self, ref: str) -> Sequence[Snapshot]:
        """The images that were saved of a machine."""
        words = (name.split(" ") for name in self._saved() if name.startswith(f"ads-snapshot {ref} "))
        return sorted((Snapshot(name, ref, taken) for _, _, taken, name in words), key=lambda each: each.taken)

    def create_snapshot(self, ref: str, name: str) -> None:
        """Save an image of a machine."""
        taken = datetime.now(UTC).isoformat(timespec="microseconds")
        self._save(ref, f"ads-snapshot {ref} {taken} {name}")

    def restore_snapshot(self, ref: str, name: str) -> None:
        """Give a machine the disk that was saved."""
        self._provider.restore(self._library(), self._node(ref), self._snapshot(ref, name))

    def delete_snapshot(self, ref: str, name: str) -> None:
        """Delete the image."""
        self._library().delete_image(self._snapshot(ref, name))

    def templates(self) -> Sequence[InstanceTemplate]:
        """The images that were made of machines."""
        begin = self._template("")
        words = (name.removeprefix(begin).split(" ") for name in self._saved() if name.startswith(begin))
        return [InstanceTemplate(name, os) for name, os in words]

    def upload_template(self, name: str, path: str) -> None:
        """Nobody calls it: the library has no such call."""
        raise NotImplementedError

    def create_template(self, ref: str, name: str) -> None:
        """Make an image of a machine; its name says the operating system, too."""
        seen = self.machine(ref)
        self._save(ref, self._template(f"{name} {seen.os if seen else ''}"))

    def delete_template(self, name: str) -> None:
        """Delete an image."""
        self._library().delete_image(self._image_of(name)[0])

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def _sizes(self) -> Sizes:
        choices = self._account.choices
        listed: Sequence[NodeSize] = self._library().list_sizes()
        return Sizes(self._account.gateway, listed, choices.sizes, choices.disk)

    def _nodes(self) -> list[Node]:
        return [node for node in self._library().list_nodes() if node.state != GONE]

    def _node(self, ref: str) -> Node:
        return next(node for node in self._nodes() if str(node.id) == ref)

    def _seen(self, node: Node) -> Sighting:
        tags = self._provider.tags(node)
        size, location, image = self._provider.facts(node)
        disk = tags.get(DISK, "")
        seen = self._sizes.seen(size, int(disk) if disk.isdigit() else 0)
        state = STATES.get(node.state, MachineState.UNKNOWN)
        reason = "" if state in STATES.values() else f"it is {node.state}"
        return self._account.eyes.sighting(node, state, tags, seen, location=location, image=image, reason=reason)

    def _check_image(self, os: str, id: str) -> None:
        try:
            self._provider.image(self._library(), id)
        except Exception as error:
            if trouble.status_of(error) != 404:
                raise
            told = f"there is no image '{id}' for {os}"
            place = f"gateway {self._account.gateway}"
            raise Invalid(told, place=place, remedy="set the option 'images' to what there is") from error

    def _image_of(self, name: str) -> tuple[NodeImage, str]:
        """An image by our name for it, and its operating system."""
        if name in self.images:
            return self._provider.image(self._library(), self.images[name]), name
        begin = self._template(f"{name} ")
        found = (
            (image, known.removeprefix(begin)) for known, image in self._saved().items() if known.startswith(begin)
        )
        return next(found)

    def _template(self, name: str) -> str:
        return f"ads-template {self._account.gateway} {name}"

    def _snapshot(self, ref: str, name: str) -> NodeImage:
        begin, end = f"ads-snapshot {ref} ", f" {name}"
        return next(each for known, each in self._saved().items() if known.startswith(begin) and known.endswith(end))

    def _saved(self) -> Mapping[str, NodeImage]:
        """The images that we made, by name."""
        images = self._library().list_images()
        return {image.name: image for image in images if (image.name or "").startswith("ads-")}

    def _save(self, ref: str, name: str) -> None:
        self._provider.save(self._library(), self._node(ref), name)
        self._calls.awaited(
            lambda: self._saved().get(name),
            lambda image: image is not None and self._provider.saved(image),
            f"image '{name}' was not made",
        )
