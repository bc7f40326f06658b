"""Environments, their revisions, and what stands of them (A1, A4, A12)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from adslib.domain.definition import Tree
from adslib.domain.lifecycle import EnvironmentState


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a document came from: file, and if it lies in a git work tree the commit and whether it was clean (A2)."""

    path: str = ""
    repository: str = ""
    commit: str = ""
    clean: bool | None = None


@dataclass(frozen=True, slots=True)
class Revision:
    """A numbered, accepted definition; revisions are never changed (A2).

    Args:
        number: 1, 2, … within the environment.
        tree: the unrendered document with its includes merged in; parameters: the values it was rendered with.
        rendered: the tree after rendering, so that nothing is rendered again while a job runs.
        template: name of the template it was made from, empty: none.
    """

    environment: str
    number: int
    tree: Tree
    rendered: Tree
    parameters: Mapping[str, Any]
    origin: Origin
    created: datetime
    created_by: str
    template: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class TestReport:
    """What the last tests said: when, how many passed, and what failed (instance, test, cause)."""

    at: datetime
    passed: int
    failures: tuple[str, ...] = ()

    @property
    def good(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class Environment:
    """An environment: the definition (by revision) and its state.

    Args:
        revision: number of the current revision; deployed: of the last one deployed completely, 0: none.
        project: directory (absolute) or `git URL@commit` that roles, templates and variables come from.
        tests: the last test report.
        live_despite: who let it go live in spite of failed tests, and why; empty otherwise.
    """

    name: str
    state: EnvironmentState = EnvironmentState.NOT_DEPLOYED
    revision: int = 1
    deployed: int = 0
    project: str = ""
    tests: TestReport | None = None
    live_despite: str = ""
    tenant: str = "default"
    created: datetime | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """An instance that was deployed on a machine: the actual side of planning.

    Args:
        instance: the instance's id (`pod-1/us-west/media-1`), or that of `left_on`.
        digest: of everything that its deployment depends on; equal digest: nothing to do.
        failed: the last deployment of it failed; it is to be done again.
    """

    environment: str
    instance: str
    service: str
    machine_id: str
    version: str
    digest: str
    failed: bool = False
    deployed_at: datetime | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def left_on(instance: str, machine: str) -> str:
    """The id under which it stays recorded what an instance left on a machine that it moved away from."""
    return f"{instance}@{machine}"


def original(id: str) -> str:
    """The instance that a recorded id is about: itself, or the one that left it; see `left_on`."""
    return id.partition("@")[0]


@dataclass(frozen=True, slots=True)
class Template:
    """A definition with open parts: the user may fill those and nothing else (A4).

    Args:
        tree: the document. open: paths (`pods/*`, `services/media/instances`) that may be edited or filled.
    """

    name: str
    tree: Tree
    open: tuple[str, ...]
    description: str = ""
    origin: Origin = Origin()
    created: datetime | None = None
    created_by: str = ""
    tenant: str = "default"
    generation: int = 0
