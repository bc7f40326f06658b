"""DigitalOcean."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from libcloud.compute.base import Node
from libcloud.compute.drivers.digitalocean import DigitalOceanNodeDriver

from adslib.adapters.gateways.libcloud.providers.standard import New, Standard


class Provider(Standard):
    """Tags there are words, so ours are `key:value`, with `::` for a dot. `key_name` is the fingerprint of a key."""

    name = "DigitalOcean"

    def build(self, who: Mapping[str, str]) -> Any:
        """A driver."""
        driver = DigitalOceanNodeDriver(who["key"])
        driver.connection.timeout = self.choices.timeout
        return driver

    def words(self, library: Any, new: New) -> Mapping[str, Any]:
        """The location must be said."""
        tags = [f"{key}:{value.replace('.', '::')}" for key, value in new.tags.items()]
        keys = [self.choices.key_name] if self.choices.key_name else []
        return {
            "location": self.location(library, new.order.location),
            "ex_user_data": new.told or None,
            "ex_create_attr": {"tags": tags, "ssh_keys": keys},
        }

    def tags(self, node: Node) -> Mapping[str, str]:
        """Those that have a key."""
        words = (tag.partition(":") for tag in node.extra.get("tags") or () if ":" in tag)
        return {key: value.replace("::", ".") for key, _, value in words}

    def facts(self, node: Node) -> tuple[str, str, str]:
        """By slug, name and id."""
        image = node.extra.get("image") or {}
        known_as = image.get("slug") if image.get("slug") in self.choices.images.values() else image.get("id")
        return node.extra.get("size_slug") or "", node.extra.get("region") or "", str(known_as or "")

    def start(self, library: Any, node: Node) -> None:
        """The library has it under a name of its own."""
        library.ex_power_on_node(node)

    def stop(self, library: Any, node: Node) -> None:
        """Likewise. A droplet that is off costs what it did."""
        library.ex_shutdown_node(node)
