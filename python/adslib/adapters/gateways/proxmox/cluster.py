"""The guests of a cluster: listed, looked at, switched and removed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, cast

from proxmoxer import ResourceException

from adslib.adapters.gateways.proxmox.api import Api, TaskFailed, is_gone
from adslib.adapters.gateways.proxmox.forms import Config, Form

MEBI, GIBI = 1 << 20, 1 << 30


@dataclass(frozen=True, slots=True)
class Guest:
    """A machine or template of the list.

    Args:
        status: `running`, `stopped`; `unknown` if its node is silent. lock: what it is locked for, empty: nothing.
        memory: MiB. disk: GiB.
    """

    vmid: int
    node: str
    name: str
    status: str
    lock: str
    is_template: bool
    tags: frozenset[str]
    cores: int
    memory: int
    disk: int

    @classmethod
    def listed(cls, row: Mapping[str, Any]) -> Guest:
        """Read a row of the list, or the newer status of one."""
        return cls(
            vmid=int(row["vmid"]),
            node=row["node"],
            name=row.get("name", ""),
            status=row.get("status", "unknown"),
            lock=row.get("lock") or "",
            is_template=bool(int(row.get("template") or 0)),
            tags=frozenset(re.split(r"[;, ]+", row.get("tags") or "")),
            cores=int(row.get("cpus") or row.get("maxcpu") or 0),
            memory=int(row.get("maxmem") or 0) // MEBI,
            disk=int(row.get("maxdisk") or 0) // GIBI,
        )

    @property
    def is_silent(self) -> bool:
        """Whether nobody can be asked about it now."""
        return self.status == "unknown"


class Cluster:
    """The guests of one form in a cluster, which may be a single node.

    Args:
        api: the way to it. form: theirs.
    """

    def __init__(self, api: Api, form: Form) -> None:
        self.api = api
        self.form = form

    def guests(self) -> Sequence[Guest]:
        """All, as the cluster lists them: their states are some seconds late, the rest is not."""
        rows = self.api.get("cluster/resources", type="vm")
        return [Guest.listed(row) for row in rows if row["type"] == self.form.path]

    def now(self, node: str) -> Mapping[int, Guest]:
        """Those of a node as it sees them now, by number."""
        rows = self.api.get(f"nodes/{node}/{self.form.path}")
        return {int(row["vmid"]): Guest.listed({**row, "node": node}) for row in rows}

    def guest(self, vmid: int) -> Guest | None:
        """One, as its node sees it now."""
        listed = next((guest for guest in self.guests() if guest.vmid == vmid), None)
        if listed is None or listed.is_silent:
            return listed
        seen = self._unless_gone(f"{self.place(listed)}/status/current")
        return Guest.listed({**seen, "node": listed.node}) if seen else None

    def config(self, guest: Guest) -> Config | None:
        """How one is set up, from its next start on; None if it is gone."""
        return self._unless_gone(f"{self.place(guest)}/config")

    def place(self, guest: Guest) -> str:
        """Where one is in the API."""
        return f"nodes/{guest.node}/{self.form.path}/{guest.vmid}"

    def nodes(self) -> Mapping[str, float]:
        """The nodes with the part of their memory that guests may take, the least first; of a silent one it is inf."""
        rows = self.api.get("nodes")
        taken = dict.fromkeys((row["node"] for row in rows), 0)
        for guest in self.guests():
            if not guest.is_template:
                taken[guest.node] = taken.get(guest.node, 0) + guest.memory
        burdens = {
            row["node"]: taken[row["node"]] * MEBI / row["maxmem"] if row["status"] == "online" else inf for row in rows
        }
        return dict(sorted(burdens.items(), key=lambda both: (both[1], both[0])))

    def switch(self, guest: Guest, action: str, state: str, **words: Any) -> None:
        """Switch one on or off, unless it is so; somebody else may do the same."""
        if guest.status == state:
            return
        try:
            self.api.post(f"{self.place(guest)}/status/{action}", **words)
        except (ResourceException, TaskFailed):
            seen = self.guest(guest.vmid)
            if seen and seen.status != state:
                raise

    def remove(self, guest: Guest) -> None:
        """Remove one that does not run, with its disks and all that refers to it."""
        try:
            self.api.delete(self.place(guest), **{"purge": 1, "destroy-unreferenced-disks": 1})
        except ResourceException as error:
            if not is_gone(error):
                raise

    def _unless_gone(self, path: str) -> Config | None:
        try:
            return cast("Config", self.api.get(path))
        except ResourceException as error:
            if is_gone(error):
                return None
            raise
