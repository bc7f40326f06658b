"""Processes of a job are found by the marker in their environment, also at the instant at which they begin."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from adslib.adapters import processes
from adslib.adapters.gateways.local import processes as local
from adslib.domain.job import JOB_MARKER
from servers import LONGEST

pytestmark = pytest.mark.req("A22", "A23")

MARKED = f"HOME=/\0{JOB_MARKER}=mine\0".encode()


@pytest.fixture
def listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Lists a process in a /proc of the test's own: `listed(4711, environ=b"…")`."""
    monkeypatch.setattr(processes, "PROC", tmp_path)

    def put(pid: int, *, environ: bytes = b"", cmdline: bytes = b"", program: bool = True) -> Path:
        entry = tmp_path / str(pid)
        entry.mkdir()
        (entry / "environ").write_bytes(environ)
        (entry / "cmdline").write_bytes(cmdline)
        (entry / "stat").write_text(f"{pid} (a program) S " + " ".join(map(str, range(1, 50))))
        if program:
            (entry / "exe").symlink_to("/bin/sh")
        return entry

    return put


def test_a_process_that_is_just_being_started_is_waited_for(
    listed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LONGEST_BEGINNING", LONGEST)
    entry = listed(4711)
    monkeypatch.setattr("time.sleep", lambda _: (entry / "environ").write_bytes(MARKED))
    assert processes.marked("mine") == [4711]


def test_nobody_waits_for_what_has_no_environment(listed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    listed(2, program=False)
    listed(4711, cmdline=b"bare\0")
    listed(4712, cmdline=b"sh\0", environ=MARKED)
    listed(4713, cmdline=b"sh\0", environ=MARKED.replace(b"mine", b"mine-too"))
    monkeypatch.setattr("time.sleep", lambda _: pytest.fail("it was waited for"))
    assert processes.marked("mine") == [4712]


def test_what_never_begins_is_not_waited_for_without_end(
    listed: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "LONGEST_BEGINNING", 0.01)
    listed(4711)
    assert processes.marked("mine") == []


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of a clock that only the test moves, and that nobody waits for."""
    now = [1000.0]
    monkeypatch.setattr(processes.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(processes.time, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    return now


def test_nobody_gives_up_who_has_killed_nothing_yet(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    """Where the host is very busy whoever ends processes may stand still for longer than they have to end."""
    sent: list[int] = []

    def seen_late(_job: str) -> list[int]:
        clock[0] += 2 * (processes.ASKED + processes.KILLED)
        return [] if signal.SIGKILL in sent else [4711]

    monkeypatch.setattr(processes, "marked", seen_late)
    monkeypatch.setattr(processes.os, "kill", lambda _pid, number: sent.append(number))
    assert processes.end_marked("mine")
    assert sent == [signal.SIGTERM, signal.SIGKILL]


def test_what_does_not_end_when_it_is_killed_is_given_up(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    sent: list[int] = []
    monkeypatch.setattr(processes, "marked", lambda _job: [4711])
    monkeypatch.setattr(processes.os, "kill", lambda _pid, number: sent.append(number))
    assert not processes.end_marked("mine")
    assert (sent[0], set(sent[1:])) == (signal.SIGTERM, {signal.SIGKILL})
    assert processes.ASKED + processes.KILLED < clock[0] - 1000 < processes.ASKED + processes.KILLED + 1


@pytest.mark.req("A8")
def test_the_end_of_a_machine_is_awaited_after_it_was_killed(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    of_machine, killed = local.Process(4711, 1), []

    def seen_late(*_: object) -> set[local.Process]:
        clock[0] += 1000
        return set() if killed else {of_machine}

    monkeypatch.setattr(local, "of_machine", seen_late)
    monkeypatch.setattr(local.Process, "signal", lambda _, number: killed.append(number))
    assert local.end(Path("/machine"), None, 1) == set()
    assert killed == [signal.SIGKILL]
