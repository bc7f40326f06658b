"""A plan: ordered actions that turn what stands into what shall stand, each with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from adslib.domain.desired import fingerprint
from adslib.domain.environment import left_on, original
from adslib.domain.making import NewMachine
from adslib.domain.placement import Shortage


class Verb(StrEnum):
    """What is done; the first three to machines before the stages, the last three after them, the rest to instances."""

    CREATE = "create"
    ALLOCATE = "allocate"
    START = "start"
    DEPLOY = "deploy"
    UPDATE = "update"
    MOVE = "move"
    REPAIR = "repair"
    REMOVE = "remove"
    WIPE = "wipe"
    RELEASE = "release"
    DELETE = "delete"


INSTANCE_VERBS = frozenset({Verb.DEPLOY, Verb.UPDATE, Verb.MOVE, Verb.REPAIR})


@dataclass(frozen=True, slots=True)
class Action:
    """One step.

    Args:
        verb: what. subject: id of an instance or name of a machine. machine: name of the machine it happens on.
        stage: number of the stage for instances, 0 for machines. reason: why, for people.
        service: of an instance. origin: machine that an instance leaves (`move`). role: what wipes a machine.
    """

    verb: Verb
    subject: str
    machine: str
    reason: str
    stage: int = 0
    service: str = ""
    origin: str = ""
    role: str = ""

    @property
    def id(self) -> str:
        """Derived from the content: the same step has the same id in every plan."""
        return fingerprint(self.verb, self.subject, self.machine, self.reason, self.origin)

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        data = {"id": self.id, "verb": str(self.verb), "subject": self.subject, "machine": self.machine}
        optional = {"stage": self.stage, "service": self.service, "origin": self.origin, "role": self.role}
        return {**data, **{key: value for key, value in optional.items() if value}, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done, made from one generation of one environment.

    Args:
        revision, generation: of the environment that it was made from.
        actions: in the order in which they are done.
        stages: service names by stage.
        seats: instance id → machine name, for every instance that shall stand.
        new: machines to make. blocked: what is missing; a plan with any of it is not carried out.
        look_again_at: seconds since the epoch when planning again makes sense without a change, None: never.
    """

    environment: str
    revision: int
    generation: int
    actions: tuple[Action, ...] = ()
    stages: tuple[tuple[str, ...], ...] = ()
    seats: Mapping[str, str] = field(default_factory=dict)
    new: tuple[NewMachine, ...] = ()
    blocked: tuple[Shortage, ...] = ()
    look_again_at: float | None = None

    @property
    def id(self) -> str:
        """Derived from the content; a saved plan is carried out only if planning again gives the same id."""
        steps = [(a.verb, a.subject, a.machine, a.reason, a.origin) for a in self.actions]
        return fingerprint(self.environment, self.revision, self.stages, steps, [str(b) for b in self.blocked])

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return not self.actions and not self.blocked

    def counts(self) -> dict[str, int]:
        """How many actions of each verb, in the order of the verbs."""
        counted = Counter(action.verb for action in self.actions)
        return {str(verb): counted[verb] for verb in Verb if counted[verb]}

    def lines(self) -> list[str]:
        """The plan for people, a line an action, with its reason."""
        if self.blocked:
            return [f"missing: {shortage}" for shortage in self.blocked]
        lines = [
            f"{action.verb} {action.subject}"
            + (f" on {action.machine}" if action.machine not in ("", action.subject) else "")
            + f": {action.reason}"
            for action in self.actions
        ]
        return lines or ["nothing differs"]

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "id": self.id,
            "environment": self.environment,
            "revision": self.revision,
            "generation": self.generation,
            "actions": [action.as_data() for action in self.actions],
            "counts": self.counts(),
            "stages": [list(stage) for stage in self.stages],
            "seats": dict(self.seats),
            "blocked": [str(shortage) for shortage in self.blocked],
            "look_again_at": self.look_again_at,
        }


@dataclass(frozen=True, slots=True)
class Removal:
    """An instance to be removed from a machine, or all that is on it.

    Args:
        id: under which it is recorded there. instance: id of the instance. machine: name, empty: it is gone.
        role: wipes the machine, of which no instance is left; empty: an instance is removed.
    """

    id: str
    instance: str
    service: str
    machine: str
    role: str = ""


def removals(actions: Iterable[Mapping[str, Any]]) -> Iterator[Removal]:
    """What the actions of a plan, as plain data, remove: what nobody wants any more, and what a move leaves behind."""
    for action in actions:
        origin = action.get("origin", "") if action["verb"] == Verb.MOVE else ""
        if origin or action["verb"] == Verb.REMOVE:
            id = left_on(action["subject"], origin) if origin else action["subject"]
            yield Removal(id, original(id), action.get("service", ""), origin or action["machine"])
        elif action["verb"] == Verb.WIPE:
            yield Removal(f"wipe of {action['machine']}", "", "", action["machine"], action["role"])
