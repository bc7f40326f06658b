"""Commissioning: machines that ads makes get their addresses and names from the networks, and give them back (I2, I5).

An address is taken before its machine is made, under a key of the machine, so that doing it again after a crash takes
nothing more. It is released in the transaction that forgets the machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.assignment import AddressRequest, Assignment
from adslib.domain.errors import Conflict
from adslib.domain.event import EventLevel
from adslib.domain.job import Job
from adslib.domain.machine import Machine
from adslib.domain.prefix import read_address
from adslib.usecases.address_showing import all_shown
from adslib.usecases.addresses import Addresses
from adslib.usecases.giving_back import give_back
from adslib.usecases.log import log
from adslib.usecases.publishing import publish
from adslib.usecases.reconciling import DEPLOYMENT
from adslib.usecases.situation import desired
from adslib.usecases.viewing import may_see


@dataclass(frozen=True, slots=True)
class Wish:
    """What a machine that is to be made needs: an address of a VLAN, and a name after the service that it is for."""

    datacenter: str
    vlan: int
    service: str


def wishes(app: App, job: Job) -> dict[str, Wish]:
    """By machine, what the instances of a job need that stand in a place with a VLAN which networks are tagged with.

    A machine that several VLANs lead to has an address of the first in order.
    """
    with app.store.reading() as tx:
        topology = desired(tx.revisions.get(job.environment, int(job.plan["revision"]))).topology
        found: dict[str, Wish] = {}
        known: dict[tuple[str, int], bool] = {}
        for instance in topology.instances:
            machine = job.plan["seats"].get(instance.id)
            vlan = instance.scope.attributes.get("vlan")
            if machine is None or vlan is None:
                continue
            wish = Wish(instance.scope.place.rpartition("/")[2], int(vlan), instance.service)
            place = (wish.datacenter, wish.vlan)
            if place not in known:
                known[place] = bool(tx.networks.list(datacenter=wish.datacenter, vlan=wish.vlan))
            if known[place] and (machine not in found or place < (found[machine].datacenter, found[machine].vlan)):
                found[machine] = wish
    return found


def commission(app: App, actor: Actor, machine: Machine, wish: Wish, *, reported: str = "") -> str:
    """Take an address for a machine, and a name if its VLAN has a zone; returns the address.

    Args:
        reported: the address that its gateway gave it, which is then the one to be recorded; empty: any.

    Raises:
        Blocked: the chain is full. Conflict, Invalid: the reported address is another's, or lies in no network there.
    """
    with app.store.reading() as tx:
        named = any(network.zone for network in tx.networks.list(datacenter=wish.datacenter, vlan=wish.vlan))
    address = read_address(reported) if reported else None
    request = AddressRequest(
        datacenter=wish.datacenter,
        vlan=wish.vlan,
        addresses=(address,) if address else (),
        name=named,
        service=wish.service,
        environment=machine.holder,
        machine=machine.name,
        why=DEPLOYMENT,
        key=f"machine {machine.id}",
    )
    # Keys are a tenant's, and whoever goes on with a deployment that was interrupted may be of another one.
    actor = replace(actor, tenant=machine.tenant)
    return str(Addresses(app, actor).give(request).after["addresses"][0]["address"])


def refuse_other(machine: Machine, reported: str, wanted: str) -> None:
    """Let a machine pass that has the address it was given.

    Raises:
        Conflict: its gateway gave it another.
    """
    if wanted and reported != wanted:
        raise Conflict(
            f"gateway '{machine.gateway}' gave machine '{machine.name}' the address {reported} instead of {wanted}",
            remedy="let it take addresses, or tag no network with this VLAN",
        )


def publish_names(app: App, actor: Actor, job: Job) -> None:
    """Bring names that wait to their servers; a server that is down keeps nobody waiting, and the names wait on.

    Whoever deploys may not manage zones, so this asks for no permission of his.
    """
    with app.store.reading() as tx:
        waiting = [zone for zone, count in tx.zones.counts().items() if count]
    for zone in waiting:
        for problem in publish(app, actor, zone).problems:
            with app.store.transaction() as tx:
                text = f"names of zone '{zone}' wait: {problem}"
                log(
                    tx, app.clock(), actor, text,
                    level=EventLevel.WARNING, environment=job.environment, job=job.id,
                )  # fmt: skip


def decommission(tx: Transaction, app: App, actor: Actor, machines: Iterable[str]) -> list[str]:
    """Release everything that machines have, at once; returns it as text."""
    return [str(each) for each in give_back(tx, had_by(tx, actor, machines), app.clock(), actor)]


def had_by(tx: Transaction, actor: Actor, machines: Iterable[str]) -> list[Assignment]:
    """What machines have that goes with them.

    Machines are known by their names here, and another tenant may use the same ones for its own.
    """
    named = [each for machine in machines for each in tx.addresses.list(machine=machine)]
    return [each for each in named if may_see(actor, each.tenant)]


def addresses_of(tx: Transaction, environment: str) -> Mapping[str, Sequence[Mapping[str, Any]]]:
    """What the machines of an environment have, by machine, as hosts need it."""
    result: dict[str, list[Mapping[str, Any]]] = {}
    for each in all_shown(tx, tx.addresses.list(environment=environment)):
        result.setdefault(each["machine"], []).append(each)
    return result
