"""The verbs that run playbooks, on real machines of this host: what they print, how they end, and how to go on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import adslib
from adslib.adapters.processes import started
from adslib.domain.errors import Failed, Unsupported
from entrypoints.cli.commanding import in_process_of_its_own
from servers import LONGEST

PAIR = """
environment: pair
parameters:
  greeting: {type: str, default: hello}
  expected: {type: str, default: hello}
  tries: {type: int, default: 60}
components:
  web:
    version: "1"
    files: [{path: /etc/web.txt, content: "{{ greeting }}"}]
    process:
      command: "{{ ads_python }} -m http.server --bind {{ self.address }} --directory {{ ads_root }}/etc 8080"
services:
  back: {component: web, machine: {shared: true}, ports: {http: 8080}}
  front: {component: web, machine: {shared: true}, requires: [back], ports: {http: 8080},
          tests: [{http: /web.txt, contains: "{{ expected }}", retries: "{{ tries }}"}]}
datacenters: {west: {services: [back]}, east: {services: [front]}}
"""

Ads = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def document(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "pair.yml"
    path.parent.mkdir()
    path.write_text(PAIR)
    return path


@pytest.fixture
def ads(document: Path) -> Iterator[Ads]:
    """Runs `ads` in a process of its own; whatever stands at the end is taken down."""

    def ran(*words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
        done = in_process_of_its_own(*words)
        assert done.returncode == expect, f"ads {' '.join(words)}\n{done.stdout}\n{done.stderr}"
        return done

    ran("environment", "create", str(document))
    yield ran
    in_process_of_its_own("environment", "undeploy", "pair")


def shown(ads: Ads) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(ads("environment", "show", "pair", "--format", "json").stdout)
    return data


def jobs(ads: Ads) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = json.loads(ads("job", "list", "--format", "json").stdout)
    return data


def give_role(document: Path, tasks: str) -> None:
    """Let `front` be deployed by a role of the project, too."""
    role = document.parent / "roles" / "moody" / "tasks"
    role.mkdir(parents=True, exist_ok=True)
    (role / "main.yml").write_text(tasks)
    roles = "front: {component: web, roles: [ads.deploy.component, {role: moody, ads_root: true}],"
    document.write_text(PAIR.replace("front: {component: web,", roles))


@pytest.mark.req("A12", "A16")
def test_the_life_of_an_environment(ads: Ads) -> None:
    deployed = ads("environment", "deploy", "pair", "--hold")
    assert "environment pair: ready" in deployed.stdout
    assert re.search(r"└── front-1  deployed  1  on pair-east-1 \(127\.", deployed.stdout)
    assert "pair-west-1  running" in deployed.stdout
    assert "1 passed, none failed" in deployed.stdout
    assert re.search(r"east/front-1  http://127\.[\d.]+:8080/", deployed.stdout)
    assert "Stage 2" in deployed.stderr
    assert "pair-east-1 running" in deployed.stderr

    assert ads("environment", "go-live", "pair").stdout == "environment 'pair' is live\n"
    pages = Path(os.environ["ADS_HOME"]).glob("machines/*/root/etc/web.txt")
    names = {json.loads((page.parents[2] / "machine.json").read_text())["name"]: page for page in pages}
    names["pair-east-1"].write_text("by hand")
    again = json.loads(ads("environment", "deploy", "pair", "--format", "json").stdout)
    assert (again["changed"], again["after"]["state"], again["after"]["job"]["state"]) == (True, "live", "succeeded")
    assert "; repaired: east/front-1 on pair-east-1 (file /etc/web.txt: content, process front-1: " in again["message"]
    assert names["pair-east-1"].read_text() == "hello"
    verbose = ads("environment", "test", "pair", "-v").stderr
    assert re.search(r"ok: pair-east-1: ", verbose)

    ads("environment", "stop", "pair")
    assert shown(ads)["state"] == "stopped"
    assert {m["state"] for m in json.loads(ads("machine", "list", "--format", "json").stdout)} == {"stopped"}
    ads("environment", "start", "pair")
    assert shown(ads)["state"] == "live"

    ads("environment", "stop", "pair")
    edited = ads("environment", "edit", "pair", "-p", "greeting=hello again")
    assert "ads environment deploy pair" in edited.stderr
    plan = json.loads(ads("environment", "plan", "pair", "--save", "--format", "json").stdout)
    assert plan["counts"] == {"start": 2, "update": 2}
    ads("environment", "deploy", "pair", "--plan", plan["id"])
    assert shown(ads)["deployed_revision"] == 2

    gone = ads("environment", "undeploy", "pair")
    assert "it is not-deployed" in gone.stdout
    assert json.loads(ads("machine", "list", "--format", "json").stdout) == []
    kinds = [job["kind"] for job in jobs(ads)]
    assert kinds == ["undeploy", "deploy", "stop", "start", "stop", "test", "deploy", "deploy"]
    last = jobs(ads)[0]["job"]
    assert "undeploy" in ads("job", "show", last).stdout
    assert "PLAY" in ads("job", "log", last).stdout
    assert "there is nothing to cancel" in ads("job", "cancel", last, expect=3).stderr
    texts = [event["text"] for event in json.loads(ads("event", "list", "--format", "json").stdout)]
    assert texts[0] == "undeploy of environment 'pair' ended: it is not-deployed"


@pytest.mark.req("A12")
@pytest.mark.once
def test_failed_tests_keep_it_ready_until_somebody_says_otherwise(ads: Ads) -> None:
    ads("environment", "edit", "pair", "-p", "expected=goodbye", "-p", "tries=2")
    failed = ads("environment", "deploy", "pair", expect=1)
    assert "0 passed, 1 failed" in failed.stdout
    assert "Error: " in failed.stderr
    assert "the environment is ready" in failed.stderr.lower()
    assert shown(ads)["state"] == "ready"
    refused = ads("environment", "go-live", "pair", expect=3)
    assert "1 tests failed" in refused.stderr
    ads("environment", "go-live", "pair", "--despite-failed-tests", "the customer waits")
    assert shown(ads)["live_despite"].endswith(": the customer waits")
    with adslib.connect() as api, pytest.raises(Failed, match="front-1"):
        api.environments.test("pair")


@pytest.mark.req("A16")
def test_a_failing_instance_is_named_and_the_next_run_goes_on(ads: Ads, document: Path) -> None:
    give_role(document, "- name: Be in a mood\n  ansible.builtin.fail: {msg: not today}\n")
    ads("environment", "edit", "pair", str(document))
    failed = ads("environment", "deploy", "pair", expect=1)
    assert "failed: pair-east-1: " in failed.stderr
    assert "not today" in failed.stderr
    assert "Error: east/front-1: " in failed.stderr
    assert "go on with: ads environment deploy pair" in failed.stderr
    states = {i["instance"]: i["state"] for i in shown(ads)["instances"]}
    assert states == {"west/back-1": "deployed", "east/front-1": "failed"}
    give_role(document, "- ansible.builtin.debug: {msg: fine}\n")
    assert json.loads(ads("environment", "plan", "pair", "--format", "json").stdout)["counts"] == {"repair": 1}
    ads("environment", "deploy", "pair")
    assert shown(ads)["state"] == "live"


# Nobody is killed for being slow, and nobody is too slow for a second Ctrl-C.
UNHURRIED = (
    "from adslib.adapters import processes; from adslib.entrypoints.cli import interrupting, main; "
    f"processes.ASKED = interrupting.SECOND_WITHIN = {LONGEST}; main()"
)
STUBBORN = "trap '' TERM; echo $$ > {place}; for n in $(seq 300); do sleep 1; done"


@pytest.mark.req("A12", "A22")
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.once
def test_ctrl_c_cancels_and_says_how_to_go_on(ads: Ads, document: Path, tmp_path: Path, times: int) -> None:
    """What runs does not end when it is asked; it is killed after a while, or at once on the second Ctrl-C."""
    stubborn = tmp_path / "stubborn"
    give_role(document, f"- ansible.builtin.shell: {json.dumps(STUBBORN.format(place=stubborn))}\n")
    ads("environment", "edit", "pair", str(document))
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = ["-c", UNHURRIED] if times == 2 else ["-m", "adslib.entrypoints.cli"]
    command = [sys.executable, *program, "environment", "deploy", "pair"]
    said = tmp_path / "said"
    with said.open("w") as stream:
        running = subprocess.Popen(command, env=environ, stdout=stream, stderr=stream, start_new_session=True)
        wait_until(lambda: stubborn.exists() and bool(stubborn.read_text().strip()), running)
        running.send_signal(signal.SIGINT)
        wait_until(lambda: "Cancelling" in said.read_text(), running)
        if times == 2:
            running.send_signal(signal.SIGINT)
        assert running.wait(timeout=LONGEST) == 1
    text = said.read_text()
    assert "Cancelling: what runs is asked to end" in text
    assert ("Killing what runs" in text) == (times == 2)
    assert "Error: cancelled by " in text
    assert "go on with: ads environment deploy pair" in text
    assert "Traceback" not in text
    assert not started(int(stubborn.read_text())), "what ran still runs"
    assert shown(ads)["state"] == "incomplete"
    assert jobs(ads)[0]["state"] == "cancelled"
    give_role(document, "- ansible.builtin.debug: {msg: fine}\n")
    ads("environment", "deploy", "pair")
    assert shown(ads)["state"] == "live"
    assert len(json.loads(ads("machine", "list", "--format", "json").stdout)) == 2


@pytest.mark.req("A12", "A22")
@pytest.mark.once
def test_one_may_cancel_the_job_of_another(ads: Ads) -> None:
    # Its test waits five minutes for words that never come, so the job is at work for as long.
    ads("environment", "edit", "pair", "-p", "expected=never", "-p", "tries=600")
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "adslib.entrypoints.cli", "environment", "deploy", "pair"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        wait_until(lambda: bool(jobs(ads)), running)
        refused = ads("environment", "deploy", "pair", expect=3)
        assert "is at work" in refused.stderr
        ads("job", "cancel", jobs(ads)[0]["job"])
        _, err = running.communicate(timeout=LONGEST)
        assert running.returncode == 1
    assert "cancelled by" in err
    assert (shown(ads)["state"], jobs(ads)[0]["state"]) == ("incomplete", "cancelled")


def wait_until(ready: Callable[[], bool], process: subprocess.Popen[Any]) -> None:
    """Wait until something holds while a process runs."""
    deadline = time.monotonic() + LONGEST
    while not ready():
        assert process.poll() is None, "it ended too early"
        assert time.monotonic() < deadline, "it takes too long"
        time.sleep(0.1)


@pytest.mark.once
def test_the_python_api_waits(ads: Ads) -> None:
    with adslib.connect() as api:
        with pytest.raises(Unsupported, match="in the calling process"):
            api.environments.deploy("pair", wait=False)
        outcome = api.environments.deploy("pair")
        assert (outcome.changed, outcome.after["state"]) == (True, "live")
        assert api.environments.undeploy("pair").after["state"] == "not-deployed"


def test_no_log_where_there_is_no_output(ads: Ads) -> None:
    assert "there is no job nonsense" in ads("job", "show", "nonsense", expect=4).stderr
    assert "there is no job nonsense" in ads("job", "log", "nonsense", expect=4).stderr
    assert "there is no job nonsense" in ads("job", "cancel", "nonsense", expect=4).stderr
    assert "'asleep' is no state of a job" in ads("job", "list", "--state", "asleep", expect=2).stderr
