"""Homes for the tests of whole deployments; whatever a test leaves there is ended and deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from containers import NoHosts
from system.home import Home
from system.hosts import gateway_of


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home of this test's own."""
    made = Home(tmp_path_factory.mktemp("ads"))
    yield made
    made.sweep()


@pytest.fixture
def containers(home: Home) -> Iterator[Mapping[str, Any]]:
    """Options of the gateway `hosts` of containers, which the home has."""
    try:
        with gateway_of(home, "hosts") as options:
            yield options
    except NoHosts as reason:
        pytest.skip(str(reason))
