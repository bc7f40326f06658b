"""`ads pool`: rules and what they do, on the command line."""

from __future__ import annotations

import pytest

from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run

RULE = ("pool", "rule", "add", "web", "--size", "small", "--ceiling", "4")


@pytest.mark.req("A11")
def test_a_rule_is_added_planned_applied_and_removed(run: Run) -> None:
    run("gateway", "add", "cloud", "--kind", "sim")
    assert run(*RULE, "--spare", "2", "--shrink-after", "2h", "--cooldown", "10m").out == "rule 'web' added\n"
    (rule,) = run("pool", "rule", "list", "--format", "json").data
    assert list(rule) == list(FIELDS["pool rule list"])
    assert (rule["shrink_after"], rule["cooldown"]) == (7200, 600)
    table = run("pool", "plan").out
    assert "create  web-1    cloud    web   0 free, 2 are to be" in table
    plan = run("pool", "plan", "--format", "json").data
    assert list(plan) == list(FIELDS["pool plan"])
    assert [action["machine"] for action in plan["actions"]] == ["web-1", "web-2"]
    assert run("pool", "apply", "--dry-run").out == "dry run: 2 made\n"
    assert run("pool", "apply").out == "2 made\n"
    settled = run("pool", "plan")
    assert (settled.out, settled.err) == ("", "nothing to do\n")
    assert run("pool", "rule", "remove", "web").out == "rule 'web' removed; its machines stay\n"
    assert "there is no rule 'web'" in run("pool", "rule", "remove", "web", expect=4).err


@pytest.mark.req("A11")
def test_what_cannot_be_made_is_said_and_the_command_fails(run: Run) -> None:
    run("gateway", "add", "cloud", "--kind", "sim", "--option", "create_fails=1")
    run(*RULE, "--spare", "1")
    failed = run("pool", "apply", expect=1)
    assert failed.out == "1 failed\n"
    assert failed.err.startswith("Error: machine 'web-1': simulated cloud 'cloud' refused order")
    run(*RULE, "--spare", "1", "--location", "mars", "--gateway", "local")
    waiting = run("pool", "plan").err
    assert "rule 'web' waits: 1 × small in mars from gateway local cannot be made" in waiting


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--spare", "5"), "its spare 5 is above its ceiling 4. Raise the ceiling or lower the spare"),
        (("--spare", "1", "--cooldown", "soon"), "--cooldown: 'soon' is no length of time. Write one like 90s, 30m"),
        (("--spare", "1", "--shrink-after", f"{10**30}w"), "is no length of time"),
        (("--grow-at", "200"), "grow-at is 200. Use 0 to 100"),
        ((), "it says nothing. Give --spare, --floor, --grow-at or --shrink-after"),
    ],
)
def test_wrong_rules_are_refused(run: Run, words: tuple[str, ...], said: str) -> None:
    assert said in run(*RULE, *words, expect=2).err
    assert run("pool", "rule", "list").out == ""
