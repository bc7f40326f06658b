"""Homes for the tests of whole deployments; whatever a test leaves there is ended and deleted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from system.home import Home


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home of this test's own."""
    made = Home(tmp_path_factory.mktemp("ads"))
    yield made
    made.sweep()
