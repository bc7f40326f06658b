"""Machines run through their gateways: started, stopped, kept in snapshots, not while a job is at work."""

from __future__ import annotations

import pytest

from adslib.domain.errors import Conflict, Invalid, NotFound, Unsupported
from adslib.domain.job import JobKind
from adslib.usecases.ads import Ads
from usecases.machines import WEB1

pytestmark = pytest.mark.usefixtures("own_known_hosts")


@pytest.mark.req("A8", "A18")
def test_stop_start_reboot(ads: Ads, running: str) -> None:
    assert ads.machines.stop(running, dry_run=True).changed is True
    assert ads.machines.show(running)["state"] == "running"
    stopped = ads.machines.stop(running)
    assert (stopped.changed, stopped.before["state"], stopped.after["state"]) == (True, "running", "stopped")
    assert ads.machines.stop(running).changed is False
    assert ads.machines.start(running).after["state"] == "running"
    assert ads.machines.start(running, dry_run=True).changed is False
    assert ads.machines.reboot(running).after["state"] == "running"
    lines = [event["text"] for event in ads.events.list() if event["machine"] == running]
    assert lines[:3] == [f"machine '{running}' {what}" for what in ("rebooted", "started", "stopped")]


@pytest.mark.req("A8")
def test_snapshots(ads: Ads, running: str) -> None:
    assert ads.machines.snapshots(running) == []
    assert ads.machines.create_snapshot(running, "before", dry_run=True).changed is True
    assert ads.machines.snapshots(running) == []
    ads.machines.create_snapshot(running, "before")
    assert [taken["name"] for taken in ads.machines.snapshots(running)] == ["before"]
    assert ads.machines.restore_snapshot(running, "before").after["state"] == "running"
    assert ads.machines.delete_snapshot(running, "before").changed is True
    assert ads.machines.delete_snapshot(running, "before").changed is False
    with pytest.raises(NotFound):
        ads.machines.restore_snapshot(running, "before")
    with pytest.raises(Invalid, match="no name for a snapshot"):
        ads.machines.create_snapshot(running, "../evil")


@pytest.mark.req("A8")
@pytest.mark.parametrize("what", ["start", "stop", "reboot", "snapshots"])
def test_what_a_gateway_does_not_offer_is_refused_first(refusing: Ads, what: str) -> None:
    refusing.machines.add(WEB1)
    with pytest.raises(Unsupported, match=r"gateway 'static' .static. of machine 'web1' does not offer"):
        getattr(refusing.machines, what)("web1")
    assert refusing.machines.show("web1")["generation"] == 0


def test_a_job_at_work_is_not_disturbed(ads: Ads, running: str) -> None:
    ads.jobs.reserve("shop", JobKind.STOP)
    with pytest.raises(Conflict, match="is at work"):
        ads.machines.stop(running)
    assert ads.machines.snapshots(running) == []
