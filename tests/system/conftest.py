"""Homes for the tests of whole deployments; whatever a test leaves there is ended and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adslib.adapters.gateways import open_gateway
from containers import NoHosts, container_options
from system.home import Home


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home of this test's own."""
    made = Home(tmp_path_factory.mktemp("ads"))
    yield made
    made.sweep()


@pytest.fixture
def containers(home: Home) -> Iterator[Mapping[str, Any]]:
    """Options of the gateway `hosts` of containers, which the home has; its machines go with the test."""
    try:
        options = container_options()
    except NoHosts as reason:
        pytest.skip(str(reason))
    with home.ads() as library:
        library.gateways.add("hosts", "lxc", options)
    yield options
    gateway = open_gateway("lxc", "hosts", options, home=home.home)
    for machine in gateway.machines():
        gateway.delete(machine.ref)
