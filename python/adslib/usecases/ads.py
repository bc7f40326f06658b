"""The public Python API: one object with a noun each, acting for one actor on one store."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from adslib.app import App
from adslib.domain.actor import Actor
from adslib.usecases.addresses import Addresses
from adslib.usecases.doctor import Doctor
from adslib.usecases.environments import Environments
from adslib.usecases.events import Events
from adslib.usecases.gateways import Gateways
from adslib.usecases.inventory import Inventory
from adslib.usecases.jobs import Jobs
from adslib.usecases.machines import Machines
from adslib.usecases.networks import Networks
from adslib.usecases.playbooks import Playbooks
from adslib.usecases.pool import Pool
from adslib.usecases.running import Running
from adslib.usecases.templates import Templates
from adslib.usecases.zones import Zones


class Ads:
    """What a program does with ads; use it in a `with` block, or call `close`.

    Args:
        app: the wiring. actor: for whom.
    """

    def __init__(self, app: App, actor: Actor) -> None:
        self.app = app
        self.actor = actor

    @cached_property
    def addresses(self) -> Addresses:
        """Addresses and names: allocate, release, list, history."""
        return Addresses(self.app, self.actor)

    @cached_property
    def environments(self) -> Environments:
        """Environments: define, plan, go live, show, compare."""
        return Environments(self.app, self.actor)

    @cached_property
    def doctor(self) -> Doctor:
        """Doctor: whether this installation can do its work."""
        return Doctor(self.app, self.actor)

    @cached_property
    def events(self) -> Events:
        """Events: the log."""
        return Events(self.app, self.actor)

    @cached_property
    def gateways(self) -> Gateways:
        """Gateways: where machines come from; add, look, sizes, instance templates."""
        return Gateways(self.app, self.actor)

    @cached_property
    def inventory(self) -> Inventory:
        """Inventory: the machines of environments as they stand, ready for Ansible."""
        return Inventory(self.app, self.actor)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs: reserve, carry out, report, cancel."""
        return Jobs(self.app, self.actor)

    @cached_property
    def machines(self) -> Machines:
        """Machines: the pool; add, import, list, start, stop, snapshots."""
        return Machines(self.app, self.actor)

    @cached_property
    def networks(self) -> Networks:
        """Networks: add, edit, split, merge, how full they are."""
        return Networks(self.app, self.actor)

    @cached_property
    def playbooks(self) -> Playbooks:
        """Playbooks: what a run of the collection's playbooks begins with."""
        return Playbooks(self.app, self.actor)

    @cached_property
    def pool(self) -> Pool:
        """Pool: the rules by which it grows and shrinks; plan, apply."""
        return Pool(self.app, self.actor)

    @cached_property
    def running(self) -> Running:
        """Running: jobs carried out in this process, with their events as they come."""
        return Running(self.app, self.actor)

    @cached_property
    def templates(self) -> Templates:
        """Templates: definitions with open parts."""
        return Templates(self.app, self.actor)

    @cached_property
    def zones(self) -> Zones:
        """Zones: which DNS server carries them; publish their names, compare, export."""
        return Zones(self.app, self.actor)

    def close(self) -> None:
        """Close the store."""
        self.app.close()

    def __enter__(self) -> Ads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
