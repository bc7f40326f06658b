"""Rows of simulated machines: how an order becomes one, and one becomes a sighting."""

from __future__ import annotations

import time
from ipaddress import IPv4Network, ip_address
from typing import Any

from sqlalchemy import Connection, Row, select

from adslib.adapters.gateways.sim.tables import machines
from adslib.domain.errors import Conflict, Failed, Invalid
from adslib.domain.gateway import Order, Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Reach, Size

KIND = "vm"
ABILITIES = frozenset({"packages", "systemd"})
# Set aside for measurements between networks: nobody is met there by mistake.
NETWORK = IPv4Network("198.18.0.0/15")


def new_row(order: Order, cloud: str, serial: int, address: str) -> dict[str, Any]:
    """The row of a machine that is being made; `serial` makes its ref."""
    return {
        "cloud": cloud,
        "ref": f"sim-{serial:08d}",
        "id": order.id,
        "name": order.name,
        "power": True,
        "size": order.size.name,
        "cpu": order.size.cpu,
        "memory": order.size.memory,
        "disk": order.size.disk,
        "location": order.location,
        "address": address,
        "labels": dict(order.labels),
        "changed": serial,
    }


def free_address(connection: Connection, cloud: str, wanted: str, serial: int) -> str:
    """The wanted address, or one that no machine of the cloud has.

    Raises:
        Invalid: the wanted one is no address. Conflict: it is taken. Failed: all are.
    """
    if wanted:
        address = checked_address(wanted)
        holder = connection.scalar(select(machines.c.name).where(_at(cloud), machines.c.address == address))
        if holder:
            raise Conflict(
                f"address {address} belongs to simulated machine '{holder}'", remedy="choose another address"
            )
        return address
    usable = NETWORK.num_addresses - 2
    first = str(NETWORK[1 + serial % usable])
    if not connection.scalar(select(machines.c.ref).where(_at(cloud), machines.c.address == first)):
        return first
    taken = set(connection.scalars(select(machines.c.address).where(_at(cloud))))
    for step in range(usable):
        address = str(NETWORK[1 + (serial + step) % usable])
        if address not in taken:
            return address
    raise Failed(f"every address of simulated cloud '{cloud}' is taken", remedy="delete machines")


def checked_address(address: str) -> str:
    """Return an address in its usual form.

    Raises:
        Invalid: it is none.
    """
    try:
        return str(ip_address(address))
    except ValueError as error:
        raise Invalid(f"'{address}' is no IP address", remedy="use one like 198.18.0.10") from error


def sighting(row: Row[Any], *, off: bool) -> Sighting:
    """What a row says of its machine now.

    Args:
        off: whether its power is gone for the moment.
    """
    state, reason = _state(row, off)
    return Sighting(
        ref=row.ref,
        name=row.name,
        state=state,
        id=row.id,
        kind=KIND,
        size=Size(row.size, row.cpu, row.memory, row.disk),
        os=row.os,
        location=row.location,
        image=row.image,
        reach=Reach(address=row.address),
        capabilities=ABILITIES,
        reason=reason,
    )


def _state(row: Row[Any], off: bool) -> tuple[MachineState, str]:
    if not row.power or off:
        return MachineState.STOPPED, ""
    if not row.boots:
        return MachineState.CREATING, "simulated fault: it never boots"
    if row.ready > time.time():
        return MachineState.CREATING, "it boots (simulated)"
    return MachineState.RUNNING, ""


def _at(cloud: str) -> Any:
    return machines.c.cloud == cloud
