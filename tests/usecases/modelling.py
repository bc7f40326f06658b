"""Running state machines on a store: each example begins with an empty one."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from sqlalchemy import make_url

import adslib
from adslib.usecases.ads import Ads

# Fewer there, where it is slower: rules are the same on both, only statements differ.
EXAMPLES = {"sqlite": 30, "postgresql": 15}


class StoreMachine(RuleBasedStateMachine):
    """One that acts on a store: what it begins with `opened` is closed at the end."""

    opened: Callable[[], Ads]
    ads: Ads

    def teardown(self) -> None:
        """Close the store."""
        if hasattr(self, "ads"):
            self.ads.close()


def run_model(machine: type[StoreMachine], store_url: str, empty_again: Callable[[], object]) -> None:
    """Let a machine act in whatever order; it fails with the shortest way to what is wrong."""

    def opened() -> Ads:
        empty_again()
        return adslib.connect(store_url, actor="ann")

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        type(machine.__name__, (machine,), {"opened": staticmethod(opened)}),
        settings=settings(
            max_examples=EXAMPLES[make_url(store_url).get_backend_name()],
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
