"""Every branch of the document's flow, through Python, the command line and the modules: the same cases for each."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import adslib
from collection.module_stage import Player, Task, task
from entrypoints.cli.commanding import Run
from entrypoints.cli.conftest import run as run
from system.flow import Answer, Case, Trip, Written, cases, described, in_python, look, on_the_command_line, verb_of

CASES = list(cases())
NAMES = [case.name for case in CASES]


@pytest.mark.req("I1", "I2", "I3", "I4", "I5", "I9")
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_in_python(case: Case, store_url: str) -> None:
    with adslib.connect(store_url, actor="ann") as ads:
        Trip(case, in_python(ads)).run()


@pytest.mark.req("I2", "I3", "I4", "I5", "I8", "I9")
@pytest.mark.parametrize("case", CASES, ids=NAMES)
def test_on_the_command_line(case: Case, run: Run) -> None:
    Trip(case, on_the_command_line(run)).run()


@pytest.mark.req("I2", "I3", "I4", "I5", "I8", "I9")
def test_by_a_playbook(sqlite_template: Path, tmp_path: Path) -> None:
    """One run for all cases, each on a store of its own."""
    tasks: list[Task] = []
    for number, case in enumerate(CASES):
        store = f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / f'{number}.db')}"
        tasks.append(task("network", database=store, networks=case.networks))
        before = len(tasks)
        tasks += [as_task(place, step, before, store) for place, step in enumerate(case.steps, 1)]
    results = iter(Player(tmp_path, "sqlite:///none.db")(*tasks))
    for case in CASES:
        assert not next(results).get("failed")
        for place, step in enumerate(case.steps, 1):
            result = next(results)
            told, changed = result["msg"], result.get("changed")
            if step.get("module") == "unchanged":
                assert (told, changed) == ("nothing to release", False)
            else:
                look(case, place, step, Answer(told, result.get("addresses", ()), result.get("code", "")))


def as_task(place: int, step: Written, before: int, store: str) -> Task:
    """A step as a task of a playbook; `before` are the tasks before its case's first."""
    verb = verb_of(step)
    if verb == "release":
        got = step["release"]
        ids = f"{{{{ result_{before + got - 1}.addresses | map(attribute='id') }}}}" if isinstance(got, int) else [got]
        return task("address", database=store, state="absent", ids=ids)
    noun = "address" if verb == "ask" else "network"
    return task(noun, database=store, **{"addresses" if verb == "ask" else "networks": [described(place, step)]})
