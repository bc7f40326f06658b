"""Lifecycles: whatever people, jobs and crashes do, and in whatever order, the table is never left."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from adslib.domain.errors import Blocked
from adslib.domain.lifecycle import (
    ACTIVE_JOB_STATES,
    ENVIRONMENT,
    JOB,
    EnvironmentEvent,
    EnvironmentState,
    JobEvent,
    JobState,
    Lifecycle,
)

LIFECYCLES = pytest.mark.parametrize("lifecycle", [ENVIRONMENT, JOB], ids=lambda found: found.noun)
ENDS = {EnvironmentEvent.DONE, EnvironmentEvent.FAIL}
EVENTS: dict[str, type[StrEnum]] = {"environment": EnvironmentEvent, "job": JobEvent}
STATES: dict[str, type[StrEnum]] = {"environment": EnvironmentState, "job": JobState}


# ── the tables ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A12")
@LIFECYCLES
def test_every_state_can_be_reached_and_stands_in_the_table(lifecycle: Lifecycle[Any, Any]) -> None:
    states = STATES[lifecycle.noun]
    named = {start for start, _ in lifecycle.table} | set(lifecycle.table.values())
    assert named | {passing.interrupted for passing in lifecycle.passing.values()} == set(states)
    assert {event for _, event in lifecycle.table} == set(EVENTS[lifecycle.noun])
    reached, waiting = set(), [next(iter(states))]
    while waiting:
        state = waiting.pop()
        if state not in reached:
            reached.add(state)
            waiting += [following for (start, _), following in lifecycle.table.items() if start == state]
    assert reached == set(states)


@pytest.mark.req("A12")
@pytest.mark.parametrize("state", EnvironmentState)
def test_a_state_is_passing_or_resting_and_never_both(state: EnvironmentState) -> None:
    events = set(ENVIRONMENT.events(state))
    if state in ENVIRONMENT.passing:
        short = {EnvironmentEvent.FALL_SHORT} if state is EnvironmentState.STARTING else set()
        assert events == ENDS | short, "only the end of its work leads out of a passing state"
    else:
        assert not events & (ENDS | {EnvironmentEvent.FALL_SHORT})
        assert EnvironmentEvent.UNDEPLOY in events
        assert EnvironmentEvent.EDIT in events


@pytest.mark.req("A12")
@pytest.mark.parametrize("state", ENVIRONMENT.passing)
def test_a_passing_state_leads_to_its_target_and_falls_where_it_can_be_left_from(state: EnvironmentState) -> None:
    passing = ENVIRONMENT.passing[state]
    assert ENVIRONMENT.after(state, EnvironmentEvent.DONE, "shop") is passing.target
    came_from = {start for (start, _), following in ENVIRONMENT.table.items() if following is state}
    failed = ENVIRONMENT.after(state, EnvironmentEvent.FAIL, "shop")
    assert passing.interrupted in {failed, *came_from}
    assert {passing.target, passing.interrupted, failed}.isdisjoint(ENVIRONMENT.passing)


@pytest.mark.req("A12", "A23")
def test_a_running_job_leads_to_success_or_is_interrupted() -> None:
    passing = JOB.passing[JobState.RUNNING]
    assert JOB.after(JobState.RUNNING, JobEvent.SUCCEED, "1") is passing.target
    assert JOB.after(JobState.RUNNING, JobEvent.LOSE, "1") is passing.interrupted
    assert {state for state in JobState if JOB.events(state)} == ACTIVE_JOB_STATES, "a job that ended stays as it is"


@pytest.mark.req("A13")
@pytest.mark.parametrize("state", EnvironmentState)
def test_every_state_leads_to_not_deployed_by_undeploy_whatever_is_interrupted(state: EnvironmentState) -> None:
    resting = ENVIRONMENT.passing[state].interrupted if state in ENVIRONMENT.passing else state
    undeploying = ENVIRONMENT.after(resting, EnvironmentEvent.UNDEPLOY, "shop")
    assert ENVIRONMENT.after(undeploying, EnvironmentEvent.DONE, "shop") is EnvironmentState.NOT_DEPLOYED
    again = ENVIRONMENT.after(undeploying, EnvironmentEvent.FAIL, "shop")
    assert ENVIRONMENT.after(again, EnvironmentEvent.UNDEPLOY, "shop") is undeploying


@pytest.mark.req("A12")
def test_the_way_of_an_environment_as_the_document_tells_it() -> None:
    state = EnvironmentState.NOT_DEPLOYED
    for event, expected in [
        ("deploy", "deploying"), ("fail", "incomplete"), ("deploy", "deploying"), ("done", "ready"),
        ("test", "testing"), ("fail", "ready"), ("go-live", "live"), ("edit", "live"), ("deploy", "updating"),
        ("done", "ready"), ("go-live", "live"), ("test", "retesting"), ("done", "live"), ("stop", "stopping"),
        ("done", "stopped"), ("start", "starting"), ("done", "ready"), ("stop", "stopping"), ("done", "stopped"),
        ("edit", "stopped"), ("deploy", "deploying"), ("done", "ready"), ("undeploy", "undeploying"),
        ("done", "not-deployed"), ("delete", "not-deployed"),
    ]:  # fmt: skip
        state = ENVIRONMENT.after(state, EnvironmentEvent(event), "shop")
        assert state == expected


@pytest.mark.req("A12")
@LIFECYCLES
@given(st.data())
@settings(max_examples=80)
def test_what_the_table_does_not_say_is_refused_with_what_it_says(
    lifecycle: Lifecycle[Any, Any], data: st.DataObject
) -> None:
    state = data.draw(st.sampled_from(list(STATES[lifecycle.noun])))
    event = data.draw(st.sampled_from(list(EVENTS[lifecycle.noun])))
    if event in lifecycle.events(state):
        assert lifecycle.after(state, event, "shop") is lifecycle.table[state, event]
        return
    with pytest.raises(Blocked) as refused:
        lifecycle.after(state, event, "shop")
    said = str(refused.value)
    asked = f"'{event}'" if event in lifecycle.verbs else "this"
    assert said.startswith(f"{lifecycle.noun} 'shop' is {state}: {asked} is not possible")
    possible = said.rpartition("now: ")[2]
    if lifecycle.possible(state):
        assert possible.split(", ") == [str(verb) for verb in lifecycle.possible(state)]
    else:
        assert possible in ("nothing", "nothing, until the job at work on it ends")


@pytest.mark.req("A12")
def test_the_verbs_that_people_are_told_are_those_they_can_type() -> None:
    from adslib.entrypoints.cli.application import app

    nouns = {group.name: group.typer_instance for group in app.registered_groups}
    for lifecycle in (ENVIRONMENT, JOB):
        commands = nouns[lifecycle.noun].registered_commands
        typed = {command.name or command.callback.__name__ for command in commands}
        assert {str(verb) for verb in lifecycle.verbs} <= typed


# ── anybody, at any time ─────────────────────────────────────────────────────────────────────────────

JOB_EVENTS = (
    EnvironmentEvent.DEPLOY,
    EnvironmentEvent.UNDEPLOY,
    EnvironmentEvent.TEST,
    EnvironmentEvent.STOP,
    EnvironmentEvent.START,
)
DIRECT_EVENTS = (EnvironmentEvent.EDIT, EnvironmentEvent.GO_LIVE, EnvironmentEvent.DELETE)


class Lives(RuleBasedStateMachine):
    """An environment and the job that works on it: people ask for anything, workers finish, fail, die or come late."""

    def __init__(self) -> None:
        super().__init__()
        self.state = EnvironmentState.NOT_DEPLOYED
        self.jobs: list[JobState] = []

    @property
    def at_work(self) -> bool:
        return bool(self.jobs) and self.jobs[-1] in ACTIVE_JOB_STATES

    def ended(self, event: JobEvent, state: EnvironmentState) -> None:
        self.jobs[-1] = JOB.after(self.jobs[-1], event, "1")
        self.state = state

    @rule(event=st.sampled_from(JOB_EVENTS), queued=st.booleans())
    def ask_for_a_job(self, event: EnvironmentEvent, queued: bool) -> None:
        if self.at_work:
            return
        try:
            state = ENVIRONMENT.after(self.state, event, "shop")
        except Blocked:
            assert event not in ENVIRONMENT.events(self.state)
            return
        assert state in ENVIRONMENT.passing
        self.state = state
        self.jobs.append(JobState.QUEUED if queued else JobState.RUNNING)

    @rule(event=st.sampled_from(DIRECT_EVENTS))
    def ask_directly(self, event: EnvironmentEvent) -> None:
        if event in ENVIRONMENT.events(self.state):
            self.state = ENVIRONMENT.after(self.state, event, "shop")
        else:
            with pytest.raises(Blocked):
                ENVIRONMENT.after(self.state, event, "shop")

    @precondition(lambda self: self.at_work)
    @rule()
    def a_worker_claims_it(self) -> None:
        if self.jobs[-1] is JobState.QUEUED:
            self.jobs[-1] = JOB.after(self.jobs[-1], JobEvent.CLAIM, "1")
        else:
            with pytest.raises(Blocked):
                JOB.after(self.jobs[-1], JobEvent.CLAIM, "1")

    @precondition(lambda self: self.at_work and self.jobs[-1] is JobState.RUNNING)
    @rule(good=st.booleans())
    def it_ends(self, good: bool) -> None:
        event = EnvironmentEvent.DONE if good else EnvironmentEvent.FAIL
        self.ended(JobEvent.SUCCEED if good else JobEvent.FAIL, ENVIRONMENT.after(self.state, event, "shop"))

    @precondition(lambda self: self.at_work)
    @rule(cancelled=st.booleans())
    def it_is_interrupted(self, cancelled: bool) -> None:
        if cancelled or self.jobs[-1] is JobState.RUNNING:
            event = JobEvent.CANCEL if cancelled else JobEvent.LOSE
            self.ended(event, ENVIRONMENT.passing[self.state].interrupted)

    @precondition(lambda self: any(state not in ACTIVE_JOB_STATES for state in self.jobs))
    @rule(event=st.sampled_from(list(JobEvent)))
    def somebody_comes_late(self, event: JobEvent) -> None:
        ended = next(state for state in self.jobs if state not in ACTIVE_JOB_STATES)
        with pytest.raises(Blocked):
            JOB.after(ended, event, "1")

    @invariant()
    def work_goes_on_exactly_while_a_job_is_active(self) -> None:
        assert (self.state in ENVIRONMENT.passing) == self.at_work

    @invariant()
    def no_state_is_outside(self) -> None:
        assert self.state in EnvironmentState
        assert all(state in JobState for state in self.jobs)

    @invariant()
    def there_is_always_a_way_on(self) -> None:
        assert ENVIRONMENT.events(self.state)


@pytest.mark.req("A12", "A23")
class TestLives(Lives.TestCase):
    settings = settings(max_examples=60, stateful_step_count=30)
