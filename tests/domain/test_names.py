"""Names that people type, and the group names made of them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.errors import Invalid
from adslib.domain.names import LONGEST_NAME, checked_name, group_name, name_problem


@pytest.mark.req("A1")
@pytest.mark.parametrize("name", ["a", "7", "us-west", "a--b", "x" * LONGEST_NAME])
def test_good_names_pass_as_they_are(name: str) -> None:
    assert checked_name(name, "a pod") == name


@pytest.mark.req("A1")
@pytest.mark.parametrize(
    "name",
    ["", "-a", "a-", "A", "a_b", "a.b", "a/b", "a b", "é", "a\n", "../a", "{{ a }}", "x" * (LONGEST_NAME + 1), "٣"],
)
def test_bad_names_are_refused_with_what_would_be_right(name: str) -> None:
    with pytest.raises(Invalid, match=r"is no name for a pod\. Use 1 to 63 lower-case letters"):
        checked_name(name, "a pod")


@pytest.mark.req("A1")
@pytest.mark.parametrize("name", [None, 7, True, ["a"], {"a": 1}])
def test_what_is_no_text_is_no_name(name: object) -> None:
    problem = name_problem(name, "a pod", "pods")
    assert problem is not None
    assert problem.place == "pods"


@pytest.mark.req("A16")
@given(st.lists(st.text(max_size=8), min_size=1, max_size=3))
def test_group_names_are_ones_that_ansible_takes(parts: list[str]) -> None:
    assert re.fullmatch(r"ads_[A-Za-z0-9_]*", group_name(*parts))


@pytest.mark.req("A16")
def test_group_names_read_like_what_they_are_made_of() -> None:
    assert group_name("component", "media", "2.3.1") == "ads_component_media_2_3_1"
