"""Networks and addresses: who has which, who had it, and what is to be published of it."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

# Written out here, since what the code means by them may change and this version may not.
WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
PLACE = sa.LargeBinary(16)
DOCUMENT: Any = sa.JSON()
LABELS: Any = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")


def upgrade() -> None:
    """Make all tables, those that others refer to first."""
    _networks()
    _strips()
    _blocks()
    _addresses()
    _address_history()
    _address_requests()
    _zones()
    _dns_changes()


def _where(condition: str, sqlite: str = "") -> dict[str, Any]:
    return {"sqlite_where": sa.text(sqlite or condition), "postgresql_where": sa.text(condition)}


def _networks() -> None:
    op.create_table(
        "networks",
        sa.Column("id", WORD, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("space", WORD, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first", PLACE, nullable=False),
        sa.Column("last", PLACE, nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("vlan", sa.Integer()),
        sa.Column("vxlan", sa.Integer()),
        sa.Column("lan", WORD, nullable=False),
        sa.Column("datacenter", WORD, nullable=False),
        sa.Column("owner", WORD, nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("gateway", PLACE),
        sa.Column("resolvers", DOCUMENT, nullable=False),
        sa.Column("mtu", sa.Integer()),
        sa.Column("zone", WORD, nullable=False),
        sa.Column("pattern", sa.Text(), nullable=False),
        sa.Column("cooldown", sa.BigInteger(), nullable=False),
        sa.Column("held", DOCUMENT, nullable=False),
        sa.Column("tags", LABELS, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("role IN ('container', 'reserve', 'user')", name=op.f("ck_networks_role")),
        sa.CheckConstraint("vlan BETWEEN 1 AND 4094", name=op.f("ck_networks_vlan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_networks")),
        sa.UniqueConstraint("name", name=op.f("uq_networks_name")),
        sa.UniqueConstraint("space", "version", "first", "length", name=op.f("uq_networks_space")),
    )
    op.create_index("ix_networks_datacenter_vlan", "networks", ["datacenter", "vlan"])
    op.create_index("ix_networks_owner", "networks", ["owner"], **_where("owner <> ''"))
    op.create_index("ix_networks_reserve", "networks", ["tenant"], **_where("role = 'reserve'"))


def _strips() -> None:
    op.create_table(
        "strips",
        sa.Column("id", WORD, nullable=False),
        sa.Column("next", PLACE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_strips")),
    )


def _blocks() -> None:
    op.create_table(
        "blocks",
        sa.Column("strip", WORD, nullable=False),
        sa.Column("start", PLACE, nullable=False),
        sa.Column("bits", sa.BigInteger(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("has_free", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["strip"], ["strips.id"], name=op.f("fk_blocks_strip"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("strip", "start", name=op.f("pk_blocks")),
    )
    op.create_index("ix_blocks_free", "blocks", ["strip", "start"], **_where("has_free", "has_free = 1"))


def _assignment() -> list[sa.Column[Any]]:
    """Who has an address, a name, or both."""
    return [
        sa.Column("id", WORD, nullable=False),
        sa.Column("network", WORD, nullable=False),
        sa.Column("space", WORD, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("number", PLACE),
        sa.Column("zone", WORD, nullable=False),
        sa.Column("label", WORD),
        sa.Column("stem", WORD, nullable=False),
        sa.Column("place", sa.BigInteger()),
        sa.Column("link", WORD, nullable=False),
        sa.Column("service", WORD, nullable=False),
        sa.Column("environment", WORD, nullable=False),
        sa.Column("machine", WORD, nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("given", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("seen", TIME),
    ]


def _addresses() -> None:
    op.create_table(
        "addresses",
        *_assignment(),
        sa.ForeignKeyConstraint(["network"], ["networks.id"], name=op.f("fk_addresses_network"), ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
        sa.UniqueConstraint("space", "version", "number", name=op.f("uq_addresses_space")),
        sa.UniqueConstraint("zone", "label", name=op.f("uq_addresses_zone")),
    )
    op.create_index("ix_addresses_environment", "addresses", ["environment"], **_where("environment <> ''"))
    op.create_index("ix_addresses_machine", "addresses", ["machine"], **_where("machine <> ''"))
    op.create_index("ix_addresses_network", "addresses", ["network"])
    op.create_index("ix_addresses_pointer", "addresses", ["number", "version"], **_where("label IS NOT NULL"))


def _address_history() -> None:
    op.create_table(
        "address_history",
        *_assignment(),
        sa.Column("released", TIME, nullable=False),
        sa.Column("released_by", sa.Text(), nullable=False),
        sa.Column("resting", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_history")),
    )
    op.create_index("ix_address_history_name", "address_history", ["zone", "label"], **_where("label IS NOT NULL"))
    op.create_index(
        "ix_address_history_resting", "address_history", ["network", "released"], **_where("resting", "resting = 1")
    )
    op.create_index("ix_address_history_space_version_number", "address_history", ["space", "version", "number"])


def _address_requests() -> None:
    op.create_table(
        "address_requests",
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("key", WORD, nullable=False),
        sa.Column("digest", WORD, nullable=False),
        sa.Column("answer", DOCUMENT, nullable=False),
        sa.Column("created", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant", "key", name=op.f("pk_address_requests")),
    )


def _zones() -> None:
    op.create_table(
        "zones",
        sa.Column("name", WORD, nullable=False),
        sa.Column("server", sa.Text(), nullable=False),
        sa.Column("port", sa.Integer(), nullable=False),
        sa.Column("key_name", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("reverse", DOCUMENT, nullable=False),
        sa.Column("ttl", sa.Integer(), nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_zones")),
    )


def _dns_changes() -> None:
    op.create_table(
        "dns_changes",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("zone", WORD, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["zone"], ["zones.name"], name=op.f("fk_dns_changes_zone"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dns_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_dns_changes_zone", "dns_changes", ["zone"])
