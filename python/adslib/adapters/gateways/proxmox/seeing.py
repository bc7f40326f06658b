"""What machines at Proxmox VE are now, and how they are reached."""

from __future__ import annotations

import math
from contextlib import suppress

from proxmoxer import ResourceException
from requests.exceptions import Timeout

from adslib.adapters.gateways.proxmox.choices import Choices
from adslib.adapters.gateways.proxmox.cluster import Cluster, Guest
from adslib.adapters.gateways.proxmox.forms import Config
from adslib.adapters.gateways.proxmox.notes import MAKING, Note, noted, tagged
from adslib.adapters.gateways.surroundings import HostKeys
from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Reach, Size

ABILITIES = frozenset({"packages", "systemd"})


class Eyes:
    """Sees machines as their nodes tell.

    Args:
        cluster: where they are. choices: what the options say. host_keys: where SSH host keys are pinned.
    """

    def __init__(self, cluster: Cluster, choices: Choices, host_keys: HostKeys) -> None:
        self._cluster = cluster
        self._choices = choices
        self._host_keys = host_keys
        self._pinned: set[str] = set()

    def sighting(self, guest: Guest) -> Sighting | None:
        """One as it is now; None if it is gone meanwhile."""
        config = {} if guest.is_silent else self._cluster.config(guest)
        if config is None:
            return None
        note = noted(guest.vmid, config)
        note = note if note.order else tagged(guest.vmid, guest.tags)
        is_tagged = note.tag in guest.tags
        id = note.order if is_tagged or guest.name == note.first_name else ""
        address = self._cluster.form.fixed(config) or self._asked(guest, config)
        state, reason = _state(guest, bool(id) and (not is_tagged or MAKING in guest.tags), bool(address) or not id)
        return Sighting(
            ref=ref_of(guest, id),
            name=guest.name,
            state=state,
            id=id,
            kind=self._cluster.form.kind,
            size=self._size(guest, note),
            os=note.os,
            location=guest.node,
            image=note.image,
            reach=self._reach(address, id),
            capabilities=ABILITIES,
            reason=reason,
        )

    def _asked(self, guest: Guest, config: Config) -> str:
        """The address that one says it has, if it can say so yet."""
        if guest.status == "running":
            with suppress(ResourceException, Timeout):
                return self._cluster.form.asked(self._cluster.api, self._cluster.place(guest), config)
        return ""

    def _size(self, guest: Guest, note: Note) -> Size:
        """The size that it was ordered in, unless it was changed since."""
        for size in self._choices.sizes:
            if size.name == note.size and (math.ceil(size.cpu), size.memory) == (guest.cores, guest.memory):
                return size
        return Size("", guest.cores, guest.memory, guest.disk)

    def _reach(self, address: str, id: str) -> Reach:
        user, key = self._choices.user, str(self._choices.ssh_key)
        arguments = self._host_keys.arguments(id) if id else ""
        variables = {"ansible_ssh_common_args": arguments} if arguments else {}
        return Reach(address=address, user=user, key=key, become="" if user == "root" else "sudo", vars=variables)

    def pin(self, guest: Guest, id: str) -> None:
        """Pin the SSH host key that the guest agent of a new machine reads there."""
        if id not in self._pinned:
            with suppress(ResourceException, Timeout):
                place = self._cluster.place(guest)
                said = self._cluster.form.host_key(self._cluster.api, place, self._cluster.config(guest) or {}).split()
                if len(said) > 1:
                    self._host_keys.pin({id: [" ".join(said[:2])]})
                    self._pinned.add(id)


def ref_of(guest: Guest, id: str) -> str:
    """The number, which Proxmox VE gives anew when it is free, and the order: so nobody else's is ever meant."""
    return f"{guest.vmid}-{id}" if id else str(guest.vmid)


def _state(guest: Guest, is_unfinished: bool, is_reached: bool) -> tuple[MachineState, str]:
    if guest.is_silent:
        return MachineState.UNKNOWN, f"node {guest.node} does not answer"
    if guest.lock == "destroyed":
        return MachineState.DELETING, ""
    if is_unfinished:
        return MachineState.CREATING, f"it is locked ({guest.lock})" if guest.lock else "it was never started"
    if guest.status != "running":
        return MachineState.STOPPED, ""
    return (MachineState.RUNNING, "") if is_reached else (MachineState.CREATING, "its address is not known yet")
