"""What stands where, in the store, on both databases."""

from __future__ import annotations

import pytest

from adapters.store.records import NOON, standing
from adslib.adapters.store import Store
from adslib.domain.errors import NotFound


@pytest.mark.req("A7")
def test_standings_are_put_written_over_and_removed(shop: Store) -> None:
    first = standing("pod-1/media-1", "id-00000", deployed_at=NOON, detail={"port": 5060})
    second = standing("pod-1/media-2", "id-00001", failed=True)
    elsewhere = standing("pod-1/media-1", "id-00000", "bank")
    with shop.transaction() as tx:
        tx.standings.put_many([second, first, elsewhere])
        assert tx.standings.of("shop") == [first, second]
        assert tx.standings.on_machine("id-00000") == [elsewhere, first]
        moved = standing("pod-1/media-1", "id-00002", version="2.0", digest="other")
        tx.standings.put_many([moved])
        tx.standings.put_many([])
        assert tx.standings.of("shop") == [moved, second]
        assert tx.standings.remove_many("shop", ["pod-1/media-1", "unknown"]) == 1
        assert tx.standings.of("shop") == [second]
        assert tx.standings.of("bank") == [elsewhere]


@pytest.mark.req("A7")
def test_nothing_stands_on_what_is_not_there(shop: Store) -> None:
    good = standing("media-1", "id-00000")
    with shop.transaction() as tx:
        with pytest.raises(NotFound, match="instance 'media-2': there is no machine with the id 'gone'"):
            tx.standings.put_many([good, standing("media-2", "gone")])
        with pytest.raises(NotFound, match="instance 'media-1': there is no environment 'gone'"):
            tx.standings.put_many([good, standing("media-1", "id-00000", "gone")])
        assert tx.standings.of("shop") == []
