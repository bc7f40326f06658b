"""Names in a zone: labels of any script, and patterns that unique names are made of."""

from __future__ import annotations

import pytest

from adslib.domain.errors import Invalid
from adslib.domain.zone import pattern_problem, read_label, stem, zone_problem

pytestmark = pytest.mark.req("I4")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("web-1", "web-1"),
        ("Web", "web"),
        ("a" * 63, "a" * 63),
        ("bücher", "xn--bcher-kva"),
        ("ΑΘΉΝΑ", "xn--jxafb0a0a"),
        ("7", "7"),
    ],
)
def test_labels(text: str, label: str) -> None:
    assert read_label(text) == label


@pytest.mark.parametrize("text", ["", "-a", "a-", "a_b", "a b", "a" * 64, "ü" * 60, "a.b", "ü.b", "💩", "web\n"])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_label(text, "name")
    assert str(refused.value).startswith(f"name: '{text}' ")
    assert refused.value.problems[0].remedy


@pytest.mark.parametrize("zone", ["example.com", "west.example.com.", "local", "xn--bcher-kva.example"])
def test_zones(zone: str) -> None:
    assert zone_problem(zone) is None


@pytest.mark.parametrize("zone", ["", ".", "a..b", "a_b.c", "-a.b", "a" * 64, "a." * 127 + "abc"])
def test_what_is_no_zone(zone: str) -> None:
    assert zone_problem(zone) is not None


@pytest.mark.parametrize(
    ("pattern", "words", "expected"),
    [
        ("{service}-{n}", {"service": "web"}, "web-{n}"),
        ("{service}{n}", {"service": "Web"}, "web{n}"),
        ("{datacenter}-{service}-{n}", {"service": "web"}, "web-{n}"),
        ("{datacenter}-{service}-{n}", {"service": "web", "datacenter": "us-west"}, "us-west-web-{n}"),
        ("rack-{n}", {}, "rack-{n}"),
        ("{service}-{n}", {}, "host-{n}"),
    ],
)
def test_stems(pattern: str, words: dict[str, str], expected: str) -> None:
    assert pattern_problem(pattern) is None
    assert stem(pattern, words) == expected


@pytest.mark.parametrize(
    ("pattern", "words"),
    [("{service}-{n}", {"service": "a b"}), ("{service}-{n}", {"service": "a" * 62})],
)
def test_what_makes_no_name_is_refused(pattern: str, words: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        stem(pattern, words)
