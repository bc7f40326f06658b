"""A plan on the screen."""

from __future__ import annotations

import pytest

from adslib.domain.plan import Action, Plan, Verb
from adslib.entrypoints.cli.planning import show_plan

SEATS = {"web-1": "a", "web-2": "b"}
WORK = tuple(Action(Verb.UPDATE, id, machine, "its definition changed", stage=1) for id, machine in SEATS.items())


@pytest.mark.req("A7")
@pytest.mark.parametrize(
    ("actions", "said"),
    [
        ((), "is compared when it is deployed, at every instance."),
        (WORK[:1], "is compared when it is deployed, at the instances above; with --all at every one."),
        (WORK, ""),
    ],
)
def test_a_plan_says_where_files_of_the_project_are_compared(
    capsys: pytest.CaptureFixture[str], actions: tuple[Action, ...], said: str
) -> None:
    show_plan(Plan("shop", 1, 1, actions=actions, seats=SEATS))
    told = capsys.readouterr().err
    assert said in told
    assert bool(told) == bool(said)
