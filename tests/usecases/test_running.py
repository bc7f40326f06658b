"""Running: the lease is kept while a run goes on, what is lost is written down, what is heard is told."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from adapters.store.contest import LONGEST
from adslib.adapters import documents, processes
from adslib.adapters.playbooks import Playbooks, Run
from adslib.domain.actor import Permission
from adslib.domain.errors import Conflict, Failed, Forbidden, Invalid, NotFound
from adslib.domain.lifecycle import JobState
from adslib.usecases import running
from adslib.usecases.ads import Ads
from adslib.usecases.listening import Listener
from adslib.usecases.running import finished
from usecases.conftest import DEFINITION


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts something else in the place of ansible-runner, for ends that a playbook cannot be brought to at will."""

    def put(act: Callable[..., Any]) -> None:
        monkeypatch.setattr(Playbooks, "run", lambda self, job_id, playbook, **words: act(job_id, playbook, **words))

    return put


@pytest.mark.req("A22")
def test_the_lease_is_renewed_while_the_run_goes_on(
    ads: Ads, define: Callable[..., None], engine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "RENEW_EVERY", 0.05)
    monkeypatch.setattr(running, "LOOK_EVERY", 0.02)
    leases = []

    def slow(job_id: str, *_: Any, **__: Any) -> Run:
        until = time.monotonic() + LONGEST
        while len(set(leases)) < 3 and time.monotonic() < until:
            with ads.app.store.reading() as tx:
                leases.append(tx.jobs.get(job_id).lease)
            time.sleep(0.05)
        return Run(1, False, "")

    engine(slow)
    define()
    ads.running.deploy("shop")
    assert len(set(leases)) > 2


@pytest.mark.req("A12", "A22")
@pytest.mark.parametrize(("rc", "said"), [(None, "was cut off"), (4, "ended with exit code 4")])
def test_a_run_that_does_not_finish_its_job_is_interrupted(
    ads: Ads, define: Callable[..., None], engine: Callable[..., None], rc: int | None, said: str
) -> None:
    def dies(*_: Any, on_event: Callable[[Any], None], **__: Any) -> Run:
        on_event({"event": "verbose", "stdout": "[ERROR]: the role 'x' was not found"})
        return Run(rc, False, "")

    engine(dies)
    define()
    outcome = ads.running.deploy("shop")
    assert outcome.after["state"] == "incomplete"
    assert outcome.after["job"]["state"] == JobState.INTERRUPTED
    assert outcome.message == f"its playbook {said} before it was done; the role 'x' was not found"
    with pytest.raises(Failed, match="the role 'x' was not found"):
        finished(outcome)
    assert ads.environments.plan("shop").actions


@pytest.mark.req("A22")
def test_a_run_that_cannot_begin_leaves_no_job_at_work(
    ads: Ads, define: Callable[..., None], engine: Callable[..., None]
) -> None:
    def refuses(*_: Any, **__: Any) -> Run:
        raise Failed("ansible-playbook is not installed")

    engine(refuses)
    define()
    with pytest.raises(Failed, match="not installed"):
        ads.running.deploy("shop")
    (job,) = ads.jobs.list()
    assert (job["state"], job["message"]) == ("interrupted", "ansible-playbook is not installed")


@pytest.mark.req("A12")
def test_cancelling(ads: Ads, define: Callable[..., None], engine: Callable[..., None]) -> None:
    asked = threading.Event()

    def waits(*_: Any, **__: Any) -> Run:
        assert asked.wait(LONGEST)
        return Run(None, False, "")

    def cancelled() -> bool:
        asked.set()
        return True

    engine(waits)
    define()
    outcome = ads.running.deploy("shop", cancelled=cancelled)
    assert outcome.after["job"]["state"] == JobState.CANCELLED
    assert outcome.message == "cancelled by ann"


@pytest.mark.req("A12")
def test_what_does_not_end_is_ended_until_it_does(
    ads: Ads, define: Callable[..., None], engine: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[str] = []
    ended = threading.Event()

    def end(job_id: str) -> bool:
        tries.append(job_id)
        if len(tries) > 2:
            ended.set()
        return ended.is_set()

    def waits(*_: Any, **__: Any) -> Run:
        assert ended.wait(LONGEST)
        return Run(None, False, "")

    monkeypatch.setattr(processes, "end_marked", end)
    engine(waits)
    define()
    assert ads.running.deploy("shop", cancelled=lambda: True).message == "cancelled by ann"


def test_what_a_run_is_given(ads: Ads, define: Callable[..., None], engine: Callable[..., None]) -> None:
    given: dict[str, Any] = {}

    def listens(job_id: str, playbook: str, **words: Any) -> Run:
        given.update(words, job=job_id, playbook=playbook)
        return Run(0, False, "")

    engine(listens)
    define()
    outcome = ads.running.deploy("shop", hold=True, everything=True)
    assert given["playbook"] == "deploy"
    assert given["variables"] == {"ads_environment": "shop", "ads_job": outcome.job, "ads_stages": 1}
    assert given["environ"]["ADS_DATABASE_URL"] == ads.app.settings.database_url
    assert given["environ"]["ADS_HOME"] == str(ads.app.settings.home)
    options = ads.jobs.show(outcome.job)["options"]
    assert (options["hold"], options["all"]) == (True, True)
    assert ads.jobs.show(outcome.job)["artifacts"].endswith(f"{outcome.job}/artifacts/run")


@pytest.mark.req("A5")
def test_saved_plans_of_others_and_none(ads: Ads, define: Callable[..., None]) -> None:
    define()
    define("other")
    plan = ads.environments.plan("shop", save=True).id
    with pytest.raises(Conflict, match="is one of environment 'shop'"):
        ads.running.deploy("other", plan=plan)
    with pytest.raises(NotFound, match="no saved plan"):
        ads.running.deploy("shop", plan="nonsense")
    assert ads.running.deploy("shop", plan=plan, dry_run=True).plan is not None
    assert ads.jobs.list() == []


def test_what_is_heard() -> None:
    heard: list[Any] = []
    listener = Listener(heard.append)
    failed = {"host": "web1", "task": "Start", "res": {"msg": "no such file"}}
    for event in (
        {"event": "runner_on_failed", "event_data": failed},
        {"event": "runner_on_failed", "event_data": {**failed, "ignore_errors": True}},
        {"event": "runner_on_unreachable", "event_data": {"host": "web2", "task": "Ask", "res": {}}},
        {"event": "verbose", "stdout": "all is well"},
        {"event": "verbose", "stdout": "ERROR! the playbook: x could not be found"},
        {"event": "playbook_on_stats", "event_data": {"changed": {"web1": 2, "web2": 1}}},
        {"event": "playbook_on_start"},
    ):
        listener(event)
    assert listener.causes == [
        "web1, task 'Start': no such file",
        "web2, task 'Ask': no reason given",
        "the playbook: x could not be found",
    ]
    assert listener.changes == 3
    assert len(heard) == 7


@pytest.mark.req("A20")
@pytest.mark.parametrize("verb", ["deploy", "undeploy", "test", "stop", "start", "kill"])
def test_permissions(ads: Ads, define: Callable[..., None], acting: Callable[..., Ads], verb: str) -> None:
    define()
    looker = acting("eve", permissions={Permission.VIEW})
    with pytest.raises(Forbidden):
        getattr(looker.running, verb)("shop")
    if verb != "kill":
        with pytest.raises(Forbidden):
            getattr(looker.environments, verb)("shop")
    assert ads.jobs.list() == []


@pytest.mark.req("A12", "A22")
@pytest.mark.parametrize("verb", ["deploy", "undeploy"])
def test_patience_reaches_the_playbook_and_stays_with_the_job(
    ads: Ads, define: Callable[..., None], engine: Callable[..., None], verb: str
) -> None:
    given: dict[str, Any] = {}
    engine(lambda *_, **words: given.update(words) or Run(0, False, ""))
    define()
    outcome = getattr(ads.running, verb)("shop", patience=7, abandon=True)
    assert (given["variables"]["ads_patience"], given["variables"]["ads_abandon"]) == (7, True)
    options = ads.jobs.show(outcome.job)["options"]
    assert (options["patience"], options["abandon"]) == (7, True)


@pytest.mark.req("A12")
@pytest.mark.parametrize("verb", ["deploy", "undeploy", "test", "stop", "start"])
@pytest.mark.parametrize("patience", [0, -1, 86401, True, 1.5])
def test_nobody_waits_that_long(refusing: Ads, verb: str, patience: Any) -> None:
    refusing.environments.create(documents.restored(DEFINITION, {}))
    with pytest.raises(
        Invalid, match=r"patience: .* is no time to wait for a machine. Give whole seconds from 1 to 86400"
    ):
        getattr(refusing.environments, verb)("shop", patience=patience)
    assert refusing.jobs.list() == []
