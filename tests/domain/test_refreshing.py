"""What is different at a gateway: appeared, changed, vanished; what is under way or in quarantine is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adslib.domain.gateway import Sighting, known_as
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import DEFAULT_SIZES, Machine, Reach, Size, size_class
from adslib.domain.refreshing import compare, names_for, updated

WEB = Machine("id-1", "web-1", "cloud", "r-1", size=DEFAULT_SIZES[0], os="debian-12", reach=Reach(address="10.0.0.1"))
STATES = st.sampled_from(list(MachineState))


def seen(machine: Machine, **changes: Any) -> Sighting:
    return replace(known_as(machine), **changes)


@pytest.mark.req("A10")
def test_what_is_as_it_was_is_no_difference() -> None:
    assert compare([WEB], [seen(WEB)]) == compare([], [])


@pytest.mark.req("A10")
def test_what_is_not_shown_is_gone_unless_only_changes_are_told() -> None:
    other = replace(WEB, id="id-2", name="web-2", ref="r-2")
    assert compare([WEB, other], [seen(WEB)]).vanished == (other,)
    assert compare([WEB, other], [], gone=["r-2", "r-9"]).vanished == (other,)
    assert compare([WEB, other], [], gone=[]) == compare([], [])


@pytest.mark.req("A10")
def test_what_somebody_holds_stays_known_when_it_is_gone() -> None:
    (changed,) = compare([replace(WEB, holder="shop")], []).changed
    assert (changed.after.state, changed.after.holder, changed.what) == (MachineState.UNKNOWN, "shop", "vanished")
    assert not compare([changed.after], []).changed, "that is said once"
    (back,) = compare([changed.after], [seen(WEB)]).changed
    assert (back.after.state, back.after.reason) == (MachineState.RUNNING, "")


@pytest.mark.req("A10")
def test_a_change_is_told_in_words_and_what_people_said_stays() -> None:
    known = replace(WEB, reach=Reach(address="10.0.0.1", user="ops", key="/k"), labels={"a": "b"})
    large = replace(DEFAULT_SIZES[2], name="c5.2xlarge")
    there = seen(known, state=MachineState.STOPPED, size=large, reach=Reach(address="10.0.0.9"))
    (changed,) = compare([known], [there]).changed
    assert changed.what == (
        "running → stopped, address 10.0.0.1 → 10.0.0.9, size 1 CPU, 1024 MiB, 10 GiB → 8 CPU, 16384 MiB, 160 GiB"
    )
    assert changed.after.reach == Reach(address="10.0.0.9", user="ops", key="/k")
    assert changed.after.labels == {"a": "b"}
    nowhere = seen(known, state=MachineState.STOPPED, reach=Reach())
    assert updated(known, nowhere).reach.address == "10.0.0.1", "a stopped machine may have no address for a while"


@pytest.mark.req("A10")
def test_what_failed_stays_in_quarantine_whatever_its_gateway_says() -> None:
    (failed,) = compare([WEB], [seen(WEB, state=MachineState.FAILED, reason="disk")]).changed
    assert (failed.after.state, failed.after.reason) == (MachineState.FAILED, "disk")
    assert compare([failed.after], [seen(WEB)]) == compare([], [])


@pytest.mark.req("A10")
@pytest.mark.parametrize("state", [MachineState.CREATING, MachineState.DELETING])
def test_what_somebody_is_at_work_on_is_theirs(state: MachineState) -> None:
    busy = replace(WEB, state=state, made=True, ref="" if state is MachineState.CREATING else "r-1")
    assert compare([busy], []) == compare([], [])
    assert compare([busy], [seen(replace(WEB, made=True))]) == compare([], []), "it is known by its id"


@given(STATES, STATES, st.booleans())
@pytest.mark.req("A10")
def test_a_difference_that_was_written_down_is_none(was: MachineState, now: MachineState, held: bool) -> None:
    known = replace(WEB, state=was, holder="shop" if held else "")
    there = seen(WEB, state=now)
    found = compare([known], [there])
    after = [each.after for each in found.changed] or [known]
    assert compare(after, [there]) == compare([], [])


@pytest.mark.req("A10")
def test_found_machines_get_names_that_are_free_and_fit() -> None:
    shown = [seen(WEB, ref=ref, name=name) for ref, name in (("i-1", "Web 1"), ("i-2", "web-1"), ("i-3", ""))]
    assert names_for(shown, "cloud", ["web-1"]) == ["cloud-web-1", "cloud-i-2", "cloud-i-3"]
    assert names_for(shown, "cloud", []) == ["web-1", "cloud-web-1", "cloud-i-3"]


@pytest.mark.req("A10")
@pytest.mark.parametrize(
    ("size", "called"),
    [
        (Size("t3.nano", 0.5, 512, 8), ""),
        (Size("t3.small", 2, 2048, 0), "small"),
        (Size("t3.medium", 2, 4096, 0), "medium"),
        (Size("c5", 7, 16384, 200), "medium"),
        (DEFAULT_SIZES[2], "large"),
    ],
)
def test_sizes_of_gateways_are_called_what_users_call_them(size: Size, called: str) -> None:
    assert size_class(size, DEFAULT_SIZES) == called
