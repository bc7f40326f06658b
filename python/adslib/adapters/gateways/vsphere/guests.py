"""Machines and templates as vCenter tells them, and what ads notes in their configurations."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from pyVmomi import vim

from adslib.domain.machine import Size

ORDER, MADE, SIZE, OS, IMAGE, ADDRESS = (f"ads.{name}" for name in ("order", "made", "size", "os", "image", "address"))
"""Keys of extraConfig, which the guest neither sees nor writes. ORDER stands there from the first moment on. MADE is
noted at last and names both order and machine: in a copy that somebody makes it is wrong."""

PATHS = (
    "name",
    "config.template",
    "config.extraConfig",
    "config.hardware.numCPU",
    "config.hardware.memoryMB",
    "guest.ipAddress",
    "guest.net",
    "guest.toolsRunningStatus",
    "resourcePool",
    "runtime.connectionState",
    "runtime.powerState",
    "summary.storage.committed",
    "summary.storage.uncommitted",
)


@dataclass(frozen=True, slots=True)
class Guest:
    """A machine or template.

    Args:
        vm: the managed object. notes: of ads. is_whole: False while it is being copied.
        connection: of its host, `connected`. cores, memory (MiB), disk (GiB): what it has. committed: bytes on disk.
        addresses: that its guest tools tell, those first that others may reach. pool: id of its resource pool.
    """

    vm: Any
    name: str
    is_template: bool
    is_whole: bool
    notes: Mapping[str, str]
    connection: str
    is_on: bool
    has_tools: bool
    addresses: tuple[str, ...]
    cores: int
    memory: int
    disk: int
    committed: int
    pool: str

    @classmethod
    def seen(cls, vm: Any, told: Mapping[str, Any]) -> Guest:
        """Read the properties at PATHS."""
        options = told.get("config.extraConfig") or ()
        net = [address for card in told.get("guest.net") or () for address in card.ipAddress]
        committed = told.get("summary.storage.committed") or 0
        return cls(
            vm=vm,
            name=told.get("name", ""),
            is_template=bool(told.get("config.template")),
            is_whole="config.template" in told,
            notes={option.key: str(option.value) for option in options if option.key.startswith("ads.")},
            connection=str(told.get("runtime.connectionState", "connected")),
            is_on=told.get("runtime.powerState") == "poweredOn",
            has_tools=told.get("guest.toolsRunningStatus") == "guestToolsRunning",
            addresses=_sorted([told.get("guest.ipAddress") or "", *net]),
            cores=told.get("config.hardware.numCPU") or 0,
            memory=told.get("config.hardware.memoryMB") or 0,
            disk=(committed + (told.get("summary.storage.uncommitted") or 0)) >> 30,
            committed=committed,
            pool=told["resourcePool"]._moId if told.get("resourcePool") else "",
        )

    @property
    def ref(self) -> str:
        """Its id at vCenter, which is never given anew."""
        return str(self.vm._moId)

    @property
    def id(self) -> str:
        """The order that it was made for; empty: none, or it is a copy of what was made."""
        order, (noted, _, ref) = self.notes.get(ORDER, ""), self.notes.get(MADE, "").partition(" ")
        return "" if noted == order and ref != self.ref else order

    @property
    def is_made(self) -> bool:
        """Whether its making was finished."""
        return self.notes.get(MADE) == made(self.id, self.ref)[MADE]

    def computes_as(self, size: Size) -> bool:
        """Whether it has the processors and the memory of a size."""
        return (ceil(size.cpu), size.memory) == (self.cores, self.memory)

    @property
    def given(self) -> str:
        """The address that came with its order."""
        return self.notes.get(ADDRESS, "") if self.id else ""

    @property
    def address(self) -> str:
        """Where it is reached now; empty: it tells none, or has not yet taken the one it was given."""
        if not self.is_on:
            return ""
        told = self.addresses
        return (self.given if self.given in told else "") if self.given else next(iter(told), "")


def made(order: str, ref: str) -> Mapping[str, str]:
    """What is noted when a machine was made."""
    return {MADE: f"{order} {ref}"}


def noted(notes: Mapping[str, str], **settings: Any) -> Any:
    """A configuration with notes."""
    options = [vim.option.OptionValue(key=key, value=value) for key, value in notes.items()]
    return vim.vm.ConfigSpec(extraConfig=options, **settings)


def _sorted(addresses: Iterable[str]) -> tuple[str, ...]:
    known = [ipaddress.ip_address(address.partition("%")[0]) for address in addresses if address]
    fit = [each for each in known if not each.is_loopback and not each.is_link_local]
    return tuple(str(each) for each in sorted(fit, key=lambda each: each.version))
