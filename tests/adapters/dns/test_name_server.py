"""A DNS server as ads speaks to it: what it refuses and why is told in one message; secrets are read where they lie."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from adslib.adapters.dns import open_name_server
from adslib.domain.dns import RecordSet
from adslib.domain.errors import Failed
from adslib.domain.zone_setting import ZoneSetting
from name_servers import KEY, Bind

pytestmark = pytest.mark.req("I4")

ZONE = "server.example"
WEB = RecordSet("web.server.example.", "A", 300, ("192.0.2.7",))


@pytest.fixture(scope="module")
def carried(bind: Bind) -> Bind:
    """A BIND that carries the zone."""
    bind.carry(ZONE)
    return bind


SECRET = "c2VjcmV0"


@pytest.fixture
def setting(carried: Bind, monkeypatch: pytest.MonkeyPatch) -> ZoneSetting:
    """The zone as ads has it."""
    monkeypatch.setenv("ADS_TEST_DNS_KEY", carried.secret)
    return ZoneSetting(ZONE, "localhost", KEY, "env:ADS_TEST_DNS_KEY", port=carried.port)


def test_what_was_put_is_there_and_to_put_it_again_does_no_harm(setting: ZoneSetting, carried: Bind) -> None:
    server = open_name_server(setting, carried.secret)
    six = RecordSet("six.server.example.", "AAAA", 60, ("2001:db8::7", "::ffff:192.0.2.7"))
    own = RecordSet("ns.server.example.", "A", 300, ("127.0.0.1",))
    for _ in range(2):
        server.put(ZONE, [WEB, six])
    found = server.records(ZONE)
    assert [each.name for each in found] == [own.name, six.name, WEB.name]
    assert (found[0], found[2]) == (own, WEB)
    assert len(found[1].data) == 2
    server.put(ZONE, [RecordSet(WEB.name, "A"), RecordSet(six.name, "AAAA")])
    assert server.records(ZONE) == [own]


@pytest.mark.parametrize(
    ("type", "standing", "said"),
    [
        ("A", (), "YXRRSET"),
        ("A", ("192.0.2.8",), "NXRRSET"),
        ("A", ("192.0.2.7", "192.0.2.8"), "NXRRSET"),
        ("AAAA", ("2001:db8::7",), "NXRRSET"),
    ],
)
def test_nothing_is_done_unless_there_stands_what_was_said(
    setting: ZoneSetting, carried: Bind, type: str, standing: tuple[str, ...], said: str
) -> None:
    server = open_name_server(setting, carried.secret)
    server.put(ZONE, [WEB])
    other = replace(WEB, name=f"other.{ZONE}.")
    with pytest.raises(Failed, match=rf"\({said}\)") as refused:
        server.put(ZONE, [other, replace(WEB, data=("192.0.2.9",))], [RecordSet(WEB.name, type, 0, standing)])
    assert refused.value.code == "dns-taken"
    assert server.look(ZONE, [WEB.name, other.name]) == [WEB]
    server.put(ZONE, [replace(WEB, data=())], [replace(WEB, ttl=0), RecordSet(WEB.name, "AAAA")])
    assert server.look(ZONE, [WEB.name]) == []


def test_who_looks_at_a_name_sees_what_stands_for_itself(setting: ZoneSetting, carried: Bind) -> None:
    server = open_name_server(setting, carried.secret)
    carried.write(ZONE, f"alias.{ZONE}.", "CNAME", WEB.name)
    six = RecordSet(f"6.{ZONE}.", "AAAA", 60, ("2001:db8::7", "2001:db8::8"))
    server.put(ZONE, [WEB, six])
    assert server.look(ZONE, [f"alias.{ZONE}.", f"none.{ZONE}.", six.name, WEB.name]) == [six, WEB]
    server.put(ZONE, [replace(WEB, data=()), replace(six, data=())])
    carried.write(ZONE, f"alias.{ZONE}.", "CNAME")
    with pytest.raises(Failed, match=r"refuses to query it for key 'ads-key' \((REFUSED|NOTAUTH)\)"):
        server.look("elsewhere.example", ["web.elsewhere.example."])


def test_a_zone_that_it_does_not_carry(setting: ZoneSetting, carried: Bind) -> None:
    server = open_name_server(setting, carried.secret)
    with pytest.raises(Failed, match="primary") as refused:
        server.put("elsewhere.example", [RecordSet("web.elsewhere.example.", "A", 300, ("192.0.2.7",))])
    assert "refuses to change it for key 'ads-key' (NOTAUTH)" in str(refused.value)
    with pytest.raises(Failed, match="refuses to transfer it"):
        server.records("elsewhere.example")


def test_a_name_outside_the_zone(setting: ZoneSetting, carried: Bind) -> None:
    with pytest.raises(Failed, match="NOTZONE"):
        open_name_server(setting, carried.secret).put(ZONE, [RecordSet("web.other.example.", "A", 300, ("192.0.2.7",))])


def test_a_secret_that_is_no_base64_is_refused_and_not_repeated(setting: ZoneSetting) -> None:
    with pytest.raises(Failed, match="env:ADS_TEST_DNS_KEY holds no secret: it is no base64") as refused:
        open_name_server(setting, "no base64!")
    assert "no base64!" not in str(refused.value)


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Somebody who listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_server_that_is_silent_or_hangs_up_is_not_waited_for_long(
    setting: ZoneSetting, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adslib.adapters.dns.name_server.ANSWER", 0.2)
    deaf = open_name_server(replace(setting, server="127.0.0.1", port=silent.getsockname()[1]), SECRET)
    for call in (lambda: deaf.put(ZONE, [WEB]), lambda: deaf.records(ZONE)):
        with pytest.raises(Failed, match="does not answer: it takes too long") as refused:
            call()
        assert refused.value.code == "dns-unreachable"
    unknown = open_name_server(replace(setting, server="ns.invalid"), SECRET)
    with pytest.raises(Failed, match="does not answer: "):
        unknown.put(ZONE, [WEB])


def test_without_its_library_it_is_told_how_to_install_it() -> None:
    code = """
import sys
sys.modules["dns"] = None
from adslib.adapters.dns import open_name_server
from adslib.domain.zone_setting import ZoneSetting
try:
    open_name_server(ZoneSetting("a.example", "192.0.2.53", "k", "env:K"), "c2VjcmV0")
except Exception as error:
    print(error)
"""
    told: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pip install 'adslib[dns]'" in told.stdout, told.stderr
