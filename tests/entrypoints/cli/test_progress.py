"""The progress of a job: plain lines, and the live display, from the events of ansible-runner."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from adslib.entrypoints.cli import progress
from adslib.entrypoints.cli.presenting import Column, as_text
from adslib.entrypoints.cli.progress import Shown


def event(kind: str, host: str = "", task: str = "", **res: Any) -> dict[str, Any]:
    return {"event": kind, "event_data": {"host": host, "task": task, "res": res}}


@pytest.fixture(autouse=True)
def a_clock_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no second passes, however busy this host is."""
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: 7.0))


def test_plays_failures_and_progress_lines_are_told_as_they_come() -> None:
    told: list[str] = []
    shown = Shown("deploy shop", told.append, verbose=False)
    shown({"event": "playbook_on_play_start", "event_data": {"name": "Stage 1"}})
    shown(event("runner_on_start", "web1", "Install"))
    shown(event("runner_on_ok", "localhost", "Make", lines=["web1 running"]))
    shown(event("runner_on_ok", "web1", "Install", changed=True))
    shown(event("runner_on_failed", "web1", "Start", msg="no such file\nat all"))
    shown(event("runner_on_unreachable", "web2", "Start", msg="timed out"))
    shown({**event("runner_on_failed", "web1", "Try", msg="expected"), "event_data": {
        "host": "web1", "task": "Try", "ignore_errors": True, "res": {"msg": "expected"}}})  # fmt: skip
    shown({"event": "verbose", "stdout": "[ERROR]: the playbook could not be found"})
    assert told == [
        "[0:00] Stage 1",
        "[0:00]   web1 running",
        "[0:00] failed: web1: Start: no such file at all",
        "[0:00] unreachable: web2: Start: timed out",
        "[ERROR]: the playbook could not be found",
    ]


def test_verbose_tells_every_task() -> None:
    told: list[str] = []
    shown = Shown("deploy shop", told.append, verbose=True)
    shown(event("runner_on_ok", "web1", "Install", changed=True))
    shown(event("runner_on_ok", "web1", "Look"))
    shown(event("runner_on_skipped", "web1", "Skip"))
    shown(event("runner_item_on_ok", "web1", "Loop", _ansible_item_label="one"))
    assert told == [
        "[0:00] changed: web1: Install",
        "[0:00] ok: web1: Look",
        "[0:00] ok: web1: Loop (one)",
    ]


def test_the_live_display_shows_who_does_what() -> None:
    shown = Shown("deploy shop", lambda line: None, verbose=False)
    shown.live = True
    shown({"event": "playbook_on_play_start", "event_data": {"name": "Stage 1"}})
    for number in range(9):
        shown(event("runner_on_start", f"web{number}", "Install [x]"))
    shown(event("runner_on_ok", "web0", "Install [x]"))
    shown(event("runner_on_failed", "web1", "Install [x]", msg="no"))
    console = Console(width=80, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(shown.drawn())
    text = captured.get()
    assert "deploy shop  0:00  Stage 1" in text
    assert "9 hosts, 2 tasks done, 1 failed" in text
    assert "web2: Install [x]" in text
    assert "and 1 more" in text
    assert "web0:" not in text


def test_values_in_tables() -> None:
    assert [as_text(value) for value in (None, "", True, False, 1.5, 2.0, ["a", 1], {"a": True}, 0)] == [
        "", "", "yes", "no", "1.5", "2", "a, 1", "a=yes", "0",
    ]  # fmt: skip
    assert Column("tests.passed").text({"tests": {"passed": 3}}) == "3"
    assert Column("tests.passed").text({"tests": None}) == ""
