"""One transaction of the store, and the repositories in it."""

from __future__ import annotations

from sqlalchemy import Connection

from adslib.adapters.store.addresses import Addresses
from adslib.adapters.store.blocks import Blocks
from adslib.adapters.store.environments import Environments
from adslib.adapters.store.events import Events
from adslib.adapters.store.gateways import Gateways
from adslib.adapters.store.jobs import Jobs
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

    def __init__(self, connection: Connection, *, writable: bool) -> None:
        self._connection = connection
        self._statements = statements = Statements(connection, writable=writable)
        self.environments = Environments(statements)
        self.revisions = Revisions(statements)
        self.standings = Standings(statements)
        self.templates = Templates(statements)
        self.machines = Machines(statements)
        self.jobs = Jobs(statements)
        self.plans = Plans(statements)
        self.gateways = Gateways(statements)
        self.events = Events(statements)
        self.pool_rules = PoolRules(statements)
        self.networks = Networks(statements)
        self.addresses = Addresses(statements)
        self.blocks = Blocks(statements)
        self.zones = Zones(statements)

    def commit(self) -> None:
        """Make everything that was done here last; called once, by the store, when the block ends well."""
        self._statements.flush(commit=True)

    def undo(self) -> None:
        """Take back everything that was done here: what a dry run ends with."""
        self._statements.forget()
        self._connection.rollback()
