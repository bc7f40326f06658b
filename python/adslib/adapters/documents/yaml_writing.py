"""A tree as YAML that people edit: order kept, text quoted wherever some YAML would read it as something else (A2)."""

from __future__ import annotations

import re
from typing import Any

import yaml

from adslib.adapters.documents import yaml_reading
from adslib.domain.definition import Tree

WIDTH = 120
BREAKS = re.compile("[\r\x85\u2028\u2029\ufeff]")
"""What one version of YAML takes for the end of a line, and another does not."""


class Dumper(yaml.SafeDumper):
    """Blocks with indented lists; YAML 1.1 and 1.2 both read the same."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand further in than their key."""
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        """Write everything out."""
        return True


# What YAML 1.2 reads as a number though YAML 1.1 does not, must not stand without quotes as text.
for pattern, kind, first in (
    (yaml_reading.INT, "int", "-+0123456789"),
    (yaml_reading.OCTAL, "int", "0"),
    (yaml_reading.HEXADECIMAL, "int", "0"),
    (yaml_reading.LEADING_ZERO, "int", "-+0"),
    (yaml_reading.FLOAT, "float", "-+.0123456789"),
):
    Dumper.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{pattern.pattern})\Z"), list(first))


def write_text(dumper: Dumper, text: str) -> yaml.ScalarNode:
    """Text; several lines as a block, where the emitter can do so without loss."""
    if BREAKS.search(text):
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"')
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text.strip() else None)


Dumper.add_representer(str, write_text)


def write_yaml(tree: Tree) -> str:
    """The tree as YAML text."""
    return str(
        yaml.dump(tree, Dumper=Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False, width=WIDTH)
    )
