"""Azure, by its resource manager."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
        if not self.choices.region:
            raise Invalid("which region of Azure is not said", remedy="set the option 'region', such as westeurope")
        return AzureNodeDriver(**who, region=self.choices.region, timeout=self.choices.timeout)

    def locations(self, library: Any) -> Sequence[str]:
        """The region, by the name that machines have it by."""
        return (self.choices.region,)

    def words(self, library: Any, new: New) -> Mapping[str, Any]:
        """Disks are Azure's own, and go with their machine."""
        return {
            "auth": NodeAuthSSHKey(self._public_key()),
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
