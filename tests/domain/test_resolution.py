"""Names that differ by instance: paths are followed, and nothing is ever executed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.errors import Invalid
from adslib.domain.resolution import resolve

NAMES = {
    "self": {"address": "10.0.0.1", "index": 2, "ports": {"http": 8080, "sip-tls": 5061}, "path": ["pod-1", "west"]},
    "members": {"accounts": [{"address": "10.0.0.2"}, {"address": "10.0.0.3"}], "nobody": []},
}


@pytest.mark.req("A16", "A2")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("{{ self.address }}", "10.0.0.1"),
        ("{{self.index}}", 2),
        ("{{ self.ports }}", {"http": 8080, "sip-tls": 5061}),
        ("{{ self.ports.sip-tls }}", 5061),
        ("{{ self['ports']['http'] }}", 8080),
        ("{{ members.accounts[1].address }}", "10.0.0.3"),
        ("{{ self.path.0 }}", "pod-1"),
        ("{{ self.address }}:{{ self.ports.http }}", "10.0.0.1:8080"),
        ("http://{{\n self.address\n}}/", "http://10.0.0.1/"),
        ("{{ self.index }} ", "2 "),
        ("{{ self.address", "{{ self.address"),
        ("}} {{", "}} {{"),
    ],
)
def test_paths_are_followed_and_a_lone_one_keeps_its_type(text: str, expected: Any) -> None:
    assert resolve(text, NAMES, "here") == expected


@pytest.mark.req("A16")
def test_every_string_of_plain_data_is_resolved_and_the_rest_left_alone() -> None:
    value = {"a": ["{{ self.index }}", 1, None, True], "{{ self.index }}": ({"b": "{{ self.address }}"},)}
    assert resolve(value, NAMES, "here") == {"a": [2, 1, None, True], "{{ self.index }}": [{"b": "10.0.0.1"}]}


HOSTILE = [
    "lookup('pipe', 'touch /tmp/owned')",
    "self.__class__.__mro__",
    "self.address.__class__",
    "''.__class__",
    "self.address | upper",
    "self.index + 1",
    "self.index * 1000000000",
    "self.address.upper()",
    "self['address'].format(self)",
    "members.accounts[0:2]",
    "cycler.__init__.__globals__.os.popen('id')",
    "{% for x in self %}",
    "{{ self.address",
    "",
    "0",
    "self..address",
    "self.address[",
    "ansible_facts.hostname",
    "self.path." + "9" * 5000,
]


@pytest.mark.req("A2", "A16")
@pytest.mark.parametrize("expression", HOSTILE, ids=lambda text: text[:30] or "empty")
def test_what_is_no_path_is_refused_and_never_evaluated(expression: str) -> None:
    with pytest.raises(Invalid) as refused:
        resolve(["x", {"run": "{{ " + expression + " }}"}], NAMES, "services.media.vars")
    assert refused.value.problems[0].place == "services.media.vars[1].run"
    assert refused.value.problems[0].remedy


@pytest.mark.req("A16")
def test_what_comes_out_is_not_looked_at_again() -> None:
    assert resolve("{{ a }} {{ b }}", {"a": "{{ b }}", "b": "{{ a }}"}, "here") == "{{ b }} {{ a }}"


@pytest.mark.req("A16")
@pytest.mark.parametrize(
    ("expression", "known"),
    [
        ("{{ selv.address }}", "'selv.address' names nothing at 'selv'. Known there: self, members"),
        ("{{ self.adress }}", "Known there: address, index, ports, path"),
        ("{{ members.accounts[7].address }}", "Known there: 0 to 1"),
        ("{{ members.nobody[0] }}", "Known there: nothing"),
        ("{{ members.accounts.first }}", "Known there: 0 to 1"),
        ("{{ self.index.more }}", "Known there: nothing"),
        ("{{ self.address[0] }}", "Known there: nothing"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_those_that_are(expression: str, known: str) -> None:
    with pytest.raises(Invalid) as refused:
        resolve(expression, NAMES, "services.web.vars.peer")
    assert str(refused.value).startswith("services.web.vars.peer: ")
    assert known in str(refused.value)


@pytest.mark.req("A2")
@pytest.mark.parametrize("text", ["{{" + " " * 200_000, "{{" * 100_000, "}}" + "{{ " * 100_000])
def test_what_is_never_closed_stays_as_it_is_and_costs_no_time(text: str) -> None:
    began = time.process_time()
    assert resolve(text, {"x": 1}, "here") == text
    assert time.process_time() - began < 0.5


@pytest.mark.req("A2")
def test_what_is_closed_more_than_once_costs_no_time() -> None:
    began = time.process_time()
    assert resolve("{{ x" + "}" * 100_000, {"x": 1}, "here") == "1" + "}" * 99_998
    assert time.process_time() - began < 0.5


WORLD: dict[str, Any] = {"a": {"b": [1, "x"]}, "b": "{{ a }}"}
EXPRESSIONS = [("{{ a }}", WORLD["a"]), ("{{a.b[0]}}", 1), ("{{ a['b'].1 }}", "x"), ("{{\nb }}", "{{ a }}")]
plain = st.text(alphabet="[]'. ab0_-\n", min_size=1, max_size=8)


@pytest.mark.req("A2", "A16")
@given(st.lists(st.sampled_from(EXPRESSIONS) | plain.map(lambda text: (text, text)), min_size=1, max_size=6))
def test_expressions_are_replaced_once_and_what_is_between_them_stays(parts: list[tuple[str, Any]]) -> None:
    found = resolve("".join(written for written, _ in parts), WORLD, "here")
    assert found == (parts[0][1] if len(parts) == 1 else "".join(str(value) for _, value in parts))


@pytest.mark.req("A2", "A16")
@given(st.text(alphabet="{}[]'. ab0_-\n", max_size=40))
def test_any_text_is_resolved_or_refused_in_words(text: str) -> None:
    closed = "}}" in text.partition("{{")[2]
    try:
        found, refusal = resolve(text, WORLD, "here"), ""
    except Invalid as refused:
        found, refusal = None, str(refused)
    assert (found == text and not refusal) or closed
    assert not refusal or refusal.startswith("here: ")
