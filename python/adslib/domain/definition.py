"""The vocabulary of a definition: what an operations team writes down about an environment (A1–A7).

Plain frozen data. ``adslib.domain.reading`` makes it of a rendered tree; ``adslib.domain.topology`` expands it.
Mappings are read-only by convention: nobody writes to them after the definition is built.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Tree = Any
"""A document as plain data: dict (ordered), list, str, int, float, bool, None."""

EMPTY: Mapping[Any, Any] = {}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A typed value that the user may set at load; expressions see parameters only (A2)."""

    name: str
    type: Literal["str", "int", "float", "bool", "list", "map"]
    default: Any = None
    required: bool = False
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class Level:
    """A tier of the hierarchy (A1, A3).

    Args:
        name: singular noun (``datacenter``); the document's key is the plural.
        plural: the document's key (``datacenters``).
        place: machines stand in nodes of this level; place levels nest among themselves in their order.
        at: a place level; nodes of this level are named by the places they stand in (``unit`` at ``datacenter``).
    Levels that are neither a place's nor ``at`` a place nest among themselves in their order.
    """

    name: str
    plural: str
    place: bool = False
    at: str | None = None


DEFAULT_LEVELS = (
    Level("datacenter", "datacenters", place=True),
    Level("pod", "pods"),
    Level("unit", "units", at="datacenter"),
)


@dataclass(frozen=True, slots=True)
class File:
    """A file that a component or configuration puts on the machine; exactly one of content, template, source is set.

    Args:
        path: absolute path on the machine (below ``ads_root`` on machines that have one).
        content: the text itself.
        template: path of a Jinja2 template in the project, rendered by Ansible on the controller.
        source: path of a file in the project, copied as it is.
        mode: octal, four digits.
    """

    path: str
    content: str | None = None
    template: str | None = None
    source: str | None = None
    owner: str = ""
    group: str = ""
    mode: str = "0644"


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian or RPM package."""

    name: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Archive:
    """A tar or zip archive by URL or project path, checked by SHA-256, unpacked into ``directory``."""

    url: str
    sha256: str
    directory: str
    strip: int = 0


@dataclass(frozen=True, slots=True)
class Git:
    """A git repository at one commit, checked out into ``directory``."""

    url: str
    commit: str
    directory: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of the project, copied as it is into ``directory``."""

    path: str
    directory: str


@dataclass(frozen=True, slots=True)
class Process:
    """What runs: a systemd unit, or a supervisord program on machines with ``ads_root``.

    ``command``, ``environment`` and file contents may use ``{{ ads_root }}`` and every variable of the instance.
    """

    command: str
    user: str = ""
    directory: str = ""
    environment: Mapping[str, Any] = field(default_factory=dict)
    reload: str = ""


@dataclass(frozen=True, slots=True)
class Component:
    """Versioned software that implements a service (A1, A16)."""

    name: str
    version: str
    packages: tuple[Package, ...] = ()
    archive: Archive | None = None
    git: Git | None = None
    folder: Folder | None = None
    files: tuple[File, ...] = ()
    process: Process | None = None
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Named settings and files that services share; it may require other configurations (A6)."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[File, ...] = ()
    requires: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """What an instance asks of its machine (A5).

    Args:
        size: name of the smallest size that will do; empty: any.
        os: operating system (``debian-12``); empty: any.
        kind: machine kind (``container``, ``vm``, ``metal``, ``process``); empty: any.
        gateway: only machines of this gateway; empty: any.
        image: instance template to make a machine from; empty: the gateway's default for the operating system.
        shared: may stand on a machine together with other services (A7).
        spread: instances of the same service never share a machine.
        cpu: cores taken of a shared machine. memory: MiB taken of a shared machine.
    """

    size: str = ""
    os: str = ""
    kind: str = ""
    gateway: str = ""
    image: str = ""
    shared: bool = False
    spread: bool = True
    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Requirement:
    """A dependency of a service: on a service or on a configuration (A6).

    ``ordered=False`` asks for the members only: no place in the sequence, so a router may know what stands behind it.
    """

    service: str = ""
    configuration: str = ""
    ordered: bool = True


@dataclass(frozen=True, slots=True)
class Role:
    """A role that deploys a service: ours or any that the user has (A16). ``ads_root``: it keeps below ``ads_root``."""

    name: str
    vars: Mapping[str, Any] = field(default_factory=dict)
    ads_root: bool = False


@dataclass(frozen=True, slots=True)
class Test:
    """A post-install test: exactly one of http (path or URL), tcp (port or its name), command, tasks (a file) (A12).

    Args:
        retries: how often it is tried. delay: seconds between two tries. timeout: seconds that one try may take.
    """

    http: str = ""
    tcp: str = ""
    command: str = ""
    tasks: str = ""
    port: str = ""
    status: int = 200
    contains: str = ""
    retries: int = 30
    delay: float = 0.5
    timeout: float = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """A kind of work, done by instances."""

    name: str
    component: str = ""
    roles: tuple[Role, ...] = ()
    instances: int = 1
    need: Need = Need()
    requires: tuple[Requirement, ...] = ()
    ports: Mapping[str, int] = field(default_factory=dict)
    tests: tuple[Test, ...] = ()
    sessions: Literal["none", "sustained"] = "none"
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Placement:
    """A service standing in a node: how many instances, and on which machines if the user maps them (A5).

    ``machines`` names machines of the pool for the first instances; the rest is mapped automatically.
    """

    service: str
    instances: int | None = None
    machines: tuple[str, ...] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Node:
    """One element of the hierarchy: a place (``us-west``), a pod, a unit, … or the root.

    Args:
        level: the level's name; empty for the root.
        name: unique among its siblings.
        path: names from the top, joined by ``/`` (``pod-1/us-west``); empty for the root.
        place: path of the place its machines stand in; empty: anywhere.
        attributes: vlan, gateway, location, owner, … of this node; instances see the nearest.
        configurations: settings laid over the definition's configurations for what stands below, by configuration.
    """

    level: str
    name: str
    path: str = ""
    place: str = ""
    services: tuple[Placement, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    configurations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    children: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Definition:
    """The validated document: everything that ads knows of what the user wants.

    Args:
        places: the place nodes at the top (data centres).
        nodes: the logical nodes at the top (pods).
        common: the common layer: services that stand in every innermost place.
        sequence: stages of service names that override the derived ones; empty: derived (A15).
        project: directory or git URL of roles, templates, group_vars; empty: the document's own directory.
        allow_host_changes: roles without ``ads_root`` support may run on ``local`` machines.
    """

    environment: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    levels: tuple[Level, ...] = DEFAULT_LEVELS
    components: Mapping[str, Component] = field(default_factory=dict)
    configurations: Mapping[str, Configuration] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
    common: tuple[Placement, ...] = ()
    places: tuple[Node, ...] = ()
    nodes: tuple[Node, ...] = ()
    sequence: tuple[tuple[str, ...], ...] = ()
    project: str = ""
    allow_host_changes: bool = False
