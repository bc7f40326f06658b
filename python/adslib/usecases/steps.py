"""The steps of a request: the networks that may serve it, in the order of the chain (I2, I3)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from adslib.adapters.store import Transaction
from adslib.domain.actor import Actor
from adslib.domain.assignment import AddressRequest, Assignment
from adslib.domain.chain import Step, chain
from adslib.domain.errors import Forbidden, Invalid, NotFound
from adslib.domain.network import Network, Role
from adslib.domain.prefix import WIDTHS
from adslib.usecases.viewing import may_see


class Steps:
    """The chain of networks that may serve a request; a link is looked up when those before it are full."""

    def __init__(self, tx: Transaction, actor: Actor, request: AddressRequest) -> None:
        self._tx = tx
        self._actor = actor
        self.request = request
        self.asked = self._asked()
        if not self.near:
            kinds = ", ".join(sorted({f"{each.name} ({each.prefix}, {each.role})" for each in self.asked}))
            version = self._versions[0] if len(self._versions) == 1 else None
            one = f"IPv{version} " if version else ""
            raise NotFound(
                f"{request.where} has no network that gives {one}addresses: there is {kinds}",
                remedy="ask for the other version, or add a network" if one else "add a network",
                code="no-network",
            )
        self.first = self.near[0]

    def __iter__(self) -> Iterator[Step]:
        """The steps in order."""
        yield from self.near
        yield from self.all[len(self.near) :]

    @cached_property
    def near(self) -> list[Step]:
        """The networks that were asked: those of the VLAN, or of the space, or the one."""
        # One of the reserve serves, too, whoever names it.
        named = [each for each in self.asked if self.request.network and each.role is Role.RESERVE]
        return next(filter(None, (self._chain((), named, version) for version in self._versions)), [])

    @cached_property
    def all(self) -> list[Step]:
        """The whole chain; behind a network that was asked for by its name stands no other."""
        if self.request.network:
            return self.near
        first, networks = self.first.network, self._tx.networks
        version = first.prefix.version if self.request.address else None
        owned = networks.of_owner(first.owner, first.tenant) if first.owner else []
        reserve = networks.reserve(first.tenant)
        return self._chain(owned, reserve, version)

    def named(self) -> Network:
        """The network whose zone and pattern names are made of: the first that has a zone.

        Raises:
            Invalid: none has.
        """
        found = next((step.network for step in self.near if step.network.zone), None)
        if found is None:
            raise Invalid(
                f"no network of {self.request.where} has a zone, so it can give no names",
                remedy=f"set one: ads network edit {self.first.network.name} --zone west.example.com",
                code="no-zone",
            )
        return found

    def whose(self, assignment: Assignment) -> str:
        """In words who has an assignment, as far as the actor may know."""
        return whose(assignment) if may_see(self._actor, assignment.tenant) else "of another tenant"

    def _chain(self, owned: Iterable[Network], reserve: Iterable[Network], version: int | None) -> list[Step]:
        request = self.request
        tagged = request.vlan is not None
        return chain(self.asked, owned, reserve, version, request.datacenter, tagged=tagged)

    @property
    def _versions(self) -> list[int | None]:
        """The versions that may serve, the first that somebody gives; None: any, where no address is asked for."""
        if not self.request.address:
            return [None]
        said = self.request.version or next((each.version for each in self.request.addresses), None)
        return [said] if said else [*WIDTHS]

    def _asked(self) -> list[Network]:
        request, networks = self.request, self._tx.networks
        if request.vlan is not None:
            found = networks.of_vlan(request.datacenter, request.vlan)
        elif request.network:
            found = networks.named(request.network)
        else:
            found = networks.of_space(request.space)
        if not found:
            raise _missing(request)
        seen = [each for each in found if may_see(self._actor, each.tenant)]
        if not seen:
            raise Forbidden(
                f"{request.where} belongs to another tenant than {self._actor.name}",
                remedy="ask an administrator of ads",
                code="not-yours",
            )
        where = sorted({each.datacenter for each in seen})
        if request.vlan is not None and len(where) > 1:
            raise Invalid(
                f"VLAN {request.vlan} is in several data centres: {', '.join(map(repr, where))}",
                remedy="name the data centre",
            )
        return seen


def _missing(request: AddressRequest) -> NotFound:
    if request.vlan is None:
        return NotFound(f"there is no {request.where}", remedy="list them with: ads network list")
    return NotFound(
        f"no network is tagged with {request.where}",
        remedy=f"tag one: ads network edit NAME --vlan {request.vlan} --datacenter …",
        code="unknown-vlan",
    )


def whose(assignment: Assignment) -> str:
    """In words who has an assignment."""
    parts = (assignment.machine, assignment.service, assignment.environment, assignment.why)
    return f"of {', '.join(part for part in parts if part) or assignment.actor}, allocation {assignment.id}"
