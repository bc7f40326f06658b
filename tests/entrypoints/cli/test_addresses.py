"""`ads address`: what people type, and the tables they see; every branch of the flow is in tests/system."""

from __future__ import annotations

import pytest

import adslib
from adslib.domain.assignment import AddressRequest
from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run


@pytest.fixture(autouse=True)
def network(run: Run) -> None:
    """A network that gives addresses and names."""
    run("network", "add", "west-1", "10.0.0.0/29", "--vlan", "110", "--datacenter", "west", "--zone", "w.example")


@pytest.mark.req("I2", "I6", "I8")
def test_ask_look_and_give_back(run: Run) -> None:
    asked = run(
        "address", "allocate", "--vlan", "110", "--name", "--service", "web", "--machine", "m1", "--why", "shop"
    )
    header, row, _, last = asked.out.splitlines()
    assert header.split() == ["ADDRESS", "NAME", "NETWORK", "PREFIX", "GATEWAY", "SERVED", "BY", "ALLOCATION"]
    assert row.split()[:4] == ["10.0.0.1", "web-1.w.example", "west-1", "10.0.0.0/29"]
    assert last == "10.0.0.1 web-1.w.example of network 'west-1' allocated"
    id = row.split()[-1]
    shown = run("address", "show", "web-1.w.example", "--format", "json").data
    assert (list(shown), shown["id"], shown["why"]) == (list(FIELDS["address show"]), id, "shop")
    assert "mask        255.255.255.248\n" in run("address", "show", "10.0.0.1").out
    assert run("address", "list").out.splitlines()[1].split()[:5] == [
        "10.0.0.1",
        "web-1.w.example",
        "west-1",
        "web",
        "m1",
    ]
    assert run("address", "list", "--machine", "m2").err == "Nobody has such an address or name.\n"
    assert run("address", "list", "--network", "west-1", "--format", "json").data == [shown]
    assert "dry run: " in run("address", "release", id, "--dry-run").out
    assert run("address", "release", id).out == "10.0.0.1 web-1.w.example of network 'west-1' released\n"
    assert "was released 20" in run("address", "release", id, expect=3).err
    past = run("address", "history", "10.0.0.1", "--format", "json").data
    assert (list(past[0]), past[0]["machine"]) == (list(FIELDS["address history"]), "m1")
    titles = "NAME NETWORK SERVICE ENVIRONMENT MACHINE GIVEN GIVEN BY RELEASED RELEASED BY ALLOCATION"
    assert run("address", "history", "10.0.0.1").out.splitlines()[0].split() == titles.split()
    assert run("address", "history", "10.0.0.2").err == "Nobody ever had 10.0.0.2 in space 'default'.\n"
    assert "nobody has '10.0.0.1'" in run("address", "show", "10.0.0.1", expect=4).err


@pytest.mark.req("I5")
def test_all_of_a_machine_or_environment_is_given_back_at_once(run: Run) -> None:
    for machine, environment in (("m1", "shop"), ("m2", "shop"), ("m3", "blog")):
        run("address", "allocate", "--vlan", "110", "--machine", machine, "--environment", environment)
    assert "10.0.0.3 of network 'west-1' released" in run("address", "release", "--machine", "m3").out
    assert run("address", "release", "--machine", "m3").out == "nothing to release\n"
    assert "10.0.0.1 and 1 more" in run("address", "release", "--environment", "shop").out
    for words in ((), ("x", "--machine", "m1")):
        assert "say once what to release" in run("address", "release", *words, expect=2).err


@pytest.mark.req("I6")
def test_what_is_merely_assigned(run: Run) -> None:
    run("address", "allocate", "--vlan", "110", "--machine", "m1")
    assert run("address", "unused").err == "Everything that was given before was seen since.\n"
    row = run("address", "unused", "--since", "2999-01-01").out.splitlines()[1]
    assert row.split()[-2] == "never"
    assert "'soon' is no time" in run("address", "unused", "--since", "soon", expect=2).err


@pytest.mark.req("I2", "I9")
def test_every_mistake_of_a_request_is_told(run: Run) -> None:
    err = run("address", "allocate", "--vlan", "x", "--count", "many", "--want", "10.0.0.0/24", expect=2).err
    assert err.splitlines() == [
        "Error: the request: vlan: 'x' is no number. Use digits",
        "Error: the request: count: 'many' is no number. Use digits",
        "Error: the request: addresses: '10.0.0.0/24' is no address. Write it like 10.1.0.7, without a length",
    ]


@pytest.mark.req("I5")
def test_what_machines_and_networks_say_is_reconciled(run: Run) -> None:
    run("machine", "add", "web1", "--address", "10.0.0.5", "--location", "west", "--size", "small")
    with adslib.connect() as ads:
        ads.addresses.give(AddressRequest(vlan=110, machine="m1", why="deployment"))
    run("address", "allocate", "--vlan", "110", "--machine", "theirs")
    run("address", "allocate", "--vlan", "110", "--environment", "closed", "--service", "vip")
    shown = run("address", "reconcile").out
    assert "gone  m1       10.0.0.1  west-1\n" in shown
    assert "unknown  web1     10.0.0.5  west-1\n" in shown
    assert "elsewhere  theirs   10.0.0.2  west-1\n" in shown
    assert "elsewhere           10.0.0.3  west-1   closed\n" in shown
    assert "1 allocation of machines that are gone released" in run("address", "reconcile", "--repair").out
    assert [row["machine"] for row in run("address", "list", "--format", "json").data] == ["theirs", "", "web1"]


@pytest.mark.req("I5")
def test_an_address_is_not_released_by_itself_and_a_dry_run_says_what_goes_with_a_machine(run: Run) -> None:
    run("machine", "add", "web1", "--address", "10.0.0.5", "--location", "west", "--size", "small")
    run("address", "allocate", "--vlan", "110", "--machine", "web1", "--want", "10.0.0.5")
    refused = run("address", "release", "10.0.0.5", expect=4).err
    assert "see its allocation with: ads address show 10.0.0.5" in refused
    assert "would be removed; it would release 10.0.0.5" in run("machine", "remove", "web1", "--dry-run").out
    assert "removed; released 10.0.0.5" in run("machine", "remove", "web1").out


@pytest.mark.req("I6")
def test_what_a_probe_saw_is_used(run: Run) -> None:
    run("address", "allocate", "--vlan", "110", "--count", "2")
    told = run("address", "seen", "10.0.0.1", "10.0.0.99")
    assert "1 allocation seen; nobody has 10.0.0.99" in told.out + told.err
    rows = run("address", "list", "--format", "json").data
    assert [row["address"] for row in rows if row["seen"]] == ["10.0.0.1"]
