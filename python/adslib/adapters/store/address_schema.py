"""The tables of networks and addresses (I1 to I9). See ADR 6 for what decides and what only helps to find."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
)

from adslib.adapters.store.columns import (
    Document,
    Labels,
    Place,
    Serial,
    UtcTime,
    Word,
    generation,
    one_of,
    where,
    word,
)
from adslib.adapters.store.schema import metadata
from adslib.domain.network import Role

networks = Table(
    "networks",
    metadata,
    Column("id", Word, primary_key=True),
    word("name"),
    word("space"),
    Column("version", Integer, nullable=False),
    Column("first", Place, nullable=False),
    Column("last", Place, nullable=False),
    Column("length", Integer, nullable=False),
    word("role"),
    Column("vlan", Integer),
    Column("vxlan", Integer),
    word("lan"),
    word("datacenter"),
    word("owner"),
    word("tenant"),
    Column("position", Integer, nullable=False),
    Column("gateway", Place),
    Column("resolvers", Document, nullable=False),
    Column("mtu", Integer),
    word("zone"),
    Column("pattern", Text, nullable=False),
    Column("cooldown", BigInteger, nullable=False),
    Column("held", Document, nullable=False),
    Column("tags", Labels, nullable=False),
    generation(),
    UniqueConstraint("name"),
    UniqueConstraint("space", "version", "first", "length"),
    CheckConstraint(one_of("role", Role), name="role"),
    CheckConstraint("vlan BETWEEN 1 AND 4094", name="vlan"),
    Index(None, "datacenter", "vlan"),
    Index("ix_networks_owner", "owner", **where("owner <> ''")),
    Index("ix_networks_reserve", "tenant", **where("role = 'reserve'")),
    Index("ix_networks_zone", "zone", **where("zone <> ''")),
)

# A strip is a line of places that are given out: a network's addresses, or the numbers of names like web-7.
strips = Table(
    "strips",
    metadata,
    Column("id", Word, primary_key=True),
    # Where the next block begins, of those that are made in their order.
    Column("next", Place, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("strip", Word, ForeignKey("strips.id", ondelete="CASCADE"), primary_key=True),
    Column("start", Place, primary_key=True),
    Column("bits", BigInteger, nullable=False),
    Column("taken", Integer, nullable=False),
    # Apart from the bits, since an index over what seldom changes lets PostgreSQL update a row in its place.
    Column("has_free", Boolean, nullable=False),
    Index("ix_blocks_free", "strip", "start", **where("has_free", sqlite="has_free = 1")),
)


def _assignment() -> list[Column[Any]]:
    """Who has an address, a name, or both; `number` or `label` is empty where only the other was asked for."""
    return [
        Column("id", Word, primary_key=True),
        word("network"),
        word("space"),
        Column("version", Integer, nullable=False),
        Column("number", Place),
        word("zone"),
        Column("label", Word),
        word("stem"),
        Column("place", BigInteger),
        word("link"),
        word("service"),
        word("environment"),
        word("machine"),
        Column("why", Text, nullable=False),
        word("tenant"),
        Column("given", UtcTime, nullable=False),
        Column("actor", Text, nullable=False),
        Column("seen", UtcTime),
    ]


addresses = Table(
    "addresses",
    metadata,
    *_assignment(),
    # No key to its network, and no index of all that one has: each address would pay for them. Who removes a network
    # locks it first, as those do who take of it; its addresses are found by their numbers.
    UniqueConstraint("space", "version", "number"),
    Index("ix_addresses_name_only", "network", **where("number IS NULL")),
    Index("uq_addresses_name", "zone", "label", unique=True, **where("label IS NOT NULL")),
    # PTR records have the names of an address in all spaces.
    Index("ix_addresses_pointer", "number", "version", **where("label IS NOT NULL")),
    Index("ix_addresses_machine", "machine", **where("machine <> ''")),
    Index("ix_addresses_environment", "environment", **where("environment <> ''")),
)

# What was: no key to the network, since it outlives it.
address_history = Table(
    "address_history",
    metadata,
    *_assignment(),
    Column("released", UtcTime, nullable=False),
    Column("released_by", Text, nullable=False),
    # Its address stays closed until the network's cool-down is over.
    Column("resting", Boolean, nullable=False),
    Index(None, "space", "version", "number"),
    Index("ix_address_history_name", "zone", "label", **where("label IS NOT NULL")),
    Index("ix_address_history_resting", "network", "released", **where("resting", sqlite="resting = 1")),
)

address_requests = Table(
    "address_requests",
    metadata,
    Column("tenant", Word, primary_key=True),
    Column("key", Word, primary_key=True),
    Column("digest", Word, nullable=False),
    Column("answer", Document, nullable=False),
    Column("created", UtcTime, nullable=False),
)

zones = Table(
    "zones",
    metadata,
    Column("name", Word, primary_key=True),
    Column("server", Text, nullable=False),
    Column("port", Integer, nullable=False),
    # Of the key: its name, its algorithm, and where its secret lies; never the secret.
    Column("key_name", Text, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("reverse", Document, nullable=False),
    Column("ttl", Integer, nullable=False),
    word("tenant"),
    # Why publishing failed the last time; empty: it did not.
    Column("failure", Text, nullable=False),
)

# Names whose records at the server may differ from the store. One row a change: a publisher deletes what it has seen.
dns_changes = Table(
    "dns_changes",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("zone", Word, ForeignKey("zones.name", ondelete="CASCADE"), nullable=False),
    # Absolute, of the record: web-1.west.example. or 7.0.0.10.in-addr.arpa.
    word("name"),
    Column("at", UtcTime, nullable=False),
    Index(None, "zone"),
    sqlite_autoincrement=True,
)

# Names whose records the server of a zone has from ads; of others it may have somebody else's.
dns_published = Table(
    "dns_published",
    metadata,
    Column("zone", Word, ForeignKey("zones.name", ondelete="CASCADE"), primary_key=True),
    # Absolute, as in dns_changes.
    Column("name", Word, primary_key=True),
)
