"""The role verification: tests run on the machine, all at once, and say why one failed."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collection.component_stage import Machine
from servers import LONGEST, free_port

pytestmark = [pytest.mark.req("A12"), pytest.mark.req("A16")]


class Handler(BaseHTTPRequestHandler):
    """Says welcome at /, moves /old, speaks without an end at /drip, and knows nothing else."""

    def do_GET(self) -> None:
        self.send_response({"/": 200, "/old": 302, "/drip": 200}.get(self.path, 404))
        self.send_header("Location", "/")
        self.end_headers()
        self.wfile.write(b"welcome")
        while self.path == "/drip" and not self.server.stopping.wait(0.05):  # type: ignore[attr-defined]
            self.wfile.write(b".")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.stopping = threading.Event()  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.stopping.set()  # type: ignore[attr-defined]
        server.shutdown()
        thread.join()


@pytest.fixture
def stage(tmp_path: Path) -> Machine:
    """A machine without an init: tests need none."""
    made = Machine(tmp_path, tmp_path / "project")
    made.project.mkdir()
    made.root.mkdir()
    return made


def verify(stage: Machine, tests: list[dict[str, Any]], **variables: Any) -> Any:
    return stage.run("verification", ads_tests=tests, **variables)


def test_all_kinds_of_test_succeed(stage: Machine, port: int) -> None:
    about = {"instance": "web-1", "address": "127.0.0.1", "ports": {"http": port}}
    (stage.root / "here").touch()
    done = verify(
        stage,
        [
            {**about, "http": "/", "contains": "welcome"},
            {**about, "http": f"http://127.0.0.1:{port}/none", "status": 404},
            {**about, "http": "/old", "status": 302},
            {**about, "tcp": "http"},
            {**about, "tcp": str(port)},
            {**about, "command": 'test -f here && echo "$ADS_ROOT $ADS_PORT_HTTP"', "contains": f"{stage.root} {port}"},
        ],
    )
    assert (done.code, done.result["changed"]) == (0, False), done.output
    assert [(test["ok"], test["cause"]) for test in done.result["tests"]] == [(True, "")] * 6


def test_what_failed_is_told_with_its_cause(stage: Machine, port: int) -> None:
    closed, nap = free_port(), f"{LONGEST}{os.getpid()}"  # nobody else on this host sleeps for so long
    about = {"instance": "web-1", "address": "127.0.0.1", "ports": {"http": port, "sip": closed}, "retries": 1}
    about["timeout"] = LONGEST
    tests = [
        {**about, "http": "/none"},
        {**about, "http": "/", "contains": "goodbye"},
        {**about, "tcp": "sip"},
        {**about, "tcp": "rtp"},
        {**about, "command": "echo out of order; exit 3"},
        {**about, "command": f"sleep {nap}; touch late", "timeout": 0.2},
        {**about, "http": "/"},
    ]
    done = verify(stage, tests)
    assert done.message.startswith("6 of 7 tests failed:\nweb-1: http /none: ")
    causes = [test["cause"] for test in done.result["tests"]]
    for cause, words in zip(
        causes,
        [
            "answers 404 instead of 200: welcome",
            "does not contain 'goodbye': welcome",
            f"no connection to 127.0.0.1 port {closed}",
            "it has no port 'rtp'; its ports: http, sip",
            "ends with 3: out of order",
            f"sleep {nap}; touch late does not end within 0.2 s: raise the test's 'timeout' if it may take longer",
            "",
        ],
        strict=True,
    ):
        assert words in cause
    told = verify(stage, tests, verification_fail=False)
    assert told.code == 0
    assert [test["ok"] for test in told.result["tests"]] == [False] * 6 + [True]
    # What the shell started ended with it.
    assert f"sleep\0{nap}\0".encode() not in command_lines()


def command_lines() -> set[bytes]:
    """Of all processes of this host."""
    lines = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.add(path.read_bytes())
    return lines


@pytest.fixture
def deaf() -> Iterator[int]:
    """A port whose queue is full: connections to it are neither taken nor refused."""
    with socket.socket() as listening, socket.socket() as first:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        first.connect(listening.getsockname())
        yield listening.getsockname()[1]


def test_what_the_timeout_cuts_off_names_it_and_its_key(stage: Machine, port: int, deaf: int) -> None:
    about = {"instance": "web-1", "address": "127.0.0.1", "retries": 1, "timeout": 0.3}
    tests = [
        {**about, "http": "/", "ports": {"http": deaf}},
        {**about, "http": "/drip", "ports": {"http": port}},
        {**about, "tcp": "http", "ports": {"http": deaf}},
        {**about, "command": "sleep 6000"},
        {**about, "command": "sleep 0.5", "timeout": LONGEST},
    ]
    told = verify(stage, tests, verification_fail=False)
    key = " within 0.3 s: raise the test's 'timeout' if it may take longer"
    assert [test["cause"] for test in told.result["tests"]] == [
        f"http://127.0.0.1:{deaf}/ does not answer{key}",
        f"http://127.0.0.1:{port}/drip does not answer{key}",
        f"no connection to 127.0.0.1 port {deaf}{key}",
        f"sleep 6000 does not end{key}",
        "",
    ]


def test_a_timeout_of_nothing_is_refused(stage: Machine) -> None:
    wrong = verify(stage, [{"instance": "web-1", "command": "true", "timeout": 0}])
    assert wrong.message == "web-1: timeout: 0 is out of bounds: use more than 0 seconds"


def test_it_is_tried_again_and_all_at_once(stage: Machine) -> None:
    about = {"instance": "web-1", "retries": 10, "delay": 0.1, "timeout": LONGEST}
    # One after another they would never see each other.
    meeting = "touch {name}.here; while [ $(ls | grep -c here) -lt 4 ]; do sleep 0.1; done; "
    counting = "echo x >> {name}; test $(wc -l < {name}) -ge 10"
    tests = [{**about, "command": (meeting + counting).format(name=name)} for name in "abcd"]
    done = verify(stage, tests)
    assert done.code == 0, done.output
    assert [len((stage.root / name).read_text().split()) for name in "abcd"] == [10] * 4
    assert min(test["seconds"] for test in done.result["tests"]) >= 0.9


def test_tasks_of_the_project_count_as_tests(stage: Machine, port: int) -> None:
    (stage.project / "tests").mkdir()
    (stage.project / "tests" / "good.yml").write_text(
        "- ansible.builtin.assert: {that: verification_test.ports.http > 0}\n"
    )
    (stage.project / "tests" / "bad.yml").write_text(
        "- name: Look closer\n  ansible.builtin.fail: {msg: it is dusty}\n"
    )
    about = {"instance": "web-1", "address": "127.0.0.1", "ports": {"http": port}}
    tests = [{**about, "tasks": "tests/good.yml"}, {**about, "tasks": "tests/bad.yml"}, {**about, "http": "/"}]
    done = verify(stage, tests)
    assert done.code != 0
    assert "1 of 3 tests failed: Look closer: it is dusty" in done.output
    assert verify(stage, tests, verification_fail=False).code == 0
    assert verify(stage, tests[::2]).code == 0


OWN_MISTAKES = {
    "bad.yml": ("- name: Look closer\n  ansible.builtin.fail: {msg: it is dusty}\n", "Look closer: it is dusty"),
    "absent.yml": (None, "tests/absent.yml: there is no such file"),
    "torn.yml": ("- name: Torn\n  debug: [\n", "tests/torn.yml: "),
    "text.yml": ("welcome\n", "tests/text.yml: it is no list of tasks"),
    "unknown.yml": ("- block:\n    - no.such.module: {}\n", "couldn't resolve module/action 'no.such.module'"),
    "outer.yml": (
        "- name: Go deeper\n  ansible.builtin.include_tasks: deeper.yml\n",
        "what it includes could not be read; the output of this run says why",
    ),
    "nothing.yml": ("- name: Ask\n  ansible.builtin.debug: {msg: '{{ nothing }}'}\n", "'nothing' is undefined"),
    "words.yml": (
        "- ansible.builtin.command: sh -c 'echo it leaks >&2; exit 4'\n",
        ": it leaks",  # before it, how the core at hand words a return code
    ),
    "loop.yml": (
        "- name: Count\n  ansible.builtin.assert: {that: item < 2, fail_msg: '{{ item }} is many'}\n  loop: [1, 2]\n",
        "Count: 2 is many",
    ),
    "quiet.yml": (
        "- name: Log in\n  ansible.builtin.fail: {msg: abracadabra}\n  no_log: true\n",
        "Log in: it failed, and no_log hides why",
    ),
}


def test_why_tasks_of_the_project_failed_is_told_whatever_it_was(stage: Machine) -> None:
    """Each test follows one that failed otherwise: no cause is that of another, and none ends the run."""
    (stage.project / "tests").mkdir()
    for name, (text, _) in OWN_MISTAKES.items():
        if text is not None:
            (stage.project / "tests" / name).write_text(text)
    tests = [{"instance": "web-1", "tasks": f"tests/{name}"} for name in OWN_MISTAKES]
    told = verify(stage, tests, verification_fail=False)
    assert told.code == 0, told.output
    noted = [
        found["ansible_facts"] for found in told.results if "verification_results" in found.get("ansible_facts", ())
    ]
    causes = {test["test"]: test["cause"] for test in noted[-1]["verification_results"]["tests"]}
    assert len(causes) == len(OWN_MISTAKES)
    for name, (_, words) in OWN_MISTAKES.items():
        assert words in causes[f"tasks tests/{name}"]
    assert "abracadabra" not in str(causes)


def test_check_mode_tests_nothing(stage: Machine) -> None:
    done = stage.run("verification", "--check", ads_tests=[{"instance": "a", "command": "touch proof"}])
    assert done.code == 0
    assert not (stage.root / "proof").exists()


def test_a_test_of_no_kind_is_refused(stage: Machine) -> None:
    assert "one of the following is required: http, tcp, command" in verify(stage, [{"instance": "a"}]).message
