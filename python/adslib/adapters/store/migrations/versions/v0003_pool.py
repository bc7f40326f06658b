"""The pool: what is lent on request, since when machines are idle, how far gateways were read, rules of growth."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

# Written out here, since what the code means by them may change and this version may not.
WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the columns of machines, then the tables."""
    op.add_column("machines", sa.Column("on_request", sa.Boolean(), nullable=False, server_default=sa.text("false")))
    op.add_column("machines", sa.Column("idle_since", TIME))
    op.create_table(
        "refreshes",
        sa.Column("gateway", WORD, nullable=False),
        sa.Column("mark", sa.Text(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", name=op.f("pk_refreshes")),
    )
    op.create_table(
        "pool_rules",
        sa.Column("name", WORD, nullable=False),
        sa.Column("size", WORD, nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=False),
        sa.Column("gateway", WORD, nullable=False),
        sa.Column("os", WORD, nullable=False),
        sa.Column("location", WORD, nullable=False),
        sa.Column("spare", sa.Integer(), nullable=False),
        sa.Column("grow_at", sa.Integer(), nullable=False),
        sa.Column("floor", sa.Integer(), nullable=False),
        sa.Column("shrink_after", sa.BigInteger(), nullable=False),
        sa.Column("cooldown", sa.BigInteger(), nullable=False),
        sa.Column("tenant", WORD, nullable=False),
        sa.Column("acted", TIME),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_pool_rules")),
    )
