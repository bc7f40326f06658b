"""Names that somebody else has at a real BIND: their records stay, and ads says so; all other names are published."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from adslib.domain.assignment import AddressRequest
from adslib.domain.errors import Failed
from name_servers import FORBIDDEN
from usecases.naming import Zone, new_zone
from usecases.test_publishing import KILLED

pytestmark = pytest.mark.req("I4")

THEIRS = {"A": "192.0.2.99", "AAAA": "2001:db8::99"}


def refused(zone: Zone, name: str = "", **how: Any) -> Failed:
    """What publishing fails with."""
    with pytest.raises(Failed) as caught:
        zone.ads.zones.publish(name, **how)
    return caught.value


def write(zone: Zone, label: str, *data: str, type: str = "A") -> None:
    """Let a name of a zone have these records, as somebody does by hand."""
    zone.bind.write(zone.name, f"{label}.{zone.name}.", type, *data)


@pytest.mark.req("I4", "I9")
@pytest.mark.parametrize("type", ["A", "AAAA"])
@pytest.mark.parametrize("version", [4, 6])
def test_what_somebody_else_wrote_stays_and_every_other_name_is_published(zone: Zone, type: str, version: int) -> None:
    zone.with_network("six", zone.prefix6)
    write(zone, "web-2", THEIRS[type], type=type)
    network = "web" if version == 4 else "six"
    request = AddressRequest(network=network, version=version, name=True, service="web", count=3)
    zone.ads.addresses.allocate(request)
    for _ in range(2):
        error = refused(zone)
        (problem,) = error.problems
        assert error.code == "dns-taken"
        assert problem.place == f"zone '{zone.name}', name 'web-2.{zone.name}.'"
        assert problem.message.startswith(f"somebody else has it at server 127.0.0.1 port {zone.bind.port}: ")
        assert f": {type} {THEIRS[type]}; nothing was replaced" in problem.message
        assert f"ads network publish {zone.name} --all" in problem.remedy
        assert zone.ads.zones.list()[0]["failure"] == str(problem)
        assert zone.pending() == 1
    ours = "A" if version == 4 else "AAAA"
    assert zone.records("web-2", type) == [THEIRS[type]]
    assert type == ours or zone.records("web-2", ours) == []
    assert zone.records("web-1", ours)
    assert zone.records("web-3", ours)
    write(zone, "web-2", type=type)
    assert zone.ads.zones.publish().message == "1 name published"
    assert zone.records("web-2", ours)
    assert zone.ads.zones.list()[0]["failure"] == ""


def test_it_is_replaced_on_purpose(zone: Zone) -> None:
    write(zone, "web-1", THEIRS["A"])
    write(zone, "web-1", THEIRS["AAAA"], type="AAAA")
    zone.give("web-1", f"10.{zone.number}.0.1")
    refused(zone)
    kinds = {(row["type"], row["kind"]) for row in zone.ads.zones.publish(check=True).after["differences"]}
    assert kinds == {("A", "wrong"), ("AAAA", "surplus")}
    assert zone.ads.zones.publish(repair=True).message == "1 name published"
    assert zone.records("web-1") == [f"10.{zone.number}.0.1"]
    assert zone.records("web-1", "AAAA") == []
    assert zone.pending() == 0


def test_what_is_there_as_ads_would_write_it_counts_as_published(zone: Zone) -> None:
    write(zone, "web-1", f"10.{zone.number}.0.1")
    zone.ads.zones.add(zone.name, **zone.setting, ttl=60)
    first = zone.give("web-1", f"10.{zone.number}.0.1")
    assert zone.ads.zones.publish().message == "2 names published"
    assert zone.ads.zones.publish(check=True).changed is False, "its time to live, too"
    zone.ads.addresses.release([first])
    zone.give("web-1", f"10.{zone.number}.0.2")
    zone.ads.zones.publish()
    assert zone.records("web-1") == [f"10.{zone.number}.0.2"], "it is a name like any other from then on"


def test_of_what_is_published_everything_is_replaced_as_the_store_says(zone: Zone) -> None:
    first = zone.give("web-1", f"10.{zone.number}.0.1")
    zone.ads.zones.publish()
    write(zone, "web-1", THEIRS["A"])
    zone.ads.addresses.release([first])
    zone.give("web-1", f"10.{zone.number}.0.2")
    zone.ads.zones.publish()
    assert zone.records("web-1") == [f"10.{zone.number}.0.2"]


def test_a_name_that_is_given_back_leaves_what_somebody_else_wrote(zone: Zone) -> None:
    write(zone, "web-1", THEIRS["A"])
    web = zone.give("web-1")
    refused(zone)
    zone.ads.addresses.release([web])
    assert zone.ads.zones.publish().changed
    assert (zone.records("web-1"), zone.pending()) == ([THEIRS["A"]], 0)
    zone.ads.addresses.allocate(AddressRequest(network="web", address=False, name=True, names=("web-1",)))
    assert zone.ads.zones.publish(repair=True).changed is False
    assert zone.records("web-1") == [THEIRS["A"]]


@pytest.mark.parametrize("theirs", [THEIRS["A"], "as it was"])
def test_a_name_whose_records_were_taken_away_is_somebody_elses_again(zone: Zone, theirs: str) -> None:
    was = f"10.{zone.number}.0.1"
    first = zone.give("web-1", was)
    zone.ads.zones.publish()
    zone.ads.addresses.release([first])
    zone.ads.zones.publish()
    kept = was if theirs == "as it was" else theirs
    write(zone, "web-1", kept)
    zone.give("web-1", f"10.{zone.number}.0.2")
    assert refused(zone).code == "dns-taken"
    assert zone.records("web-1") == [kept]


def test_a_reverse_name_that_somebody_else_has_stays_too(zone: Zone) -> None:
    pointer = f"1.0.{zone.reverse}."
    zone.bind.write(zone.reverse, pointer, "PTR", "printer.example.")
    zone.give("web-1", f"10.{zone.number}.0.1")
    (problem,) = refused(zone).problems
    assert problem.place == f"zone '{zone.reverse}', name '{pointer}'"
    assert "PTR printer.example." in problem.message
    assert f"ads network publish {zone.name} --all, or release the address and hold it back" in problem.remedy
    assert zone.bind.ask(pointer, "PTR") == ["printer.example."]
    assert zone.records("web-1") == [f"10.{zone.number}.0.1"]
    assert zone.ads.zones.publish(repair=True).changed
    assert zone.bind.ask(pointer, "PTR") == [f"web-1.{zone.name}."]


def test_what_a_wildcard_says_is_nobodys_name(zone: Zone) -> None:
    write(zone, "*", THEIRS["A"])
    write(zone, "web-2", THEIRS["A"])
    zone.ads.addresses.allocate(AddressRequest(network="web", name=True, service="web", count=3))
    assert [each.place for each in refused(zone).problems] == [f"zone '{zone.name}', name 'web-2.{zone.name}.'"]
    assert zone.records("web-1") == [f"10.{zone.number}.0.1"]
    assert zone.records("web-3") == [f"10.{zone.number}.0.3"]


def test_many_that_are_taken_are_no_sign_that_the_zone_is_refused(zone: Zone) -> None:
    for number in range(1, 41):
        write(zone, f"many-{number}", THEIRS["A"])
    zone.give(FORBIDDEN, f"10.{zone.number}.9.9")
    zone.ads.addresses.allocate(AddressRequest(network="web", name=True, service="many", count=60))
    problems = refused(zone).problems
    assert zone.pending() == 41
    assert zone.records("many-60")
    assert zone.records("many-40") == [THEIRS["A"]]
    assert len([each for each in problems if "somebody else has it" in each.message]) == 20
    assert [each.message for each in problems[-1:]] == ["somebody else has 20 more names"]
    assert [each.place for each in problems if "REFUSED" in each.message] == [
        f"zone '{zone.name}', name '{FORBIDDEN}.{zone.name}.'"
    ]


# ── what it costs ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def asked(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the server was asked, a word for each message that changes something and each look at names."""
    words: list[str] = []
    opened = zone.ads.app.name_server

    def noted(word: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*args: Any) -> Any:
            words.append(word)
            return call(*args)

        return called

    def counting(setting: Any) -> Any:
        server = opened(setting)
        for word in ("put", "look"):
            monkeypatch.setattr(server, word, noted(word, getattr(server, word)))
        return server

    monkeypatch.setattr(zone.ads.app, "name_server", counting)
    return words


def test_five_hundred_names_are_a_few_messages(zone: Zone, asked: list[str]) -> None:
    zone.ads.addresses.allocate(AddressRequest(network="web", name=True, service="many", count=500))
    zone.ads.zones.publish()
    assert asked.count("look") == 0
    assert len(asked) <= 12
    asked.clear()
    write(zone, "more-250", THEIRS["A"])
    zone.ads.addresses.allocate(AddressRequest(network="web", name=True, service="more", count=500))
    refused(zone)
    assert asked.count("look") == 2, "once at those of its message, and at itself"
    assert len(asked) <= 12 + 4
    asked.clear()
    refused(zone)
    assert asked == ["put", "look"]


# ── publishers that are killed, several zones and servers ────────────────────────────────────────────


@pytest.mark.parametrize("then", ["given again", "given back"])
def test_what_a_killed_publisher_sent_is_ours_though_nobody_kept_it(zone: Zone, store_url: str, then: str) -> None:
    first = zone.give("web", f"10.{zone.number}.0.1")
    killed = subprocess.run([sys.executable, "-c", KILLED, store_url], timeout=60, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert zone.records("web") == [f"10.{zone.number}.0.1"], "it was sent"
    zone.ads.addresses.release([first])
    if then == "given again":
        zone.give("web", f"10.{zone.number}.0.2")
    zone.ads.zones.publish()
    assert zone.records("web") == ([f"10.{zone.number}.0.2"] if then == "given again" else [])
    assert zone.ads.zones.publish(check=True).changed is False


def test_the_records_of_a_zone_that_is_added_again_are_its_own_if_they_are_right(zone: Zone) -> None:
    for label in ("same", "moved"):
        last = zone.give(label)
    zone.ads.zones.publish()
    zone.ads.zones.remove(zone.name)
    zone.ads.addresses.release([last])
    zone.give("moved", f"10.{zone.number}.0.9")
    zone.added()
    assert [each.place for each in refused(zone).problems] == [f"zone '{zone.name}', name 'moved.{zone.name}.'"]
    assert zone.pending() == 1
    zone.ads.zones.publish(repair=True)
    assert zone.records("moved") == [f"10.{zone.number}.0.9"]


def test_another_server_may_have_names_from_somebody_else(zone: Zone) -> None:
    for label in ("same", "theirs"):
        zone.give(label)
    zone.ads.zones.publish()
    pointer = f"1.0.{zone.reverse}."
    zone.ads.zones.add(zone.name, **{**zone.setting, "reverse": []})
    zone.added()
    # As far as ads knows, nobody carried them meanwhile.
    zone.bind.write(zone.reverse, pointer, "PTR", "printer.example.")
    write(zone, "theirs", THEIRS["A"])
    assert [each.place for each in refused(zone).problems] == [f"zone '{zone.reverse}', name '{pointer}'"]
    write(zone, "theirs", THEIRS["A"])
    zone.ads.zones.add(zone.name, **{**zone.setting, "server": "localhost"})
    assert {each.place for each in refused(zone).problems} == {
        f"zone '{zone.name}', name 'theirs.{zone.name}.'",
        f"zone '{zone.reverse}', name '{pointer}'",
    }
    assert zone.records("theirs") == [THEIRS["A"]]


def test_an_address_that_another_zone_gave_before_has_its_new_name_whichever_is_published_first(zone: Zone) -> None:
    other = new_zone(zone.ads, zone.bind).carried()
    zone.ads.zones.add(other.name, **{**other.setting, "reverse": [zone.prefix]})
    other.with_network("other", zone.prefix, space="other")
    address, pointer = f"10.{zone.number}.0.9", f"9.0.{zone.reverse}."
    for old, new, label, network in ((zone, other, "old", "web"), (other, zone, "new", "other")):
        given = old.give(label, address, network=network)
        zone.ads.zones.publish()
        zone.ads.addresses.release([given])
        given = new.give("next", address, network="web" if network == "other" else "other")
        # The other zone does not know yet that its name is gone.
        zone.ads.zones.publish(new.name)
        assert zone.bind.ask(pointer, "PTR") == [f"next.{new.name}."]
        zone.ads.addresses.release([given])
        zone.ads.zones.publish()
        assert zone.bind.ask(pointer, "PTR") == []
    zone.bind.write(zone.reverse, pointer, "PTR", "printer.example.")
    zone.give("late", address)
    assert refused(zone).code == "dns-taken"
