"""Networks: what is wrong with one, which one is in the way, and which serve a request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.chain import Link, chain
from adslib.domain.errors import Conflict
from adslib.domain.network import Held, Network, Role, problems_of, refuse_overlap
from adslib.domain.prefix import read_address, read_prefix


def network(name: str, prefix: str = "10.0.0.0/24", **words: Any) -> Network:
    """A network by its name and prefix."""
    return Network(id=name, name=name, space=words.pop("space", "blue"), prefix=read_prefix(prefix), **words)


@pytest.mark.req("I1", "I9")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"vlan": 0}, "0 is no VLAN. Use 1 to 4094"),
        ({"vlan": 4095}, "4095 is no VLAN"),
        ({"cooldown": 1 << 31}, "2147483648 is no cool-down"),
        ({"position": 1 << 31}, "2147483648 is no position"),
        ({"lan": "a\x1b[31mb"}, r"LAN: 'a\x1b[31mb' is no text of one line. Use up to 255 readable characters"),
        ({"tags": {"rack": "x" * 256}}, "is no text of one line"),
        ({"vxlan": 1 << 24}, "16777216 is no VXLAN. Use 1 to 16777215"),
        (
            {"gateway": read_address("10.0.1.1")},
            "gateway 10.0.1.1 lies outside 10.0.0.0/24. Use 10.0.0.0 to 10.0.0.255",
        ),
        ({"gateway": read_address("2001:db8::1")}, "of another family than 10.0.0.0/24. Use an IPv4 address"),
        ({"mtu": 60}, "60 is no MTU for IPv4. Use 68 to 65535"),
        ({"cooldown": -1}, "-1 is no cool-down in seconds. Use 0 to 2147483647"),
        ({"zone": "west..example"}, "'west..example' is no zone. Write it like west.example.com"),
        ({"pattern": "{service}"}, "makes no unique names. Have {n} in it, once"),
        ({"pattern": "{colour}-{n}"}, "has an unknown {colour}. Known are {service}"),
        ({"pattern": "a b-{n}"}, "makes no names"),
        (
            {"held": (Held(read_address("10.0.0.9"), read_address("10.0.0.3")),)},
            "10.0.0.9 to 10.0.0.3 is no range of 10.0.0.0/24",
        ),
    ],
)
def test_what_is_wrong_is_told(words: dict[str, Any], told: str) -> None:
    problems = problems_of(network("n1", **words))
    assert len(problems) == 1
    assert str(problems[0]).startswith("network 'n1': ")
    assert told in str(problems[0])


@pytest.mark.req("I1")
def test_a_good_one_is_right_and_its_gateway_is_closed() -> None:
    held = Held(read_address("10.0.0.200"), read_address("10.0.0.254"), "for the printers")
    good = network(
        "n1", vlan=1, vxlan=4096, gateway=read_address("10.0.0.1"), mtu=9000, zone="west.example.com", held=(held,)
    )
    assert problems_of(good) == []
    closed = {number - good.prefix.number for places in good.closed for number in places}
    assert closed == {1, *range(200, 255)}


@pytest.mark.req("I1", "I7")
@pytest.mark.parametrize(
    ("other", "refused"),
    [
        (network("n2", "10.0.0.128/25"), True),
        (network("n2", "10.0.0.0/16"), True),
        (network("n2"), True),
        (network("n2", "10.0.1.0/24"), False),
        (network("n2", "10.0.0.0/16", role=Role.CONTAINER), False),
        (network("n2", "10.0.0.0/24", role=Role.CONTAINER), True),
        (network("n2", "10.0.0.128/25", role=Role.CONTAINER), True),
        (network("n2", space="green"), False),
        (network("n2", "2001:db8::/64"), False),
        (network("n1", "10.0.0.0/25"), False),
    ],
)
def test_what_is_in_the_way_is_named(other: Network, refused: bool) -> None:
    if refused:
        with pytest.raises(Conflict, match=r"10\.0\.0\.0/24 overlaps network 'n2' \(10\..*\) in space 'blue'"):
            refuse_overlap(network("n1"), [other])
    else:
        refuse_overlap(network("n1"), [other])


@pytest.mark.req("I2", "I3")
def test_the_chain_has_its_links_in_order() -> None:
    vlan = [
        network("b", position=1),
        network("a", position=2),
        network("six", "2001:db8::/64"),
        network("full", position=3),
    ]
    owned = [network("own"), vlan[0], network("spare", role=Role.RESERVE)]
    reserve = [network("spare", role=Role.RESERVE)]
    assert [(step.link, step.network.name) for step in chain(vlan, owned, reserve, 4)] == [
        (Link.FIRST, "b"),
        (Link.SAME_VLAN, "a"),
        (Link.SAME_VLAN, "full"),
        (Link.SAME_OWNER, "own"),
        (Link.RESERVE, "spare"),
    ]
    assert [step.network.name for step in chain(vlan, owned, reserve, 6)] == ["six"]


@pytest.mark.req("I3")
@given(st.permutations([network(name, position=place) for place, name in enumerate("abcd")]))
def test_the_order_of_the_rows_does_not_matter(networks: list[Network]) -> None:
    steps = chain(networks, [], [], 4)
    assert [step.network.name for step in steps] == ["a", "b", "c", "d"]
    containers = [replace(each, role=Role.CONTAINER) for each in networks]
    assert chain(containers, containers, containers, 4) == []
