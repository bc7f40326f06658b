"""Typed parameters: what may be declared, and what a user may give (A2)."""

from __future__ import annotations

from typing import Any

import pytest

from adslib.domain.errors import Invalid
from adslib.domain.reading.parameters import declared, parameter_values

DECLARED = {
    "count": {"type": "int", "default": 1, "minimum": 1, "maximum": 20},
    "ratio": {"type": "float", "default": 1},
    "size": {"type": "str", "default": "small", "choices": ["small", "large"]},
    "debug": {"type": "bool", "default": False},
    "users": {"type": "list", "default": []},
    "labels": {"type": "map", "default": {}},
    "domain": {"type": "str", "required": True, "description": "The domain that customers see"},
}


def values(**given: Any) -> dict[str, Any]:
    """The values of the declared parameters with these given."""
    return parameter_values(declared({"parameters": DECLARED}), given)


def told(**given: Any) -> str:
    """Why these values are refused."""
    with pytest.raises(Invalid) as caught:
        values(**given)
    return str(caught.value)


@pytest.mark.req("A2")
def test_defaults_and_given_values() -> None:
    assert values(domain="example.net", count=3) == {
        "count": 3,
        "ratio": 1,
        "size": "small",
        "debug": False,
        "users": [],
        "labels": {},
        "domain": "example.net",
    }


@pytest.mark.req("A2")
def test_values_from_a_command_line_come_as_text() -> None:
    given = values(domain="1", count="3", ratio="0.5", debug="true", users='["a"]', labels='{"a": 1}')
    assert (given["domain"], given["count"], given["ratio"], given["debug"]) == ("1", 3, 0.5, True)
    assert (given["users"], given["labels"]) == (["a"], {"a": 1})


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {},
            "parameter 'domain' needs a value. Give it with -p domain=text (The domain that customers see)",
        ),
        ({"domian": "x"}, "there is no parameter 'domian'. Did you mean 'domain'?"),
        ({"count": "three"}, "parameter 'count': expected a whole number, got \"three\". Give it with -p count=1\n"),
        ({"count": True}, "expected a whole number, got true"),
        ({"count": 1.5}, "expected a whole number, got 1.5. Give it with -p count=1\n"),
        ({"count": 0}, "0 is less than the minimum 1"),
        ({"count": "21"}, "21 is more than the maximum 20"),
        ({"size": "medium"}, '"medium" is none of the choices: small, large. Give it with -p size=small\n'),
        ({"debug": "yes"}, 'expected true or false, got "yes". Give it with -p debug=false\n'),
        ({"users": "a,b"}, "expected a list, got \"a,b\". Give it with -p 'users=[]'\n"),
        ({"domain": "{{ lookup('pipe', 'id') }}"}, "a value holds no '{{'"),
        ({"labels": {"a": ["{% x %}"]}}, "a value holds no '{{'"),
    ],
)
def test_values_refused(given: dict[str, Any], message: str) -> None:
    assert message in told(**given)


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"Count": {"type": "int", "default": 1}}, "'Count' is no name for a parameter"),
        ({"ads_root": {"type": "str", "default": ""}}, "the name 'ads_root' belongs to the deployment"),
        ({"self": {"type": "str", "default": ""}}, "the name 'self' belongs to the deployment"),
        ({"a": {"type": "integer", "default": 1}}, "there is no type 'integer'. Did you mean 'int'?"),
        ({"a": {"type": "int"}}, "a parameter needs a default. Give one, or say 'required: true'"),
        ({"a": {"type": "int", "default": 1, "required": True}}, "a required parameter has no default"),
        ({"a": {"type": "int", "default": "1"}}, 'parameters.a.default: expected a whole number, got "1"'),
        ({"a": {"type": "int", "default": 1, "minimum": 2}}, "1 is less than the minimum 2"),
        ({"a": {"type": "int", "default": 1, "minimum": 2, "maximum": 1}}, "minimum 2 is more than maximum 1"),
        ({"a": {"type": "str", "default": "x", "minimum": 2}}, "minimum and maximum bound numbers"),
        ({"a": {"type": "str", "default": "x", "choices": [1]}}, "parameters.a.choices[0]: expected text"),
        ({"a": {"type": "str", "default": "x", "defalt": 1}}, "unknown key 'defalt'. Did you mean 'default'?"),
    ],
)
def test_declarations_refused(declaration: dict[str, Any], message: str) -> None:
    with pytest.raises(Invalid) as caught:
        declared({"parameters": declaration})
    assert message in str(caught.value)
