"""Reconciling: addresses whose machine is gone, and machines whose address nobody knows of (I5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.assignment import AddressRequest, Assignment
from adslib.domain.errors import Invalid
from adslib.domain.machine import Machine
from adslib.domain.network import Network, Role
from adslib.domain.prefix import Address, read_address
from adslib.usecases.address_showing import why_closed
from adslib.usecases.allocating import allocate
from adslib.usecases.giving_back import give_back
from adslib.usecases.steps import whose
from adslib.usecases.viewing import may_see

DEPLOYMENT, RECONCILED = "deployment", "reconciled"
OURS = frozenset({DEPLOYMENT, RECONCILED})
"""Why an address was given to a machine of the pool."""


@dataclass(frozen=True, slots=True)
class Stray:
    """A machine whose address lies in a network and is not recorded as its own.

    Args:
        holder: in words, who has the address; empty: nobody. closed: why nobody is given it now; empty: somebody is.
    """

    machine: Machine
    address: Address
    network: Network
    holder: str = ""
    closed: str = ""

    @property
    def recordable(self) -> bool:
        """Whether it can be recorded as the machine's."""
        return not (self.holder or self.closed)

    def shown(self) -> dict[str, str]:
        """As plain data."""
        where = {"address": str(self.address), "network": self.network.name}
        return {"machine": self.machine.name, **where, "holder": self.holder, "closed": self.closed}


def gone(tx: Transaction, actor: Actor) -> tuple[list[Assignment], list[Assignment]]:
    """What is held for machines and environments that are not there, or for machines that have another address since.

    Returns:
        What ads gave to machines of its own, which are gone, or recorded as theirs, which it is no more; and what
        somebody asked for by hand, whose machines and environments may well be somewhere else.
    """
    seen = [each for each in tx.addresses.in_use() if may_see(actor, each.tenant)]
    named = [each for each in seen if each.machine]
    environments = {environment.name for environment in tx.environments.list()}
    without = [each for each in seen if not each.machine and each.environment not in environments]
    there = {machine.name: _address(machine) for machine in tx.machines.list()}
    strangers = [each for each in named if each.machine not in there]
    ours = [each for each in strangers if each.why in OURS]
    # Recorded since the machine was reached by it; a machine that is reached by a name tells nothing.
    recorded = [each for each in named if each.why == RECONCILED and there.get(each.machine)]
    moved = [each for each in recorded if each.address != there[each.machine]]
    return [*ours, *moved], [*(each for each in strangers if each.why not in OURS), *without]


def strays(tx: Transaction, actor: Actor, at: datetime) -> list[Stray]:
    """Machines whose address is not recorded, where one network of their data centre, or one at all, holds it.

    Args:
        at: now.
    """
    networks = [each for each in tx.networks.list() if each.role is not Role.CONTAINER and may_see(actor, each.tenant)]
    found = []
    claimed: dict[tuple[str, Address], str] = {}
    for machine in tx.machines.list():
        address = _address(machine)
        if address is None or not may_see(actor, machine.tenant):
            continue
        around = [each for each in networks if each.prefix.holds(address)]
        here = [each for each in around if each.datacenter == machine.location] or around
        if len(here) == 1:
            holder = tx.addresses.at(here[0].space, [address]).get(address)
            if holder is None or holder.machine != machine.name:
                # Behind one address may be several machines, by their ports; one of them can have it.
                first = claimed.setdefault((here[0].space, address), machine.name)
                other = f"of machine '{first}', too" if first != machine.name else ""
                text = whose(holder) if holder else other
                found.append(Stray(machine, address, here[0], text, why_closed(tx, here[0], address, at)))
    return found


def _address(machine: Machine) -> Address | None:
    try:
        return read_address(machine.reach.address)
    except Invalid:
        return None


def repair(tx: Transaction, app: App, actor: Actor, lost: Sequence[Assignment], found: Sequence[Stray]) -> int:
    """Release what machines had that are gone, and record what can be; returns how many addresses that are."""
    give_back(tx, lost, app.clock(), actor)
    free = [each for each in found if each.recordable]
    for each in free:
        request = AddressRequest(
            network=each.network.name,
            addresses=(each.address,),
            environment=each.machine.holder,
            machine=each.machine.name,
            why=RECONCILED,
        )
        allocate(tx, actor, request, app.clock(), app.new_id(), patient=True)
    return len(free)
