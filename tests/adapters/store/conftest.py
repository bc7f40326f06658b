"""A store on each database, open for one test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.store.records import with_shop
from adslib.adapters.store import Store, open_store


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    with open_store(store_url) as opened:
        yield opened


@pytest.fixture
def shop(store: Store) -> Store:
    """A store with the environments `shop` and `bank` and the machines m-00000 to m-00003, which are free."""
    with_shop(store, 4)
    return store
