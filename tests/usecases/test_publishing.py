"""Names are published to a real BIND, forward and reverse; what it does not have waits, and what is wrong is found."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from adslib.domain.assignment import AddressRequest
from adslib.domain.dns import pointer_of
from adslib.domain.errors import AdsError, Failed
from adslib.domain.prefix import read_address
from adslib.usecases.publishing import publish
from name_servers import FORBIDDEN, GUEST, KEY
from usecases.naming import Zone, new_zone

pytestmark = pytest.mark.req("I4")


@pytest.mark.req("I4", "I5", "I9")
def test_a_name_is_published_forward_and_reverse_and_taken_away_when_it_is_released(zone: Zone) -> None:
    zone.with_network("six", zone.prefix6)
    web, six = zone.give("web-1", f"10.{zone.number}.0.7"), zone.give("web-6", network="six", version=6)
    assert zone.pending() == 4
    outcome = zone.ads.zones.publish()
    assert (outcome.changed, outcome.message, zone.pending()) == (True, "4 names published", 0)
    assert zone.records("web-1") == [f"10.{zone.number}.0.7"]
    assert zone.bind.ask(f"7.0.{zone.reverse}", "PTR") == [f"web-1.{zone.name}."]
    (address,) = zone.records("web-6", "AAAA")
    assert zone.bind.ask(pointer_of(read_address(address)), "PTR") == [f"web-6.{zone.name}."]
    zone.ads.addresses.release([web, six])
    assert zone.ads.zones.publish().message == "4 names published"
    assert zone.records("web-1") == zone.records("web-6", "AAAA") == []
    assert zone.bind.ask(f"7.0.{zone.reverse}", "PTR") == []
    assert zone.ads.zones.publish().changed is False


def test_a_name_of_another_script_is_published_as_dns_has_it(zone: Zone) -> None:
    zone.give("bücher")
    zone.ads.zones.publish()
    assert len(zone.records("xn--bcher-kva")) == 1


def test_names_whose_addresses_lie_in_no_reverse_zone_of_the_server_have_no_reverse_record(zone: Zone) -> None:
    zone.with_network("far", "192.0.2.0/24")
    zone.give("far-1", network="far")
    assert zone.pending() == 1
    zone.ads.zones.publish()
    assert zone.records("far-1") == ["192.0.2.1"]


def test_an_address_in_two_spaces_has_the_reverse_records_of_both(zone: Zone) -> None:
    zone.with_network("other", space="other")
    address = f"10.{zone.number}.0.9"
    zone.give("one", address)
    two = zone.give("two", address, network="other")
    zone.ads.zones.publish()
    pointer = f"9.0.{zone.reverse}"
    assert zone.bind.ask(pointer, "PTR") == [f"one.{zone.name}.", f"two.{zone.name}."]
    zone.ads.addresses.release([two])
    zone.ads.zones.publish()
    assert zone.bind.ask(pointer, "PTR") == [f"one.{zone.name}."]


def test_two_zones_of_one_server_share_a_reverse_zone(zone: Zone) -> None:
    other = new_zone(zone.ads, zone.bind).carried()
    zone.ads.zones.add(other.name, **{**other.setting, "reverse": [zone.prefix]}, ttl=60)
    zone.ads.networks.add({"name": "other", "prefix": zone.prefix, "zone": other.name, "space": "other"})
    address = f"10.{zone.number}.0.9"
    zone.give("one", address)
    zone.give("two", address, network="other")
    for first in (zone, other):
        zone.ads.zones.publish(first.name)
        names = zone.bind.ask(f"9.0.{zone.reverse}", "PTR")
        assert names == [f"one.{zone.name}.", f"two.{other.name}."]
    assert zone.ads.zones.publish(check=True).changed is False


def test_many_names_go_in_several_messages(zone: Zone) -> None:
    zone.ads.addresses.allocate(AddressRequest(network="web", name=True, service="many", count=700))
    assert zone.ads.zones.publish().message == "1400 names published"
    assert zone.records("many-1")
    assert zone.records("many-700")
    assert zone.ads.zones.publish(check=True).message == "zones and store agree"


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────


def test_while_the_server_is_down_nothing_is_lost(zone: Zone) -> None:
    zone.give("kept")
    zone.ads.zones.publish()
    zone.bind.stop()
    try:
        zone.give("late")
        with pytest.raises(Failed) as refused:
            zone.ads.zones.publish()
    finally:
        zone.bind.start()
    (problem,) = refused.value.problems
    assert refused.value.code == "dns-unreachable"
    assert str(problem).startswith(f"zone '{zone.name}': server 127.0.0.1 port {zone.bind.port} does not answer: ")
    assert "Look whether it runs" in str(problem)
    assert zone.ads.zones.list()[0]["failure"] == str(problem)
    assert zone.pending() == 2
    assert zone.ads.zones.publish().message == "2 names published"
    assert zone.records("late")
    assert (zone.pending(), zone.ads.zones.list()[0]["failure"]) == (0, "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"key_name": "nobody"}, "does not know the key (BADKEY) 'nobody'"),
        ({"secret": "env:ADS_TEST_OTHER_KEY"}, f"has another secret for the key (BADSIG) '{KEY}'"),
        ({"key_name": GUEST}, "for key 'guest-key' (REFUSED)"),
        ({"algorithm": "hmac-sha512"}, "BADKEY"),
        ({"secret": "env:ADS_TEST_NO_KEY"}, "env:ADS_TEST_NO_KEY is not set"),
    ],
)
def test_a_wrong_key_is_named_with_the_remedy(
    zone: Zone, wrong: dict[str, Any], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ADS_TEST_OTHER_KEY", "b3RoZXI=")
    zone.give()
    zone.ads.zones.add(zone.name, **zone.setting | wrong)
    for check in (False, True):
        with pytest.raises(Failed) as refused:
            zone.ads.zones.publish(check=check)
        problem = refused.value.problems[0]
        assert problem.place.split(",")[0] == f"zone '{zone.name}'"
        assert said in problem.message
        assert problem.remedy
    assert zone.pending() == 2
    zone.ads.zones.add(zone.name, **zone.setting)
    assert zone.ads.zones.publish().message == "2 names published"


def test_a_zone_that_the_server_does_not_carry_keeps_no_other_from_being_published(zone: Zone) -> None:
    zone.ads.zones.add("nowhere.example", **{**zone.setting, "reverse": []})
    reverse = [*zone.setting["reverse"], "198.51.100.0/24"]
    zone.ads.zones.add(zone.name, **zone.setting | {"reverse": reverse})
    zone.with_network("far", "198.51.100.0/24", zone="nowhere.example").with_network(
        "half", "198.51.100.0/25", space="b"
    )
    zone.give("far", network="far")
    zone.give("web")
    zone.give("half", network="half")
    with pytest.raises(Failed) as refused:
        zone.ads.zones.publish()
    assert [each.place for each in refused.value.problems] == [
        "zone 'nowhere.example'",
        "zone '100.51.198.in-addr.arpa'",
    ]
    assert all("NOTAUTH" in each.message and each.remedy for each in refused.value.problems)
    assert zone.records("web")
    assert zone.records("half")
    assert zone.pending() == 1


def test_a_name_that_is_refused_keeps_no_other_from_being_published(zone: Zone) -> None:
    zone.give(FORBIDDEN, f"10.{zone.number}.0.9")
    zone.ads.addresses.allocate(AddressRequest(network="web", name=True, service="many", count=20))
    for _ in range(2):
        with pytest.raises(Failed) as refused:
            zone.ads.zones.publish()
        (problem,) = refused.value.problems
        assert problem.place == f"zone '{zone.name}', name '{FORBIDDEN}.{zone.name}.'"
        assert "(REFUSED)" in problem.message
        assert zone.ads.zones.list()[0]["failure"] == str(problem)
        assert zone.pending() == 1
    assert zone.records("many-1")
    assert zone.records("many-20")
    assert zone.bind.ask(f"9.0.{zone.reverse}", "PTR") == [f"{FORBIDDEN}.{zone.name}."]


def test_a_zone_that_is_refused_as_a_whole_is_not_asked_name_by_name(zone: Zone) -> None:
    zone.ads.zones.add(zone.name, **zone.setting | {"key_name": GUEST})
    zone.ads.addresses.allocate(AddressRequest(network="web", name=True, service="many", count=100))
    with pytest.raises(Failed) as refused:
        zone.ads.zones.publish()
    assert [each.place for each in refused.value.problems] == [f"zone '{zone.name}'", f"zone '{zone.reverse}'"]
    assert zone.pending() == 200


def test_only_what_was_sent_is_forgotten_when_two_publish(zone: Zone, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one sends late, when another has sent something newer, waits again."""
    first = zone.give("moved", f"10.{zone.number}.0.1")
    app = zone.ads.app
    opened = app.name_server

    def slow(setting: Any) -> Any:
        """The server as a publisher sees it that sleeps, when it has read the store, while another one publishes."""
        monkeypatch.setattr(app, "name_server", opened)
        zone.ads.addresses.release([first])
        zone.give("moved", f"10.{zone.number}.0.2")
        zone.ads.zones.publish()
        assert zone.pending() == 0
        return opened(setting)

    monkeypatch.setattr(app, "name_server", slow)
    publish(app, zone.ads.actor, zone.name)
    assert zone.records("moved") == [f"10.{zone.number}.0.2"]
    assert zone.bind.ask(f"1.0.{zone.reverse}", "PTR") == []
    assert zone.pending() == 0


KILLED = """
import os, signal, sys
import adslib
from adslib.adapters.store.transaction import Transaction

def die(self):
    os.kill(os.getpid(), signal.SIGKILL)

with adslib.connect(sys.argv[1]) as ads:
    Transaction.commit = die
    ads.zones.publish()
"""


def test_a_publisher_that_is_killed_between_sending_and_forgetting_does_no_harm(zone: Zone, store_url: str) -> None:
    zone.give("web")
    killed = subprocess.run([sys.executable, "-c", KILLED, store_url], timeout=60, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert zone.records("web"), "it was sent"
    assert zone.pending() == 2, "and is not forgotten"
    assert zone.ads.zones.publish().message == "2 names published"
    assert zone.ads.zones.publish(check=True).changed is False


def test_what_is_undone_waits_for_nothing(zone: Zone) -> None:
    request = AddressRequest(network="web", name=True, service="web")
    zone.ads.addresses.allocate(request, dry_run=True)
    assert zone.pending() == 0
    zone.give("web-1")
    zone.ads.zones.publish()
    with pytest.raises(AdsError):
        zone.give("web-1")
    assert zone.pending() == 0


# ── comparing ────────────────────────────────────────────────────────────────────────────────────────


def test_what_was_changed_by_hand_is_found_and_set_right(zone: Zone) -> None:
    for label in ("lost", "wrong", "gone"):
        allocation = zone.give(label)
    zone.ads.zones.publish()
    zone.ads.addresses.release([allocation])
    zone.ads.zones.publish()
    hand = [f"{label}.{zone.name}." for label in ("lost", "wrong", "gone", "printer")]
    zone.bind.write(zone.name, hand[0], "A")
    for name in hand[1:]:
        zone.bind.write(zone.name, name, "A", "192.0.2.99")
    zone.bind.write(zone.reverse, f"1.0.{zone.reverse}.", "PTR", "evil.example.")
    zone.bind.write(zone.reverse, f"9.9.{zone.reverse}.", "PTR", hand[3])
    checked = zone.ads.zones.publish(check=True)
    assert [(row["name"], row["kind"], row["pending"]) for row in checked.after["differences"]] == [
        (hand[2], "surplus", False),
        (hand[0], "missing", False),
        (hand[1], "wrong", False),
        (f"1.0.{zone.reverse}.", "wrong", False),
    ]
    assert zone.records("wrong") == ["192.0.2.99"], "a check changes nothing"
    assert zone.ads.zones.publish(repair=True, dry_run=True).after == checked.after
    assert zone.ads.zones.publish(repair=True).message == "4 names published"
    assert [zone.records(label) for label in ("lost", "wrong", "gone", "printer")] == [
        [f"10.{zone.number}.0.1"],
        [f"10.{zone.number}.0.2"],
        [],
        ["192.0.2.99"],
    ], "the printer is none of ours"
    assert zone.bind.ask(f"9.9.{zone.reverse}", "PTR") == [hand[3]]
    assert zone.ads.zones.publish(check=True).changed is False


def test_what_waits_is_told_apart_from_what_is_wrong(zone: Zone) -> None:
    zone.give("web")
    rows = zone.ads.zones.publish(check=True).after["differences"]
    assert {(row["kind"], row["pending"]) for row in rows} == {("missing", True)}


def test_a_dry_run_says_what_it_would_send(zone: Zone) -> None:
    zone.give("web", f"10.{zone.number}.0.1")
    outcome = zone.ads.zones.publish(dry_run=True)
    assert outcome.message == "2 names would be published"
    wanted = {(row["name"], row["type"]): row["wanted"] for row in outcome.after["records"]}
    assert wanted == {
        (f"web.{zone.name}.", "A"): {"ttl": 300, "data": [f"10.{zone.number}.0.1"]},
        (f"web.{zone.name}.", "AAAA"): {},
        (f"1.0.{zone.reverse}.", "PTR"): {"ttl": 300, "data": [f"web.{zone.name}."]},
    }
    assert zone.records("web") == []
    assert zone.pending() == 2


def test_a_reverse_zone_within_another_takes_its_names_over_and_zone_and_store_agree(zone: Zone) -> None:
    zone.give("web")
    zone.ads.zones.publish()
    within = f"10.{zone.number}.0.0/24"
    zone.bind.carry(f"0.{zone.reverse}")
    zone.ads.zones.add(zone.name, **{**zone.setting, "reverse": [*zone.setting["reverse"], within]})
    zone.ads.zones.publish()
    # The record in the outer zone is hidden behind the inner one, so it is neither wrong nor to be set right.
    assert zone.bind.ask(f"1.0.{zone.reverse}", "PTR") == [f"web.{zone.name}."]
    assert zone.ads.zones.publish(check=True).message == "zones and store agree"


def test_a_name_that_is_taken_without_an_address_keeps_the_records_that_somebody_else_wrote(zone: Zone) -> None:
    zone.bind.write(zone.name, "web-1", "A", "192.0.2.99")
    alone = AddressRequest(network="web", address=False, name=True, names=("web-1",))
    zone.ads.addresses.allocate(alone)
    zone.give()
    assert zone.ads.zones.publish().changed
    assert zone.records("web-1") == ["192.0.2.99"]
    assert len(zone.records("web-2")) == 1
    assert zone.ads.zones.publish(check=True).message == "zones and store agree"
    assert not zone.ads.zones.publish(repair=True).changed
    assert zone.records("web-1") == ["192.0.2.99"]
