"""Places, groups and what stands in them (A1, A3, A5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adslib.domain.definition import Configuration, Level, Node, Placement, Service
from adslib.domain.reading.findings import Findings, Part
from adslib.domain.reading.levels import ATTRIBUTES, NODE_KEYS, logical_levels, place_levels


@dataclass(slots=True)
class Hierarchy:
    """What a document says of the structure; ``read`` fills ``common``, ``places`` and ``nodes``."""

    levels: tuple[Level, ...]
    services: Mapping[str, Service]
    configurations: Mapping[str, Configuration]
    findings: Findings
    common: tuple[Placement, ...] = ()
    places: tuple[Node, ...] = ()
    nodes: tuple[Node, ...] = ()
    found: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    """Paths of the places by (level, name)."""
    occupied: bool = False
    """Whether any service stands in some node or in the common layer."""

    def read(self, top: Part) -> Hierarchy:
        """Read the structure; without any service in it, every service stands once at the root."""
        self.refuse_misplaced(top, NODE_KEYS, place_levels(self.levels)[:1] + logical_levels(self.levels)[:1])
        self.places = self.nodes_below(top, place_levels(self.levels), "", "")
        self.nodes = self.nodes_below(top, logical_levels(self.levels), "", "")
        common = top.get("common")
        if common is not None:
            common.only(("services",))
            self.common = self.placements(common)
            if self.common and not self.places:
                common.wrong("the common layer stands in every place, but there is none", self.where_places_go())
        if not self.occupied and self.services:
            root = Node("", "", services=tuple(Placement(name) for name in self.services))
            self.nodes = (root, *self.nodes)
        return self

    def where_places_go(self) -> str:
        """The remedy for a structure that has no places."""
        places = place_levels(self.levels)
        return f"add '{places[0].plural}'" if places else "mark a level by 'place: true'"

    def refuse_misplaced(self, part: Part, known: tuple[str, ...], allowed: tuple[Level, ...]) -> None:
        """Note keys of levels that belong elsewhere in the hierarchy."""
        for level in self.levels:
            if level in allowed or part.get(level.plural) is None:
                continue
            chain = place_levels(self.levels) if level.place else logical_levels(self.levels)
            above = chain.index(level) - 1
            where = f"inside '{chain[above].plural}'" if above >= 0 else "at the top of the document"
            part.findings.add((*part.path, level.plural), f"'{level.plural}' do not stand here", f"they stand {where}")

    def nodes_below(self, part: Part, levels: tuple[Level, ...], path: str, place: str) -> tuple[Node, ...]:
        """The nodes of the first of these levels, with all that stands below them."""
        if not levels:
            return ()
        return tuple(self.node(name, entry, levels, path, place) for name, entry in part.children(levels[0].plural))

    def node(self, name: str, part: Part, levels: tuple[Level, ...], above: str, place: str) -> Node:
        """One node; an empty one may be written as nothing (``us-west:``)."""
        level, inner = levels[0], levels[1:]
        self.findings.name(name, f"a {level.name}", part.path)
        path = f"{above}/{name}" if above else name
        if level.place:
            place = path
            self.found.setdefault((level.name, name), []).append(path)
        elif level.at:
            place = self.place_named(name, level.at, part)
        if part.value is None:
            return Node(level.name, name, path, place)
        part.only((*NODE_KEYS, *(other.plural for other in self.levels)))
        self.refuse_misplaced(part, NODE_KEYS, inner[:1])
        return Node(
            level=level.name,
            name=name,
            path=path,
            place=place,
            services=self.placements(part),
            attributes=read_attributes(part),
            configurations=self.overlays(part),
            children=self.nodes_below(part, inner, path, place),
        )

    def place_named(self, name: str, level: str, part: Part) -> str:
        """The path of the place that a node is named by."""
        paths = self.found.get((level, name), [])
        if len(paths) > 1:
            part.wrong(f"'{name}' may be {' or '.join(paths)}", f"give each {level} a name of its own")
        elif not paths:
            known = [place for at, place in self.found if at == level]
            self.findings.reference(name, known, level, part.path)
        return paths[0] if paths else ""

    def placements(self, part: Part) -> tuple[Placement, ...]:
        """The services that stand in a node: names, or {service, instances, machines, vars}."""
        placements: list[Placement] = []
        for item in part.each("services"):
            if not item.expect(str, dict):
                continue
            placement = self.placement(item)
            if any(other.service == placement.service for other in placements):
                item.wrong(f"service '{placement.service}' is named twice here", "say how many by 'instances'")
            placements.append(placement)
        self.occupied = self.occupied or bool(placements)
        return tuple(placements)

    def placement(self, item: Part) -> Placement:
        """One service in a node."""
        if isinstance(item.value, str):
            self.findings.reference(item.value, self.services, "service", item.path)
            return Placement(item.value)
        item.only(("service", "instances", "machines", "vars"))
        service = item.text("service", required=True)
        if service:
            self.findings.reference(service, self.services, "service", (*item.path, "service"))
        instances = item.whole("instances", 0, least=0) if item.get("instances") is not None else None
        machines = tuple(machine.value for machine in item.each("machines") if machine.expect(str))
        wanted = instances if instances is not None else getattr(self.services.get(service), "instances", None)
        if wanted is not None and len(machines) > wanted:
            item.wrong(
                f"{len(machines)} machines are named for {wanted} instances of '{service}'",
                f"set instances to {len(machines)} or name fewer machines",
            )
        for machine in sorted({name for name in machines if machines.count(name) > 1}):
            item.wrong(f"machine '{machine}' is named twice for '{service}'")
        return Placement(service, instances, machines, item.vars("vars"))

    def overlays(self, part: Part) -> Mapping[str, Mapping[str, Any]]:
        """Settings laid over configurations for what stands below a node."""
        overlays: dict[str, Mapping[str, Any]] = {}
        for name, entry in part.children("configurations"):
            self.findings.reference(name, self.configurations, "configuration", entry.path)
            entry.secrets()
            overlays[name] = entry.mapping()
        return overlays


def read_attributes(part: Part) -> Mapping[str, Any]:
    """vlan, gateway, location, owner and vars of a node, those that are given."""
    attributes: dict[str, Any] = {}
    for key in ATTRIBUTES:
        if part.get(key) is None:
            continue
        if key == "vars":
            attributes[key] = part.vars(key)
        elif key == "vlan":
            attributes[key] = part.whole(key, 1, least=1, most=16777214)
        else:
            attributes[key] = part.text(key, required=True)
    return attributes
