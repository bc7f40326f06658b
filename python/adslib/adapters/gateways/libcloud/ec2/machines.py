"""Machines at EC2, and clouds that speak like it: found by tags, made once."""

from __future__ import annotations

import base64
import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from libcloud.common.exceptions import BaseHTTPError
from libcloud.compute.base import Node, NodeImage
from libcloud.compute.types import NodeState

from adslib.adapters.gateways.libcloud.account import Account
from adslib.adapters.gateways.libcloud.choices import chosen
from adslib.adapters.gateways.libcloud.ec2.library import Library
from adslib.adapters.gateways.libcloud.per_thread import PerThread
from adslib.adapters.gateways.libcloud.seeing import DISK, GATEWAY, ID, OS
from adslib.adapters.gateways.libcloud.sizes import Sizes
from adslib.adapters.gateways.libcloud.trouble import code_of
from adslib.domain.gateway import Order, Sighting
from adslib.domain.lifecycle import MachineState

REFS = re.compile(r"i-[0-9a-f]{8,32}")
THERE = ["pending", "running", "stopping", "stopped", "shutting-down"]
STATES: Mapping[str, tuple[MachineState, str]] = {
    "pending": (MachineState.CREATING, ""),
    "running": (MachineState.RUNNING, ""),
    "stopping": (MachineState.UNKNOWN, "it is shutting down"),
    "stopped": (MachineState.STOPPED, ""),
    "shutting-down": (MachineState.DELETING, ""),
}
USED_UP = "IdempotentInstanceTerminated"
"""What EC2 says of a client token whose machine was deleted."""


@dataclass(frozen=True, slots=True)
class Machines:
    """The machines of one region.

    Args:
        account: at EC2. library: gives a driver. sizes: known of the region.
        begun: those that were made just now: EC2 may not find them yet, and they may end before they ever run.
    """

    account: Account
    library: PerThread[Library]
    sizes: Sizes
    begun: dict[str, Node] = field(default_factory=dict)

    def all(self) -> Sequence[Sighting]:
        """All that there are."""
        return [self._seen(node) for node in self._nodes({"instance-state-name": THERE})]

    def one(self, ref: str) -> Sighting | None:
        """One of them; one that ended while it was being made has failed, with EC2's reason."""
        begun = self.begun.get(ref)
        found = self._nodes({"instance-id": ref})
        if not found:
            return self._seen(begun) if begun else None
        if found[0].extra["status"] in STATES:
            self.begun.pop(ref, None)
            return self._seen(found[0])
        reason = found[0].extra["reason"] or "EC2 ended it at once"
        return replace(self._seen(begun), state=MachineState.FAILED, reason=reason) if begun else None

    def of_order(self, id: str) -> Sighting | None:
        """The one that was made for an order, the oldest if somebody made more."""
        found = self._nodes(
            {f"tag:{GATEWAY}": self.account.gateway, f"tag:{ID}": id, "instance-state-name": THERE[:-1]}
        )
        return self._seen(min(found, key=lambda node: (str(node.created_at), node.id))) if found else None

    def make(self, order: Order, image: NodeImage) -> str:
        """Begin to make one. Its host key is pinned before it can answer."""
        told = self.account.booting.told(order.id)
        system = order.os or image.extra["tags"].get(OS, "")
        words = {
            "ImageId": image.id,
            "InstanceType": order.size.name,
            **self._place(order.location),
            **self._disk(order, image),
            **({"UserData": base64.b64encode(told.encode()).decode()} if told else {}),
        }
        tags = {"Name": order.name, **self.account.eyes.tags(order, system)}
        gone = self._nodes(
            {f"tag:{GATEWAY}": self.account.gateway, f"tag:{ID}": order.id, "instance-state-name": "terminated"}
        )
        # EC2 remembers a client token longer than its machine, so one that is made again needs another.
        tokens = (
            sha256(f"{self.account.gateway}/{order.id}/{number}".encode()) for number in itertools.count(len(gone))
        )
        node = next(filter(None, (self._run({**words, "ClientToken": token.hexdigest()}, tags) for token in tokens)))
        self.begun[node.id] = node
        return str(node.id)

    def node(self, ref: str) -> Node:
        """What the library wants to be given for a machine."""
        return Node(ref, "", NodeState.UNKNOWN, [], [], self.library())

    def _ours(self, id: str) -> dict[str, str]:
        return {f"tag:{GATEWAY}": self.account.gateway, f"tag:{ID}": id}

    def _nodes(self, filters: Mapping[str, str | list[str]]) -> list[Node]:
        return self.library().describe_instances(filters)

    def _run(self, words: Mapping[str, str], tags: Mapping[str, str]) -> Node | None:
        """A new machine; None if the client token is used up."""
        try:
            return self.library().run_instances(words, tags)
        except BaseHTTPError as error:
            if code_of(error) != USED_UP:
                raise
            return None

    def _seen(self, node: Node) -> Sighting:
        extra = node.extra
        state, reason = STATES[extra["status"]]
        disk = extra["tags"].get(DISK, "")
        size = self.sizes.seen(extra["instance_type"], int(disk) if disk.isdigit() else 0)
        where = {"location": extra["availability"] or "", "image": extra["image_id"] or ""}
        return self.account.eyes.sighting(node, state, extra["tags"], size, reason=reason, **where)

    # ── what EC2 is told ─────────────────────────────────────────────────────────────────────────────

    def _place(self, location: str) -> dict[str, str]:
        mine = self.account.choices
        location = location or next(iter((*mine.locations, *(name for name, text in mine.subnets.items() if text))), "")
        subnet = chosen(mine.subnets, location)
        words = {"KeyName": mine.key_name, "Placement.AvailabilityZone": location}
        # A public address can be asked for only of a network card, which then has the subnet and the groups.
        card = "NetworkInterface.1." if mine.public and subnet else ""
        if card:
            words |= {f"{card}DeviceIndex": "0", f"{card}AssociatePublicIpAddress": "true"}
        words[f"{card}SubnetId"] = subnet
        for number, group in enumerate(mine.security_groups, 1):
            words[f"{card}SecurityGroup{'Id' if group.startswith('sg-') else ''}.{number}"] = group
        return {name: text for name, text in words.items() if text}

    def _disk(self, order: Order, image: NodeImage) -> dict[str, str]:
        """A disk of the size that was ordered, and deleted with its machine."""
        mapped = image.extra["block_device_mapping"]
        if not mapped or not order.size.disk:
            return {}
        root = "BlockDeviceMapping.1."
        size = {f"{root}Ebs.VolumeSize": str(order.size.disk), f"{root}Ebs.DeleteOnTermination": "true"}
        return {f"{root}DeviceName": mapped[0]["device_name"], **size}
