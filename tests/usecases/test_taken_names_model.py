"""Publishing against a server of plain dictionaries: whatever happens in whatever order, what others wrote stays."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
)

from adslib.domain.assignment import AddressRequest
from adslib.domain.dns import TAKEN, types_of
from adslib.domain.prefix import read_address
from adslib.usecases.publishing import publish
from usecases.modelling import StoreMachine, run_model
from usecases.plain_server import Key, Killed, Server

ZONE, REVERSE = "west.example", "0.0.10.in-addr.arpa"
LABELS = ("web", "db")
NUMBERS = range(1, 4)


class Publishing(StoreMachine):
    """Names are given and given back, others write records, publishers are killed, and act at once."""

    @initialize()
    def begin(self) -> None:
        """A zone, a network, and a server that has nothing."""
        self.ads = self.opened()
        self.server = Server()
        self.given: dict[str, tuple[str, str]] = {}
        self.ads.app.name_server = lambda _: self.server  # type: ignore[method-assign,assignment,return-value]
        self.ads.zones.add(ZONE, "192.0.2.53", key_name="k", secret="env:K", reverse=[REVERSE])
        self.ads.networks.add({"name": "web", "prefix": "10.0.0.0/24", "zone": ZONE})

    @rule(label=st.sampled_from(LABELS), number=st.sampled_from(NUMBERS))
    def give(self, label: str, number: int) -> None:
        """Give a name and an address, if both are free."""
        address = f"10.0.0.{number}"
        if label in self.given or address in {held for _, held in self.given.values()}:
            return
        places = (read_address(address),)
        request = AddressRequest(network="web", name=True, names=(label,), addresses=places, service="web")
        (made,) = self.ads.addresses.allocate(request).after["addresses"]
        self.given[label] = (made["id"], address)

    @rule(label=st.sampled_from(LABELS))
    def give_back(self, label: str) -> None:
        """Give a name back."""
        if label in self.given:
            self.ads.addresses.release([self.given.pop(label)[0]])

    @rule(what=st.sampled_from([*LABELS, *NUMBERS]))
    def others_write(self, what: str | int) -> None:
        """Somebody writes records for what the server has nothing of.

        Not while ads is about to write what it wrote there before, since it replaces that.
        """
        name, type, data = self.place(what)
        with self.ads.app.store.reading() as tx:
            ours = tx.zones.published([ZONE], [name]) and name in tx.zones.waiting(ZONE)
        if not ours and not any((name, each) in self.server.has for each in types_of(name)):
            self.server.others(name, type, data)

    @rule(label=st.sampled_from(LABELS), number=st.sampled_from(NUMBERS))
    def handed_over(self, label: str, number: int) -> None:
        """A name is given back, somebody else takes it at the server, and it is given again."""
        self.give_back(label)
        self.publish()
        self.others_write(label)
        self.give(label, number)

    @rule(what=st.sampled_from([*LABELS, *NUMBERS]))
    def others_remove(self, what: str | int) -> None:
        """Somebody removes what he wrote."""
        name, type, _ = self.place(what)
        if (name, type) in self.server.theirs:
            self.server.theirs.discard((name, type))
            self.server.write(name, type)

    @rule()
    def publish(self) -> None:
        """Publish what waits; only what others have fails."""
        theirs = self.theirs()
        assert self.refused() <= {name for name, _ in theirs}
        assert self.theirs() == theirs
        self.agreed(theirs)

    @rule(when=st.sampled_from(["before", "after"]), label=st.sampled_from(LABELS), number=st.sampled_from(NUMBERS))
    def killed(self, when: str, label: str, number: int) -> None:
        """A publisher ends before its first message arrives, or after it; then a name may get another address."""
        setattr(self.server, when, self.die)
        theirs = self.theirs()
        with contextlib.suppress(Killed):
            self.refused()
        self.server.before = self.server.after = None
        assert self.theirs() == theirs
        self.give_back(label)
        self.give(label, number)

    @rule(label=st.sampled_from(LABELS), number=st.sampled_from(NUMBERS))
    def overtaken(self, label: str, number: int) -> None:
        """A publisher sends what it read before somebody else changed it, and published that."""

        def change() -> None:
            self.give_back(label)
            self.give(label, number)
            self.publish()

        self.server.before = change
        theirs = self.theirs()
        self.refused()
        self.server.before = None
        assert self.theirs() == theirs

    @precondition(lambda self: self.given)
    @rule(data=st.data())
    def replaced_on_purpose(self, data: st.DataObject) -> None:
        """Somebody lets ads have a name that another has."""
        label = data.draw(st.sampled_from(sorted(self.given)))
        name, type, _ = self.place(label)
        with self.ads.app.store.transaction() as tx:
            tx.zones.mark(ZONE, [name], self.ads.app.clock())
        publish(self.ads.app, self.ads.actor, ZONE, {name})
        assert self.server.has[name, type] == (self.given[label][1],)

    @invariant()
    def nothing_is_lost(self) -> None:
        """What a name is to have and has not waits."""
        if not hasattr(self, "server"):
            return
        with self.ads.app.store.reading() as tx:
            waiting = tx.zones.waiting(ZONE)
        for label, (_, address) in self.given.items():
            name = f"{label}.{ZONE}."
            assert name in waiting or self.server.has.get((name, "A")) == (address,)

    def refused(self) -> set[str]:
        """Publish; returns the names that somebody else has."""
        result = publish(self.ads.app, self.ads.actor, ZONE)
        errors = {name: error for errors in result.failures.values() for name, error in errors.items()}
        assert {error.code for error in errors.values()} <= {TAKEN}
        return set(errors)

    def agreed(self, theirs: dict[Key, tuple[str, ...]]) -> None:
        """The server has what ads gives, and what others wrote, and nothing else."""
        wanted: dict[Key, tuple[str, ...]] = {}
        for label, (_, address) in self.given.items():
            name = f"{label}.{ZONE}."
            wanted[name, "A"] = (address,)
            wanted[f"{address.rpartition('.')[2]}.{REVERSE}.", "PTR"] = (name,)
        assert self.server.has == {**wanted, **theirs}

    def theirs(self) -> dict[Key, tuple[str, ...]]:
        """What others wrote, and what it is."""
        return {key: self.server.has[key] for key in self.server.theirs}

    def place(self, what: str | int) -> tuple[str, str, str]:
        """Where others write of a label or a number, and what."""
        if isinstance(what, int):
            return f"{what}.{REVERSE}.", "PTR", "printer.example."
        return f"{what}.{ZONE}.", "A", "192.0.2.99"

    def die(self) -> None:
        """End the publisher."""
        raise Killed


@pytest.mark.req("I4")
def test_what_others_wrote_stays_and_all_else_is_as_ads_gives_it(
    store_url: str, empty_again: Callable[[], object]
) -> None:
    run_model(Publishing, store_url, empty_again)
