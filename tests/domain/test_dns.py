"""Records of names: what the store wants in a zone, and how a server differs from it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adslib.domain.dns import (
    AT_ONCE,
    Given,
    Kind,
    RecordSet,
    address_of,
    differences,
    foreign,
    messages,
    pointer_of,
    records,
    standing,
    wanted,
    zone_file,
    zone_of,
)
from adslib.domain.prefix import read_address

pytestmark = pytest.mark.req("I4", "I9")

ZONE, V4, V6 = "west.example", "1.10.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa"
WEB = Given(ZONE, "web-1", read_address("10.1.0.7"), 300)
SIX = Given(ZONE, "web-2", read_address("2001:db8::7"), 300)
TWIN = Given("east.example", "twin", read_address("10.1.0.7"), 60)


@pytest.mark.parametrize(
    ("address", "pointer"),
    [
        ("10.1.0.7", "7.0.1.10.in-addr.arpa."),
        ("255.255.255.255", "255.255.255.255.in-addr.arpa."),
        ("2001:db8::7", f"7.{'0.' * 23}8.b.d.0.1.0.0.2.ip6.arpa."),
    ],
)
def test_an_address_and_its_reverse_name_lead_to_each_other(address: str, pointer: str) -> None:
    assert pointer_of(read_address(address)) == pointer
    assert address_of(pointer) == read_address(address)


@pytest.mark.parametrize(
    "name",
    ["web-1.west.example.", "0.1.10.in-addr.arpa.", "256.0.1.10.in-addr.arpa.", "07.0.1.10.in-addr.arpa.", "arpa."],
)
def test_other_names_stand_for_no_address(name: str) -> None:
    assert address_of(name) is None


def test_a_zone_has_addresses_and_its_reverse_zones_have_names() -> None:
    carried = (ZONE, V4, V6)
    assert records(ZONE, carried, [WEB, SIX]) == [
        RecordSet("web-1.west.example.", "A", 300, ("10.1.0.7",)),
        RecordSet("web-2.west.example.", "AAAA", 300, ("2001:db8::7",)),
    ]
    assert records(V4, carried, [WEB, SIX]) == [RecordSet(WEB.pointer, "PTR", 300, ("web-1.west.example.",))]
    assert records(V6, carried, [WEB, SIX]) == [RecordSet(SIX.pointer, "PTR", 300, ("web-2.west.example.",))]


def test_an_address_of_two_spaces_has_the_names_of_both_for_the_shorter_time() -> None:
    names = ("twin.east.example.", "web-1.west.example.")
    assert wanted([WEB.pointer], [WEB, TWIN]) == [RecordSet(WEB.pointer, "PTR", 60, names)]


def test_a_name_that_nobody_has_is_to_have_neither_address() -> None:
    name = "gone.west.example."
    assert wanted([name], [WEB]) == [RecordSet(name, "A"), RecordSet(name, "AAAA")]


def test_a_name_belongs_to_the_longest_zone_that_it_lies_in() -> None:
    zones = ["10.in-addr.arpa", V4]
    assert zone_of("7.0.1.10.in-addr.arpa.", zones) == V4
    assert zone_of("7.0.2.10.in-addr.arpa.", zones) == "10.in-addr.arpa"
    assert zone_of("7.0.11.10.in-addr.arpa.", [V4]) == ""
    assert zone_of("web.northwest.example.", [ZONE]) == ""


def test_what_lacks_what_is_wrong_and_what_is_too_much() -> None:
    def host(name: str, *data: str, type: str = "A", ttl: int = 300) -> RecordSet:
        return RecordSet(f"{name}.west.example.", type, ttl, data)

    here = [host("same", "10.1.0.1"), host("lost", "10.1.0.2"), host("other", "10.1.0.3"), host("longer", "10.1.0.4")]
    there = [host("same", "10.1.0.1"), host("other", "10.9.9.9"), host("longer", "10.1.0.4", ttl=60)]
    there += [host("over", "10.1.0.5"), host("same", "2001:db8::1", type="AAAA"), host("same", "text", type="TXT")]
    found = [(each.wanted.name.partition(".")[0], each.wanted.type, each.kind) for each in differences(here, there)]
    assert found == [
        ("longer", "A", Kind.WRONG),
        ("lost", "A", Kind.MISSING),
        ("other", "A", Kind.WRONG),
        ("over", "A", Kind.SURPLUS),
        ("same", "AAAA", Kind.SURPLUS),
    ]


@pytest.mark.parametrize(
    ("server", "lines"),
    [
        ("ns1.example.com", ["@ IN NS ns1.example.com."]),
        ("192.0.2.53", ["@ IN NS ns.west.example.", "ns.west.example. IN A 192.0.2.53"]),
        ("2001:db8::53", ["@ IN NS ns.west.example.", "ns.west.example. IN AAAA 2001:db8::53"]),
    ],
)
def test_a_zone_file_names_its_server(server: str, lines: list[str]) -> None:
    text = zone_file(ZONE, [RecordSet("web-1.west.example.", "A", 60, ("10.1.0.7",))], ttl=300, serial=7, server=server)
    assert text.splitlines()[:2] == ["$ORIGIN west.example.", "$TTL 300"]
    assert text.splitlines()[3:] == [*lines, "web-1.west.example. 60 IN A 10.1.0.7"]


def test_the_sets_of_a_name_go_in_one_message() -> None:
    sets = wanted([f"web-{number}.west.example." for number in range(100)], [WEB])
    parts = list(messages(sets))
    assert [name for part in parts for name in part] == list(dict.fromkeys(each.name for each in sets))
    assert len(parts) == 1
    many = [replace(each, data=("10.1.0.7", "10.1.0.8")) for each in sets]
    assert [len(part) for part in messages(many)] == [AT_ONCE // 6, AT_ONCE // 6, 100 - 2 * (AT_ONCE // 6)]
    alone = RecordSet(WEB.pointer, "PTR", 300, tuple(f"{number}.west.example." for number in range(2 * AT_ONCE)))
    assert list(messages([sets[0], alone, sets[-1]])) == [[sets[0].name], [alone.name], [sets[-1].name]]
    assert list(messages([])) == []


def test_what_stands_for_a_name_is_told_of_every_type_that_ads_writes() -> None:
    name = "web-1.west.example."
    there = RecordSet(name, "AAAA", 60, ("2001:db8::7",))
    assert standing([name, WEB.pointer], [there]) == [RecordSet(name, "A"), there, RecordSet(WEB.pointer, "PTR")]


@pytest.mark.parametrize(
    ("data", "theirs"),
    [
        (["10.1.0.7"], False),
        (["10.1.0.8"], False),
        (["10.1.0.7", "10.1.0.8"], False),
        (["10.1.0.9"], True),
        (["10.1.0.7", "10.1.0.9"], True),
    ],
)
def test_what_holds_anything_that_ads_never_said_is_somebody_elses(data: list[str], theirs: bool) -> None:
    name = "web-1.west.example."
    before = WEB._replace(address=read_address("10.1.0.8"))
    found = RecordSet(name, "A", 86400, tuple(data))
    assert foreign([found], wanted([name], [WEB, before])) == ([found] if theirs else [])
    assert foreign([found], []) == [found]
    assert foreign([RecordSet(name, "AAAA", 300, ("2001:db8::7",))], wanted([name], [WEB]))
