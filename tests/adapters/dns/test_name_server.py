"""A DNS server as ads speaks to it: what it refuses and why is told in one message; secrets are read where they lie."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adslib.adapters.dns import open_name_server
from adslib.adapters.dns.secret import read_secret
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


@pytest.fixture
def setting(carried: Bind, monkeypatch: pytest.MonkeyPatch) -> ZoneSetting:
    """The zone as ads has it."""
    monkeypatch.setenv("ADS_TEST_DNS_KEY", carried.secret)
    return ZoneSetting(ZONE, "localhost", KEY, "env:ADS_TEST_DNS_KEY", port=carried.port)


def test_what_was_put_is_there_and_to_put_it_again_does_no_harm(setting: ZoneSetting) -> None:
    server = open_name_server(setting)
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


def test_a_zone_that_it_does_not_carry(setting: ZoneSetting) -> None:
    server = open_name_server(setting)
    with pytest.raises(Failed, match="primary") as refused:
        server.put("elsewhere.example", [RecordSet("web.elsewhere.example.", "A", 300, ("192.0.2.7",))])
    assert "refuses to change it for key 'ads-key' (NOTAUTH)" in str(refused.value)
    with pytest.raises(Failed, match="refuses to transfer it"):
        server.records("elsewhere.example")


def test_a_name_outside_the_zone(setting: ZoneSetting) -> None:
    with pytest.raises(Failed, match="NOTZONE"):
        open_name_server(setting).put(ZONE, [RecordSet("web.other.example.", "A", 300, ("192.0.2.7",))])


@pytest.fixture
def silent() -> Iterator[socket.socket]:
    """Somebody who listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_server_that_is_silent_or_hangs_up_is_not_waited_for_long(
    setting: ZoneSetting, silent: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adslib.adapters.dns.name_server.ANSWER", 0.2)
    deaf = open_name_server(replace(setting, server="127.0.0.1", port=silent.getsockname()[1]))
    for call in (lambda: deaf.put(ZONE, [WEB]), lambda: deaf.records(ZONE)):
        with pytest.raises(Failed, match="does not answer: it takes too long") as refused:
            call()
        assert refused.value.code == "dns-unreachable"
    unknown = open_name_server(replace(setting, server="ns.invalid"))
    with pytest.raises(Failed, match="does not answer: "):
        unknown.put(ZONE, [WEB])


# ── secrets ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_secret_in_a_file_that_only_its_owner_reads(setting: ZoneSetting, carried: Bind, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f"{carried.secret}\n")
    path.chmod(0o600)
    assert read_secret(f"file:{path}", "here") == carried.secret
    path.chmod(0o644)
    with pytest.raises(Failed) as refused:
        read_secret(f"file:{path}", "here")
    assert str(refused.value) == f"here: anybody on this host may read or change {path}. Run: chmod 600 {path}"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), ("", "is empty"), ("no base64!", "holds no secret: it is no base64")],
)
def test_what_is_no_secret_is_refused_and_not_repeated(content: str | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    with pytest.raises(Failed, match=said) as refused:
        read_secret(f"file:{path}", "zone 'x'")
    assert "no base64!" not in str(refused.value)
    with pytest.raises(Failed, match="is no file"):
        read_secret(f"file:{tmp_path}", "zone 'x'")


def test_without_its_library_it_is_told_how_to_install_it() -> None:
    code = """
import sys
sys.modules["dns"] = None
from adslib.adapters.dns import open_name_server
from adslib.domain.zone_setting import ZoneSetting
try:
    open_name_server(ZoneSetting("a.example", "192.0.2.53", "k", "env:K"))
except Exception as error:
    print(error)
"""
    told: Any = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "pip install 'adslib[dns]'" in told.stdout, told.stderr
