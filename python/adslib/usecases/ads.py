"""The public Python API: one object with a noun each, acting for one actor on one store."""

from __future__ import annotations

from functools import cached_property
from types import TracebackType

from adslib.app import App
from adslib.domain.actor import Actor
from adslib.usecases.environments import Environments
from adslib.usecases.inventory import Inventory
from adslib.usecases.jobs import Jobs
from adslib.usecases.playbooks import Playbooks


class Ads:
    """What a program does with ads; use it in a `with` block, or call `close`.

    Args:
        app: the wiring. actor: for whom.
    """

    def __init__(self, app: App, actor: Actor) -> None:
        self.app = app
        self.actor = actor

    @cached_property
    def environments(self) -> Environments:
        """Environments: define, plan, go live, show, compare."""
        return Environments(self.app, self.actor)

    @cached_property
    def inventory(self) -> Inventory:
        """Inventory: the machines of environments as they stand, ready for Ansible."""
        return Inventory(self.app, self.actor)

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs: reserve, carry out, report, cancel."""
        return Jobs(self.app, self.actor)

    @cached_property
    def playbooks(self) -> Playbooks:
        """Playbooks: what a run of the collection's playbooks begins with."""
        return Playbooks(self.app, self.actor)

    def close(self) -> None:
        """Close the store."""
        self.app.close()

    def __enter__(self) -> Ads:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
