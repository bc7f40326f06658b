"""Google Compute Engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libcloud.common.google import GoogleAuthType
from libcloud.compute.base import Node
from libcloud.compute.drivers.gce import GCENodeDriver

from adslib.adapters.gateways.libcloud.choices import chosen
from adslib.adapters.gateways.libcloud.providers.standard import New, Standard


class Provider(Standard):
    """Our tags are metadata there, as labels may not have dots. `subnets` are names of subnetworks."""

    name = "GCE"

    def build(self, who: Mapping[str, str]) -> Any:
        """A driver for a zone, or for all. Left to guess who asks, the library would wait for somebody to sign in."""
        zone = self.choices.region or None
        return GCENodeDriver(**who, auth_type=GoogleAuthType.SA, datacenter=zone, timeout=self.choices.timeout)

    def words(self, library: Any, new: New) -> Mapping[str, Any]:
        """Disks go with their machine, by default."""
        items = {**new.tags, **({"user-data": new.told} if new.told else {})}
        words = {
            "location": new.order.location or None,
            "ex_metadata": {"items": [{"key": key, "value": value} for key, value in items.items()]},
            "ex_disk_size": new.order.size.disk or None,
            "ex_subnetwork": chosen(self.choices.subnets, new.order.location) or None,
        }
        return words if self.choices.public else {**words, "external_ip": None}

    def tags(self, node: Node) -> Mapping[str, str]:
        """The metadata."""
        items = (node.extra.get("metadata") or {}).get("items") or ()
        return {item["key"]: item["value"] for item in items}

    def facts(self, node: Node) -> tuple[str, str, str]:
        """By name."""
        return str(node.size), str(node.extra["zone"].name), str(node.image or "")

    def image(self, library: Any, id: str) -> Any:
        """By name, part of a name, or link."""
        return library.ex_get_image(id)
