"""Addresses against a model of plain sets: whatever is done in whatever order, nobody shares and nothing is lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import select

import adslib
from adslib import AdsError
from adslib.adapters.store.address_schema import blocks
from adslib.domain.block import unsigned
from adslib.domain.network import Network
from adslib.domain.prefix import Address, Prefix, joined, read_address, read_prefix
from adslib.usecases.strips import strip_of
from usecases.modelling import StoreMachine, run_model

COOLDOWN = 60
SPACES = ("blue", "red")
HOW = ("split", "cut", "merge", "resize")
START = {"blue": "10.0.0.0/24", "red": "10.0.0.0/25"}
numbers = st.integers(0, 255)
spaces = st.sampled_from(SPACES)


class Modelled:
    """A network as the model knows it: sets of numbers, and nothing else."""

    def __init__(self, prefix: Prefix, held: set[int]) -> None:
        self.prefix = prefix
        self.held = held

    def open(self) -> set[int]:
        """What it gives out at all."""
        return set(self.prefix.usable) - self.held


class Contest(StoreMachine):
    """Two spaces with the same addresses; `taken` and `resting` of the model are by space."""

    @initialize(given=st.tuples(st.integers(0, 100), st.integers(0, 100)))
    def begin(self, given: tuple[int, int]) -> None:
        self.ads = type(self).opened()
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.ads.app.clock = lambda: self.now
        self.networks: dict[str, dict[str, Modelled]] = {space: {} for space in SPACES}
        self.taken: dict[str, dict[int, str]] = {space: {} for space in SPACES}
        self.resting: dict[str, dict[int, datetime]] = {space: {} for space in SPACES}
        self.stale: list[str] = []
        self.cooldown = {"blue": 0, "red": COOLDOWN}
        for space, prefix in START.items():
            said = {"name": space, "space": space, "prefix": prefix, "cooldown": self.cooldown[space]}
            self.ads.networks.add(said)
            self.networks[space][space] = Modelled(read_prefix(prefix), set())
        for space, count in zip(SPACES, given, strict=True):
            if count:
                request = adslib.read_request({"network": space, "count": count})
                self.give(space, self.ads.addresses.allocate(request).after["addresses"])

    # ── what the model expects ───────────────────────────────────────────────────────────────────────

    def free(self, space: str, network: Modelled) -> set[int]:
        rests = set(self.resting[space]) - self.rested(space)
        return network.open() - set(self.taken[space]) - rests

    def rested(self, space: str) -> set[int]:
        """What has rested long enough."""
        over = self.now - timedelta(seconds=COOLDOWN)
        return {number for number, since in self.resting[space].items() if since <= over}

    def choose(self, space: str, number: int) -> tuple[str, Modelled]:
        names = sorted(self.networks[space])
        name = names[number % len(names)]
        return name, self.networks[space][name]

    def give(self, space: str, rows: list[dict[str, Any]]) -> set[int]:
        got = {read_address(row["address"]).number: row["id"] for row in rows}
        assert not got.keys() & self.taken[space].keys()
        self.taken[space].update(got)
        for number in got:
            self.resting[space].pop(number, None)
        return set(got)

    # ── what is done ─────────────────────────────────────────────────────────────────────────────────

    @rule(space=spaces, which=numbers, count=st.integers(1, 70))
    def allocate(self, space: str, which: int, count: int) -> None:
        name, network = self.choose(space, which)
        free = self.free(space, network)
        request = adslib.read_request({"network": name, "count": count})
        if len(free) < count:
            with pytest.raises(AdsError) as refused:
                self.ads.addresses.allocate(request)
            assert refused.value.code == "chain-full"
        else:
            assert self.give(space, self.ads.addresses.allocate(request).after["addresses"]) <= free

    @rule(space=spaces, which=numbers, place=numbers)
    def allocate_this(self, space: str, which: int, place: int) -> None:
        name, network = self.choose(space, which)
        number = network.prefix.number + place
        wanted = str(Address(4, number))
        request = adslib.read_request({"network": name, "addresses": [wanted]})
        if number in self.free(space, network):
            assert self.give(space, self.ads.addresses.allocate(request).after["addresses"]) == {number}
            return
        with pytest.raises(AdsError) as refused:
            self.ads.addresses.allocate(request)
        outside = not network.prefix.holds(Address(4, number))
        closed = number not in network.open()
        assert refused.value.code == ("outside-network" if outside else "address-closed" if closed else "address-taken")

    @precondition(lambda self: any(self.taken.values()))
    @rule(space=spaces, data=st.data())
    def release(self, space: str, data: st.DataObject) -> None:
        if not self.taken[space]:
            return
        over = data.draw(st.lists(st.sampled_from(sorted(self.taken[space])), min_size=1, max_size=40, unique=True))
        ids = [self.taken[space].pop(number) for number in over]
        self.ads.addresses.release(ids)
        self.stale += ids
        if self.cooldown[space]:
            self.resting[space].update(dict.fromkeys(over, self.now))

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def release_again(self, data: st.DataObject) -> None:
        with pytest.raises(AdsError) as refused:
            self.ads.addresses.release([data.draw(st.sampled_from(self.stale))])
        assert refused.value.code == "stale-release"

    @rule(seconds=st.sampled_from([1, COOLDOWN]))
    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(space=spaces, which=numbers, place=numbers, more=st.integers(0, 40), again=st.booleans())
    def hold(self, space: str, which: int, place: int, more: int, again: bool) -> None:
        name, network = self.choose(space, which)
        first = network.prefix.number + place % network.prefix.size
        last = min(first + more, network.prefix.last.number)
        change = self.ads.networks.unhold if again else self.ads.networks.hold
        change(name, f"{Address(4, first)}-{Address(4, last)}")
        places = range(first, last + 1)
        network.held = network.held.difference(places) if again else network.held.union(places)

    @rule(space=spaces, which=numbers, place=numbers, length=st.integers(24, 32), how=st.sampled_from(HOW))
    def change(self, space: str, which: int, place: int, length: int, how: str) -> None:
        """One rule for all of these, so that addresses are given and released as often as networks change."""
        name, network = self.choose(space, which)
        prefix = network.prefix
        size = 1 << (32 - length)
        if how == "merge":
            self.merge(space, which)
        elif how == "resize":
            self.resize(space, name, Prefix(4, prefix.number - prefix.number % size, length))
        elif prefix.length < length <= prefix.length + 3 and how == "split":
            act = partial(self.ads.networks.split, name, length=length)
            self.reshape(space, [name], list(prefix.split(length)), act)
        elif prefix.length < length:
            number = prefix.number + place % prefix.size
            at = Prefix(4, number - number % size, length)
            act = partial(self.ads.networks.split, name, at=str(at))
            self.reshape(space, [name], sorted([at, *prefix.around(at)]), act)

    def merge(self, space: str, which: int) -> None:
        pairs = [
            (one, other)
            for one, other in itertools.permutations(sorted(self.networks[space]), 2)
            if fits([self.networks[space][one].prefix, self.networks[space][other].prefix])
        ]
        if pairs:
            names = list(pairs[which % len(pairs)])
            whole = joined([self.networks[space][name].prefix for name in names])
            self.reshape(space, names, [whole], partial(self.ads.networks.merge, names))

    def resize(self, space: str, name: str, wanted: Prefix) -> None:
        network = self.networks[space][name]
        others = [each.prefix for other, each in self.networks[space].items() if other != name]
        held = [Prefix(4, number, 32) for number in network.held]
        act = partial(self.ads.networks.edit, name, {"prefix": str(wanted)})
        if any(wanted.overlaps(each) for each in others) or not all(wanted.covers(each) for each in held):
            with pytest.raises(AdsError):
                act()
        elif wanted != network.prefix:
            self.reshape(space, [name], [wanted], act)

    def reshape(self, space: str, names: list[str], parts: list[Prefix], act: Callable[[], Any]) -> None:
        """Do it; it is refused where somebody would lose an address."""
        before = [self.networks[space][name] for name in names]
        usable = {number for part in parts for number in part.usable}
        lost = {
            number
            for number in self.taken[space]
            if number not in usable and any(each.prefix.holds(Address(4, number)) for each in before)
        }
        if lost:
            with pytest.raises(AdsError) as refused:
                act()
            assert refused.value.code == "in-use"
            return
        act()
        held = {number for each in before for number in each.held}
        for name in names:
            del self.networks[space][name]
        for row in self.ads.networks.list(space=space):
            if row["name"] not in self.networks[space]:
                prefix = read_prefix(row["prefix"])
                assert prefix in parts
                within = {number for number in held if prefix.holds(Address(4, number))}
                self.networks[space][row["name"]] = Modelled(prefix, within)

    # ── what is always so ────────────────────────────────────────────────────────────────────────────

    @invariant()
    def the_store_says_what_the_model_says(self) -> None:
        if not hasattr(self, "ads"):
            return
        rows = {row["name"]: row for row in self.ads.networks.list()}
        assert sorted(rows) == sorted(name for each in self.networks.values() for name in each)
        for space in SPACES:
            listed = [(row["address"], row["id"]) for row in self.ads.addresses.list(space=space)]
            assert sorted(listed) == sorted((str(Address(4, n)), id) for n, id in self.taken[space].items())
            for name, network in self.networks[space].items():
                row, usable = rows[name], set(network.prefix.usable)
                assert row["prefix"] == str(network.prefix)
                assert (row["size"], row["taken"]) == (len(network.open()), len(usable & set(self.taken[space])))
                assert row["free"] == len(self.free(space, network)), (space, name)

    @invariant()
    def blocks_agree_with_addresses(self) -> None:
        if not hasattr(self, "ads"):
            return
        with self.ads.app.store.reading() as tx:
            for network in tx.networks.list():
                self.agree(tx, network)

    def agree(self, tx: Any, network: Network) -> None:
        strip = strip_of(network)
        taken = set(self.taken[network.space])
        rests = set(self.resting[network.space])
        still = rests - self.rested(network.space)
        query = select(blocks.c.start, blocks.c.bits, blocks.c.taken).where(blocks.c.strip == network.id)
        for start, bits, count in tx.blocks._statements.rows(query):
            places = range(start, start + 64)
            found = {place for place in places if unsigned(bits) >> (place - start) & 1}
            closed = {place for place in places if strip.bits(start) >> (place - start) & 1}
            mine = {place for place in places if place in strip.usable}
            assert found - closed - rests == (taken & mine) - closed - rests, network
            assert found >= closed | (taken | still) & mine
            assert count == len(taken & mine)


def fits(prefixes: list[Prefix]) -> bool:
    """Whether prefixes make one together."""
    try:
        return bool(joined(prefixes))
    except AdsError:
        return False


@pytest.mark.req("I1", "I2", "I5", "I6", "I7")
def test_addresses_agree_with_a_model_of_sets(store_url: str, empty_again: Callable[[], object]) -> None:
    run_model(Contest, store_url, empty_again)
