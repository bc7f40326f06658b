"""What Alembic runs around the migrations: they happen in the transaction that `migrate` holds open."""

from __future__ import annotations

from alembic import context

from adslib.adapters.store import address_schema  # noqa: F401 - its tables belong to the metadata
from adslib.adapters.store.schema import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
