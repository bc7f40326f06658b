"""Assignments as plain data, and how they are found by what people call them (I6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.assignment import Assignment
from adslib.domain.errors import NotFound
from adslib.domain.network import Network, Role
from adslib.domain.prefix import WIDTHS, Address, Prefix, read_address
from adslib.domain.zone import read_label
from adslib.usecases.viewing import may_see


def shown(assignment: Assignment, network: Mapping[str, Any]) -> dict[str, Any]:
    """An assignment as plain data, with what a host needs of its network.

    Args:
        network: what `for_host` says of it; empty: it is gone.
    """
    return {
        "id": assignment.id,
        "address": assignment.host,
        "name": assignment.name,
        "space": assignment.space,
        "link": assignment.link,
        "service": assignment.service,
        "environment": assignment.environment,
        "machine": assignment.machine,
        "why": assignment.why,
        "given": _said(assignment.given),
        "by": assignment.actor,
        "seen": _said(assignment.seen) if assignment.seen else "",
        **network,
    }


def alike_shown(assignments: Sequence[Assignment], network: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The same of assignments that differ by nothing but their ids, addresses and names."""
    if not assignments:
        return []
    common = shown(assignments[0], network)
    return [{**common, "id": each.id, "address": each.host, "name": each.name} for each in assignments]


def for_host(network: Network) -> dict[str, Any]:
    """What a host in a network needs to know of it."""
    return {
        "network": network.name,
        **_written(network.prefix),
        "gateway": str(network.gateway) if network.gateway else "",
        "resolvers": [str(resolver) for resolver in network.resolvers],
        "mtu": network.mtu,
        "vlan": network.vlan,
        "vxlan": network.vxlan,
        "lan": network.lan,
        "datacenter": network.datacenter,
    }


@lru_cache(maxsize=1024)
def _said(moment: datetime) -> str:
    """A moment in UTC, since moments that are equal share their text; what is given together has one."""
    return moment.astimezone(UTC).isoformat()


@lru_cache(maxsize=1024)
def _written(prefix: Prefix) -> Mapping[str, Any]:
    return {"prefix": str(prefix), "length": prefix.length, "mask": str(prefix.mask)}


def all_shown(tx: Transaction, assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    """Assignments as plain data, each with its network."""
    ids = {each.network for each in assignments}
    networks = {id: for_host(network) for id, network in tx.networks.by_ids(ids).items()}
    return [shown(each, networks.get(each.network, {"network": ""})) for each in assignments]


def found_by(tx: Transaction, thing: str, space: str) -> Assignment | None:
    """Who has an address of a space, a full name, or an allocation by its id; None: nobody.

    Raises:
        Invalid: it looks like an address and is none, or like a name and is none.
    """
    if found := tx.addresses.by_ids([thing]).get(thing):
        return found
    label, dot, zone = thing.partition(".")
    if _is_address(thing):
        return next(iter(tx.addresses.at(space, [read_address(thing)]).values()), None)
    if not dot:
        return None
    return next(iter(tx.addresses.named(zone.lower().removesuffix("."), [read_label(label)]).values()), None)


def nobody_has(tx: Transaction, actor: Actor, thing: str, space: str, at: datetime) -> NotFound:
    """What is told of a thing that `found_by` does not find: why nobody has it, and how to have it.

    Args:
        at: now.
    """
    if ended := tx.addresses.ended([thing]).get(thing):
        what = f"allocation '{thing}' was released {ended.isoformat(timespec='seconds')}"
        return NotFound(what, remedy="see who has its address now: ads address show ADDRESS")
    if not _is_address(thing):
        return NotFound(f"nobody has '{thing}'", remedy="list what is there with: ads address list")
    address = read_address(thing)
    host = Prefix(address.version, address.number, WIDTHS[address.version])
    around = [x for x in tx.networks.beside(space, host) if x.role is not Role.CONTAINER and may_see(actor, x.tenant)]
    if not around:
        what = f"nobody has '{address}': no network of space '{space}' gives it"
        return NotFound(what, remedy="list networks with: ads network list, or name another space")
    network = around[0]
    why = why_closed(tx, network, address, at)
    remedy = "see the network with: ads network show" if why else "have it with: ads address allocate --network"
    return NotFound(
        f"nobody has '{address}': it is {why or 'free'} in network '{network.name}'",
        remedy=f"{remedy} {network.name}" + (f" --want {address}" if not why else ""),
    )


def how_to_find(thing: str) -> str:
    """How to find the allocation for a thing that is none, as a remedy: people rather have its address."""
    if _is_address(thing):
        return f"an address does not say whose it is by now: see its allocation with: ads address show {thing}"
    return "list them with: ads address list"


def why_closed(tx: Transaction, network: Network, address: Address, at: datetime) -> str:
    """Why a network gives nobody one of its addresses now; empty: somebody may have it.

    Args:
        at: now.
    """
    since = at - timedelta(seconds=network.cooldown)
    rests = tx.addresses.resting_in(network.id, since, range(address.number, address.number + 1))
    return network.why_closed(address) or ("at rest after its release" if rests else "")


def _is_address(thing: str) -> bool:
    return ":" in thing or thing.replace(".", "").isdecimal()


def told(rows: Sequence[Mapping[str, Any]], verb: str) -> str:
    """One sentence about some assignments."""
    first = " ".join(part for part in (rows[0]["address"], rows[0]["name"]) if part)
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"{first}{more} of network '{rows[0]['network']}' {verb}"
