"""Networks: many at once, how full they are, and who may see and change them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

import adslib
from adslib import AdsError
from adslib.domain.actor import ALL, Actor, Permission
from adslib.domain.assignment import AddressRequest
from adslib.usecases.ads import Ads
from usecases.acting import acting_also, tenant, with_machines

WEST = {"name": "west", "prefix": "10.0.0.0/24", "datacenter": "west", "vlan": 110, "zone": "west.example.com"}


def ask(ads: Ads, **said: Any) -> list[str]:
    """Ask, and say which addresses were given."""
    said = {"network": "west", **said}
    return [row["address"] for row in ads.addresses.allocate(adslib.read_request(said)).after["addresses"]]


def filled(ads: Ads, name: str = "west") -> tuple[int, ...]:
    """Size, taken, resting and free of a network."""
    shown = ads.networks.show(name)
    return tuple(shown[word] for word in ("size", "taken", "resting", "free"))


@pytest.mark.req("I7")
def test_many_are_put_at_once_and_putting_them_again_changes_nothing(ads: Ads) -> None:
    ads.networks.add(WEST)
    rows = [{**WEST, "vlan": 120, "tags": {"floor": 3}}, {"name": "east", "prefix": "10.0.1.0/24"}]
    tried = ads.networks.put_all(rows, dry_run=True)
    assert (tried.changed, [row["name"] for row in ads.networks.list()]) == (True, ["west"])
    done = ads.networks.put_all(rows)
    assert done.after["networks"][0]["vlan"] == 120
    told = "'east' (10.0.1.0/24) added; 'west' changed: vlan 110 → 120, tags none → floor=3"
    assert done.message == tried.message == f"1 network added, 1 changed, 0 as they were: {told}"
    assert [row["vlan"] for row in done.before["networks"]] == [110]
    again = ads.networks.put_all(rows)
    assert (again.changed, again.message) == (False, "0 networks added, 0 changed, 2 as they were")
    exported = ads.networks.export()
    assert not ads.networks.put_all(exported).changed
    assert [row["name"] for row in ads.networks.list(tags={"floor": "3"})] == ["west"]


@pytest.mark.req("I7")
def test_all_that_is_wrong_with_many_is_told_at_once_and_none_is_put(ads: Ads) -> None:
    rows = [{"name": "one", "prefix": "10.0.0.0/33"}, {"name": "two", "prefix": "10.0.0.0/24", "vlan": 0}]
    with pytest.raises(AdsError) as wrong:
        ads.networks.put_all(rows, places=["n.csv:2", "n.csv:3"])
    assert [problem.place for problem in wrong.value.problems] == ["n.csv:2 network 'one'", "n.csv:3 network 'two'"]
    fitting = [{**WEST}, {"name": "in-it", "prefix": "10.0.0.0/25"}, {"name": "too", "prefix": "10.0.0.0/26"}]
    with pytest.raises(AdsError, match="overlaps network 'west'") as refused:
        ads.networks.put_all(fitting)
    assert (refused.value.code, len(refused.value.problems)) == ("conflict", 2)
    with pytest.raises(AdsError, match="network 'west' is described 2 times"):
        ads.networks.put_all([WEST, WEST])
    assert ads.networks.list() == []


@pytest.mark.req("I7")
def test_a_network_is_not_renamed_to_another_one(ads: Ads) -> None:
    ads.networks.put_all([WEST, {"name": "east", "prefix": "10.0.1.0/24"}])
    with pytest.raises(AdsError, match=r"^there is already a network 'east'\. Choose another name$") as refused:
        ads.networks.edit("west", {"name": "east", "vlan": 7})
    assert refused.value.code == "conflict"
    assert [(row["name"], row["vlan"]) for row in ads.networks.list()] == [("west", 110), ("east", None)]


@pytest.mark.req("I7")
def test_many_are_removed_together_or_not_at_all(ads: Ads) -> None:
    ads.networks.put_all([WEST, {"name": "east", "prefix": "10.0.1.0/24"}])
    ask(ads, service="web", machine="m1")
    with pytest.raises(AdsError, match=r"10\.0\.0\.1 \(of m1, web, allocation") as refused:
        ads.networks.remove_all(["east", "west"])
    assert (refused.value.code, len(ads.networks.list())) == ("in-use", 2)
    assert ads.networks.remove_all(["east", "nowhere"]).message == "network 'east' (10.0.1.0/24) removed"
    assert ads.networks.remove_all(["nowhere"]).message == "there is no network 'nowhere'"


@pytest.mark.req("I6")
def test_what_is_free_is_exact_also_where_ranges_are_held_over_what_somebody_has(ads: Ads) -> None:
    ads.networks.add({**WEST, "prefix": "10.0.0.0/29", "gateway": "10.0.0.6"})
    assert filled(ads) == (5, 0, 0, 5)
    ask(ads, count=3)
    assert filled(ads) == (5, 3, 0, 2)
    ads.networks.hold("west", "10.0.0.2-10.0.0.4", why="printers")
    assert filled(ads) == (2, 3, 0, 1)
    assert ask(ads) == ["10.0.0.5"]
    assert (filled(ads), ads.networks.show("west")["used"]) == ((2, 4, 0, 0), 100.0)
    with pytest.raises(AdsError, match="no address is free"):
        ask(ads)
    ads.networks.unhold("west", "10.0.0.2-10.0.0.4")
    assert ads.addresses.free("west")["addresses"] == ["10.0.0.4"]


@pytest.mark.req("I7")
def test_a_part_of_a_range_is_held_back_for_another_reason_or_given_out_again(ads: Ads) -> None:
    ads.networks.add({**WEST, "held": ["10.0.0.2-10.0.0.9 printers"]})
    assert ads.networks.hold("west", "10.0.0.3").message == "network 'west' holds 10.0.0.3 back already"
    held = ads.networks.hold("west", "10.0.0.8-10.0.0.12", why="phones").after["held"]
    assert held == ["10.0.0.2-10.0.0.7 printers", "10.0.0.8-10.0.0.12 phones"]
    held = ads.networks.unhold("west", "10.0.0.4-10.0.0.5").after["held"]
    assert held == ["10.0.0.2-10.0.0.3 printers", "10.0.0.6-10.0.0.7 printers", "10.0.0.8-10.0.0.12 phones"]
    assert ads.addresses.free("west", count=4)["addresses"] == ["10.0.0.1", "10.0.0.4", "10.0.0.5", "10.0.0.13"]
    held = ads.networks.unhold("west", "10.0.0.0-10.0.0.10").after["held"]
    assert held == ["10.0.0.11-10.0.0.12 phones"]
    held = ads.networks.hold("west", "10.0.0.64/28", why="doors").after["held"]
    assert held == ["10.0.0.11-10.0.0.12 phones", "10.0.0.64-10.0.0.79 doors"]
    assert ads.networks.unhold("west", "10.0.0.72/29").after["held"][-1] == "10.0.0.64-10.0.0.71 doors"
    with pytest.raises(AdsError, match=r"10\.0\.0\.65/28' has host bits\. Did you mean 10"):
        ads.networks.hold("west", "10.0.0.65/28")
    for nothing in ("10.0.0.10", "2001:db8::1"):
        assert not ads.networks.unhold("west", nothing).changed
    with pytest.raises(AdsError, match=r"10\.0\.0\.9 to 10\.0\.0\.3 ends before it begins\. Write the lower address"):
        ads.networks.hold("west", "10.0.0.9-10.0.0.3")
    with pytest.raises(AdsError, match=r"10\.0\.0\.250 to 10\.0\.1\.3 is no range of 10\.0\.0\.0/24"):
        ads.networks.hold("west", "10.0.0.250-10.0.1.3")


@pytest.mark.req("I5", "I6")
def test_resting_addresses_are_counted_until_their_cool_down_is_over(ads: Ads) -> None:
    ads.networks.add({**WEST, "prefix": "10.0.0.0/22", "cooldown": 60})
    given = ads.addresses.allocate(adslib.read_request({"network": "west", "count": 300})).after["addresses"]
    ads.addresses.release(row["id"] for row in given)
    assert filled(ads) == (1022, 0, 300, 722)
    assert ads.addresses.free("west", count=1)["addresses"] == ["10.0.1.45"]
    begun = ads.app.clock()
    ads.app.clock = lambda: begun + timedelta(seconds=61)
    assert filled(ads) == (1022, 0, 0, 1022)
    assert ads.addresses.free("west", count=2)["addresses"] == ["10.0.0.1", "10.0.0.2"]
    # The last that was released, though many were released before it.
    assert ask(ads, addresses=["10.0.1.44"]) == ["10.0.1.44"]


@pytest.mark.req("I5", "I7")
def test_an_address_that_rested_and_became_the_edge_of_a_part_is_not_given(ads: Ads) -> None:
    ads.networks.add({**WEST, "prefix": "10.0.0.0/28", "cooldown": 60})
    given = ads.addresses.allocate(adslib.read_request({"network": "west", "count": 14})).after["addresses"]
    ads.addresses.release(row["id"] for row in given)
    ads.networks.split("west", length=29)
    assert filled(ads) == (6, 0, 6, 0)
    begun = ads.app.clock()
    ads.app.clock = lambda: begun + timedelta(seconds=61)
    assert filled(ads) == (6, 0, 0, 6)
    assert ask(ads, count=6)[-1] == "10.0.0.6"
    with pytest.raises(AdsError, match="no address is free"):
        ask(ads)


@pytest.mark.req("I6")
def test_usage_is_summed_by_what_networks_share(ads: Ads) -> None:
    more = {"name": "more", "prefix": "10.0.1.0/30", "datacenter": "west", "vlan": 110, "owner": "acme"}
    ads.networks.put_all([{**WEST, "owner": "acme"}, more, {"name": "v6", "prefix": "2001:db8::/64", "space": "blue"}])
    ask(ads, count=64)
    by_vlan = {row["vlan"]: row for row in ads.networks.usage("vlan")}
    assert (by_vlan["west 110"]["networks"], by_vlan["west 110"]["size"], by_vlan["west 110"]["free"]) == (2, 256, 192)
    assert by_vlan["west 110"]["used"] == 25.0
    for by in ("network", "owner", "datacenter", "space", "tenant"):
        assert sum(row["taken"] for row in ads.networks.usage(by)) == 64
    with pytest.raises(AdsError, match=r"networks are not grouped by 'colour'\. Use one of: network, vlan"):
        ads.networks.usage("colour")


@pytest.mark.req("I6", "A20")
def test_a_tenant_sees_and_touches_its_own_networks_only(ads: Ads) -> None:
    ads.networks.put_all([{**WEST, "space": "blue"}, {"name": "red-1", "prefix": "10.0.0.0/24", "tenant": "red"}])
    [ours] = ads.addresses.allocate(adslib.read_request({"network": "west"})).after["addresses"]
    with acting_also(ads, tenant("red")) as red:
        assert [row["name"] for row in red.networks.list()] == ["red-1"]
        assert [row["name"] for row in red.networks.export()] == ["red-1"]
        refused: list[Callable[[], Any]] = [
            lambda: red.networks.show("west"),
            lambda: red.networks.edit("west", {"vlan": 120}),
            lambda: red.networks.hold("west", "10.0.0.9"),
            lambda: red.networks.remove("west"),
            lambda: red.networks.split("west", length=25),
            lambda: red.networks.merge(["red-1", "west"]),
            lambda: red.networks.put_all([{**WEST, "vlan": 120}]),
            lambda: red.networks.add({"name": "mine", "prefix": "10.9.0.0/24", "space": "blue"}),
            lambda: red.networks.add({"name": "mine", "prefix": "10.9.0.0/24", "space": "green", "tenant": "default"}),
            lambda: red.addresses.allocate(adslib.read_request({"network": "west"})),
            lambda: red.addresses.allocate(adslib.read_request({"datacenter": "west", "vlan": 110})),
            lambda: red.addresses.list(network="west"),
            lambda: red.addresses.free("west"),
            lambda: red.addresses.show(ours["id"]),
            lambda: red.addresses.history(ours["address"], space="blue"),
            lambda: red.addresses.release([ours["id"]]),
        ]
        for number, call in enumerate(refused):
            with pytest.raises(AdsError) as error:
                call()
            assert error.value.code == "not-yours", (number, error.value)
        assert red.addresses.list() == []
        assert ask(red, network="red-1") == ["10.0.0.1"]
    assert len(ads.addresses.list()) == 2
    assert ads.networks.show("west")["taken"] == 1


@pytest.mark.req("I6", "A20")
def test_a_tenant_is_told_nothing_of_anothers_networks_and_names(ads: Ads) -> None:
    ads.networks.add({**WEST, "space": "blue"})
    ask(ads, names=["secret"], machine="hidden")
    with acting_also(ads, tenant("red")) as red:
        mine = {"name": "red-1", "prefix": "10.0.0.0/24"}
        told = []
        for change in ({"space": "blue"}, {"vlan": 110, "datacenter": "west"}, {"zone": WEST["zone"]}):
            with pytest.raises(AdsError) as refused:
                red.networks.add({**mine, **change})
            told.append(str(refused.value))
        assert red.networks.add({**mine, "tenant": None}).after["tenant"] == "red"
        assert not [text for text in told if "network 'west'" in text or "hidden" in text], told


@pytest.mark.req("I5", "A20")
def test_what_one_tenant_does_with_a_machine_leaves_anothers_of_the_same_name_alone(ads: Ads) -> None:
    ads.networks.add({**WEST, "space": "blue"})
    [ours] = ads.addresses.allocate(adslib.read_request({"network": "west", "machine": "m1"})).after["addresses"]
    with_machines(ads, "m1", tenant="red")
    with acting_also(ads, tenant("red")) as red:
        assert red.addresses.saw([ours["id"]]).after["seen"] == []
        red.machines.remove("m1")
    assert ads.addresses.show(ours["id"])["seen"] == ""
    assert ads.addresses.saw([ours["id"]]).after["seen"] == [ours["id"]]


@pytest.mark.req("A20", "I8")
def test_every_use_case_asks_for_its_permission(ads: Ads) -> None:
    ads.networks.add(WEST)
    request = adslib.read_request({"network": "west"})
    calls: dict[Permission, list[Callable[[Ads], Any]]] = {
        Permission.NETWORKS: [
            lambda who: who.networks.add({"name": "more", "prefix": "10.9.0.0/24"}),
            lambda who: who.networks.edit("west", {"vlan": 1}),
            lambda who: who.networks.put_all([]),
            lambda who: who.networks.hold("west", "10.0.0.9"),
            lambda who: who.networks.unhold("west", "10.0.0.9"),
            lambda who: who.networks.remove_all(["west"]),
            lambda who: who.networks.split("west", length=25),
            lambda who: who.networks.merge(["west", "more"]),
        ],
        Permission.ADDRESSES: [
            lambda who: who.addresses.allocate(request),
            lambda who: who.addresses.release(["x"]),
            lambda who: who.addresses.saw(["x"]),
        ],
        Permission.VIEW: [
            lambda who: who.networks.list(),
            lambda who: who.networks.show("west"),
            lambda who: who.networks.usage(),
            lambda who: who.networks.export(),
            lambda who: who.addresses.list(),
            lambda who: who.addresses.show("10.0.0.1"),
            lambda who: who.addresses.history("10.0.0.1"),
            lambda who: who.addresses.free("west"),
            lambda who: who.addresses.held(request),
            lambda who: who.addresses.by_key("x"),
        ],
    }
    for permission, asked in calls.items():
        with acting_also(ads, replace(Actor("bob"), permissions=ALL - {permission})) as bob:
            for call in asked:
                with pytest.raises(AdsError, match=f"bob lacks the permission '{permission}' for ") as refused:
                    call(bob)
                assert refused.value.code == "forbidden"
    assert [row["name"] for row in ads.networks.list()] == ["west"]


@pytest.mark.req("I7")
@pytest.mark.parametrize(
    "change",
    [
        pytest.param(({"prefix": "10.0.0.0/25"}, {"prefix": "10.0.0.0/24"}), id="shrunk and grown"),
        pytest.param(({"space": "other"}, {"space": "default"}), id="in another space and back"),
        pytest.param(({"space": "other"},), id="in another space"),
        pytest.param(({"role": "container"}, {"role": "user"}), id="a container and back"),
    ],
)
def test_what_rested_where_a_network_has_changed_is_taken_from_nobody_later(
    ads: Ads, change: tuple[dict[str, str], ...]
) -> None:
    ads.networks.add({**WEST, "cooldown": 60})
    wanted = ["10.0.0.200", "10.0.0.1"]
    rows = ads.addresses.allocate(adslib.read_request({"network": "west", "addresses": wanted})).after["addresses"]
    ads.addresses.release([row["id"] for row in rows])
    for step in change:
        ads.networks.edit("west", step)
    ads.networks.edit("west", {"cooldown": 0})
    assert filled(ads) == (254, 0, 0, 254)
    ask(ads, addresses=wanted)
    ads.networks.edit("west", {"cooldown": 60})
    ads.networks.edit("west", {"cooldown": 0})
    assert filled(ads) == (254, 2, 0, 252)
    assert len(ask(ads, count=252)) == 252


@pytest.mark.req("I7")
def test_addresses_that_rest_are_free_at_once_in_a_merged_network_without_a_cool_down(ads: Ads) -> None:
    ads.networks.add({"name": "west", "prefix": "10.0.0.0/25"})
    ads.networks.add({"name": "east", "prefix": "10.0.0.128/25", "cooldown": 60})
    given = ads.addresses.allocate(adslib.read_request({"network": "east", "count": 3})).after["addresses"]
    ads.addresses.release([row["id"] for row in given])
    ads.networks.merge(["west", "east"])
    assert filled(ads) == (254, 0, 0, 254)
    assert len(ask(ads, count=254)) == 254


@pytest.mark.req("I7")
def test_what_rested_in_a_removed_network_closes_nothing_in_the_next(ads: Ads) -> None:
    ads.networks.add({"name": "gone", "prefix": "10.0.0.64/26", "cooldown": 60})
    row = ads.addresses.allocate(adslib.read_request({"network": "gone"})).after["addresses"][0]
    ads.addresses.release([row["id"]])
    ads.networks.remove("gone")
    ads.networks.add({"name": "west", "prefix": "10.0.0.64/26"})
    ask(ads, addresses=["10.0.0.70"])
    ads.networks.edit("west", {"prefix": "10.0.0.0/25"})
    assert len(ask(ads, count=125)) == 125


@pytest.mark.req("I7")
def test_a_network_is_of_another_kind_or_tenant_only_while_nobody_has_anything_of_it(ads: Ads) -> None:
    ads.networks.add(WEST)
    ask(ads)
    # The last has the numbers of 10.0.0.0/24.
    for change in ({"role": "container"}, {"tenant": "other"}, {"prefix": "::a00:0/120"}):
        with pytest.raises(AdsError, match="would lose addresses") as refused:
            ads.networks.edit("west", change)
        assert refused.value.code == "in-use"


@pytest.mark.req("I7")
def test_a_container_is_not_split_through_what_lies_within(ads: Ads) -> None:
    ads.networks.add({"name": "all", "prefix": "10.0.0.0/16", "role": "container"})
    ads.networks.add({"name": "west", "prefix": "10.0.0.0/20"})
    for length in (20, 22):
        with pytest.raises(AdsError, match="overlaps network 'west'"):
            ads.networks.split("all", length=length)
    assert len(ads.networks.split("all", length=18).after["networks"]) == 4


@pytest.mark.req("I1", "I9")
def test_networks_are_listed_by_space_and_prefix(ads: Ads) -> None:
    inner = {"prefix": "10.0.0.0/24", "name": "b"}, {"prefix": "9.0.0.0/8", "name": "z"}
    outer = {"prefix": "10.0.0.0/8", "name": "c", "role": "container"}
    ads.networks.put_all(
        [{"prefix": "2001:db8::/64", "name": "a"}, *inner, outer, {**inner[1], "name": "x", "space": "other"}]
    )
    assert [row["name"] for row in ads.networks.list()] == ["z", "c", "b", "a", "x"]
    assert [row["name"] for row in ads.networks.export()] == ["z", "c", "b", "a", "x"]


@pytest.mark.req("I6")
def test_a_container_is_as_full_as_those_within_it_together(ads: Ads) -> None:
    tags = {"datacenter": "west", "owner": "ann"}
    ads.networks.put_all(
        [
            {"name": "all", "prefix": "10.0.0.0/8", "role": "container", **tags},
            {"name": "half", "prefix": "10.0.0.0/9", "role": "container", **tags},
            {"name": "empty", "prefix": "10.128.0.0/9", "role": "container", **tags},
            {"name": "blue", "prefix": "10.0.0.0/29", **tags},
            {"name": "green", "prefix": "10.0.1.0/29", **tags},
            {"name": "apart", "prefix": "10.0.0.0/29", "space": "other"},
        ]
    )
    for network in ("blue", "blue", "green", "apart"):
        ads.addresses.allocate(AddressRequest(network=network))
    full = {row["name"]: (row["size"], row["taken"], row["free"], row["used"]) for row in ads.networks.list()}
    assert full["all"] == full["half"] == (12, 3, 9, 25.0)
    assert full["empty"] == (0, 0, 0, 0.0)
    assert ads.networks.show("all")["free"] == 9
    free = ads.addresses.free("half", count=5)
    assert (free["free"], free["addresses"][3:]) == (9, ["10.0.0.6", "10.0.1.2"])
    rows = {row["network"]: row for row in ads.networks.usage()}
    assert (rows["all"]["taken"], rows["blue"]["taken"]) == (3, 2)
    # Once each: what lies within is not counted with its container again.
    assert [(row["datacenter"], row["networks"], row["taken"]) for row in ads.networks.usage("datacenter")] == [
        ("", 1, 1), ("west", 5, 3),
    ]  # fmt: skip
