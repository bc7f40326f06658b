"""Networks in the store (I1, I7, I9)."""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable
from dataclasses import fields
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    LargeBinary,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    insert,
    or_,
    select,
    text,
    type_coerce,
)

from adslib.adapters.store.address_schema import networks
from adslib.adapters.store.columns import Place, among, holds
from adslib.adapters.store.generations import matched_update, refuse_stale
from adslib.adapters.store.statements import Statements, Values, chunks
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.network import Held, Network, Role
from adslib.domain.prefix import WIDTHS, Address, Prefix, read_address

LOOK = "list them with: ads network list"

# Any number will do, as long as nobody else locks it: whoever changes networks waits for the others who do.
_CHANGING = 0x6164735F6E657473


class Networks:
    """The networks, as one transaction sees and changes them."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def lock(self) -> None:
        """Be the only one who adds and changes networks until the transaction ends; allocations go on."""
        if self._statements.postgresql:
            self._statements.connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CHANGING})

    def add(self, network: Network) -> None:
        """Take a new network.

        Raises:
            Conflict: the name is taken, or the space has this very prefix.
        """
        if self._statements.refused(insert(networks), values_of(network)):
            raise Conflict(
                f"there is already a network '{network.name}', or one with {network.prefix} in '{network.space}'",
                remedy="choose another name",
            )

    def get(self, name: str) -> Network:
        """The network of this name.

        Raises:
            NotFound: there is none.
        """
        found = self.find(name)
        if found is None:
            raise NotFound(f"there is no network '{name}'", remedy=LOOK)
        return found

    def find(self, name: str) -> Network | None:
        """The network of this name, if there is one."""
        return next(iter(self._where(networks.c.name == name)), None)

    def by_ids(self, ids: set[str]) -> dict[str, Network]:
        """Networks by their ids; those that are gone are left out."""
        return {network.id: network for network in self._found(_BY_IDS, {"ids": sorted(ids)})}

    def list(self, **exact: Any) -> builtins.list[Network]:
        """Networks by name; what is None does not filter.

        Args:
            exact: columns and what they must be, such as `space`, `vlan`, `datacenter`, `owner`, `role`, `tenant`.
        """
        return self._where(
            *(holds(networks.c[column], wanted) for column, wanted in exact.items() if wanted is not None)
        )

    def beside(self, space: str, prefix: Prefix) -> builtins.list[Network]:
        """Those of a space that share an address with a prefix: parts of it, and what it is a part of.

        Prefixes overlap only by holding each other, so both are found by an index.
        """
        width = WIDTHS[prefix.version]
        around = {prefix.number >> (width - length) << (width - length) for length in range(width + 1)}
        # Said in both, or SQLite goes through the whole space.
        of_space = and_(networks.c.space == space, networks.c.version == prefix.version)
        within = and_(of_space, networks.c.first.between(prefix.number, prefix.last.number))
        holding = and_(of_space, networks.c.first.in_(sorted(around)), networks.c.last >= prefix.last.number)
        return self._where(or_(within, holding))

    def serving(self, *condition: ColumnElement[bool]) -> builtins.list[Network]:
        """Networks that addresses are about to be taken from: nobody changes or removes them meanwhile."""
        return self._found(_SERVING.where(*condition))

    def of_vlan(self, datacenter: str, vlan: int) -> builtins.list[Network]:
        """The networks of a VLAN, of all data centres if none is named; see `serving`."""
        if not datacenter:
            return self.serving(networks.c.vlan == vlan)
        return self._found(_OF_VLAN, {"vlan": vlan, "datacenter": datacenter})

    def named(self, name: str) -> builtins.list[Network]:
        """The network of this name, or none; see `serving`."""
        return self._found(_NAMED, {"name": name})

    def of_space(self, space: str) -> builtins.list[Network]:
        """The networks of a space; see `serving`."""
        return self.serving(networks.c.space == space)

    def of_owner(self, owner: str, tenant: str) -> builtins.list[Network]:
        """The networks of an end user; see `serving`."""
        return self.serving(networks.c.owner == owner, networks.c.owner != "", networks.c.tenant == tenant)

    def reserve(self, tenant: str) -> builtins.list[Network]:
        """The reserve of a tenant; see `serving`."""
        return self.serving(networks.c.role == Role.RESERVE.value, networks.c.tenant == tenant)

    def giving_back(self, ids: Iterable[str]) -> dict[str, Network]:
        """Networks by their ids that addresses are about to be given back to; see `serving`."""
        return {network.id: network for network in self._found(_GIVING, {"ids": sorted(ids)})}

    def locked(self, *names: str) -> builtins.list[Network]:
        """Networks that are about to be changed, in the order of the names: nothing is taken from them meanwhile.

        Raises:
            NotFound: one is not there.
        """
        query = _ALL.where(networks.c.name.in_(names)).with_for_update()
        found = {network.name: network for network in self._found(query)}
        for name in names:
            if name not in found:
                raise NotFound(f"there is no network '{name}'", remedy=LOOK)
        return [found[name] for name in names]

    def names(self, beginning: str) -> set[str]:
        """The names of networks that begin so."""
        # By the last character there is, since no index helps SQLite with LIKE.
        name = networks.c.name
        query = select(name).where(name >= beginning, name <= f"{beginning}\U0010ffff")
        return {row[0] for row in self._statements.rows(query)}

    def those(self, names: Iterable[str]) -> builtins.list[str]:
        """Which of these names networks have, in order."""
        found: builtins.list[str] = []
        for chunk in chunks(names):
            query = select(networks.c.name).where(networks.c.name.in_(chunk))
            found += [row[0] for row in self._statements.rows(query)]
        return sorted(set(found))

    def any_of(self, space: str, besides: str) -> Network | None:
        """Some network of a space, not the one with this id: all of a space are of one tenant."""
        return self._any(networks.c.space == space, networks.c.id != besides)

    def in_zone_of_another(self, zone: str, tenant: str) -> Network | None:
        """Some network of a zone that is not this tenant's."""
        return self._any(networks.c.zone == zone, networks.c.zone != "", networks.c.tenant != tenant)

    def update(self, network: Network) -> None:
        """Write a network that was read before.

        Raises:
            NotFound: it is gone. Conflict: it was changed since, or its new name is taken.
        """
        key = networks.c.id == network.id
        with self._statements.all_or_nothing():
            if not matched_update(self._statements, networks, key, network.generation, values_of(network)):
                refuse_stale(self._statements, networks, key, f"network '{network.name}'", network.generation)

    def delete(self, network: Network) -> None:
        """Forget a network that nobody has an address of."""
        self._statements.write(delete(networks).where(networks.c.id == network.id))

    def _any(self, *condition: ColumnElement[bool]) -> Network | None:
        """One that fits, whichever is found first."""
        return next(iter(self._found(_ALL.where(*condition).order_by(None).limit(1))), None)

    def _where(self, *condition: ColumnElement[bool]) -> builtins.list[Network]:
        return self._found(_ALL.where(*condition))

    def _found(self, query: Select[*tuple[Any, ...]], values: Values | None = None) -> builtins.list[Network]:
        return [_network(tuple(row)) for row in self._statements.rows(query, values)]


def _plain(column: Column[Any]) -> ColumnElement[Any]:
    """A column as the database keeps it: a row of these is its own key, by which its network is remembered."""
    if isinstance(column.type, Place):
        return type_coerce(column, LargeBinary).label(column.key)
    return cast(column, Text).label(column.key) if isinstance(column.type, JSON) else column


# Rows are locked in the order of their names, so that two who want several never wait for each other.
_ALL = select(*map(_plain, networks.c)).order_by(networks.c.name)
_SERVING = _ALL.with_for_update(key_share=True, read=True)
_OF_VLAN = _SERVING.where(networks.c.vlan == bindparam("vlan"), networks.c.datacenter == bindparam("datacenter"))
_BY_IDS = _ALL.where(among(networks.c.id, "ids"))
_GIVING = _SERVING.where(among(networks.c.id, "ids"))
_NAMED = _SERVING.where(networks.c.name == bindparam("name"))


def values_of(network: Network) -> dict[str, Any]:
    """The row of a network."""
    prefix = network.prefix
    return {
        "id": network.id,
        "name": network.name,
        "space": network.space,
        "version": prefix.version,
        "first": prefix.number,
        "last": prefix.last.number,
        "length": prefix.length,
        "role": network.role.value,
        "vlan": network.vlan,
        "vxlan": network.vxlan,
        "lan": network.lan,
        "datacenter": network.datacenter,
        "owner": network.owner,
        "tenant": network.tenant,
        "position": network.position,
        "gateway": network.gateway.number if network.gateway else None,
        "resolvers": [str(resolver) for resolver in network.resolvers],
        "mtu": network.mtu,
        "zone": network.zone,
        "pattern": network.pattern,
        "cooldown": network.cooldown,
        "held": [[str(held.first), str(held.last), held.why] for held in network.held],
        "tags": network.tags,
        "generation": network.generation,
    }


@lru_cache(maxsize=4096)
def _network(row: tuple[Any, ...]) -> Network:
    """The network of a row of the whole table, as `_plain` reads it. Most are read again and again, seldom changed."""
    had = dict(zip(networks.c.keys(), row, strict=True))
    version = had["version"]
    gateway = had["gateway"]
    return Network(
        **{name: had[name] for name in _ALIKE},
        prefix=Prefix(version, int.from_bytes(had["first"], "big"), had["length"]),
        role=Role(had["role"]),
        gateway=None if gateway is None else Address(version, int.from_bytes(gateway, "big")),
        resolvers=tuple(read_address(resolver) for resolver in json.loads(had["resolvers"])),
        held=tuple(Held(read_address(first), read_address(last), why) for first, last, why in json.loads(had["held"])),
        # Everybody who reads this row gets the same network.
        tags=MappingProxyType(json.loads(had["tags"])),
    )


_ALIKE = sorted({field.name for field in fields(Network)} - {"prefix", "role", "gateway", "resolvers", "held", "tags"})
