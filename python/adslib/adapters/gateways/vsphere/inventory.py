"""What a datacenter has: clusters that machines run on, resource pools, folders, datastores, machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pyVmomi import vim

from adslib.adapters.gateways.vsphere.access import Access
from adslib.adapters.gateways.vsphere.choices import Choices
from adslib.adapters.gateways.vsphere.guests import PATHS, Guest
from adslib.domain.errors import Invalid

MEBI = 1 << 20


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster, or a host that stands alone.

    Args:
        resource: the managed object. pools: its resource pools, by id. root: the one of all. memory: MiB.
        places: whether it finds a host for a machine itself (DRS, or there is only one).
    """

    name: str
    resource: Any
    pools: Mapping[str, Any]
    root: Any
    memory: int
    places: bool


class Inventory:
    """One datacenter.

    Args:
        access: the way to its vCenter. choices: what the options say.
    """

    def __init__(self, access: Access, choices: Choices) -> None:
        self.access = access
        self._choices = choices

    # ── machines ─────────────────────────────────────────────────────────────────────────────────────

    def guests(self) -> Sequence[Guest]:
        """All machines and templates."""
        found = self.access.read(vim.VirtualMachine, PATHS, self.datacenter)
        return [Guest.seen(vm, told) for vm, told in found.items() if told]

    def guest(self, ref: str) -> Guest | None:
        """One machine; None if there is none."""
        vm = self.access.machine(ref)
        told = self.access.look(vm, PATHS)
        guest = Guest.seen(vm, told) if told else None
        return None if guest is None or guest.is_template else guest

    def location(self, guest: Guest) -> str:
        """The name of the cluster that a machine runs on; empty: it cannot be told."""
        return next((name for name, cluster in self.clusters.items() if guest.pool in cluster.pools), "")

    # ── where machines go ────────────────────────────────────────────────────────────────────────────

    @cached_property
    def datacenter(self) -> Any:
        """The datacenter of the option, or the only one.

        Raises:
            Invalid: there is none, or several.
        """
        found = {told["name"]: each for each, told in self.access.read(vim.Datacenter, ["name"]).items()}
        if not self._choices.datacenter and len(found) == 1:
            return next(iter(found.values()))
        return self._named("datacenter", self._choices.datacenter, found)

    @cached_property
    def clusters(self) -> Mapping[str, Cluster]:
        """All clusters by name, in order."""
        paths = ["name", "resourcePool", "summary.totalMemory", "configurationEx"]
        found = self.access.read(vim.ComputeResource, paths, self.datacenter)
        owned = self.access.read(vim.ResourcePool, ["owner"], self.datacenter)
        clusters = {}
        for resource, told in sorted(found.items(), key=lambda both: both[1]["name"]):
            pools = {pool._moId: pool for pool, seen in owned.items() if seen.get("owner") == resource}
            balanced = getattr(told.get("configurationEx"), "drsConfig", None)
            clusters[told["name"]] = Cluster(
                name=told["name"],
                resource=resource,
                pools=pools,
                root=told["resourcePool"],
                memory=told.get("summary.totalMemory", 0) // MEBI,
                places=balanced is None or bool(balanced.enabled),
            )
        return clusters

    def usable(self) -> Mapping[str, Cluster]:
        """The clusters that the options allow.

        Raises:
            Invalid: the option names one that there is not.
        """
        return {name: self._named("location", name, self.clusters) for name in self._choices.locations or self.clusters}

    def pool(self, cluster: Cluster) -> Any:
        """The resource pool for new machines of a cluster."""
        if not self._choices.pool:
            return cluster.root
        names = {pool: self.access.look(pool, ["name"]) or {} for pool in cluster.pools.values()}
        return self._named("pool", self._choices.pool, {told.get("name", ""): pool for pool, told in names.items()})

    def folder(self) -> Any:
        """The folder for new machines and templates."""
        at = (self.access.look(self.datacenter, ["vmFolder"]) or {})["vmFolder"]
        for name in filter(None, self._choices.folder.split("/")):
            inner = self.access.content.searchIndex.FindChild(at, name)
            if not isinstance(inner, vim.Folder):
                remedy = "write it as vCenter shows it below the datacenter, like lab/machines"
                what = f"option folder: there is no folder '{name}' in '{self._choices.folder}'"
                raise Invalid(what, place=f"gateway {self._choices.name}", remedy=remedy)
            at = inner
        return at

    def datastore(self) -> Any:
        """The datastore for new machines; None: where their template lies."""
        if not self._choices.datastore:
            return None
        found = self.access.read(vim.Datastore, ["name"], self.datacenter)
        return self._named("datastore", self._choices.datastore, {told["name"]: each for each, told in found.items()})

    def host(self, cluster: Cluster) -> Any:
        """The host for a new machine: the one with the most memory left; None: the cluster finds one."""
        if cluster.places:
            return None
        paths = ["runtime.connectionState", "runtime.inMaintenanceMode", "summary.quickStats", "summary.hardware"]
        found = self.access.read(vim.HostSystem, paths, cluster.resource)
        left = {
            host: (told["summary.hardware"].memorySize >> 20) - (told["summary.quickStats"].overallMemoryUsage or 0)
            for host, told in found.items()
            if told.get("runtime.connectionState") == "connected" and not told.get("runtime.inMaintenanceMode")
        }
        return max(left, key=left.__getitem__, default=None)

    def _named(self, option: str, name: str, known: Mapping[str, Any]) -> Any:
        if name in known:
            return known[name]
        what = f"there is no {option} '{name}'" if name else f"option {option} is missing"
        remedy = f"there are: {', '.join(sorted(known)) or 'none'}"
        raise Invalid(what, place=f"gateway {self._choices.name}", remedy=remedy)
