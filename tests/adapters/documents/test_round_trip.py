"""Tree → YAML or XML → tree: nothing is lost, neither order nor type, of any tree that the schema allows (A2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.adapters.documents import dump_xml, dump_yaml, read_tree
from adslib.adapters.documents.checking import misfits, shipped
from adslib.adapters.documents.json_reading import read_json
from adslib.adapters.documents.nodes import Faults, plain
from adslib.adapters.documents.xml_reading import read_xml
from adslib.adapters.documents.yaml_reading import read_yaml

EXAMPLES = Path(__file__).parents[3] / "examples"
LARGEST = 2**63 - 1
LOOKALIKES = [
    "",
    " ",
    "1",
    "01",
    "1.0",
    "1e3",
    "0o7",
    "0x1f",
    "1_000",
    "true",
    "yes",
    "No",
    "null",
    "~",
    "<<",
    "=",
    "-",
]
LOOKALIKES += [
    ".inf",
    "2024-01-01",
    "a: b",
    "# c",
    "{{ x }}",
    "&a",
    "*a",
    "!t",
    "line\n",
    "\n\nline\n\n",
    " lead\n  x",
    "\t",
]
LOOKALIKES += [
    "\r\n",
    "]]>",
    "<a>",
    "&amp;",
    "\x00",
    "\x07",
    "\ufffe",
    "\x85",
    "\u2028",
    "ä\u0301",
    "😀",
    "x" * 300,
    "a " * 200,
]

texts = st.one_of(st.sampled_from(LOOKALIKES), st.text(max_size=30))
wholes = st.integers(-LARGEST, LARGEST)
numbers = st.one_of(wholes, st.floats(allow_nan=False, allow_infinity=False))
scalars = st.one_of(texts, numbers, st.booleans(), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
names = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,6}[a-z0-9])?", fullmatch=True)
expressions = st.sampled_from(["{{ x }}", "{{ n + 1 }}", "{% if a %}b{% endif %}", "x-{{ x }}\n"])


def allowed(schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    """Any value that a part of the shipped schema allows, at most so deep."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return expressions if name == "expression" else allowed(shipped()["$defs"][name], depth)
    if "anyOf" in schema:
        return st.one_of([allowed(branch, depth) for branch in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = schema.get("type")
    if kinds is None:
        return values
    return st.one_of([of_kind(kind, schema, depth) for kind in ([kinds] if isinstance(kinds, str) else kinds)])


def of_kind(kind: str, schema: dict[str, Any], depth: int) -> st.SearchStrategy[Any]:
    """A value of one type."""
    least, most = schema.get("minimum"), schema.get("maximum")
    match kind:
        case "string":
            return texts.filter(bool) if "minLength" in schema else texts
        case "integer":
            return st.integers(-LARGEST if least is None else least, most or LARGEST)
        case "number":
            return st.floats(least, most, allow_nan=False, allow_infinity=False)
        case "boolean":
            return st.booleans()
        case "null":
            return st.none()
        case "array":
            least = schema.get("minItems", 0)
            items = allowed(schema.get("items", {}), max(depth - 1, 0))
            return st.lists(items, min_size=least, max_size=2) if depth or least else st.just([])
    return maps(schema, depth)


@st.composite
def maps(draw: st.DrawFn, schema: dict[str, Any], depth: int) -> dict[str, Any]:
    """A map with the known keys in any order, and free ones where they may stand."""
    known = schema.get("properties", {})
    required = list(schema.get("required", ()))
    optional = [key for key in known if key not in required]
    keys = required + (
        draw(st.lists(st.sampled_from(optional), unique=True, max_size=4)) if optional and depth > 0 else []
    )
    free = schema.get("additionalProperties", {})
    if free is not False and depth > 0:
        taken = set(known)
        keys += draw(st.lists((names if free else texts).filter(lambda key: key not in taken), unique=True, max_size=2))
    return {key: draw(allowed(known.get(key, free), max(depth - 1, 0))) for key in draw(st.permutations(keys))}


documents = maps(shipped(), 7)


def assert_kept(tree: Any) -> None:
    """Both formats carry the tree; ``repr`` tells types and order apart."""
    for text, reader in ((dump_yaml(tree), read_yaml), (dump_xml(tree), read_xml), (json.dumps(tree), read_json)):
        assert repr(plain(reader(text, "here", Faults())).tree) == repr(tree), text


@pytest.mark.req("A2", "A3")
@given(documents)
def test_any_document_the_schema_allows_is_carried_without_loss(tree: dict[str, Any]) -> None:
    assert not list(misfits_of_shipped(tree))
    assert_kept(tree)


def misfits_of_shipped(tree: Any) -> Any:
    """What the shipped schema itself finds in a tree, as an editor would."""
    from jsonschema import Draft202012Validator

    return Draft202012Validator(shipped()).iter_errors(tree)


@pytest.mark.req("A2")
@given(st.dictionaries(texts, values, max_size=5))
def test_any_value_is_carried_in_vars_and_settings(free: dict[str, Any]) -> None:
    tree = {
        "environment": "free",
        "services": {"a": {"vars": free, "roles": ["r"]}},
        "configurations": {"c": {"settings": free}},
        "pods": {"p": {"vars": free, "configurations": {"c": free}}},
    }
    assert_kept(tree)


@pytest.mark.req("A2")
@pytest.mark.parametrize("text", LOOKALIKES)
def test_text_that_looks_like_something_else_stays_text(text: str) -> None:
    assert_kept({"environment": text, "services": {"a": {"vars": {"value": text, "in a list": [text], text: 1}}}})


@pytest.mark.req("A2")
@pytest.mark.parametrize("text", LOOKALIKES)
def test_yaml_is_read_alike_by_ansible(text: str) -> None:
    """People read an exported document by other tools too: those that know YAML 1.1."""
    import yaml

    tree = {"environment": "x", "vars": {"value": text, "list": [text, 1, 1.5, True, None]}}
    assert yaml.safe_load(dump_yaml(tree)) == tree


@pytest.mark.req("A2")
@pytest.mark.parametrize("path", sorted(EXAMPLES.rglob("*.yml")), ids=lambda path: path.name)
def test_one_file_keeps_its_include_and_expressions_through_xml(path: Path, tmp_path: Path) -> None:
    tree = read_tree(path)
    if not set(tree) & {"environment", "services", "components"}:
        pytest.skip("no definition but a file of a project")
    copy = tmp_path / "copy.xml"
    copy.write_text(dump_xml(tree))
    assert repr(read_tree(copy)) == repr(tree)


@pytest.mark.req("A2", "A3")
def test_levels_of_any_name_are_written_as_levels() -> None:
    tree = {
        "environment": "shop",
        "levels": {"region": {"place": True}, "city": {"plural": "cities"}, "replica": {"at": "region"}},
        "regions": {"north": None},
        "cities": {"oslo": {"replicas": {"north": {"services": ["web"]}}}, "for_each": []},
        "services": {"web": {"roles": ["web"]}},
    }
    text = dump_xml(tree)
    assert '<level kind="city" plural="cities" name="oslo">' in text
    assert '<level kind="region" name="north" type="null"/>' in text
    assert_kept(tree)


@pytest.mark.req("A2")
def test_the_schema_and_the_xsd_know_the_same_keys() -> None:
    """A key that only one of them knows would make a document valid in one format only."""
    from lxml import etree

    from adslib.adapters.documents.xml_checking import xsd

    assert xsd() is not None
    text = (Path(__file__).parents[3] / "python/adslib/adapters/documents/schema/definition.xsd").read_bytes()
    elements = {element.get("name") for element in etree.fromstring(text).iter("{*}element")}
    keys: set[str] = set()
    pending: list[Any] = [shipped()]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            if isinstance(here.get("properties"), dict):
                keys |= set(here["properties"])
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    levels = {"datacenters", "pods", "units"}
    generic = {
        "environment",
        "fragment",
        "level",
        "entry",
        "item",
        "component",
        "configuration",
        "service",
        "parameter",
    }
    assert keys - levels <= elements
    assert elements - keys - generic == set()
    assert list(misfits({"environment": "x"}, (), strict=False)) == []
