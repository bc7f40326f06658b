"""`ads` itself: help, version, global options, exit codes, errors without tracebacks, completion."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import adslib
from adslib.entrypoints.cli.application import app
from adslib.usecases.environments import Environments
from entrypoints.cli.commanding import Run, in_process_of_its_own

NOUNS = ("environment", "template", "machine", "pool", "gateway", "network", "address", "job", "event", "doctor")


def commands() -> list[list[str]]:
    """The words of every command there is."""
    pending = [([], typer.main.get_command(app))]
    found = []
    while pending:
        words, command = pending.pop()
        below = getattr(command, "commands", {})
        pending += [([*words, name], each) for name, each in below.items()]
        found.append(words)
    return sorted(found)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_explains_itself(run: Run, words: list[str]) -> None:
    out = run(*words, "--help").out
    assert "Usage: ads" in out
    assert "  --help" in out or "-h, --help" in out
    for line in out.splitlines()[1:]:
        assert not line.rstrip().endswith("..."), line


def test_every_noun_of_the_design_is_there(run: Run) -> None:
    out = run("--help").out
    for noun in NOUNS:
        assert f"\n  {noun} " in out
    assert "0 done, 1 failed, 2 wrong use or input, 3 conflict or blocked, 4" in out


def test_version(run: Run) -> None:
    assert run("--version").out == f"ads {adslib.__version__}\n"


@pytest.mark.req("I2")
@pytest.mark.parametrize(("format", "read"), [("json", json.loads), ("yaml", yaml.safe_load)])
def test_an_error_is_a_document_with_its_code_for_whoever_asks_for_documents(
    run: Run, format: str, read: Callable[[str], Any]
) -> None:
    refused = run("address", "allocate", "--vlan", "7", "--datacenter", "x", "--format", format, expect=4)
    assert refused.out == ""
    told = read(refused.err)
    assert told["code"] == "unknown-vlan"
    assert told["message"].startswith("no network is tagged with VLAN 7 of data centre 'x'. Tag one: ")
    assert [problem["message"] for problem in told["problems"]] == [
        "no network is tagged with VLAN 7 of data centre 'x'"
    ]


def test_help_needs_no_store_and_imports_nothing_heavy() -> None:
    """The time itself is measured in benchmarks/; what would cost it is seen here."""
    heavy = {"sqlalchemy", "ansible", "ansible_runner", "rich", "pydantic", "ruamel", "lxml", "jinja2", "alembic"}
    code = (
        "import contextlib, sys\nfrom adslib.entrypoints.cli import main\n"
        "with contextlib.suppress(SystemExit):\n    main(['--help'])\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environ)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    "words",
    [
        ["nonsense"],
        ["environment", "nonsense"],
        ["environment", "show"],
        ["environment", "list", "--format", "xml"],
        ["environment", "list", "--nonsense"],
        ["environment", "show", "one", "two"],
        ["machine", "add", "web1", "--port", "many"],
        ["job", "list", "--limit", "0"],
    ],
)
def test_wrong_use_is_told_in_a_line(run: Run, words: list[str]) -> None:
    result = run(*words, expect=2)
    assert "Error: " in result.err
    assert "Traceback" not in result.err
    assert result.out == ""


def test_database_and_actor_are_chosen_before_the_noun(run: Run, tmp_path: Path, shop: str) -> None:
    other = f"sqlite:///{tmp_path}/other.db"
    run("--database", other, "--as", "carol", "environment", "create", shop)
    assert run("environment", "list", "--format", "json").data == []
    events = run("--database", other, "event", "list", "--format", "json").data
    assert {event["actor"] for event in events} == {"carol"}


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("nonsense", 2, "named by a URL"),
        ("mysql://x/y", 2, "ads does not keep its store in 'mysql'"),
        ("postgresql+psycopg://ads:hunter2@127.0.0.1:1/ads", 1, "does not answer"),
        ("sqlite:////proc/nowhere/ads.db", 1, "Error: "),
    ],
)
def test_a_store_that_cannot_be_opened(run: Run, url: str, code: int, said: str) -> None:
    result = run("--database", url, "environment", "list", expect=None)
    assert result.code == code or (code == 1 and result.code in (1, 2))
    assert said in result.err
    assert "hunter2" not in result.err
    assert "Traceback" not in result.err


def test_a_defect_leaves_a_file_and_no_traceback(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("one over\nnothing at postgresql://ads:hunter2@db/ads")

    monkeypatch.setattr(Environments, "list", broken)
    result = run("environment", "list", expect=1)
    lines = result.err.splitlines()
    assert lines[0] == "Error: ads has a defect: ZeroDivisionError: one over nothing at postgresql://…@db/ads"
    assert len(lines) == 2
    kept = list((tmp_path / "ads-home" / "crashes").iterdir())
    assert str(kept[0]) in lines[1]
    assert "ZeroDivisionError" in kept[0].read_text()
    assert "hunter2" not in kept[0].read_text()
    monkeypatch.setenv("ADS_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        run("environment", "list")


def test_a_closed_pipe_is_no_error(shop: str) -> None:
    assert in_process_of_its_own("environment", "create", shop).returncode == 0
    command = f"{sys.executable} -m adslib.entrypoints.cli environment export shop | true"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environ)
    assert done.stderr == ""


@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_colours_on_a_terminal_only_where_they_are_wanted(shop: str, variables: dict[str, str], coloured: bool) -> None:
    assert in_process_of_its_own("environment", "create", shop).returncode == 0
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", "COLUMNS": "200", **variables}
    for words in (["environment", "plan", "shop"], ["doctor"]):
        out = on_a_terminal([sys.executable, "-m", "adslib.entrypoints.cli", *words], environ)
        assert bool(re.search(r"\x1b\[[\d;]*3[1-7]m", out)) == coloured, out


def on_a_terminal(command: list[str], environ: dict[str, str]) -> str:
    """What a command writes when its output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, env=environ, stdout=theirs, stderr=theirs, stdin=theirs, close_fds=True) as process:
        os.close(theirs)
        written = b""
        with suppress(OSError):
            while chunk := os.read(ours, 65536):
                written += chunk
        os.close(ours)
    assert process.returncode == 0, written
    return written.decode()


def completed(words: str) -> list[str]:
    """What the shell is offered behind these words."""
    parts = words.split(" ")
    environ = {"_ADS_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(len(parts) - 1)}
    return in_process_of_its_own(environ=environ).stdout.split()


def test_names_are_completed_from_the_store(shop: str) -> None:
    for words in (
        ("environment", "create", shop),
        ("environment", "clone", "shop", "shoes"),
        ("environment", "clone", "shop", "bank"),
        ("machine", "add", "web1", "--address", "10.0.0.5"),
        ("template", "create", "golden", "--environment", "shop", "--open", "services/**"),
    ):
        assert in_process_of_its_own(*words).returncode == 0
    assert completed("ads environment show sh") == ["shoes", "shop"]
    assert completed("ads machine show ") == ["web1"]
    assert completed("ads environment create --template g") == ["golden"]
    assert set(completed("ads gateway show ")) == {"local", "static"}


def test_completion_is_silent_where_there_is_no_store() -> None:
    environ = {"ADS_DATABASE_URL": "nonsense", "_ADS_COMPLETE": "complete_bash"}
    environ |= {"COMP_WORDS": "ads environment show ", "COMP_CWORD": "3"}
    done = in_process_of_its_own(environ=environ)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_what_is_stored_steers_no_terminal(run: Run) -> None:
    note = "note=\x1b[31mred\x1b]0;title\x07\nError: none"
    run("machine", "add", "web1", "--address", "10.0.0.5", "--size", "small", "--label", note)
    shown = run("machine", "show", "web1").out
    assert r"note=\x1b[31mred\x1b]0;title\x07 Error: none" in shown
    assert "\x1b" not in shown
    assert run("network", "show", "\x1b[2J", expect=4).err.startswith(r"Error: there is no network '\x1b[2J'")
