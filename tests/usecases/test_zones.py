"""Zones: which server carries them, exported as files, added while names are given, and whose they are."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adslib.domain.actor import Permission
from adslib.domain.assignment import AddressRequest
from adslib.domain.errors import Conflict, Forbidden, Invalid, NotFound
from adslib.usecases.ads import Ads
from adslib.usecases.allocating import allocate
from name_servers import Bind
from usecases.conftest import texts
from usecases.naming import Zone, new_zone

pytestmark = pytest.mark.req("I4")


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
    ads.zones.add("ann.example", **setting, reverse=["10.1.0.0/16"])
    return setting


@pytest.mark.req("I6", "A20")
def test_a_tenant_has_its_own_zones(ads: Ads, acting: Callable[..., Ads], plain: dict[str, Any]) -> None:
    ads.zones.add("bob.example", **plain, tenant="other")
    bob = acting("bob", tenant="other", permissions=set(Permission) - {Permission.ADMINISTER})
    assert [row["name"] for row in bob.zones.list()] == ["bob.example"]
    assert bob.zones.publish().message == "nothing waits to be published"
    assert bob.networks.add({"name": "mine", "prefix": "10.0.0.0/24", "space": "b", "zone": "bob.example"}).changed
    for refused in (
        # It would have ads read a file or variable for it.
        lambda: bob.zones.add("new.example", **plain),
        lambda: bob.zones.add("bob.example", **plain),
        lambda: bob.zones.remove("ann.example"),
        lambda: bob.zones.publish("ann.example"),
        lambda: bob.zones.publish("ann.example", check=True),
        lambda: bob.zones.export("ann.example"),
        lambda: bob.networks.add({"name": "more", "prefix": "10.0.1.0/24", "space": "b", "zone": "ann.example"}),
    ):
        with pytest.raises(Forbidden):
            refused()
    bob.zones.remove("bob.example")
    assert [row["name"] for row in ads.zones.list()] == ["ann.example"]
    assert acting("root", tenant="other").zones.list() == ads.zones.list()


@pytest.mark.req("I6")
def test_tenants_share_no_zone_and_no_reverse_zone(ads: Ads, plain: dict[str, Any]) -> None:
    ads.networks.add({"name": "web", "prefix": "10.0.0.0/24", "zone": "used.example"})
    with pytest.raises(Conflict, match="network 'web' of tenant 'default' uses it"):
        ads.zones.add("used.example", **plain, tenant="other")
    theirs = {**plain, "tenant": "other", "reverse": ["10.2.0.0/16", "10.1.0.0/16"]}
    with pytest.raises(
        Conflict, match=r"zone 'ann\.example' of tenant 'default' has reverse zone '1\.10\.in-addr\.arpa' at"
    ):
        ads.zones.add("bob.example", **theirs)
    assert ads.zones.add("bob.example", **{**theirs, "server": "192.0.2.54"}).changed
    assert ads.zones.add("bob.example", **plain, ttl=60).after["tenant"] == "other"


@pytest.mark.req("I4", "I6")
def test_names_of_a_zone_are_one_tenants_even_if_nobody_publishes_it(ads: Ads, acting: Callable[..., Ads]) -> None:
    ads.networks.add({"name": "web", "prefix": "10.0.0.0/24", "zone": "used.example"})
    bob = acting("bob", tenant="other", permissions=set(Permission) - {Permission.ADMINISTER})
    mine = {"name": "mine", "prefix": "10.0.0.0/24", "space": "b"}
    with pytest.raises(Forbidden, match=r"zone 'used\.example' belongs to another tenant"):
        bob.networks.add({**mine, "zone": "used.example"})
    bob.networks.add(mine)
    with pytest.raises(Forbidden, match=r"zone 'used\.example' belongs to another tenant"):
        bob.networks.edit("mine", {"zone": "used.example"})
    assert bob.networks.show("mine")["zone"] == ""


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
