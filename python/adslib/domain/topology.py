"""A definition expanded: every instance that shall stand, where, and whom it needs (A1, A3, A6).

The hierarchy has two trees: places (data centres), whose nodes hold the common layer, and logical nodes (pods, units).
An instance's id is the path of its node plus service and number: `us-west/router-1`, `pod-1/us-west/media-2`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adslib.domain.definition import Definition, Node, Placement, Service
from adslib.domain.errors import Invalid, Problem


@dataclass(frozen=True, slots=True)
class Instance:
    """One service on one machine.

    Args:
        id: path of its node, service and number. scope: the node it stands in, see `Scope`.
        machine: name of the machine that the user fixed, empty: the planner chooses (A5).
    """

    id: str
    service: str
    index: int
    scope: Scope
    machine: str = ""

    @property
    def name(self) -> str:
        """The last part of the id: `media-1`."""
        return f"{self.service}-{self.index}"


@dataclass(frozen=True, slots=True, eq=False)
class Scope:
    """A node as its instances see it.

    Args:
        path: of the node. place: path of the place its machines stand in, empty: anywhere.
        common: it is a place, so what stands in it is common layer.
        above: paths of the nodes around it, innermost first, without the root.
        levels: level name → path of the node of that level around it.
        attributes: nearest value of each attribute. settings: overlays by configuration, innermost last.
        vars: of its placements, by service.
    """

    path: str
    place: str
    common: bool
    above: tuple[str, ...] = ()
    levels: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    vars: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def location(self) -> str:
        """The location that its machines must have: the place's attribute, else the place's own name."""
        named = self.attributes.get("location")
        return str(named) if named else self.place.rpartition("/")[2]


class Topology:
    """All instances of a definition, in document order, and the members that each of them sees.

    Raises:
        Invalid: two nodes give instances the same id.
    """

    def __init__(self, definition: Definition) -> None:
        self.definition = definition
        self.instances: tuple[Instance, ...] = tuple(_instances(definition))
        self.by_id: dict[str, Instance] = {}
        self._by_service: dict[str, list[Instance]] = {}
        self._by_node: dict[tuple[str, str], list[Instance]] = {}
        self._members: dict[tuple[str, str, bool], tuple[Instance, ...]] = {}
        twice = []
        for instance in self.instances:
            if instance.id in self.by_id:
                twice.append(
                    Problem(f"two instances are called '{instance.id}'", instance.id, "rename one of the nodes")
                )
            self.by_id[instance.id] = instance
            self._by_service.setdefault(instance.service, []).append(instance)
            for path in (instance.scope.path, *instance.scope.above):
                self._by_node.setdefault((instance.service, path), []).append(instance)
        if twice:
            raise Invalid(problems=twice)

    def service(self, instance: Instance) -> Service:
        """The service that an instance does."""
        return self.definition.services[instance.service]

    def standing_services(self) -> tuple[str, ...]:
        """Names of the services that stand somewhere, in document order."""
        return tuple(name for name in self.definition.services if name in self._by_service)

    def of_service(self, service: str) -> tuple[Instance, ...]:
        """All instances of a service."""
        return tuple(self._by_service.get(service, ()))

    def members(self, scope: Scope, service: str) -> tuple[Instance, ...]:
        """The instances of a service that one in this scope works with: the nearest that there are.

        Nearest is: its own node, then the common layer of its place, then the nodes around it, then everywhere.
        """
        key = (service, scope.path, scope.common)
        found = self._members.get(key)
        if found is None:
            found = self._members[key] = tuple(self._nearest(scope, service))
        return found

    def _nearest(self, scope: Scope, service: str) -> list[Instance]:
        own = [i for i in self._by_node.get((service, scope.path), ()) if i.scope.common == scope.common]
        if own and scope.path:
            return own
        place = scope.place
        while place:
            here = [i for i in self._by_node.get((service, place), ()) if i.scope.path == place and i.scope.common]
            if here:
                return here
            place = place.rpartition("/")[0]
        for path in scope.above:
            around = self._by_node.get((service, path))
            if around:
                return around
        return self._by_service.get(service, [])


def _instances(definition: Definition) -> Iterator[Instance]:
    top = Scope("", "", common=False)
    for place in definition.places:
        yield from _walk(definition, place, top, definition.common, common=True)
    places = dict(_places(definition.places, top))
    for node in definition.nodes:
        yield from _walk(definition, node, top, (), common=False, places=places)


def _places(nodes: tuple[Node, ...], around: Scope) -> Iterator[tuple[str, Scope]]:
    for node in nodes:
        scope = _scope(node, around, None, (), common=True)
        yield scope.path, scope
        yield from _places(node.children, scope)


def _walk(
    definition: Definition,
    node: Node,
    around: Scope,
    common_layer: tuple[Placement, ...],
    *,
    common: bool,
    places: Mapping[str, Scope] | None = None,
) -> Iterator[Instance]:
    innermost = common and not node.children
    placements = (*(common_layer if innermost else ()), *node.services)
    scope = _scope(node, around, (places or {}).get(node.place), placements, common=common)
    for placement in placements:
        count = placement.instances
        if count is None:
            count = definition.services[placement.service].instances
        prefix = f"{scope.path}/" if scope.path else ""
        for index in range(1, count + 1):
            fixed = placement.machines[index - 1] if index <= len(placement.machines) else ""
            yield Instance(f"{prefix}{placement.service}-{index}", placement.service, index, scope, fixed)
    for child in node.children:
        yield from _walk(definition, child, scope, common_layer, common=common, places=places)


def _scope(node: Node, around: Scope, place: Scope | None, placements: tuple[Placement, ...], *, common: bool) -> Scope:
    outer = dict(place.attributes) if place else {}
    settings = {name: dict(values) for name, values in (place.settings if place else {}).items()}
    for name, values in (*around.settings.items(), *node.configurations.items()):
        settings[name] = {**settings.get(name, {}), **values}
    path = node.path or node.name
    levels = {**(place.levels if place else {}), **around.levels}
    if node.level:
        levels[node.level] = path
    return Scope(
        path=path,
        place=path if common else node.place or around.place,
        common=common,
        above=(around.path, *around.above) if around.path else (),
        levels=levels,
        attributes=_nearest(outer, around.attributes, node.attributes),
        settings=settings,
        vars={p.service: p.vars for p in placements if p.vars},
    )


def _nearest(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of nested nodes, outermost first: the nearest counts; variables are joined one by one."""
    result = {name: value for layer in layers for name, value in layer.items()}
    joined = {name: value for layer in layers for name, value in layer.get("vars", {}).items()}
    return {**result, "vars": joined} if joined else result
