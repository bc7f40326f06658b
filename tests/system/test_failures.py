"""What fails is told with its cause, what is independent goes on, and the next run goes on from there."""

from __future__ import annotations

import ipaddress
import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import adslib
from adslib.adapters.gateways.directories.addresses import Addresses
from adslib.adapters.gateways.local.addresses import checked
from adslib.domain.event import EventFilter
from adslib.usecases.machine_spec import MachineSpec
from system.home import CLAIMS, Home

SERVE = "{{ ads_python }} -m http.server --bind {{ self.address }} --directory {{ ads_root }}/srv 8080"
BROKEN = "{{ ads_python }} -c 'import sys; sys.exit(\\\"no licence found\\\")'"
CHAIN = f"""
environment: chain
components:
  plain:
    version: "1"
    files: [{{path: /srv/name.txt, content: "{{{{ self.id }}}}"}}]
    process: {{command: "{SERVE}"}}
  licensed:
    version: "1"
    process: {{command: "COMMAND"}}
services:
  licensed: {{component: licensed, instances: 2}}
  needy: {{component: plain, requires: [licensed], ports: {{http: 8080}}}}
  needier: {{component: plain, requires: [needy], ports: {{http: 8080}}, tests: [{{http: /name.txt}}]}}
  free: {{component: plain, ports: {{http: 8080}}}}
  freer: {{component: plain, requires: [free], ports: {{http: 8080}}, tests: [{{http: /name.txt}}]}}
"""


def states(home: Home, name: str) -> dict[str, str]:
    return {i["instance"]: i["state"] for i in home.show(name)["instances"]}


def messages(home: Home, name: str) -> dict[str, str]:
    return {i["instance"]: i["message"] for i in home.show(name)["instances"]}


@pytest.mark.req("A12", "A15", "A16")
def test_one_failure_leaves_the_independent_alone_and_is_mended_by_the_next_run(home: Home) -> None:
    """All hosts of a service fail: dependents blocked, the rest deployed; after an edit only that is done again."""
    home.define(CHAIN.replace("COMMAND", BROKEN))
    failed = home.play("deploy", "chain")
    assert failed.code != 0
    assert home.state("chain") == "incomplete"
    bad = ["licensed-1", "licensed-2", "needier-1", "needy-1"]
    assert states(home, "chain") == {**dict.fromkeys(bad, "failed"), "free-1": "deployed", "freer-1": "deployed"}
    causes = messages(home, "chain")
    for name in bad[:2]:
        assert "does not stay up" in causes[name]
        assert "no licence found" in causes[name]
    assert causes["needy-1"] == causes["needier-1"] == "something it requires failed"
    assert "4 failed: licensed-1, licensed-2, needier-1, needy-1" in failed.text
    # Every host kept its place in the run: nobody was lost on the way.
    assert len(failed.recap) == 7
    assert home.job("chain")["state"] == "failed"
    kept = [home.pid("chain", name) for name in ("free-1", "freer-1")]
    assert all(kept)

    home.define(CHAIN.replace("COMMAND", SERVE))
    with home.ads() as ads:
        lines = "\n".join(ads.environments.plan("chain").lines())
    assert "free" not in lines
    assert "create" not in lines
    mended = home.carry("deploy", "chain")
    assert mended.code == 0, mended
    assert home.state("chain") == "live"
    assert set(states(home, "chain").values()) == {"deployed"}
    assert set(messages(home, "chain").values()) == {""}
    assert [home.pid("chain", name) for name in ("free-1", "freer-1")] == kept


FAR = """
environment: far
components:
  notice: {version: "1", files: [{path: /srv/notice.txt, content: "{{ self.id }}"}]}
services:
  near: {component: notice}
  far: {component: notice}
  behind: {component: notice, requires: [far]}
  beside: {component: notice, requires: [near]}
  odd: {component: notice}
levels: {node: }
nodes:
  all:
    services: [near, {service: far, machines: [far1]}, behind, beside, {service: odd, machines: [odd1]}]
"""


@contextmanager
def closed_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is taken, and where nobody answers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


@pytest.mark.req("A10", "A16")
def test_an_unreachable_machine_fails_what_stands_on_it(home: Home) -> None:
    """The stage is reported, later stages run, the run says which machine did not answer."""
    home.define(FAR)
    with closed_port() as port:
        with home.ads() as ads:
            ads.gateways.add("local", "local")
            ads.machines.add(MachineSpec("far1", address="127.0.0.1", port=port, user="nobody", size="small"))
            root, python = home.folder / "odd", home.folder / "python"
            root.mkdir()
            python.write_text("#!/bin/sh\necho libpython is not to be found >&2\nexit 127\n")
            python.chmod(0o755)
            ads.machines.add(MachineSpec("odd1", connection="local", root=str(root), python=str(python), size="small"))
        played = home.play("deploy", "far", "-e", "ads_patience=2")
    assert played.code != 0
    assert home.state("far") == "incomplete"
    assert states(home, "far") == {
        "all/near-1": "deployed", "all/far-1": "failed", "all/behind-1": "failed", "all/beside-1": "deployed",
        "all/odd-1": "failed",
    }, messages(home, "far")  # fmt: skip
    causes = messages(home, "far")
    assert "its host did not answer: timed out waiting" in causes["all/far-1"]
    assert "Connection refused" in causes["all/far-1"]
    assert causes["all/behind-1"] == "something it requires failed"
    assert causes["all/odd-1"].endswith(": libpython is not to be found")
    assert "3 failed: all/behind-1, all/far-1, all/odd-1" in played.text
    with home.ads() as ads:
        ads.machines.add(MachineSpec("odd1", python=sys.executable))
    # Software may be left on a machine that does not answer: it stays held, and that is told.
    left = home.play("undeploy", "far", "-e", "ads_patience=2")
    assert left.code != 0
    assert home.state("far") == "incomplete"
    assert "all/far-1" in home.job("far")["failures"]
    with home.ads() as ads:
        assert [machine["name"] for machine in ads.machines.list(holder="far")] == ["far1"]
    assert home.machines() == ["far1", "odd1"]
    assert home.folders() == set()
    # Given up: the environment is free of it, and nobody is handed it.
    given_up = home.play("undeploy", "far", "-e", "ads_patience=2", "-e", "ads_abandon=true")
    assert given_up.code == 0, given_up.output
    assert home.state("far") == "not-deployed"
    with home.ads() as ads:
        machine = ads.machines.show("far1")
    assert (machine["holder"], machine["state"], machine["availability"]) == ("", "failed", "quarantined")
    assert "abandoned uncleaned by environment 'far'" in machine["reason"]


PAIR = """
environment: pair
components:
  notice: {version: "1", files: [{path: /srv/notice.txt, content: "{{ self.id }}"}]}
services:
  one: {component: notice, instances: 2}
"""


@pytest.mark.req("A8", "A11", "A13")
@pytest.mark.once
def test_a_machine_that_cannot_be_made_fails_alone(home: Home) -> None:
    """Its instance is told with the gateway's reason; once the reason is gone, the next run makes it."""
    network = ipaddress.IPv4Network((f"127.{random.randint(2, 250)}.{random.randint(1, 250)}.8", 31))
    (home.folder / "other").mkdir()
    other = Addresses(CLAIMS, network, checked)
    taken = other.claim(home.folder / "other", "other")
    with home.ads() as ads:
        ads.gateways.add("narrow", "local", {"network": str(network)})
    home.define(PAIR)
    try:
        failed = home.play("deploy", "pair")
    finally:
        other.release(home.folder / "other", taken)
    assert failed.code != 0
    assert home.state("pair") == "incomplete"
    assert sorted(states(home, "pair").values()) == ["deployed", "failed"]
    reason = f"every address of {network} is taken"
    assert reason in str(home.job("pair")["failures"])
    bad = next(name for name, state in states(home, "pair").items() if state == "failed")
    assert reason in messages(home, "pair")[bad]

    assert home.carry("deploy", "pair").code == 0
    assert home.state("pair") == "live"
    assert len(home.folders()) == 2
    assert home.carry("undeploy", "pair").code == 0
    home.expect_nothing_left()


@pytest.mark.req("A11", "A12")
def test_too_few_resources_hold_nothing(home: Home) -> None:
    """It says which service needs what and what there is, and stays not-deployed."""
    with home.ads() as ads:
        ads.gateways.add("tiny", "local", {"limit": 1})
    home.define(PAIR)
    for refused in (home.carry("deploy", "pair").message, home.play("deploy", "pair").text):
        assert "one: 1 × any size missing" in refused
        assert "gateway tiny can make no more" in refused
    assert home.state("pair") == "not-deployed"
    home.expect_nothing_left()


TESTED = f"""
environment: tested
components:
  page:
    version: "1"
    files: [{{path: /srv/name.txt, content: "{{{{ self.id }}}}"}}]
    process: {{command: "{SERVE}"}}
services:
  page:
    component: page
    ports: {{http: 8080}}
    tests:
      - {{http: /name.txt, contains: page-1}}
      - {{http: /approved.txt, retries: 1, delay: 0.1}}
      - {{tasks: checks/approval.yml}}
"""
APPROVAL = """
- name: Look for the approval
  ansible.builtin.stat: {path: "{{ ads_root }}/srv/approved.txt"}
  register: approval
- name: Insist on the approval
  ansible.builtin.assert: {that: approval.stat.exists, fail_msg: nobody approved this}
"""


@pytest.mark.req("A12", "A16")
def test_failed_tests_keep_it_ready_until_they_pass_or_somebody_answers_for_it(home: Home) -> None:
    """From failing tests to live, back to ready when a test fails, and live in spite of it."""
    checks = home.project / "checks"
    checks.mkdir(parents=True)
    (checks / "approval.yml").write_text(APPROVAL)
    home.define(TESTED)
    failed = home.carry("deploy", "tested")
    assert failed.code != 0
    assert home.state("tested") == "ready"
    assert home.job("tested")["state"] == "failed"
    report = home.show("tested")["tests"]
    assert report["passed"] == 1
    assert len(report["failures"]) == 2
    assert "page-1 http /approved.txt" in report["failures"][0]
    assert "page-1 tasks checks/approval.yml" in report["failures"][1]
    assert "nobody approved this" in report["failures"][1]
    assert "2 failed" in failed.message
    with home.ads() as ads, pytest.raises(adslib.AdsError, match="does not go live: 2 tests failed"):
        ads.environments.go_live("tested")

    approved = home.file("tested", "page-1", "/srv/approved.txt")
    approved.write_text("yes")
    good = home.play("test", "tested")
    assert good.code == 0, good.output
    assert home.state("tested") == "ready"
    held = home.play("deploy", "tested", "-e", "ads_go_live=false")
    assert held.code == 0, held.output
    assert home.state("tested") == "ready"
    assert home.show("tested")["tests"]["failures"] == []
    with home.ads() as ads:
        ads.environments.go_live("tested")
    assert home.state("tested") == "live"

    approved.unlink()
    bad = home.play("test", "tested")
    assert bad.code != 0
    assert "nobody approved this" in bad.text
    assert home.state("tested") == "ready"
    with home.ads() as ads:
        ads.environments.go_live("tested", despite="the customer waits")
        shown = ads.environments.show("tested")
        words = [event["text"] for event in ads.events.list(EventFilter(environment="tested"))]
    assert shown["state"] == "live"
    assert shown["live_despite"] == "tester: the customer waits"
    assert any("despite failed tests (tester: the customer waits)" in line for line in words)


@pytest.mark.req("A16")
@pytest.mark.once
def test_a_test_that_never_speaks_has_failed(home: Home) -> None:
    """The file of a test is not there; the other tests of the instance pass, and that is not enough."""
    home.define(TESTED.replace("checks/approval.yml", "checks/nowhere.yml").replace("/approved.txt", "/name.txt"))
    failed = home.carry("deploy", "tested")
    assert failed.code != 0
    assert home.state("tested") == "ready"
    assert "page-1" in str(home.show("tested")["tests"]["failures"])
    assert home.job("tested")["state"] == "failed"
