"""What a machine of a provider is in our words; what the provider cannot know it is told as tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from adslib.adapters.gateways.libcloud.choices import Choices
from adslib.adapters.gateways.surroundings import HostKeys
from adslib.domain.gateway import Order, Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Size

if TYPE_CHECKING:
    from libcloud.compute.base import Node

GATEWAY, ID, OS, IMAGE, DISK = "ads-gateway", "ads-id", "ads-os", "ads-image", "ads-disk"
"""Tags of a machine. Other gateways of the same account have machines with other values of the first."""

KIND = "vm"
ROLES_MAY = frozenset({"packages", "systemd"})
UNREACHABLE = "it has no address yet"


@dataclass(frozen=True, slots=True)
class Eyes:
    """Turns what the library shows into what we see.

    Args:
        gateway: its name. host_keys: where those of its machines are pinned.
    """

    gateway: str
    choices: Choices
    host_keys: HostKeys

    def tags(self, order: Order, os: str) -> dict[str, str]:
        """The tags of a machine that is made for an order."""
        return {GATEWAY: self.gateway, ID: order.id, OS: os, IMAGE: order.image, DISK: str(order.size.disk)}

    def address(self, node: Node) -> str:
        """Where a machine is reached; empty: nowhere yet."""
        addresses = node.public_ips if self.choices.public else node.private_ips or node.public_ips
        return str(addresses[0]) if addresses else ""

    def sighting(
        self,
        node: Node,
        state: MachineState,
        tags: Mapping[str, str],
        size: Size,
        *,
        location: str = "",
        image: str = "",
        reason: str = "",
    ) -> Sighting:
        """A machine as it is now; it is `creating` until it has an address.

        Args:
            image: the provider's id of what it was made from.
        """
        ours = tags.get(GATEWAY) == self.gateway
        id = tags.get(ID, "") if ours else ""
        address = self.address(node)
        if state is MachineState.RUNNING and not address:
            state, reason = MachineState.CREATING, UNREACHABLE
        system = next((os for os, known_as in self.choices.images.items() if known_as == image), "")
        os = tags.get(OS, "") if ours else system
        arguments = self.host_keys.arguments(id) if id and self.choices.host_keys else ""
        return Sighting(
            ref=str(node.id),
            name=node.name,
            state=state,
            id=id,
            kind=KIND,
            size=size,
            os=os,
            location=location,
            image=tags.get(IMAGE, "") if ours else system or image,
            reach=self.choices.reach(os, address, {"ansible_ssh_common_args": arguments} if arguments else {}),
            capabilities=ROLES_MAY,
            reason=reason,
        )
