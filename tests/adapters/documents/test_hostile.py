"""Documents that would fill memory, burn time or reach outside: refused fast, with a message (A2)."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.documents.effort import at_most
from adslib.adapters.documents import load
from adslib.domain.errors import Invalid

SECONDS = 8
"""Of processor time. Generous: the slowest of these takes two."""
MEGABYTES = 400
"""Resident, of the loading process and of its child."""

XMLNS = 'xmlns="urn:ads:definition:1"'
LAUGHS = "<!ENTITY l0 'ha'>"
for number in range(1, 10):
    LAUGHS += f"<!ENTITY l{number} '" + f"&l{number - 1};" * 10 + "'>"
DEEP = "<entry key='a'>" * 200 + "</entry>" * 200
ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}], k{n}: 1}}\n" for n in range(1, 20)
)

FILES = {
    "laughs.xml": (f"<!DOCTYPE x [{LAUGHS}]><environment {XMLNS} name='x'/>", "a DOCTYPE is not allowed"),
    "laughs-in-attribute.xml": (
        f"<!DOCTYPE x [{LAUGHS}]><environment {XMLNS} name='&l9;'/>",
        "a DOCTYPE is not allowed",
    ),
    "external.xml": (
        f'<?xml version="1.0"?>\n<!-- c -->\n<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
        f"<environment {XMLNS} name='x'><description>&e;</description></environment>",
        "external.xml:3: a DOCTYPE is not allowed",
    ),
    "dtd.xml": ('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd"><x/>', "a DOCTYPE is not allowed"),
    "entity.xml": (f"<environment {XMLNS}><description>&e;</description></environment>", "Entity 'e' not defined"),
    "other-encoding.xml": ('<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AD4-<x/>', "this is no XML"),
    "deep.xml": (
        f"<environment {XMLNS}><services><service name='a'><vars>{DEEP}</vars></service></services></environment>",
        "nested more than 64 levels deep",
    ),
    "very-deep.xml": ("<a>" * 100_000, "this is no XML"),
    "tag.yml": ("a: !!python/object/apply:os.system [id]", "is not allowed. Write plain values"),
    "local-tag.yml": ("a: !vault x", "the tag !vault is not allowed"),
    "aliases.yml": (ALIASES, "grows beyond 200,000 values"),
    "merges.yml": (MERGES, "grows beyond 200,000 values"),
    "itself.yml": ("a: &a [*a]", "'*a' stands inside itself"),
    "itself-merged.yml": ("a: &a {<<: *a}", "'*a' stands inside itself"),
    "no-anchor.yml": ("a: *b", "there is no anchor '&b' above"),
    "deep.yml": (f"a: {'[' * 50_000}", "nested more than 64 levels deep"),
    "deep-maps.yml": ("\n".join(f"{' ' * n}a:" for n in range(500)), "nested more than 64 levels deep"),
    "deep-keys.yml": ("? " * 5_000, "nested more than 64 levels deep"),
    "number.yml": (f"a: {'9' * 100_000}", "is too large. Quote it if it is text"),
    "float.yml": ("a: 1e999", "the number 1e999 is too large"),
    "infinite.yml": ("a: .inf", ".inf is no number a definition can use"),
    "surrogate.json": ('{"a": "\\ud800"}', "half of a surrogate pair is no text"),
    "deep.json": ("[" * 100_000, "nested more than 64 levels deep"),
    "number.json": ('{"a": 1e999}', "the number is too large"),
    "twice.json": ('{"a": 1, "a": 2}', "the key 'a' is given twice"),
    "binary.yml": ("a: \udcff", "this is not UTF-8 text"),
    "tab.yml": ("a:\n\tb: 1", "tab.yml:2: a tab indents this line. Indent by spaces"),
    "empty.yml": ("# nothing\n", "the file is empty"),
    "empty.xml": ("\n", "the file is empty"),
    "empty.json": ("", "the file is empty"),
    "list.yml": ("- a", "list.yml:1: a definition is a map of keys"),
    "two.yml": ("a: 1\n---\nb: 2", "two.yml:2: a second document begins"),
    "yes.yml": ("a: yes", "'yes' is a truth in YAML 1.1 and text in 1.2. Write true, or \"yes\""),
    "mode.yml": ("a: 0644", '0644 is octal in YAML 1.1 and decimal in 1.2. Write "0644"'),
    "list-key.yml": ("? [a]\n: b", "list-key.yml:1: a list or map is no key"),
    "key.yml": ("8080: a", "the key '8080' is not text. Write \"8080\""),
    "unquoted.yml": ("environment: {{ a }}", "Put quotes around {{ … }}"),
    "colon.yml": ("a: b: c", "Put quotes around text that holds ': '"),
    "twice.yml": ("a: 1\nb: 1\na: 2", "twice.yml:3: the key 'a' is given twice. It already stands in line 1"),
    "foreign.xml": ("<x/>", "<x> is no definition"),
    "typo.xml": (
        f"<environment {XMLNS}>\n<servics/>\n</environment>",
        "typo.xml:2 servics: <servics> does not stand here. Did you",
    ),
    "two-typos.xml": (
        f"<environment {XMLNS}><a/>\n<services><b/></services></environment>",
        "two-typos.xml:2 services.b: <b> does",
    ),
    "type.xml": (
        f"<environment {XMLNS}><project type='int'>x</project></environment>",
        "'x' is no value of type 'int'",
    ),
    "kind.xml": (f"<environment {XMLNS}><project type='date'>x</project></environment>", "'date' is not an element of"),
    "between.xml": (
        f"<environment {XMLNS}><services>x<service name='a'/></services></environment>",
        "stands between elements",
    ),
    "again.xml": (
        f"<environment {XMLNS}><project/>\n<project/></environment>",
        "again.xml:2: 'project' is given twice",
    ),
    "base64.xml": (f"<environment {XMLNS}><project encoding='base64'>!</project></environment>", "no text in base64"),
}


@pytest.mark.req("A2")
@pytest.mark.parametrize("name", FILES)
def test_a_hostile_or_broken_file_is_refused_fast(tmp_path: Path, name: str) -> None:
    text, message = FILES[name]
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with at_most(SECONDS), pytest.raises(Invalid) as caught:
        load(path)
    assert message in str(caught.value).replace(f"{tmp_path}/", "")
    assert str(path) in str(caught.value)


@pytest.mark.req("A2")
@pytest.mark.parametrize("suffix", [".yml", ".xml", ".json"])
def test_a_file_of_100_megabytes_is_refused_before_it_is_read(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"large{suffix}"
    with path.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    with at_most(1), pytest.raises(Invalid, match="104,857,600 bytes; a definition has at most 4,194,304"):
        load(path)


@pytest.mark.req("A2")
def test_many_small_files_are_refused_too(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"part-{number}.yml").write_text(f"p{number}: " + "x" * 3_000_000)
    (tmp_path / "top.yml").write_text("include: [part-*.yml]")
    with pytest.raises(Invalid, match="more than 16,777,216 bytes in all"):
        load(tmp_path / "top.yml")


BOMBS = {
    "{{ 'a' * 10**9 }}": "needs too much memory",
    "{{ [0] * 10**9 }}": "needs too much memory",
    "{{ range(10**9) | list }}": "Range too big",
    "{{ 'x' | center(10**9) }}": "needs too much memory",
    "{{ '%1000000000d' % 1 }}": "needs too much memory",
    "{{ '{:1000000000}'.format(1) }}": "needs too much memory",
    "{{ 9 ** 9999999 }}": "the power is too large",
    "{{ 2.0 ** 99999 }}": "fails",
    "{{ 'a' * 9000000 }}": "grows beyond 8,388,608 characters",
    "{{ (range(99999) | list) * 9 }}": "grows beyond 200,000 values",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": "calls itself without end",
    "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}": "calls itself without end",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}": "takes too long",
    "{% set x = namespace(a='a') %}": "there is no parameter 'namespace'",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}": "nested too deeply",
    "{{ range(99999) | map('string') | map('center', 9999) | join | length }}": "needs too much memory",
}


@pytest.mark.req("A2")
@pytest.mark.parametrize("text", BOMBS, ids=range(len(BOMBS)))
def test_an_expression_that_burns_memory_or_time_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "bomb.yml"
    path.write_text(f"environment: x\nservices:\n  a:\n    roles: [r]\n    vars: {{v: {json.dumps(text)}}}\n")
    # A process of its own, so that the largest memory of it and of its child can be told.
    program = (
        "import resource, sys\nfrom adslib.adapters.documents import load\n"
        "try:\n    load(sys.argv[1])\nexcept Exception as error:\n    print(error)\n"
        "for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):\n"
        "    print(resource.getrusage(who).ru_maxrss // 1024)\n"
    )
    with at_most(SECONDS):
        done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    *message, own, child = done.stdout.splitlines()
    assert BOMBS[text] in "\n".join(message)
    assert "bomb.yml" in message[0]
    if "grows beyond" not in BOMBS[text]:
        assert "bomb.yml:5 services.a.vars.v" in message[0]
    assert int(own) < MEGABYTES
    assert int(child) < MEGABYTES


@pytest.mark.req("A2")
def test_a_loop_that_makes_too_much_is_refused(tmp_path: Path) -> None:
    inner = "{as: b, in: '{{ range(9999) }}', key: 'b{{ b }}', value: 1}"
    outer = f"{{as: a, in: '{{{{ range(9999) }}}}', key: 'a{{{{ a }}}}', value: {{for_each: [{inner}]}}}}"
    path = tmp_path / "loop.yml"
    path.write_text(f"environment: x\nservices: {{a: {{roles: [r], vars: {{for_each: [{outer}]}}}}}}\n")
    with at_most(SECONDS), pytest.raises(Invalid, match=r"grows beyond 200,000 values|takes too long"):
        load(path)


@pytest.mark.req("A2")
def test_what_a_parameter_holds_is_never_run(tmp_path: Path) -> None:
    path = tmp_path / "shop.yml"
    path.write_text(
        "environment: x\nparameters: {v: {type: str, default: a}}\n"
        'services: {a: {roles: [r], vars: {v: "{{ ads_root }}{{ v }}"}}}\n'
    )
    with pytest.raises(Invalid, match="a value holds no"):
        load(path, {"v": "{{ lookup('pipe', 'id') }}"})
    path.write_text(path.read_text().replace("{{ v }}", "{{ '{' }}{{ v }}"))
    with pytest.raises(Invalid, match="make an expression of their own"):
        load(path, {"v": "{ lookup('pipe', 'id') }}"})


def test_memory_is_told_in_kibibytes_here() -> None:
    """The bounds above divide by 1,024 what Linux reports."""
    assert 10_000 < resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 10_000_000
