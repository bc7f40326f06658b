"""Names whose records a DNS server has from ads: those that are given and do not wait to be published."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

# Written out here, since what the code means by them may change and this version may not.
WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
CHUNK = 1000

GIVEN = sa.text(
    "SELECT addresses.zone, addresses.label, addresses.version, addresses.number, zones.reverse FROM addresses "
    "JOIN zones ON zones.name = addresses.zone WHERE addresses.label IS NOT NULL AND addresses.number IS NOT NULL"
).columns(number=sa.LargeBinary(), reverse=sa.JSON())


def upgrade() -> None:
    """Add the table, and what earlier versions published."""
    table = op.create_table(
        "dns_published",
        sa.Column("zone", WORD, nullable=False),
        sa.Column("name", WORD, nullable=False),
        sa.ForeignKeyConstraint(["zone"], ["zones.name"], name=op.f("fk_dns_published_zone"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("zone", "name", name=op.f("pk_dns_published")),
    )
    connection = op.get_bind()
    waiting = {(row.zone, row.name) for row in connection.execute(sa.text("SELECT zone, name FROM dns_changes"))}
    # A name at a time: overlapping spaces give one address, and so its reverse name, several times.
    names = (name for name in dict.fromkeys(_names(connection)) if name not in waiting)
    while rows := [{"zone": zone, "name": name} for zone, name in islice(names, CHUNK)]:
        connection.execute(sa.insert(table), rows)


def _names(connection: sa.Connection) -> Iterator[tuple[str, str]]:
    """Each name that is given, and its reverse name if the server of its zone carries that."""
    row: Any
    for row in connection.execute(GIVEN):
        yield row.zone, f"{row.label}.{row.zone}."
        kind = ipaddress.IPv6Address if row.version == 6 else ipaddress.IPv4Address
        pointer = kind(int.from_bytes(row.number, "big")).reverse_pointer
        if any(pointer.endswith(f".{each}") for each in row.reverse):
            yield row.zone, f"{pointer}."
