"""Sending to a server that refuses some names: what is left of a message is sent, and nothing of others is replaced."""

from __future__ import annotations

import pytest

from adslib.domain.assignment import AddressRequest
from adslib.domain.dns import FORBIDDEN, TAKEN, UNREACHABLE
from adslib.usecases.ads import Ads
from adslib.usecases.publishing import publish
from adslib.usecases.sending import LOOKS, Published
from usecases.plain_server import Server

pytestmark = pytest.mark.req("I4")

ZONE = "west.example"


def name(number: int) -> str:
    """The name of a number."""
    return f"web-{number}.{ZONE}."


@pytest.fixture
def server(refusing: Ads) -> Server:
    """A server, and a zone without reverse zones that it carries."""
    made = Server()
    refusing.app.name_server = lambda _: made  # type: ignore[method-assign,assignment,return-value]
    refusing.zones.add(ZONE, "192.0.2.53", key_name="k", secret="env:K")
    refusing.networks.add({"name": "web", "prefix": "10.0.0.0/16", "zone": ZONE})
    return made


def give(ads: Ads, count: int) -> None:
    """Give names, the first of which is web-1 with 10.0.0.1."""
    ads.addresses.allocate(AddressRequest(network="web", name=True, service="web", count=count))


def published(ads: Ads) -> Published:
    """What comes of publishing."""
    return publish(ads.app, ads.actor, ZONE)


def failures(result: Published) -> dict[str, str]:
    """The codes of what went wrong, by name."""
    return {name: error.code for errors in result.failures.values() for name, error in errors.items()}


def test_a_name_that_is_forbidden_and_one_that_is_taken_keep_no_other(refusing: Ads, server: Server) -> None:
    server.forbidden = name(3)
    for number in (2, 5):
        server.others(name(number), "A", "192.0.2.99")
    give(refusing, 20)
    result = published(refusing)
    assert failures(result) == {name(2): TAKEN, name(3): FORBIDDEN, name(5): TAKEN}
    assert result.names == {name(number) for number in range(1, 21)} - {name(2), name(3), name(5)}
    assert server.has[name(2), "A"] == ("192.0.2.99",)


def test_where_nobody_may_look_names_are_sent_one_by_one(refusing: Ads, server: Server) -> None:
    server.blind = FORBIDDEN
    server.others(name(2), "A", "192.0.2.99")
    give(refusing, 20)
    result = published(refusing)
    assert failures(result) == {name(2): TAKEN}
    assert len(result.names) == 19
    assert len(server.messages) == 1 + 20


def test_a_server_that_goes_down_when_it_is_looked_at_is_asked_no_more(refusing: Ads, server: Server) -> None:
    server.blind = UNREACHABLE
    server.others(name(2), "A", "192.0.2.99")
    give(refusing, 20)
    assert set(failures(published(refusing)).values()) == {UNREACHABLE}
    assert len(server.messages) == 1


@pytest.mark.parametrize("stood", [None, "10.0.0.1", "192.0.2.99"])
def test_what_somebody_writes_after_the_look_stays(refusing: Ads, server: Server, stood: str | None) -> None:
    """Whether there stood nothing any more, ads's own record, or another of theirs."""
    if stood:
        server.others(name(1), "A", stood)
    server.others(name(2), "A", "192.0.2.99")
    server.looked = lambda: server.others(name(1), "A", "192.0.2.1")
    give(refusing, 3)
    assert failures(published(refusing)) == {name(1): TAKEN, name(2): TAKEN}
    assert server.has == {
        (name(1), "A"): ("192.0.2.1",),
        (name(2), "A"): ("192.0.2.99",),
        (name(3), "A"): ("10.0.0.3",),
    }


def test_what_is_gone_after_the_look_is_published(refusing: Ads, server: Server) -> None:
    server.others(name(1), "A", "192.0.2.99")
    server.looked = lambda: server.write(name(1), "A")
    give(refusing, 3)
    assert failures(published(refusing)) == {}
    assert server.has[name(1), "A"] == ("10.0.0.1",)


def test_what_another_publisher_takes_away_after_the_look_is_published(refusing: Ads, server: Server) -> None:
    server.others(name(1), "A", "10.0.0.1")
    server.looked = lambda: server.write(name(1), "A")
    give(refusing, 1)
    assert failures(published(refusing)) == {}
    assert server.has[name(1), "A"] == ("10.0.0.1",)


def test_a_name_that_changes_again_and_again_waits(refusing: Ads, server: Server) -> None:
    def change() -> None:
        server.write(name(1), "A", *([] if server.has.get((name(1), "A")) else ["10.0.0.1"]))
        server.looked = change

    change()
    give(refusing, 1)
    assert failures(published(refusing)) == {name(1): TAKEN}
    assert len(server.messages) == 1 + LOOKS


def test_some_records_of_ads_among_those_of_others_are_theirs(refusing: Ads, server: Server) -> None:
    server.others(name(1), "A", "10.0.0.1", "192.0.2.99")
    server.others(name(2), "AAAA", "2001:db8::99")
    give(refusing, 2)
    before = dict(server.has)
    assert failures(published(refusing)) == {name(1): TAKEN, name(2): TAKEN}
    assert server.has == before


def test_a_killed_publisher_of_many_names_leaves_nothing_that_is_taken(refusing: Ads, server: Server) -> None:
    """All that it sent stands there, and is recognised message by message."""
    give(refusing, 200)
    for number in range(1, 151):
        server.write(name(number), "A", f"10.0.0.{number}")
    result = published(refusing)
    assert (failures(result), len(result.names)) == ({}, 200)
    assert len(server.messages) <= 2 * 3, "each message once more, at most"
