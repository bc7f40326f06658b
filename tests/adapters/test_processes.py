"""Processes of a job are found by the marker in their environment, also at the instant at which they begin."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adslib.adapters import processes
from adslib.domain.job import JOB_MARKER

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
