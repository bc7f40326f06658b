"""What a definition's parts say of each other: references, cycles, the sequence (A6, A15)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from adslib.domain.definition import Definition, Node
from adslib.domain.reading.findings import Findings, TreePath


def check_references(definition: Definition, findings: Findings) -> None:
    """Note every missing end, every cycle with its path, and what is wrong with the sequence."""
    standing = services_standing(definition)
    for name, service in definition.services.items():
        path: TreePath = ("services", name)
        if service.component:
            findings.reference(service.component, definition.components, "component", (*path, "component"))
        for index, requirement in enumerate(service.requires):
            here = (*path, "requires", index)
            if requirement.configuration:
                findings.reference(requirement.configuration, definition.configurations, "configuration", here)
            elif not requirement.service or not findings.reference(
                requirement.service, definition.services, "service", here
            ):
                continue
            elif name in standing and requirement.service not in standing:
                findings.add(
                    here,
                    f"'{name}' requires '{requirement.service}', which stands nowhere",
                    "name it in the common layer or in a node",
                )
    for name, configuration in definition.configurations.items():
        for index, other in enumerate(configuration.requires):
            here = ("configurations", name, "requires", index)
            findings.reference(other, definition.configurations, "configuration", here)
    check_cycles(definition, findings)
    if definition.sequence:
        check_sequence(definition, standing, findings)


def ordered_requirements(definition: Definition) -> dict[str, list[str]]:
    """By service, the services that stand before it."""
    return {
        name: [need.service for need in service.requires if need.service and need.ordered]
        for name, service in definition.services.items()
    }


def check_cycles(definition: Definition, findings: Findings) -> None:
    """Note each cycle among services (where order matters) and among configurations."""
    remedy = "take one of them away, or say {service: …, ordered: false} where order does not matter"
    for cycle in cycles(ordered_requirements(definition)):
        findings.add(("services", cycle[0], "requires"), f"services require each other: {' → '.join(cycle)}", remedy)
    among = {name: list(configuration.requires) for name, configuration in definition.configurations.items()}
    for cycle in cycles(among):
        path = ("configurations", cycle[0], "requires")
        findings.add(path, f"configurations require each other: {' → '.join(cycle)}", "take one of them away")


def cycles(edges: Mapping[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """Each cycle that a walk in the given order closes, as the path that shows it (``a, b, a``)."""
    done: set[str] = set()
    for start in edges:
        trail: dict[str, Iterator[str]] = {} if start in done else {start: iter(edges[start])}
        while trail:
            here = next(reversed(trail))
            following = next(trail[here], None)
            if following is None:
                done.add(here)
                del trail[here]
            elif following in trail:
                names = list(trail)
                yield (*names[names.index(following) :], following)
            elif following not in done and following in edges:
                trail[following] = iter(edges[following])


def nodes_of(nodes: Iterable[Node]) -> Iterator[Node]:
    """These nodes and all below them, from the top."""
    for node in nodes:
        yield node
        yield from nodes_of(node.children)


def services_standing(definition: Definition) -> set[str]:
    """The services that stand in the common layer or in some node."""
    names = {placement.service for placement in definition.common}
    for node in nodes_of((*definition.places, *definition.nodes)):
        names.update(placement.service for placement in node.services)
    return names


def check_sequence(definition: Definition, standing: set[str], findings: Findings) -> None:
    """Every service that stands is in one stage, after all that it requires."""
    stages: dict[str, int] = {}
    for number, stage in enumerate(definition.sequence):
        for index, name in enumerate(stage):
            here = ("sequence", number, index)
            if not findings.reference(name, definition.services, "service", here):
                continue
            if name in stages:
                findings.add(here, f"service '{name}' is in the sequence twice")
            stages.setdefault(name, number)
    missing = [name for name in definition.services if name in standing and name not in stages]
    if missing:
        findings.add(("sequence",), f"the sequence leaves out: {', '.join(missing)}", "name every service that stands")
    for name, before in ordered_requirements(definition).items():
        for other in before:
            if name in stages and other in stages and stages[other] >= stages[name]:
                findings.add(
                    ("sequence", stages[name]),
                    f"'{name}' requires '{other}', which the sequence does not put in an earlier stage",
                    f"put '{other}' before it",
                )
