"""The gateways under test whose provider the tests start: what is different about them."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.gateways.subjects import Subject
from adslib.adapters.host_keys import KnownHosts
from adslib.domain.gateway import Gateway, Order, Sighting
from adslib.domain.machine import DEFAULT_SIZES
from bare_metal import redfish_service
from hypervisors import hypervisor

ADDRESSES = itertools.count(1)


class Metal(Subject):
    """A gateway to the machines of a Redfish service, which are plugged in."""

    def __post_init__(self) -> None:
        self.options |= redfish_service().options()

    def machine(self, gateway: Gateway) -> Sighting:
        """A machine that is there."""
        return gateway.look(redfish_service().plug_in())

    def clear(self) -> None:
        """Unplug all."""
        redfish_service().unplug()


class Virtual(Subject):
    """A gateway to a libvirtd, which runs QEMU; its machines have little memory and addresses that lead nowhere."""

    fixed = "198.18.65.9"
    tells_addresses = False
    placed: Mapping[str, Any] = {"location": "us-west"}

    def __post_init__(self) -> None:
        self.options |= hypervisor().options()
        self.host_keys = KnownHosts(self.home)
        self.own_sizes = tuple(replace(size, memory=size.memory // 32) for size in DEFAULT_SIZES)

    def order(self, **given: Any) -> Order:
        """An order with an address that no other has."""
        number = next(ADDRESSES)
        return super().order(**{"address": f"198.18.{66 + number // 250}.{number % 250 + 1}", **given})

    def count(self) -> Any:
        """Machines, volumes and files of the hypervisor."""
        return hypervisor().left()

    def clear(self) -> None:
        """Delete all machines and templates, and see that nothing is left of them."""
        super().clear()
        gateway = self.open()
        for template in gateway.templates():
            if template.name not in gateway.offer().systems:
                gateway.delete_template(template.name)
        assert hypervisor().left() == []


SUBJECTS = {"libvirt": Virtual, "redfish": Metal}


def subject_of(kind: str, home: Path) -> Subject:
    """A kind of gateway, with a home."""
    return SUBJECTS.get(kind, Subject)(kind, home)
