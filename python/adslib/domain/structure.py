"""An environment as the tree that people have in mind: places with their common layer, pods and units, instances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adslib.domain.definition import Definition, Node
from adslib.domain.topology import Instance, Topology

WEB_PORTS = ("https", "http")


def structure(definition: Definition, standing: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """The tree of an environment, as plain data.

    Args:
        standing: what stands, as rows with `instance` and whatever else is known of it.

    Returns:
        `level`, `name`, `instances` and `children` of each node; instances that do not stand yet have state `missing`,
        those that the definition no longer has stand in a node of level `leaving`.
    """
    rows = {str(row["instance"]): row for row in standing}
    by_node: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
    for instance in Topology(definition).instances:
        row = rows.pop(instance.id, None) or _missing(instance)
        by_node.setdefault((instance.scope.path, instance.scope.common), []).append(row)
    children = [_node(node, by_node, common=True) for node in definition.places]
    children += [_node(node, by_node, common=False) for node in definition.nodes]
    if rows:
        children.append({"level": "leaving", "name": "", "instances": list(rows.values()), "children": []})
    # Without levels all stands in one nameless node: that is the environment itself.
    own = [row for child in children if not child["level"] for row in child["instances"]]
    named = [child for child in children if child["level"]]
    return {"level": "environment", "name": definition.environment, "instances": own, "children": named}


def _node(node: Node, by_node: Mapping[tuple[str, bool], list[Mapping[str, Any]]], *, common: bool) -> dict[str, Any]:
    return {
        "level": node.level,
        "name": node.name,
        "instances": by_node.get((node.path or node.name, common), []),
        "children": [_node(child, by_node, common=common) for child in node.children],
    }


def _missing(instance: Instance) -> dict[str, Any]:
    return {"instance": instance.id, "service": instance.service, "state": "missing"}


def web_addresses(definition: Definition, standing: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Where people and programs go in: the URL of each instance of the common layer that stands and speaks HTTP."""
    common = {instance.id for instance in Topology(definition).instances if instance.scope.common}
    found = {}
    for row in standing:
        ports = row.get("ports") or {}
        scheme = next((name for name in WEB_PORTS if name in ports), "")
        if row["instance"] in common and scheme and row.get("address"):
            address = f"[{row['address']}]" if ":" in str(row["address"]) else row["address"]
            found[str(row["instance"])] = f"{scheme}://{address}:{ports[scheme]}/"
    return found
