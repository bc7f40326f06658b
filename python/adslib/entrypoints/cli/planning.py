"""A plan on the screen: what would be done by kind, with the reason of each step, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from adslib.domain.plan import Action, Plan, Verb
from adslib.entrypoints.cli.presenting import coloured, say

SIGNS = {Verb.CREATE: "+", Verb.ALLOCATE: "+", Verb.DEPLOY: "+", Verb.REMOVE: "-", Verb.DELETE: "-", Verb.RELEASE: "-"}
FILES = "What the files of the project hold is compared when it is deployed, {which}."
STYLES = {"+": "green", "-": "red", "~": "yellow"}


def show_plan(plan: Plan) -> None:
    """Write a plan for people."""
    print(f"Plan {plan.id} of environment {plan.environment}, revision {plan.revision}")
    if plan.blocked:
        print(coloured("It cannot be carried out; nothing would be held. Missing:", "red"))
        for shortage in plan.blocked:
            print(coloured(f"  ! {shortage}", "red"))
        return
    if not plan.actions:
        print("Nothing differs: what stands is what is defined.")
        say(FILES.format(which="at every instance"))
        return
    for verb, actions in groupby(plan.actions, key=lambda action: action.verb):
        _group(verb, list(actions))
    counts = ", ".join(f"{number} to {verb}" for verb, number in plan.counts().items())
    print(f"\n{counts}")
    if 0 < sum(1 for action in plan.actions if action.stage) < len(plan.seats):
        say(FILES.format(which="at the instances above; with --all at every one"))


def _group(verb: Verb, actions: Iterable[Action]) -> None:
    sign = SIGNS.get(verb, "~")
    listed = list(actions)
    print(f"\n{coloured(f'{verb}', 'bold')}")
    width = max(len(_what(action)) for action in listed)
    stage = 0
    for action in listed:
        if action.stage and action.stage != stage:
            stage = action.stage
            print(f"  stage {stage}")
        print(f"  {coloured(sign, STYLES[sign])} {_what(action).ljust(width)}  {action.reason}")


def _what(action: Action) -> str:
    if action.machine in ("", action.subject):
        return action.subject
    origin = f" from {action.origin}" if action.origin else ""
    return f"{action.subject}{origin} on {action.machine}"
