"""Lifecycles of environments, jobs and machines: one enum and one table each (A12).

A passing state names its target and what an interruption makes of it. The diagrams of the
documentation and the buttons of the screens come from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from adslib.domain.errors import Blocked

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Passing(Generic[S]):
    """A state that work is done in: where it leads, and what is left if the work is interrupted."""

    target: S
    interrupted: S


@dataclass(frozen=True, slots=True)
class Lifecycle(Generic[S, E]):
    """The table `(state, event) -> state` of one noun, its passing states, and the events that people say.

    Args:
        verbs: the events that are verbs of the command line; the others are said by jobs, and never shown to people.
    """

    noun: str
    table: Mapping[tuple[S, E], S]
    passing: Mapping[S, Passing[S]]
    verbs: frozenset[E]

    def events(self, state: S) -> tuple[E, ...]:
        """The events that are possible in a state, in the table's order."""
        return tuple(event for (start, event) in self.table if start == state)

    def possible(self, state: S) -> tuple[E, ...]:
        """The verbs that people can say in a state."""
        return tuple(event for event in self.events(state) if event in self.verbs)

    def after(self, state: S, event: E, name: str) -> S:
        """The state that follows.

        Raises:
            Blocked: the table has no such step; the message says what is possible instead.
        """
        following = self.table.get((state, event))
        if following is None:
            asked = f"'{event}'" if event in self.verbs else "this"
            rest = "nothing, until the job at work on it ends" if state in self.passing else "nothing"
            possible = ", ".join(self.possible(state)) or rest
            raise Blocked(
                f"{self.noun} '{name}' is {state}: {asked} is not possible",
                remedy=f"possible now: {possible}",
            )
        return following


class EnvironmentState(StrEnum):
    NOT_DEPLOYED = "not-deployed"
    DEPLOYING = "deploying"
    INCOMPLETE = "incomplete"
    READY = "ready"
    TESTING = "testing"
    LIVE = "live"
    RETESTING = "retesting"
    UPDATING = "updating"
    STOPPING = "stopping"
    STOPPED = "stopped"
    STARTING = "starting"
    UNDEPLOYING = "undeploying"


class EnvironmentEvent(StrEnum):
    """Verbs that people or jobs say; `done`, `fall-short` and `fail` end a passing state."""

    DEPLOY = "deploy"
    TEST = "test"
    GO_LIVE = "go-live"
    STOP = "stop"
    START = "start"
    UNDEPLOY = "undeploy"
    DELETE = "delete"
    EDIT = "edit"
    DONE = "done"
    FALL_SHORT = "fall-short"
    FAIL = "fail"


_S, _E = EnvironmentState, EnvironmentEvent
_RESTING = (_S.NOT_DEPLOYED, _S.INCOMPLETE, _S.READY, _S.LIVE, _S.STOPPED)
_STANDING = (_S.INCOMPLETE, _S.READY, _S.LIVE)

ENVIRONMENT: Lifecycle[EnvironmentState, EnvironmentEvent] = Lifecycle(
    noun="environment",
    table={
        (_S.NOT_DEPLOYED, _E.DEPLOY): _S.DEPLOYING,
        (_S.INCOMPLETE, _E.DEPLOY): _S.DEPLOYING,
        (_S.READY, _E.DEPLOY): _S.DEPLOYING,
        (_S.LIVE, _E.DEPLOY): _S.UPDATING,
        (_S.STOPPED, _E.DEPLOY): _S.DEPLOYING,
        (_S.DEPLOYING, _E.DONE): _S.READY,
        (_S.DEPLOYING, _E.FAIL): _S.INCOMPLETE,
        (_S.UPDATING, _E.DONE): _S.READY,
        (_S.UPDATING, _E.FAIL): _S.INCOMPLETE,
        (_S.READY, _E.TEST): _S.TESTING,
        (_S.LIVE, _E.TEST): _S.RETESTING,
        (_S.RETESTING, _E.DONE): _S.LIVE,
        (_S.RETESTING, _E.FAIL): _S.READY,
        (_S.TESTING, _E.DONE): _S.READY,
        (_S.TESTING, _E.FAIL): _S.READY,
        (_S.READY, _E.GO_LIVE): _S.LIVE,
        **{(state, _E.STOP): _S.STOPPING for state in _STANDING},
        (_S.STOPPING, _E.DONE): _S.STOPPED,
        (_S.STOPPING, _E.FAIL): _S.INCOMPLETE,
        (_S.STOPPED, _E.START): _S.STARTING,
        (_S.STARTING, _E.DONE): _S.READY,
        (_S.STARTING, _E.FALL_SHORT): _S.INCOMPLETE,
        (_S.STARTING, _E.FAIL): _S.STOPPED,
        **{(state, _E.UNDEPLOY): _S.UNDEPLOYING for state in _RESTING},
        (_S.UNDEPLOYING, _E.DONE): _S.NOT_DEPLOYED,
        (_S.UNDEPLOYING, _E.FAIL): _S.INCOMPLETE,
        **{(state, _E.EDIT): state for state in _RESTING},
        (_S.NOT_DEPLOYED, _E.DELETE): _S.NOT_DEPLOYED,
    },
    passing={
        _S.DEPLOYING: Passing(_S.READY, _S.INCOMPLETE),
        _S.UPDATING: Passing(_S.READY, _S.INCOMPLETE),
        _S.TESTING: Passing(_S.READY, _S.READY),
        _S.RETESTING: Passing(_S.LIVE, _S.LIVE),
        _S.STOPPING: Passing(_S.STOPPED, _S.INCOMPLETE),
        _S.STARTING: Passing(_S.READY, _S.STOPPED),
        _S.UNDEPLOYING: Passing(_S.NOT_DEPLOYED, _S.INCOMPLETE),
    },
    verbs=frozenset(_E) - {_E.DONE, _E.FALL_SHORT, _E.FAIL},
)


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"


class JobEvent(StrEnum):
    CLAIM = "claim"
    SUCCEED = "succeed"
    FAIL = "fail"
    CANCEL = "cancel"
    LOSE = "lose"


_J, _V = JobState, JobEvent
JOB: Lifecycle[JobState, JobEvent] = Lifecycle(
    noun="job",
    table={
        (_J.QUEUED, _V.CLAIM): _J.RUNNING,
        (_J.QUEUED, _V.CANCEL): _J.CANCELLED,
        (_J.RUNNING, _V.SUCCEED): _J.SUCCEEDED,
        (_J.RUNNING, _V.FAIL): _J.FAILED,
        (_J.RUNNING, _V.CANCEL): _J.CANCELLED,
        (_J.RUNNING, _V.LOSE): _J.INTERRUPTED,
    },
    passing={_J.RUNNING: Passing(_J.SUCCEEDED, _J.INTERRUPTED)},
    verbs=frozenset({_V.CANCEL}),
)

ACTIVE_JOB_STATES = frozenset({_J.QUEUED, _J.RUNNING})


class MachineState(StrEnum):
    """`creating` is the recorded intent: the machine may or may not exist at its gateway yet."""

    CREATING = "creating"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"
    DELETING = "deleting"
    UNKNOWN = "unknown"
