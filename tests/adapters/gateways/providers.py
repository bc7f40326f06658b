"""The gateways under test that are different from the others, and in what."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from adapters.gateways.subjects import Subject
from adslib.adapters.host_keys import KnownHosts
from adslib.domain.gateway import Gateway, Order, Sighting
from adslib.domain.machine import DEFAULT_SIZES

ADDRESSES = itertools.count(1)


class Metal(Subject):
    """A gateway to the machines of a Redfish service, which are plugged in."""

    def machine(self, gateway: Gateway) -> Sighting:
        """A machine that is there."""
        return gateway.look(self.server.plug_in())

    def clear(self) -> None:
        """Unplug all."""
        self.server.empty()


class Virtual(Subject):
    """A gateway to a libvirtd, which runs QEMU; its machines have little memory and addresses that lead nowhere."""

    fixed = "198.18.65.9"
    placed: Mapping[str, Any] = {"location": "us-west"}
    tells_addresses = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.host_keys = KnownHosts(self.home)
        self.own_sizes = tuple(replace(size, memory=size.memory // 32) for size in DEFAULT_SIZES)

    def order(self, **given: Any) -> Order:
        """An order with an address that no other has."""
        number = next(ADDRESSES)
        return super().order(**{"address": f"198.18.{66 + number // 250}.{number % 250 + 1}", **given})

    def clear(self) -> None:
        """Delete all machines and templates, and see that nothing is left of them."""
        super().clear()
        gateway = self.open()
        for template in gateway.templates():
            if template.name not in gateway.offer().systems:
                gateway.delete_template(template.name)
        assert self.server.count() == []


SUBJECTS: Mapping[str, type[Subject]] = {"libvirt": Virtual, "redfish": Metal}
