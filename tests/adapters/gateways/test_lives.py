"""An environment at every kind of provider: made, stopped, started, saved, copied and undeployed, it leaves nothing."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from adapters.gateways.subjects import Subject
from adslib.domain.gateway import Capability, Gateway, Sighting
from adslib.domain.lifecycle import MachineState
from usecases.acting import acting, carry_out, document

C = Capability


def by_name(gateway: Gateway) -> Mapping[str, tuple[str, str, MachineState]]:
    """Ref, address and state of every machine there."""
    return {seen.name: seen_as(seen) for seen in gateway.machines()}


def seen_as(seen: Sighting) -> tuple[str, str, MachineState]:
    return seen.ref, seen.reach.address, seen.state


@pytest.mark.req("A8", "A9", "A11", "A13", "A14")
@pytest.mark.needs(C.CREATE, C.DELETE, C.START, C.STOP)
def test_an_environment_lives_at_it_and_leaves_nothing(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADS_HOME", str(subject.home))
    with acting(f"sqlite:///{subject.home}/store.db") as ads:
        ads.gateways.add("here", subject.kind, subject.options)
        gateway, before = subject.open(), subject.count()
        ads.environments.create(document())
        assert carry_out(ads).after["state"] == "live"
        made = by_name(gateway)
        assert sorted(made) == ["shop-1", "shop-2", "shop-3"]
        assert {state for _, _, state in made.values()} == {MachineState.RUNNING}
        assert len({address for _, address, _ in made.values()}) == 3 or not subject.tells_addresses
        assert carry_out(ads, kind="stop").after["state"] == "stopped"
        assert {state for _, _, state in by_name(gateway).values()} == {MachineState.STOPPED}
        assert carry_out(ads, kind="start").after["state"] == "live"
        assert by_name(gateway) == made, "the same machines with the same addresses"
        if C.SNAPSHOTS in gateway.capabilities:
            gateway.create_snapshot(made["shop-1"][0], "before")
        if C.CAPTURE in gateway.capabilities:
            ads.gateways.create_template("shop-2", "golden")
        assert carry_out(ads, kind="undeploy").after["state"] == "not-deployed"
        assert by_name(gateway) == {}
        if C.CAPTURE in gateway.capabilities:
            ads.gateways.delete_template("here", "golden")
        assert ads.machines.list() == []
        assert subject.count() == before
