"""Typed parameters and the values a user gives them (A2)."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, get_args, get_type_hints

from adslib.domain.definition import Parameter, Tree
from adslib.domain.errors import Invalid
from adslib.domain.reading.findings import Findings, Part, did_you_mean, shown

NAME = re.compile(r"[a-z_][a-z0-9_]*")
TYPES: tuple[str, ...] = get_args(get_type_hints(Parameter)["type"])
PYTHON = {"str": (str,), "int": (int,), "float": (int, float), "bool": (bool,), "list": (list,), "map": (dict,)}
WORDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "list": "a list",
    "map": "a map",
}
EXAMPLES = {"str": "text", "int": "1", "float": "0.5", "bool": "true", "list": '["a", "b"]', "map": '{"a": 1}'}
MARKS = "'{{', '{%' or '{#'"
DEPLOYMENT = ("self", "members", "configurations")
"""Names that belong to the deployment, like all that begin with ``ads_``; no parameter may take one."""


def belongs_to_deployment(name: str) -> bool:
    """Whether a name is resolved when an instance is deployed, not when the definition is loaded."""
    return name in DEPLOYMENT or name.startswith("ads_")


def read_parameters(top: Part) -> tuple[Parameter, ...]:
    """The parameters a document declares; what is wrong is noted."""
    return tuple(read_parameter(name, entry) for name, entry in top.children("parameters"))


def declared(tree: Tree) -> tuple[Parameter, ...]:
    """The parameters an unrendered tree declares.

    Raises:
        Invalid: a declaration is wrong; all problems at once.
    """
    findings = Findings()
    parameters = read_parameters(Part(tree, (), findings))
    if findings.problems:
        raise Invalid(problems=findings.problems)
    return parameters


def read_parameter(name: str, part: Part) -> Parameter:
    """One declaration; its default and choices are held to its own type and bounds."""
    if not NAME.fullmatch(name):
        part.wrong(f"{name!r} is no name for a parameter", "use lower-case letters, digits and '_'")
    elif belongs_to_deployment(name):
        part.wrong(f"the name '{name}' belongs to the deployment", "choose one that is not self, members or ads_…")
    part.only(("type", "default", "required", "choices", "minimum", "maximum", "description"))
    kind = part.text("type", required=True)
    if kind and kind not in TYPES:
        part.findings.add((*part.path, "type"), f"there is no type '{kind}'", did_you_mean(kind, TYPES))
    choices = part.get("choices")
    parameter = Parameter(
        name=name,
        type=kind if kind in TYPES else "str",  # type: ignore[arg-type]
        default=part.value.get("default") if isinstance(part.value, dict) else None,
        required=part.flag("required"),
        choices=tuple(choices.value) if choices is not None and choices.expect(list) else (),
        minimum=bound(part, "minimum"),
        maximum=bound(part, "maximum"),
        description=part.text("description"),
    )
    if kind in TYPES:
        check_declaration(parameter, part)
    return parameter


def bound(part: Part, key: str) -> float | None:
    """A limit of a number, None if absent."""
    below = part.get(key)
    return below.value if below is not None and below.expect(int, float) else None


def check_declaration(parameter: Parameter, part: Part) -> None:
    """What is declared fits together."""
    if parameter.required and parameter.default is not None:
        part.wrong("a required parameter has no default", "leave one of the two out")
    if not parameter.required and parameter.default is None:
        part.wrong("a parameter needs a default", "give one, or say 'required: true'")
    if parameter.type not in ("int", "float") and (parameter.minimum, parameter.maximum) != (None, None):
        part.wrong(f"minimum and maximum bound numbers, not type '{parameter.type}'")
    elif parameter.minimum is not None and parameter.maximum is not None and parameter.minimum > parameter.maximum:
        part.wrong(f"minimum {parameter.minimum} is more than maximum {parameter.maximum}")
    for index, choice in enumerate(parameter.choices):
        if type(choice) not in PYTHON[parameter.type]:
            part.findings.add((*part.path, "choices", index), f"expected {WORDS[parameter.type]}")
    if parameter.default is not None:
        message = value_problem(parameter, parameter.default)
        if message:
            part.findings.add((*part.path, "default"), message)


def value_problem(parameter: Parameter, value: Any) -> str:
    """What is wrong with a value for a parameter; empty: nothing."""
    if type(value) not in PYTHON[parameter.type]:
        return f"expected {WORDS[parameter.type]}, got {shown(value)}"
    if parameter.choices and value not in parameter.choices:
        return f"{shown(value)} is none of the choices: {', '.join(map(str, parameter.choices))}"
    if parameter.type in ("int", "float"):
        return bounds_problem(parameter, value)
    return f"{shown(value)}: a value holds no {MARKS}" if holds_template(value) else ""


def bounds_problem(parameter: Parameter, value: float) -> str:
    """What is wrong with a number for a parameter; empty: nothing."""
    if parameter.minimum is not None and value < parameter.minimum:
        return f"{value} is less than the minimum {parameter.minimum}"
    if parameter.maximum is not None and value > parameter.maximum:
        return f"{value} is more than the maximum {parameter.maximum}"
    return ""


def holds_template(value: Any) -> bool:
    """Whether some text below would be taken for a template: values never are."""
    pending = [value]
    while pending:
        here = pending.pop()
        if isinstance(here, str) and any(mark in here for mark in ("{{", "{%", "{#")):
            return True
        if isinstance(here, dict):
            pending.extend((*here, *here.values()))
        elif isinstance(here, list):
            pending.extend(here)
    return False


def typed(parameter: Parameter, value: Any) -> Any:
    """A value from a command line, where everything is text, in the parameter's type; as it is if it does not fit."""
    if parameter.type == "str" or not isinstance(value, str):
        return value
    try:
        read = json.loads(value)
    except ValueError:
        return value
    return read if type(read) in PYTHON[parameter.type] else value


def how_to_give(parameter: Parameter) -> str:
    """How the value of a parameter is given, with one that would do."""
    known = (*parameter.choices, parameter.default, parameter.minimum, parameter.maximum)
    good = next((value for value in known if value is not None and not value_problem(parameter, value)), None)
    value = json.dumps(good) if good is not None and not isinstance(good, str) else good
    said = f"{parameter.name}={value or EXAMPLES[parameter.type]}"
    about = f" ({parameter.description})" if parameter.description else ""
    return f"give it with -p {shlex.quote(said)}{about}"


def parameter_values(parameters: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of each parameter: what is given, else its default (A2).

    Args:
        given: values by name; text is read as JSON where the type is not ``str`` (``"3"``, ``"true"``, ``'["a"]'``).

    Raises:
        Invalid: an unknown name, a missing value, a wrong type, choice or bound; all problems at once.
    """
    findings = Findings()
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            findings.add(
                (),
                f"there is no parameter '{name}'",
                did_you_mean(name, known, "" if known else "the definition has none"),
            )
    values: dict[str, Any] = {}
    for name, parameter in known.items():
        path = ("parameters", name)
        if name not in given:
            if parameter.required:
                findings.add(path, f"parameter '{name}' needs a value", how_to_give(parameter))
            values[name] = parameter.default
            continue
        values[name] = typed(parameter, given[name])
        message = value_problem(parameter, values[name])
        if message:
            findings.add(path, f"parameter '{name}': {message}", how_to_give(parameter))
    if findings.problems:
        raise Invalid(problems=findings.problems)
    return values
