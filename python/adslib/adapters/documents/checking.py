"""Holds trees to the shipped JSON Schema and says in plain words what does not fit (A2).

The schema accepts an expression wherever a value may stand, and levels of any name. The loader makes two of it: one
that knows the document's levels, and a strict one without expressions and loops for the rendered tree.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib import resources
from typing import Any, NamedTuple

from adslib.domain.definition import Tree
from adslib.domain.reading.findings import TreePath, did_you_mean, shown
from adslib.domain.reading.levels import RESERVED

EXPRESSION = {"$ref": "#/$defs/expression"}
LOOP_ITEM = {"$ref": "#/$defs/loop_item"}
NODES = {"$ref": "#/$defs/nodes"}
WORDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "a map",
    "null": "nothing",
}


class Misfit(NamedTuple):
    """One thing that does not fit the schema."""

    path: TreePath
    message: str
    remedy: str = ""


@cache
def shipped() -> dict[str, Any]:
    """The schema as it is shipped for editors."""
    text = resources.files("adslib.adapters.documents").joinpath("schema/definition.schema.json").read_text("utf-8")
    return dict(json.loads(text))


def for_levels(plurals: Iterable[str]) -> dict[str, Any]:
    """The schema for a document whose levels are known: no other key passes for one."""
    schema = json.loads(json.dumps(shipped()))
    node = schema["$defs"]["node"]
    levels = dict.fromkeys(plurals, NODES)
    fixed = {key: value for key, value in schema["properties"].items() if key in RESERVED}
    inner = {key: value for key, value in node["properties"].items() if value.get("$ref") != NODES["$ref"]}
    schema["properties"] = fixed | levels
    node["properties"] = inner | levels
    schema["additionalProperties"] = node["additionalProperties"] = False
    return dict(schema)


def without_expressions(schema: Any) -> Any:
    """The same schema for a rendered tree: every branch for expressions and loops taken away."""
    if isinstance(schema, list):
        return [without_expressions(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: without_expressions(value) for key, value in schema.items()}
    branches = [branch for branch in schema.get("anyOf", ()) if branch not in (EXPRESSION, LOOP_ITEM)]
    if len(branches) == 1:
        del strict["anyOf"]
        strict |= without_expressions(branches[0])
    if isinstance(strict.get("properties"), dict):
        strict["properties"].pop("for_each", None)
    return strict


@lru_cache(maxsize=32)
def validator(plurals: tuple[str, ...], strict: bool) -> Any:
    """A ready validator."""
    from jsonschema import Draft202012Validator

    schema = for_levels(plurals)
    return Draft202012Validator(without_expressions(schema) if strict else schema)


def misfits(tree: Tree, plurals: Iterable[str], *, strict: bool) -> Iterator[Misfit]:
    """Everything in a tree that does not fit the schema.

    Args:
        plurals: the keys of the document's levels. strict: the tree is rendered; no expression or loop may be left.
    """
    for error in validator(tuple(plurals), strict).iter_errors(tree):
        yield from explained(error, strict)


def explained(error: Any, strict: bool) -> Iterator[Misfit]:
    """One error of the validator in our words."""
    path: TreePath = tuple(error.absolute_path)
    value = error.instance
    match error.validator:
        case "anyOf":
            loop = isinstance(value, dict) and list(value) == ["for_each"] and LOOP_ITEM in error.validator_value
            chosen = error.validator_value.index(LOOP_ITEM) if loop else 0
            for inner in error.context:
                if inner.relative_schema_path[0] == chosen:
                    yield from explained(inner, strict)
        case "type":
            yield Misfit(path, *wrong_type(error.validator_value, value))
        case "additionalProperties":
            known = [key for key in error.schema.get("properties", {}) if key != "for_each"]
            for key in value:
                if key not in error.schema.get("properties", {}):
                    yield Misfit((*path, key), f"unknown key '{key}'", did_you_mean(key, known, listed(known)))
        case "required":
            for key in error.validator_value:
                if key not in value:
                    yield Misfit(path, f"'{key}' is missing")
        case _:
            yield Misfit(path, *out_of_range(error.validator, error.validator_value, value))


def out_of_range(keyword: str, wanted: Any, value: Any) -> tuple[str, str]:
    """What is wrong with a value of the right type, and what would be right."""
    got = shown(value)
    if keyword == "enum":
        return f"{got} does not stand here", did_you_mean(str(value), map(str, wanted))
    if keyword in ("minimum", "maximum"):
        return f"{got} is {'less' if keyword == 'minimum' else 'more'} than {wanted}", ""
    if keyword == "exclusiveMinimum":
        return f"{got} is not more than {wanted}", ""
    if keyword in ("minLength", "minItems"):
        return "this is empty", "give it a value or leave it out"
    return f"{got} does not fit '{keyword}: {wanted}'", ""


def wrong_type(expected: str | list[str], value: Any) -> tuple[str, str]:
    """What was expected and what came, and how to write what was probably meant."""
    kinds = [expected] if isinstance(expected, str) else expected
    words = [WORDS[kind] for kind in kinds if kind != "null" or kinds == ["null"]]
    remedy = ""
    if "string" in kinds and isinstance(value, (bool, int, float)):
        remedy = f'quote it: "{value}"'
    elif isinstance(value, str) and "{{" not in value:
        remedy = from_text(kinds, value)
    elif "array" in kinds and value is not None:
        remedy = "put it into brackets: […]"
    return f"expected {' or '.join(words)}, got {shown(value)}", remedy


def from_text(kinds: list[str], value: str) -> str:
    """The remedy for text where another type stands."""
    if "boolean" in kinds:
        return "write true or false without quotes"
    if "integer" in kinds or "number" in kinds:
        return 'write the number without quotes (in XML: type="int")' if value.strip("+-").isdigit() else ""
    return f"write [{value}]" if "array" in kinds and value else ""


def listed(names: list[str]) -> str:
    """The keys that may stand here."""
    return f"known are: {', '.join(names)}"
