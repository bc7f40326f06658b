"""Names are published to a real BIND, forward and reverse; what it does not have waits, and what is wrong is found."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adslib.domain.actor import Permission
from adslib.domain.assignment import AddressRequest
from adslib.domain.dns import pointer_of
from adslib.domain.errors import AdsError, Failed, Forbidden, Invalid, NotFound
from adslib.domain.prefix import read_address
from adslib.usecases.ads import Ads
from adslib.usecases.allocating import allocate
from adslib.usecases.publishing import publish
from name_servers import KEY, Bind
from usecases.conftest import texts
from usecases.naming import Zone, new_zone

pytestmark = pytest.mark.req("I4")


@pytest.fixture
def zone(ads: Ads, bind: Bind, monkeypatch: pytest.MonkeyPatch) -> Zone:
    """A zone that BIND carries, ads publishes, and network `web` gives names of."""
    monkeypatch.setenv("ADS_TEST_DNS_KEY", bind.secret)
    return new_zone(ads, bind).carried().added().with_network()


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


def test_adding_a_zone_lets_all_wait_that_is_there(ads: Ads, bind: Bind, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADS_TEST_DNS_KEY", bind.secret)
    zone = new_zone(ads, bind).carried().with_network()
    zone.give()
    ads.addresses.allocate(AddressRequest(network="web"))
    ads.addresses.allocate(AddressRequest(network="web", address=False, name=True, service="alias"))
    assert ads.zones.publish().message == "nothing waits to be published"
    zone.added()
    assert zone.pending() == 2, "an address alone and a name alone have no records"
    ads.zones.publish()
    assert len(zone.records("web-1")) == 1
    assert ads.zones.add(zone.name, **zone.setting).changed is False
    ads.zones.add(zone.name, **zone.setting, ttl=60)
    assert zone.pending() == 2, "the records are to have another time to live"
    assert texts(ads)[:2] == [f"zone '{zone.name}' changed", f"names of zone '{zone.name}' published: 2"]


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
        assert problem.place == f"zone '{zone.name}'"
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


@pytest.mark.req("I4")
def test_a_name_that_is_given_while_its_zone_is_added_waits_too(ads: Ads) -> None:
    ads.networks.add({"name": "web", "prefix": "10.0.0.0/24", "zone": "new.example"})
    request = AddressRequest(network="web", name=True, service="web")
    adding = threading.Thread(
        target=ads.zones.add, args=("new.example", "192.0.2.53"), kwargs={"key_name": "k", "secret": "env:KEY"}
    )
    with ads.app.store.transaction() as tx:
        allocate(tx, ads.actor, request, ads.app.clock(), "id", patient=False)
        adding.start()
        # Long enough to add the zone, were it not to wait.
        adding.join(0.5)
        assert adding.is_alive()
    adding.join(30)
    assert ads.zones.list()[0]["pending"] == 1


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


@pytest.mark.parametrize("server", ["127.0.0.1", "ns1.example.com"])
def test_an_exported_zone_is_one_that_bind_loads(zone: Zone, server: str, tmp_path: Path) -> None:
    zone.ads.zones.add(zone.name, **zone.setting | {"server": server})
    zone.with_network("six", zone.prefix6)
    zone.give("bücher")
    zone.give("web-6", network="six", version=6)
    for name, reverse in ((zone.name, ""), (zone.reverse, zone.prefix)):
        path = tmp_path / "exported.zone"
        path.write_text(zone.ads.zones.export(zone.name, reverse=reverse))
        # It asks no resolver for the names of other zones.
        checked = subprocess.run(
            ["named-checkzone", "-i", "local", name, str(path)], capture_output=True, text=True, timeout=30
        )
        assert checked.returncode == 0, checked.stdout
    assert f"web-6.{zone.name}. 300 IN AAAA 2001:db8:{zone.number:x}::1\n" in zone.ads.zones.export(zone.name)
    with pytest.raises(NotFound, match=r"has no reverse zone '9\.in-addr\.arpa'"):
        zone.ads.zones.export(zone.name, reverse="9.0.0.0/8")


# ── who may ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def plain(ads: Ads) -> dict[str, Any]:
    """A zone of ann's that no server carries."""
    setting: dict[str, Any] = {"server": "192.0.2.53", "key_name": "ads-key", "secret": "env:KEY"}
    ads.zones.add("ann.example", **setting)
    return setting


@pytest.mark.req("I6", "A20")
def test_a_tenant_has_its_own_zones(ads: Ads, acting: Callable[..., Ads], plain: dict[str, Any]) -> None:
    ads.networks.add({"name": "web", "prefix": "10.0.0.0/24", "zone": "used.example"})
    bob = acting("bob", tenant="other", permissions=set(Permission) - {Permission.ADMINISTER})
    assert bob.zones.list() == []
    assert bob.zones.publish().message == "nothing waits to be published"
    for refused in (
        lambda: bob.zones.add("ann.example", **plain),
        lambda: bob.zones.add("used.example", **plain),
        lambda: bob.zones.remove("ann.example"),
        lambda: bob.zones.publish("ann.example"),
        lambda: bob.zones.publish("ann.example", check=True),
        lambda: bob.zones.export("ann.example"),
        lambda: bob.networks.add({"name": "mine", "prefix": "10.0.0.0/24", "space": "b", "zone": "ann.example"}),
    ):
        with pytest.raises(Forbidden):
            refused()
    assert [row["name"] for row in ads.zones.list()] == ["ann.example"]
    assert acting("root", tenant="other").zones.list() == ads.zones.list()


@pytest.mark.req("A20")
def test_permissions(ads: Ads, acting: Callable[..., Ads], plain: dict[str, Any]) -> None:
    looker = acting("eve", permissions={Permission.VIEW})
    assert looker.zones.list()
    assert looker.zones.export("ann.example")
    for refused in (
        lambda: looker.zones.add("eve.example", **plain),
        lambda: looker.zones.remove("ann.example"),
        lambda: looker.zones.publish(),
        lambda: acting("nobody", permissions=set()).zones.publish(check=True),
    ):
        with pytest.raises(Forbidden):
            refused()


def test_adding_and_removing(ads: Ads, plain: dict[str, Any]) -> None:
    assert ads.zones.add("bob.example", **plain, dry_run=True).changed is True
    assert ads.zones.remove("ann.example", dry_run=True).changed is True
    (row,) = ads.zones.list()
    assert (row["name"], row["port"], row["ttl"], row["pending"], row["failure"]) == ("ann.example", 53, 300, 0, "")
    assert ads.zones.remove("Ann.Example.").changed is True
    assert ads.zones.remove("ann.example").changed is False
    with pytest.raises(NotFound, match=r"there is no zone 'ann\.example'"):
        ads.zones.publish("ann.example")
    with pytest.raises(Invalid) as refused:
        ads.zones.add("ann.example", **plain | {"server": "", "secret": "c2VjcmV0"})
    assert len(refused.value.problems) == 2
    assert "c2VjcmV0" not in str(refused.value)
    assert os.environ.get("KEY") is None
