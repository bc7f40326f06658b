"""Settings of gateways in the store, on both databases."""

from __future__ import annotations

import pytest

from adapters.store.records import NOON, machine
from adslib.adapters.store import Store
from adslib.domain.errors import Conflict, NotFound
from adslib.domain.gateway_setting import GatewaySetting

CLOUD = GatewaySetting("cloud", "sim", {"seed": 7, "key": {"secret": "cloud-key"}}, NOON)
BARE = GatewaySetting("bare", "static")


@pytest.mark.req("A9")
def test_gateways_are_kept_listed_and_forgotten(store: Store) -> None:
    with store.transaction() as tx:
        tx.gateways.add(CLOUD)
        tx.gateways.add(BARE)
        assert tx.gateways.get("cloud") == CLOUD
        assert tx.gateways.list() == [BARE, CLOUD]
        with pytest.raises(Conflict, match="already a gateway 'cloud'"):
            tx.gateways.add(CLOUD)
        tx.gateways.delete("cloud")
        assert tx.gateways.find("cloud") is None
        with pytest.raises(NotFound, match="no gateway 'cloud'"):
            tx.gateways.get("cloud")
        with pytest.raises(NotFound, match="no gateway 'cloud'"):
            tx.gateways.delete("cloud")


@pytest.mark.req("A9")
def test_a_gateway_that_has_machines_stays(store: Store) -> None:
    with store.transaction() as tx:
        tx.gateways.add(CLOUD)
        tx.machines.add_many([machine(1, gateway="cloud")])
        with pytest.raises(Conflict, match="gateway 'cloud' still has machine 'm-00001'"):
            tx.gateways.delete("cloud")
