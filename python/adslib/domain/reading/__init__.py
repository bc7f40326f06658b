"""From a rendered tree to a validated ``Definition``: ``read`` (A1, A3, A6)."""

from __future__ import annotations

from adslib.domain.definition import Definition, Tree
from adslib.domain.errors import Invalid
from adslib.domain.reading.components import read_components, read_configurations
from adslib.domain.reading.findings import Findings, Part
from adslib.domain.reading.hierarchy import Hierarchy
from adslib.domain.reading.levels import RESERVED, read_levels
from adslib.domain.reading.parameters import read_parameters
from adslib.domain.reading.references import check_references
from adslib.domain.reading.services import read_services


def read(tree: Tree) -> Definition:
    """Make a definition of a rendered tree (A1, A3, A6).

    Args:
        tree: the document with includes merged, loops unrolled and parameters put in.

    Raises:
        Invalid: with every problem there is; each problem's place is the dotted path in the tree.
    """
    findings = Findings()
    top = Part(tree, (), findings)
    if not top.expect(dict):
        raise Invalid(problems=findings.problems)
    levels = read_levels(top)
    top.only([*RESERVED, *(level.plural for level in levels)])
    name = top.text("environment", required=True)
    if name:
        findings.name(name, "an environment", ("environment",))
    components = read_components(top)
    configurations = read_configurations(top)
    services = read_services(top)
    hierarchy = Hierarchy(levels, services, configurations, findings).read(top)
    definition = Definition(
        environment=name,
        description=top.text("description"),
        parameters=read_parameters(top),
        levels=levels,
        components=components,
        configurations=configurations,
        services=services,
        common=hierarchy.common,
        places=hierarchy.places,
        nodes=hierarchy.nodes,
        sequence=tuple(
            tuple(item.value for item in stage.items() if item.expect(str)) for stage in top.each("sequence")
        ),
        project=top.text("project"),
        allow_host_changes=top.flag("allow_host_changes"),
    )
    check_references(definition, findings)
    if findings.problems:
        raise Invalid(problems=findings.problems)
    return definition
