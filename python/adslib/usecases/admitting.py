"""What is looked at before a network is written: whether it fits among the others, and whose all that is (I1, I6)."""

from __future__ import annotations

from collections.abc import Sequence

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.errors import Conflict, Forbidden
from adslib.domain.network import Network, refuse_overlap
from adslib.usecases.viewing import may_see, refuse_foreign


def admit(tx: Transaction, actor: Actor, network: Network, besides: Sequence[Network] = ()) -> None:
    """Let a network pass that fits among the others.

    Args:
        besides: those in whose place it is.

    Raises:
        Conflict: one is in the way, or has its name. Forbidden: the space, the tenant or the zone is another's.
    """
    place = f"network '{network.name}'"
    refuse_foreign(actor, network.tenant, f"tenant '{network.tenant}'", "leave the tenant out")
    namesake = tx.networks.find(network.name)
    if namesake and namesake.id != network.id:
        raise Conflict(f"there is already a network '{network.name}'", remedy="choose another name")
    beside = tx.networks.any_of(network.space, network.id)
    if beside and beside.tenant != network.tenant:
        raise Forbidden(
            f"space '{network.space}' belongs to {_whose(actor, beside.tenant)}",
            place=place,
            remedy="name a space of your own: --space NAME",
            code="not-yours",
        )
    gone = {each.id for each in besides}
    refuse_overlap(network, [x for x in tx.networks.beside(network.space, network.prefix) if x.id not in gone])
    _refuse_zone(tx, actor, network)
    for other in tx.networks.list(vlan=network.vlan, datacenter=network.datacenter) if network.vlan else ():
        if other.space != network.space and other.id != network.id:
            whose = f"network '{other.name}' of space '{other.space}'"
            raise Conflict(
                f"VLAN {network.vlan} of data centre '{network.datacenter}' carries "
                f"{whose if may_see(actor, other.tenant) else 'a network of another tenant'}",
                place=place,
                remedy="use another VLAN: overlapping spaces cannot share one",
            )


def _refuse_zone(tx: Transaction, actor: Actor, network: Network) -> None:
    """Names of a zone are one tenant's, whether it is published or not."""
    if not network.zone:
        return
    published = tx.zones.find(network.zone)
    foreign = published if published and published.tenant != network.tenant else None
    if other := foreign or tx.networks.in_zone_of_another(network.zone, network.tenant):
        raise Forbidden(
            f"zone '{network.zone}' belongs to {_whose(actor, other.tenant)}",
            place=f"network '{network.name}'",
            remedy="name a zone of your own",
            code="not-yours",
        )


def _whose(actor: Actor, tenant: str) -> str:
    return f"tenant '{tenant}'" if may_see(actor, tenant) else "another tenant"
