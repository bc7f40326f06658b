"""Zones as they are set up: every mistake told, no secret repeated, reverse zones as prefixes or names."""

from __future__ import annotations

from typing import Any

import pytest

from adslib.domain.errors import Invalid
from adslib.domain.zone import LONGEST_ZONE, read_zone
from adslib.domain.zone_setting import ZoneSetting, problems_of, read_reverse

pytestmark = pytest.mark.req("I4")


@pytest.mark.parametrize(
    ("text", "zone"),
    [
        ("10.1.0.0/16", "1.10.in-addr.arpa"),
        ("192.0.2.0/24", "2.0.192.in-addr.arpa"),
        ("10.0.0.0/8", "10.in-addr.arpa"),
        ("192.0.2.7/32", "7.2.0.192.in-addr.arpa"),
        ("2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa"),
        ("2001:db8:a::/47", None),
        ("10.1.0.0/17", None),
        ("0.0.0.0/0", None),
        ("10.1.0.7/16", None),
        ("1.10.IN-ADDR.ARPA.", "1.10.in-addr.arpa"),
        ("west.example", None),
        ("10.1.0.0", None),
    ],
)
def test_reverse_zones(text: str, zone: str | None) -> None:
    if zone:
        assert read_reverse(text) == zone
    else:
        with pytest.raises(Invalid) as refused:
            read_reverse(text)
        assert refused.value.problems[0].remedy


@pytest.mark.parametrize(
    ("text", "zone"), [("West.Example.", "west.example"), ("münchen.example", "xn--mnchen-3ya.example")]
)
def test_zones_of_any_script(text: str, zone: str) -> None:
    assert read_zone(text) == zone


@pytest.mark.parametrize("text", ["", ".", "a..b", "a_b.example", "-a.example", "💩.example", f"{'a.' * 95}example"])
def test_what_is_no_zone_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no zone"):
        read_zone(text)


def test_every_label_fits_before_the_longest_zone() -> None:
    assert LONGEST_ZONE + len("a" * 63 + ".") == 253


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"server": "ns 1"}, "'ns 1' is no server"),
        ({"server": ""}, "'' is no server"),
        ({"port": 0}, "0 is no port. Use 1 to 65535"),
        ({"ttl": -1}, "-1 is no time to live"),
        ({"key_name": "a key"}, "'a key' is no name of a key"),
        ({"algorithm": "rot13"}, "'rot13' is no algorithm"),
        ({"secret": "c2VjcmV0"}, "the store keeps no secrets"),
        ({"secret": "file:key"}, "the store keeps no secrets"),
        ({"secret": "env:A B"}, "the store keeps no secrets"),
    ],
)
def test_mistakes(wrong: dict[str, Any], said: str) -> None:
    good: dict[str, Any] = {"server": "192.0.2.53", "key_name": "ads-key", "secret": "env:KEY"}
    assert problems_of(ZoneSetting("west.example", **good)) == []
    (problem,) = problems_of(ZoneSetting("west.example", **good | wrong))
    assert str(problem).startswith(f"zone 'west.example': {said}")
    assert "c2VjcmV0" not in str(problem)
