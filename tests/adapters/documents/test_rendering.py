"""Parameters and loops: what is put in at load, what waits for the deployment, and what is refused (A2)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adslib.adapters.documents import child, loads_tree, rendering
from adslib.adapters.documents.rendering import Rendered, has_expressions, render

PLURALS = ["datacenters", "pods", "units"]
VALUES = {
    "n": 3,
    "name": "shop",
    "users": ["ann", "bob"],
    "debug": True,
    "labels": {"a": 1},
    "nothing": None,
    "ratio": 0.5,
}


def rendered(value: Any, *path: str) -> Any:
    """A value rendered at a path (default: variables of a service)."""
    tree: Any = value
    for key in reversed(path or ("services", "a", "vars", "v")):
        tree = {key: tree}
    done = render(tree, VALUES, PLURALS)
    assert not done.problems, done.problems
    here = done.tree
    for key in path or ("services", "a", "vars", "v"):
        here = here[key]
    return here


def problems(value: Any, *path: str) -> str:
    """Why a value is refused."""
    tree: Any = value
    for key in reversed(path or ("services", "a", "vars", "v")):
        tree = {key: tree}
    return "\n".join(f"{message}. {remedy}" for _, message, remedy in render(tree, VALUES, PLURALS).problems)


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ n }}", 3),
        ("{{ n + 1 }}\n", 4),
        ("{{ users }}", ["ann", "bob"]),
        ("{{ labels }}", {"a": 1}),
        ("{{ debug }}", True),
        ("{{ nothing }}", None),
        ("{{ ratio }}", 0.5),
        ("{{ range(n) }}", [0, 1, 2]),
        ("{{ users | map('upper') }}", ["ANN", "BOB"]),
        ("{{ {'a': {'b': n}} }}", {"a": {"b": 3}}),
        ("{{ '}}' }}", "}}"),
        ("{{ n }}{{ n }}", "33"),
        ("{{ name }}-{{ n }}", "shop-3"),
        ("a {{- n -}} b", "a3b"),
        ("{% if debug %}-d{% endif %}", "-d"),
        ("{% for u in users %}{{ u }}{{ loop.index }} {% endfor %}", "ann1 bob2 "),
        ("x{# a note #}y", "xy"),
        ("{{ users | join(',') }}", "ann,bob"),
        ("line {{ n }}\r\n", "line 3\r\n"),
        ("{ n }", "{ n }"),
    ],
)
def test_values_are_put_in(text: str, value: Any) -> None:
    assert rendered(text) == value


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    "text",
    [
        "{{ ads_root }}",
        "{{ ads_python }} {{ ads_root }}/x",
        "{{ self.address }}",
        "{{ members.directory | map(attribute='address') | join(',') }}",
        "{{ {'a': '}}'}[self.name] }}",
        "{{- ads_root -}} x",
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        ("services", "a", "vars", "v"),
        ("services", "a", "tests", "v"),
        ("components", "a", "process", "command"),
        ("components", "a", "files", "content"),
        ("configurations", "a", "settings", "v"),
        ("configurations", "a", "path"),
        ("pods", "p", "vars", "v"),
        ("pods", "p", "units", "u", "configurations", "c", "v"),
    ],
)
def test_names_of_the_deployment_are_left_alone(text: str, path: tuple[str, ...]) -> None:
    assert rendered(text, *path) == text


@pytest.mark.req("A2")
def test_blocks_are_rendered_one_by_one() -> None:
    assert rendered("{{ ads_root }}/{{ name }}/{{ self.name }}") == "{{ ads_root }}/shop/{{ self.name }}"
    tree = {"services": {"a": {"roles": [{"role": "r", "vars": {"x": "{{ ads_root }}{{ n }}"}}]}}}
    assert render(tree, VALUES, PLURALS).tree["services"]["a"]["roles"][0]["vars"]["x"] == "{{ ads_root }}3"
    tree = {"pods": {"p": {"services": [{"service": "a", "vars": {"x": "{{ self.name }}"}}]}}}
    assert render(tree, VALUES, PLURALS).tree == tree


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    "path",
    [
        ("services", "a", "instances"),
        ("services", "a", "machine", "size"),
        ("services", "vars", "component"),
        ("components", "a", "version"),
        ("components", "a", "archive", "url"),
        ("pods", "vars", "owner"),
        ("pods", "p", "units", "vars", "vlan"),
        ("environment",),
    ],
)
def test_names_of_the_deployment_stand_only_where_it_reads_them(path: tuple[str, ...]) -> None:
    assert "uses ads_root, known only at deployment" in problems("{{ ads_root }}", *path)


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{{ nam }}", "there is no parameter 'nam'. did you mean 'name'?"),
        ("{{ zzz }}", "there is no parameter 'zzz'. known are: debug, labels, n, name"),
        ("{{ name ~ ads_root }}", "mixes name, known at load, and ads_root, known at deployment"),
        ("{% if ads_root %}x{% endif %}", "statements run at load, where ads_root is not known"),
        ("{% set x = self %}", "statements run at load, where self is not known"),
        ("{{ ansible_facts.os }}", "'ansible_facts' is Ansible's; a definition sees its parameters only"),
        ("{{ ansible_hostname }}", "'ansible_hostname' is Ansible's"),
        ("{{ hostvars['x'] }}", "use it in a role, a template file or group_vars of the project"),
        ("{{ lookup('pipe', 'id') }}", "'lookup' is Ansible's"),
        ("{{ query('env', 'HOME') }}", "'query' is Ansible's"),
        ("{{ n", "'{{' is not closed"),
        ("{% if n", "'{%' is not closed"),
        ("{{ n n }}", "{{ n n }} is no expression: expected token 'end of print statement', got 'n'"),
        ("{{ n | nofilter }}", "No filter named 'nofilter'"),
        ("{{ labels.zzz }}", "has no attribute 'zzz'"),
        ("{{ 1 / 0 }}", "{{ 1 / 0 }} fails: division by zero"),
        ("{{ n + name }}", "unsupported operand"),
        ("x {{ users }}", "{{ users }} gives a list in the midst of text. use | join"),
        ("x {{ nothing }}", "gives nothing in the midst of text"),
        ("{{ 10 ** 30 }}", "gives too large a number"),
        ("{{ users | first | attr('upper') }}", "which is no value of a definition"),
        ("{{ {1: 2} }}", "gives dict, which is no value of a definition"),
        ("{% include '/etc/passwd' %}", "fails"),
        ("{{ '{' ~ '{ ads_root }' ~ '}' }}", "gives template text"),
        ("{{ ads_root }}{{ '{' }}{{ '{ lookup(1) }}' }}", "the values put in here make an expression of their own"),
        ("{{ ['{' ~ '{ x }}'] }}", "gives template text"),
        ("{% raw %}{{ x }}{% endraw %}", "gives template text"),
    ],
)
def test_expressions_refused(text: str, message: str) -> None:
    assert message in problems(text)


HOSTILE = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ '' | attr('__class__') }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ range.__self__ }}",
    "{{ users.append(1) }}",
    "{{ labels.update(a=2) }}",
    "{{ '{0.__class__}'.format(1) }}",
    "{{ ('%s' | format).__func__ }}",
    "{{ self.__init__.__globals__ ~ n }}",
    "{{ config }}",
    "{{ range(3).__class__.__mro__ }}",
]


@pytest.mark.req("A2")
@pytest.mark.parametrize("text", HOSTILE)
def test_the_sandbox_reaches_nothing(text: str) -> None:
    assert problems(text)


@pytest.mark.req("A2")
def test_entries_and_items_made_by_loops() -> None:
    tree = {
        "pods": {
            "first": {},
            "for_each": [
                {
                    "as": "p",
                    "in": "{{ range(1, n) | list }}",
                    "key": "pod-{{ p }}",
                    "value": {
                        "owner": "{{ users[p - 1] }}",
                        "units": {
                            "for_each": [
                                {
                                    "as": "u",
                                    "in": ["a", "b"],
                                    "key": "{{ u }}",
                                    "value": {"vars": {"x": "{{ u }}{{ p }}"}},
                                }
                            ]
                        },
                    },
                }
            ],
            "last": {},
        },
        "common": {
            "services": ["web", {"for_each": {"as": "s", "in": "{{ users }}", "value": {"service": "{{ s }}"}}}, "end"]
        },
    }
    done = render(tree, VALUES, PLURALS)
    assert done.problems == ()
    assert list(done.tree["pods"]) == ["first", "pod-1", "pod-2", "last"]
    assert done.tree["pods"]["pod-2"] == {
        "owner": "bob",
        "units": {"a": {"vars": {"x": "a2"}}, "b": {"vars": {"x": "b2"}}},
    }
    assert done.tree["common"]["services"] == ["web", {"service": "ann"}, {"service": "bob"}, "end"]
    loop = ("pods", "for_each", 0, "value")
    assert done.origin(("pods", "pod-2", "owner")) == (*loop, "owner")
    assert done.origin(("pods", "pod-2", "units", "b", "vars")) == (*loop, "units", "for_each", 0, "value", "vars")
    assert done.origin(("common", "services", 2, "service")) == (
        "common",
        "services",
        1,
        "for_each",
        "value",
        "service",
    )
    assert done.origin(("common", "services", 3)) == ("common", "services", 2)


def each(**loop: Any) -> dict[str, Any]:
    """Pods made by a loop."""
    return {"for_each": [{"as": "p", "in": [1, 2], "key": "p{{ p }}", "value": {}, **loop}]}


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (each(key="same"), "the key 'same' is given twice"),
        ({**each(), "p1": {}}, "the key 'p1' is given twice"),
        (each(key="{{ p }}"), "the key of an entry is a text, not 1"),
        (each(**{"in": "{{ n }}"}), "a loop runs over a list, not int. use | list"),
        (each(**{"as": "n"}), "the name 'n' is taken"),
        (each(**{"as": "self"}), "the name 'self' is taken"),
        (each(**{"as": "N"}), "'N' is no name for a variable"),
        (each(extra=1), "a loop has the keys as, in, key, value, no more and no fewer"),
        ({"for_each": {"as": "p"}}, "for_each of a map is a list of loops"),
        ({"x{{ n }}": {}}, "the key 'x{{ n }}' holds an expression. use for_each with 'key'"),
        (each(**{"in": "{{ nobody }}"}), "there is no parameter 'nobody'"),
    ],
)
def test_loops_refused(value: Any, message: str) -> None:
    assert message in problems(value, "pods")


@pytest.mark.req("A2")
def test_parts_read_before_parameters_have_values_are_left_alone() -> None:
    tree = {"parameters": {"a": {"default": "{{ x }}"}}, "levels": {"a": "{{ x }}"}, "include": ["{{ x }}"]}
    assert not has_expressions(tree)
    assert render({**tree, "project": "{{ name }}"}, VALUES, PLURALS).tree == {**tree, "project": "shop"}


@pytest.mark.req("A2")
def test_no_child_is_started_for_a_static_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise AssertionError("a child was started")

    monkeypatch.setattr(rendering.subprocess, "run", refuse)
    tree = {"environment": "x", "services": {"a": {"vars": {"b": ["{ c }", 1, None]}}}}
    assert render(tree, {}, PLURALS) == Rendered(tree)
    with pytest.raises(AssertionError):
        render({**tree, "project": "{{ 1 }}"}, {}, PLURALS)


@pytest.mark.req("A2")
def test_a_slow_start_leaves_no_less_time_to_render(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: dict[int, tuple[int, int]] = {}
    monkeypatch.setattr(child.resource, "setrlimit", limits.__setitem__)
    monkeypatch.setattr(child.resource, "getrusage", lambda _: SimpleNamespace(ru_utime=1.9, ru_stime=1.9))
    child.limit(0)
    left = limits[child.resource.RLIMIT_CPU][0] - 3.8
    assert child.SECONDS <= left < child.SECONDS + 1


@pytest.mark.req("A2")
def test_a_mistake_in_a_loop_is_told_where_it_is_written() -> None:
    from adslib.domain.errors import Invalid

    tree = {
        "environment": "x",
        "services": {
            "for_each": [{"as": "s", "in": ["a", "b"], "key": "{{ s }}", "value": {"roles": ["r"], "port": 1}}]
        },
    }
    with pytest.raises(Invalid) as caught:
        loads_tree(tree)
    assert str(caught.value) == "services.for_each[0].value.port: unknown key 'port'. Did you mean 'ports'?"


@pytest.mark.req("A2")
@settings(max_examples=40)
@given(st.text(alphabet="{}%#-'\"n ~|.", max_size=25))
def test_any_text_is_rendered_left_alone_or_refused(text: str) -> None:
    done = render({"services": {"a": {"vars": {"v": text}}}}, VALUES, PLURALS)
    assert done.tree is not None
