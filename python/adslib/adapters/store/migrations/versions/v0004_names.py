"""Names of addresses are unique in an index of their own: what has no name does not burden it. Networks by zone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

NAMED = sa.text("label IS NOT NULL")


def upgrade() -> None:
    """Put the index in the place of the constraint, which SQLite drops only with the table."""
    with op.batch_alter_table("addresses") as table:
        table.drop_constraint(op.f("uq_addresses_zone"), type_="unique")
    op.create_index(
        "uq_addresses_name",
        "addresses",
        ["zone", "label"],
        unique=True,
        sqlite_where=NAMED,
        postgresql_where=NAMED,
    )
    zoned = sa.text("zone <> ''")
    op.create_index("ix_networks_zone", "networks", ["zone"], sqlite_where=zoned, postgresql_where=zoned)
