"""Templates: open parts may be filled, the rest is fixed (A4)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from adslib.domain.environment import Template
from adslib.domain.errors import Invalid
from adslib.domain.opening import check_edit, clone, fill, missing

TREE: dict[str, Any] = {
    "environment": "template",
    "parameters": {"count": {"type": "int", "default": 1}},
    "services": {"media": {"instances": None, "component": "media"}, "web": {"component": "web"}},
    "components": {"media": {"version": "1"}},
    "pods": None,
}
TEMPLATE = Template("telephony", TREE, ("pods/*", "services/media/instances", "parameters/*", "components/media/**"))


def filled(**parts: Any) -> dict[str, Any]:
    """The template's tree with its open parts filled, and some parts replaced."""
    tree = deepcopy(TREE)
    tree |= {"environment": "mine", "pods": {"pod-1": {"services": ["media"]}}}
    tree["services"]["media"]["instances"] = 3
    return tree | parts


def told(tree: Any, template: Template = TEMPLATE) -> str:
    """Why a tree is refused."""
    with pytest.raises(Invalid) as caught:
        fill(template, tree)
    return str(caught.value)


@pytest.mark.req("A4")
def test_open_parts_may_be_filled_and_the_name_is_always_open() -> None:
    tree = filled(parameters={"count": {"type": "int", "default": 5}, "more": {"type": "str", "default": ""}})
    tree["components"]["media"]["version"] = "2"
    assert fill(TEMPLATE, tree) == tree


@pytest.mark.req("A4")
def test_an_edit_elsewhere_is_refused_with_its_path_and_the_template() -> None:
    tree = filled(common={"services": ["web"]})
    tree["services"]["media"]["component"] = "other"
    tree["services"]["extra"] = {"component": "web"}
    del tree["services"]["web"]
    text = told(tree)
    assert "services.media.component: template 'telephony' fixes this: it may not be changed" in text
    assert "services.extra: template 'telephony' fixes this: it may not be added" in text
    assert "services.web: template 'telephony' fixes this: it may not be removed" in text
    assert "common: template 'telephony' fixes this: it may not be added" in text
    assert "Open are: pods/*, services/media/instances" in text
    assert "instances" not in text.replace("services/media/instances", "")


@pytest.mark.req("A4")
def test_a_tail_opens_what_is_below_and_not_the_thing_itself() -> None:
    gone = filled(components={})
    assert "components.media: template 'telephony' fixes this: it may not be removed" in told(gone)
    emptied = filled(components={"media": {}})
    assert fill(TEMPLATE, emptied) == emptied


@pytest.mark.req("A4")
def test_a_map_whose_entries_are_open_may_come_and_go() -> None:
    template = Template("t", {"environment": "t", "pods": {"a": {}}}, ("pods/*",))
    assert fill(template, {"environment": "t"}) == {"environment": "t"}
    assert fill(template, {"environment": "t", "pods": None})["pods"] is None
    fixed = Template("t", {"environment": "t", "services": {"a": {"instances": 1}}}, ("services/a/instances",))
    assert "services.a: template 't' fixes this: it may not be removed" in told(
        {"environment": "t", "services": {}}, fixed
    )


@pytest.mark.req("A4")
def test_what_waits_for_the_user_is_named() -> None:
    assert missing(TEMPLATE, TREE) == ("pods", "services.media.instances")
    text = told({**deepcopy(TREE), "environment": "mine"})
    assert "services.media.instances: template 'telephony' leaves this to you. Give it a value" in text
    assert "pods: template 'telephony' leaves this to you" in text
    assert missing(TEMPLATE, filled()) == ()


@pytest.mark.req("A4")
def test_null_below_a_wildcard_waits() -> None:
    template = Template("t", {"environment": "t", "services": {"a": {"instances": None}}}, ("services/*/instances",))
    assert missing(template, template.tree) == ("services.a.instances",)
    assert missing(template, {"services": {"a": {"instances": 0}}}) == ()


@pytest.mark.req("A4")
def test_a_template_without_open_parts_only_gives_its_name_away() -> None:
    template = Template("fixed", {"environment": "x", "services": {}}, ())
    assert fill(template, {"environment": "y", "services": {}})["environment"] == "y"
    assert "the template leaves nothing open" in told({"environment": "y", "services": {"a": {}}}, template).replace(
        "The", "the"
    )


@pytest.mark.req("A4")
def test_a_later_edit_is_held_to_the_same_open_parts() -> None:
    before, after = filled(), filled(pods={"pod-2": {}})
    check_edit(TEMPLATE, before, after)
    after["services"]["web"]["instances"] = 2
    with pytest.raises(Invalid, match=r"services\.web\.instances"):
        check_edit(TEMPLATE, before, after)


@pytest.mark.req("A4")
@pytest.mark.parametrize("path", ["", "/", "a//b", "a/**/b"])
def test_open_paths_that_mean_nothing(path: str) -> None:
    with pytest.raises(Invalid, match="is no open path"):
        missing(Template("t", {}, (path,)), {})


@pytest.mark.req("A4")
def test_a_clone_is_the_same_under_another_name() -> None:
    copy = clone(TREE, "other")
    assert copy == {**TREE, "environment": "other"}
    assert list(copy) == list(TREE)
    assert TREE["environment"] == "template"
    assert clone({"services": {}}, "other") == {"environment": "other", "services": {}}
    with pytest.raises(Invalid, match="no name for an environment"):
        clone(TREE, "Other One")
