"""A line of the log costs less: no index where it belongs to no environment, no count of ids beside the table."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

OWNED = sa.text("environment <> ''")


def upgrade() -> None:
    """Make the index anew. SQLite drops AUTOINCREMENT only with the table, which is made anew without it."""
    op.drop_index(op.f("ix_events_environment"), "events")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("events", recreate="always") as table:
            table.create_primary_key(op.f("pk_events"), ["id"])
    op.create_index("ix_events_environment", "events", ["environment"], sqlite_where=OWNED, postgresql_where=OWNED)
