"""One transaction of the store, and the repositories in it."""

from __future__ import annotations

from typing import Any, get_type_hints

from sqlalchemy import Connection

from adslib.adapters.store.addresses import Addresses
from adslib.adapters.store.blocks import Blocks
from adslib.adapters.store.environments import Environments
from adslib.adapters.store.events import Events
from adslib.adapters.store.gateways import Gateways
from adslib.adapters.store.jobs import Jobs
from adslib.adapters.store.machine_locks import MachineLocks
from adslib.adapters.store.machines import Machines
from adslib.adapters.store.networks import Networks
from adslib.adapters.store.plans import Plans
from adslib.adapters.store.pool_rules import PoolRules
from adslib.adapters.store.revisions import Revisions
from adslib.adapters.store.standings import Standings
from adslib.adapters.store.statements import Statements
from adslib.adapters.store.templates import Templates
from adslib.adapters.store.zones import Zones


class Transaction:
    """What is seen and changed together; all of it or nothing comes into the store.

    `commit` is the only place of ads that commits, so a test can stop the world there.
    """

    environments: Environments
    revisions: Revisions
    standings: Standings
    templates: Templates
    machines: Machines
    machine_locks: MachineLocks
    jobs: Jobs
    plans: Plans
    gateways: Gateways
    events: Events
    pool_rules: PoolRules
    networks: Networks
    addresses: Addresses
    blocks: Blocks
    zones: Zones

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self._connection = connection
        self._statements = Statements(connection, writable=writable)

    def __getattr__(self, name: str) -> Any:
        """A repository, when it is first asked for: most transactions need few of them."""
        if name not in _REPOSITORIES:
            raise AttributeError(f"a transaction has no '{name}'")
        repository = _REPOSITORIES[name](self._statements)
        setattr(self, name, repository)
        return repository

    def commit(self) -> None:
        """Make everything that was done here last; called once, by the store, when the block ends well."""
        self._statements.flush()
        self._connection.commit()

    def undo(self) -> None:
        """Take back everything that was done here: what a dry run ends with. Nothing is changed any more."""
        self._statements.forget()
        self._connection.rollback()
        # There is no transaction left that could take it back.
        self._statements.writable = False


_REPOSITORIES = get_type_hints(Transaction)
