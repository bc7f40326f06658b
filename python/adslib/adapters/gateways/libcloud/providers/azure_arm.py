"""Azure, by its resource manager."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from libcloud.compute.base import Node, NodeAuthSSHKey
from libcloud.compute.drivers.azure_arm import AzureNodeDriver

from adslib.adapters.gateways.libcloud.choices import chosen
from adslib.adapters.gateways.libcloud.providers.standard import New, Standard
from adslib.domain.errors import Invalid


class Provider(Standard):
    """`arguments` names the resource group and the network; `subnets` are names of subnets in it.

    The public key beside `ssh_key` lets in. Images are `publisher:offer:sku:version`.
    """

    name = "Azure"

    def build(self, who: Mapping[str, str]) -> Any:
        """A driver for a region."""
        return AzureNodeDriver(**who, region=self.choices.region or None, timeout=self.choices.timeout)

    def words(self, library: Any, new: New) -> Mapping[str, Any]:
        """Disks are Azure's own, and go with their machine."""
        location = self.location(library, new.order.location) if new.order.location else None
        return {
            "auth": NodeAuthSSHKey(self._public_key()),
            "location": location,
            "ex_user_name": chosen(self.choices.user, new.order.os) or "azureuser",
            "ex_subnet": chosen(self.choices.subnets, new.order.location) or None,
            "ex_tags": dict(new.tags),
            "ex_customdata": new.told,
            "ex_use_managed_disks": True,
            "ex_disk_size": new.order.size.disk or None,
            "ex_os_disk_delete": True,
        }

    def tags(self, node: Node) -> Mapping[str, str]:
        """Its tags."""
        return dict(node.extra.get("tags") or {})

    def facts(self, node: Node) -> tuple[str, str, str]:
        """By name."""
        said = node.extra["properties"]
        made_of = said.get("storageProfile", {}).get("imageReference") or {}
        image = ":".join(str(made_of.get(part, "")) for part in ("publisher", "offer", "sku", "version"))
        return said["hardwareProfile"]["vmSize"], node.extra["location"], image

    def _public_key(self) -> str:
        path = Path(f"{self.choices.ssh_key}.pub")
        if not self.choices.ssh_key or not path.is_file():
            remedy = "set the option 'ssh_key' to a private key that has its .pub beside it"
            raise Invalid("Azure makes no machine without a public key to let in", remedy=remedy)
        return path.read_text().strip()
