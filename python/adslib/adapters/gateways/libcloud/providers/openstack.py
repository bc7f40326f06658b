"""OpenStack: Nova, with Glance for images and Neutron for networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from libcloud.compute.base import Node, NodeImage
from libcloud.compute.drivers.openstack import OpenStack_2_NodeDriver, OpenStackNetwork, OpenStackSecurityGroup

from adslib.adapters.gateways.libcloud.choices import chosen
from adslib.adapters.gateways.libcloud.providers.standard import New, Standard


class Provider(Standard):
    """`subnets` are ids of networks there, and `locations` availability zones, which the library does not list."""

    name = "OpenStack"
    saves = True

    def build(self, who: Mapping[str, str]) -> Any:
        """A driver for the newest interface that the library knows; its endpoints are in Keystone's catalogue."""
        region = {"ex_force_service_region": self.choices.region} if self.choices.region else {}
        url = who["ex_force_auth_url"].rstrip("/").removesuffix("/v3")
        said = {**who, **region, "ex_force_auth_url": url}
        return OpenStack_2_NodeDriver(**said, timeout=self.choices.timeout)

    def locations(self, library: Any) -> Sequence[str]:
        """Those that the user knows."""
        return self.choices.locations

    def words(self, library: Any, new: New) -> Mapping[str, Any]:
        """Metadata are the tags."""
        mine, location = self.choices, new.order.location
        network = chosen(mine.subnets, location)
        groups = [OpenStackSecurityGroup(None, None, name, "", library) for name in mine.security_groups]
        return {
            "ex_metadata": dict(new.tags),
            "ex_userdata": new.told or None,
            "ex_keyname": mine.key_name or None,
            "ex_availability_zone": location or None,
            "ex_security_groups": groups,
            "networks": [OpenStackNetwork(network, network, None, library)] if network else [],
        }

    def tags(self, node: Node) -> Mapping[str, str]:
        """The metadata."""
        return dict(node.extra["metadata"])

    def facts(self, node: Node) -> tuple[str, str, str]:
        """By ids; newer ones tell the name of the size."""
        flavor = node.extra.get("flavor_details") or {}
        size = node.extra.get("flavorId") or flavor.get("original_name") or ""
        return size, node.extra.get("availability_zone") or "", node.extra.get("imageId") or ""

    def restore(self, library: Any, node: Node, image: NodeImage) -> None:
        """Rebuild it. The library's own method would take the metadata away, and names a size, which is refused."""
        library._node_action(node, "rebuild", imageRef=image.id)

    def saved(self, image: NodeImage) -> bool:
        """Whether Glance has all of it."""
        return str(image.extra["status"]).lower() == "active"
