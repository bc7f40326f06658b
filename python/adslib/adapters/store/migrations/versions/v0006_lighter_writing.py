"""An address and a line of the log cost less: no index, key or count that is not needed to decide or to find them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """SQLite drops a key to another table and AUTOINCREMENT only with the table, which is made anew without them."""
    op.drop_index(op.f("ix_addresses_network"), "addresses")
    with op.batch_alter_table("addresses") as table:
        table.drop_constraint(op.f("fk_addresses_network"), type_="foreignkey")
    op.create_index("ix_addresses_name_only", "addresses", ["network"], **_where("number IS NULL"))
    op.drop_index(op.f("ix_events_environment"), "events")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("events", recreate="always") as table:
            table.create_primary_key(op.f("pk_events"), ["id"])
    op.create_index("ix_events_environment", "events", ["environment"], **_where("environment <> ''"))
