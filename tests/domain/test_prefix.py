"""Prefixes and addresses as numbers, against the standard library's own idea of them."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.errors import Invalid
from adslib.domain.prefix import Address, Prefix, joined, read_address, read_prefix


@st.composite
def prefixes(draw: st.DrawFn) -> Prefix:
    """Any prefix of either family."""
    version, width = draw(st.sampled_from([(4, 32), (6, 128)]))
    length = draw(st.integers(0, width))
    number = draw(st.integers(0, (1 << length) - 1)) << (width - length) if length else 0
    return Prefix(version, number, length)


@pytest.mark.req("I9")
@given(prefixes())
def test_they_are_read_as_they_are_written(prefix: Prefix) -> None:
    assert read_prefix(str(prefix)) == prefix
    assert read_address(str(prefix.last)) == prefix.last
    assert str(prefix) == str(ipaddress.ip_network(str(prefix)))


@pytest.mark.req("I9")
@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("10.0.0.0/24", "10.0.0.1", "10.0.0.254"),
        ("10.0.0.0/30", "10.0.0.1", "10.0.0.2"),
        ("10.0.0.0/31", "10.0.0.0", "10.0.0.1"),
        ("10.0.0.7/32", "10.0.0.7", "10.0.0.7"),
        ("2001:db8::/64", "2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"),
        ("2001:db8::/126", "2001:db8::1", "2001:db8::3"),
        ("2001:db8::/127", "2001:db8::", "2001:db8::1"),
        ("2001:db8::7/128", "2001:db8::7", "2001:db8::7"),
    ],
)
def test_what_hosts_may_have(text: str, first: str, last: str) -> None:
    prefix = read_prefix(text)
    usable = prefix.usable
    assert str(Address(prefix.version, usable.start)) == first
    assert str(Address(prefix.version, usable.stop - 1)) == last


@pytest.mark.req("I7")
@given(prefixes(), st.integers(1, 8))
def test_parts_make_the_whole_again(prefix: Prefix, deeper: int) -> None:
    length = prefix.length + deeper
    if length > (32 if prefix.version == 4 else 128):
        with pytest.raises(Invalid):
            prefix.split(length)
        return
    parts = list(prefix.split(length))
    assert len(parts) == 1 << deeper
    assert joined(parts) == prefix
    chosen = parts[len(parts) // 3]
    rest = prefix.around(chosen)
    assert sum(part.size for part in (*rest, chosen)) == prefix.size
    assert not any(one.overlaps(other) for one in rest for other in (*rest, chosen) if one != other)


@pytest.mark.req("I1")
@given(prefixes(), prefixes())
def test_overlap_is_mutual_and_means_one_covers_the_other(one: Prefix, other: Prefix) -> None:
    same_family = one.version == other.version
    expected = same_family and ipaddress.ip_network(str(one)).overlaps(ipaddress.ip_network(str(other)))  # type: ignore[arg-type]
    assert one.overlaps(other) == other.overlaps(one) == expected


@pytest.mark.req("I9")
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("10.0.0.5/24", "'10.0.0.5/24' has host bits. Did you mean 10.0.0.0/24?"),
        ("2001:db8::1/64", "did you mean 2001:db8::/64"),
        ("10.0.0.0", "has no length"),
        ("10.0.0.0/33", "is no prefix"),
        ("10.0.0/24", "is no prefix"),
        ("everything/8", "is no prefix"),
        ("10.0.0.0/255.255.255.0/4", "is no prefix"),
    ],
)
def test_what_is_no_prefix_is_refused(text: str, told: str) -> None:
    with pytest.raises(Invalid, match="(?i)" + told.replace("?", r"\?").replace("(", r"\(")):
        read_prefix(text)


@pytest.mark.req("I9")
@pytest.mark.parametrize("text", ["10.0.0.256", "10.0.0.1/24", "", "fe80::1%eth0", "1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="is no address"):
        read_address(text)


@pytest.mark.req("I7")
@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["10.0.0.0/25"], "nothing to join"),
        (["10.0.0.0/25", "10.0.1.0/25"], "are not adjacent"),
        (["10.0.0.0/24", "10.0.0.128/25"], "overlap"),
        (["10.0.0.128/25", "10.0.1.0/25"], "make no prefix together"),
        (["10.0.0.0/25", "2001:db8::/64"], "are not adjacent"),
    ],
)
def test_what_makes_no_prefix_is_not_joined(texts: list[str], told: str) -> None:
    with pytest.raises(Invalid, match=told):
        joined([read_prefix(text) for text in texts])


@pytest.mark.req("I7")
def test_a_split_into_millions_is_refused() -> None:
    with pytest.raises(Invalid, match=r"has 281474976710656 parts of length 64\. Ask for at most 4096"):
        read_prefix("2001::/16").split(64)
