"""The modules of networks and addresses: check and diff mode, idempotence. The flow itself is in tests/system."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from collection.module_stage import Player, task

WEST = {
    "name": "west-1",
    "prefix": "10.0.0.0/29",
    "datacenter": "west",
    "vlan": 110,
    "zone": "w.example",
    "gateway": "10.0.0.6",
    "tags": {"floor": 3},
}
WEB = {"datacenter": "west", "vlan": 110, "machine": "web-1", "service": "web", "name": True}


@pytest.fixture
def play(tmp_path: Path, sqlite_template: Path) -> Player:
    """Tasks on an empty SQLite store."""
    return Player(tmp_path, f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'store.db')}")


@pytest.mark.req("I7", "I8")
def test_networks_are_put_once_changed_and_removed(play: Player) -> None:
    wanted = task("network", networks=[WEST, {"name": "spare", "prefix": "10.9.0.0/24", "role": "reserve"}])
    [would] = play(wanted, words=("--check",))
    edited = task("network", networks=[{"name": "west-1", "cooldown": 60, "zone": ""}])
    gone = task("network", networks=[{"name": "spare"}, {"name": "nowhere"}], state="absent")
    info = task("network_info", tags={"floor": "3"}, free=2, addresses=True)
    done, again, changed, removed, once, seen = play(wanted, wanted, edited, gone, gone, info, words=("--diff",))
    flags = [each["changed"] for each in (would, done, again, changed, removed, once, seen)]
    assert flags == [True, True, False, True, True, False, False]
    assert [each["name"] for each in would["networks"]] == [each["name"] for each in done["networks"]]
    assert next((each["before"], each["after"]) for each in would["diff"])[0] == ""
    assert "diff" not in again
    assert "-zone: w.example\n" in play.output
    assert "+cooldown: 60\n" in play.output
    [network] = seen["networks"]
    assert (network["free"], network["used"], network["addresses"]) == (5, 0.0, [])
    assert network["free_addresses"] == ["10.0.0.1", "10.0.0.2"]


@pytest.mark.req("I7", "I8")
def test_what_is_empty_is_cleared_numbers_too(play: Player) -> None:
    said = {"vlan": 110, "vxlan": 5000, "mtu": 9000, "position": 2, "resolvers": ["9.9.9.9"]}
    empty = {**dict.fromkeys(said, ""), "position": 0, "resolvers": [], "tags": {}, "gateway": ""}
    clear = task("network", networks=[{"name": "west-1", **empty}])
    put, cleared, again = play(task("network", networks=[{**WEST, **said}]), clear, clear)
    assert {word: put["networks"][0][word] for word in said} == said
    [network] = cleared["networks"]
    nothing = {**dict.fromkeys(said), "position": 0, "resolvers": [], "tags": {}, "gateway": ""}
    assert {word: network[word] for word in empty} == nothing
    assert (cleared["changed"], again["changed"]) == (True, False)


@pytest.mark.req("I2", "I5", "I8")
def test_addresses_are_asked_for_once_and_given_back(play: Player) -> None:
    asked = task("address", addresses=[WEB, {**WEB, "machine": "web-2", "key": "k2"}])
    play(task("network", networks=[WEST]))
    would, none = play(asked, task("network_info"), words=("--check",))
    assert (would["changed"], none["networks"][0]["taken"]) == (True, 0)
    more = task("address", addresses=[{**WEB, "count": 2}])
    of_machine = task("address", addresses=[{"machine": "web-1"}], state="absent")
    of_key = task("address", addresses=[{"key": "k2"}], state="absent")
    info = task("network_info", addresses=True)
    done, again, grown, seen, one, two, last, empty = play(
        asked, asked, more, info, of_machine, of_key, of_key, info, words=("--diff",)
    )
    flags = [each["changed"] for each in (done, again, grown, one, two, last)]
    assert flags == [True, False, True, True, True, False]
    assert [each["name"] for each in done["addresses"]] == ["web-1.w.example", "web-2.w.example"]
    assert done["addresses"] == again["addresses"]
    first = done["addresses"][0]
    assert (first["address"], first["length"], first["mask"]) == ("10.0.0.1", 29, "255.255.255.248")
    assert first["gateway"] == "10.0.0.6"
    assert [each["address"] for each in grown["addresses"]] == ["10.0.0.1", "10.0.0.3"]
    assert "+  address: 10.0.0.1\n" in play.output
    assert len(seen["networks"][0]["addresses"]) == 3
    assert [each["address"] for each in one["addresses"]] == ["10.0.0.1", "10.0.0.3"]
    assert (empty["networks"][0]["taken"], empty["networks"][0]["addresses"]) == (0, [])


@pytest.mark.req("I8")
def test_mistakes_are_told_and_nothing_is_taken(play: Player) -> None:
    play(task("network", networks=[WEST]))
    nobody = {key: value for key, value in WEB.items() if key != "machine"}
    unclear, two, whose, ids, info = play(
        task("address", addresses=[nobody]),
        task("address", addresses=[WEB, {**WEB, "vlan": 999}]),
        task("address", addresses=[{"vlan": 110}], state="absent"),
        task("address", ids=["x"]),
        task("network_info"),
    )
    assert (unclear["code"], unclear["failed"]) == ("invalid", True)
    assert unclear["msg"].endswith("Name the machine, or give a key, so that a second run finds it")
    assert two["code"] == "unknown-vlan"
    assert whose["msg"].startswith("it does not say whose address is to be released. Name a key, a machine")
    assert ids["msg"].startswith("ids name what is there. Describe what to ask for")
    assert info["networks"][0]["taken"] == 0


@pytest.mark.req("I7", "I8")
def test_a_network_gets_a_vacant_prefix_and_stays_there(play: Player) -> None:
    labs = task("network", networks=[{"name": "labs", "prefix": "10.40.0.0/24", "role": "container"}])
    lab = task("network", networks=[{"name": "lab-1", "prefix": "/26", "within": "labs"}])
    info = task("network_info", names=["labs"], free=1)
    _, made, again, seen = play(labs, lab, lab, info)
    assert (made["changed"], again["changed"]) == (True, False)
    assert made["networks"][0]["prefix"] == again["networks"][0]["prefix"] == "10.40.0.0/26"
    assert seen["networks"][0]["vacant"] == ["10.40.0.64/26", "10.40.0.128/25"]
