"""Two homes on one host deploy at the same time and do not notice each other."""

from __future__ import annotations

import pytest

from servers import LONGEST
from system.home import Home
from system.test_resting import LODGE, SERVE


@pytest.mark.req("A8", "A22")
@pytest.mark.once
def test_two_homes_side_by_side(home: Home, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = Home(tmp_path_factory.mktemp("other"))
    try:
        for each in (home, other):
            each.define(LODGE.replace("COMMAND", SERVE))
        with home.begin_playing("deploy", "lodge") as one, other.begin_carrying("deploy", "lodge") as two:
            said = one.communicate(timeout=LONGEST)[0], two.communicate(timeout=LONGEST)[0]
        assert (one.returncode, two.returncode) == (0, 0), said
        assert home.state("lodge") == other.state("lodge") == "live"
        assert len(home.claims()) == len(other.claims()) == 2
        assert not home.claims() & other.claims()
        assert home.carry("undeploy", "lodge").code == 0
        home.expect_nothing_left()
        assert other.get("lodge", "room-2", "/room.txt") == (200, "room-2")
        assert other.carry("undeploy", "lodge").code == 0
        other.expect_nothing_left()
    finally:
        other.sweep()
