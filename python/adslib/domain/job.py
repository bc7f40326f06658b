"""Jobs: a plan being carried out; the row is the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from adslib.domain.lifecycle import JobState

JOB_MARKER = "ADS_JOB"
"""Environment variable that every process of a job carries; its value is the job's id."""


class JobKind(StrEnum):
    DEPLOY = "deploy"
    UNDEPLOY = "undeploy"
    TEST = "test"
    STOP = "stop"
    START = "start"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that carries a job out: host, process id, and its start time in clock ticks since boot.

    `person`: it is somebody's own `ansible-playbook`, which ads never ends.
    """

    host: str
    pid: int
    started: int
    person: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job of one environment.

    Args:
        id: 26 characters, sortable by time. kind: what it does.
        plan: the plan as plain data, with the generation of the environment that it was made from.
        options: what the user asked for beside the kind (hold, despite, reason, …).
        step: the last step that was recorded. attempt: fencing token; reports with an older one are refused.
        owner: who carries it out. lease: until when it is alive without a word.
        request_key: unique; the same request twice is the same job.
        artifacts: directory of the run's output.
        result: what came out, for people and programs (failures by instance, counts).
    """

    id: str
    environment: str
    kind: JobKind
    state: JobState
    plan: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    step: str = ""
    attempt: int = 0
    owner: Owner | None = None
    lease: datetime | None = None
    request_key: str = ""
    artifacts: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    actor: str = ""
    created: datetime | None = None
    finished: datetime | None = None
    tenant: str = "default"
    generation: int = 0
