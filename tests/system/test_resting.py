"""Stop, start, and undeploy from every state: nothing is lost, and in the end nothing is left."""

from __future__ import annotations

import pytest

from system.home import Home

SERVE = "{{ ads_python }} -m http.server --bind {{ self.address }} --directory {{ ads_root }}/srv 8080"
LODGE = """
environment: lodge
components:
  room:
    version: "1"
    files: [{path: /srv/room.txt, content: "{{ self.id }}"}]
    process: {command: "COMMAND"}
services:
  room:
    component: room
    instances: 2
    ports: {http: 8080}
    tests: [{http: /room.txt, contains: room-}]
"""
FAILING = "{{ ads_python }} -c 'raise SystemExit(1)'"


@pytest.mark.req("A12", "A13", "A14")
def test_stop_start_and_return(home: Home) -> None:
    """A stopped environment has no process and keeps its files; started, it has the same machines and addresses."""
    home.define(LODGE.replace("COMMAND", SERVE))
    assert home.carry("deploy", "lodge").code == 0
    before = {i["instance"]: (i["machine"], i["address"]) for i in home.show("lodge")["instances"]}
    folders, claims = home.folders(), home.claims()
    (home.file("lodge", "room-1", "/srv/guest.txt")).write_text("asleep")

    stopped = home.play("stop", "lodge")
    assert stopped.code == 0, stopped.output
    assert home.state("lodge") == "stopped"
    assert home.living() == {}
    assert home.folders() == folders
    assert home.claims() == claims

    started = home.carry("start", "lodge")
    assert started.code == 0, started
    assert home.state("lodge") == "live"
    assert {i["instance"]: (i["machine"], i["address"]) for i in home.show("lodge")["instances"]} == before
    assert home.file("lodge", "room-1", "/srv/guest.txt").read_text() == "asleep"
    assert home.get("lodge", "room-2", "/room.txt") == (200, "room-2")
    assert home.show("lodge")["tests"]["passed"] == 2

    assert home.carry("stop", "lodge").code == 0
    gone = home.play("undeploy", "lodge")
    assert gone.code == 0, gone.output
    assert home.state("lodge") == "not-deployed"
    home.expect_nothing_left()


@pytest.mark.req("A12", "A13")
@pytest.mark.parametrize("state", ["ready", "live", "incomplete"])
@pytest.mark.once
def test_undeploy_leaves_nothing(home: Home, state: str) -> None:
    """From ready, live and incomplete; also what a program started behind its init's back."""
    home.define(
        LODGE.replace("COMMAND", FAILING if state == "incomplete" else SERVE).replace("instances: 2", "instances: 1")
    )
    deployed = home.carry("deploy", "lodge", hold=state == "ready")
    assert (deployed.code == 0) == (state != "incomplete")
    assert home.state("lodge") == state
    assert home.living()
    gone = home.carry("undeploy", "lodge")
    assert gone.code == 0, gone
    assert home.state("lodge") == "not-deployed"
    home.expect_nothing_left()
    with home.ads() as ads:
        ads.environments.delete("lodge")
        assert ads.environments.list() == []
