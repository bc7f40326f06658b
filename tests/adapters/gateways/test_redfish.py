"""Bare metal by Redfish: its inventory, its slow power, and services that are not as they should be (A8, A10)."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapters.gateways.subjects import Subject
from adslib.domain.errors import Failed, Invalid
from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Size
from bare_metal import RedfishService
from servers import free_port

pytestmark = [pytest.mark.req("A8", "A10"), pytest.mark.once]

RUNNING, STOPPED = MachineState.RUNNING, MachineState.STOPPED


@pytest.fixture
def metal(make_subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A gateway to a service without machines yet, which loses no time between tries."""
    monkeypatch.setattr("adslib.adapters.gateways.remote.calls.PAUSE", 0.01)
    return make_subject("redfish")


def test_a_machine_is_told_with_what_it_has(metal: Subject) -> None:
    ref = metal.server.plug_in(name="db1")
    seen = metal.open(location="rack-7").look(ref)
    assert seen == Sighting(ref, "db1", RUNNING, kind="metal", size=Size("", 8, 16384, 160), location="rack-7")


def test_power_that_changes_late_is_waited_for(metal: Subject) -> None:
    service, gateway = metal.server, metal.open()
    ref = service.plug_in()
    service.lag(2)
    began = time.monotonic()
    assert gateway.stop(ref).state is STOPPED
    assert gateway.look(ref).state is STOPPED
    assert gateway.start(ref).state is RUNNING
    assert time.monotonic() - began > 2, "the service was not slow"


def test_power_that_changes_too_late_is_told(metal: Subject) -> None:
    ref = metal.server.plug_in(power_state="Off")
    metal.server.lag(30)
    with pytest.raises(Failed, match=r"did not run within 1 s.*option 'patience'"):
        metal.open(patience=1).start(ref)


def test_what_does_not_shut_down_is_switched_off(metal: Subject) -> None:
    ref = metal.server.plug_in(deaf=True)
    assert metal.open(grace=0.2).stop(ref).state is STOPPED


def test_a_machine_boots_from_what_the_option_says(metal: Subject) -> None:
    ref = metal.server.plug_in(power_state="Off")
    metal.open(boot="network").start(ref)
    assert metal.server.systems[ref.partition("/")[2]]["boot_device"] == "Pxe"


# ── services that are not as they should be ──────────────────────────────────────────────────────────


def test_a_service_that_is_down_fails_and_the_others_go_on(metal: Subject) -> None:
    ref = metal.server.plug_in()
    down = f"127.0.0.1:{free_port()}"
    metal.known += [Sighting(f"{down}/1", "db2", STOPPED), Sighting("127.0.0.1:1/1", "elsewhere", STOPPED)]
    alone, beside = metal.open(services=f"http://{down}"), metal.open(services=f"http://{down},{metal.server.url}")
    for call in (alone.machines, lambda: alone.look(f"{down}/1"), lambda: alone.stop(f"{down}/1")):
        with pytest.raises(Failed, match=f"gateway here, http://{down}: it does not answer: .*refused"):
            call()
    assert [seen.ref for seen in beside.machines()] == sorted([ref, f"{down}/1"])


def test_a_service_that_hangs_is_not_waited_for_long(metal: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adslib.adapters.gateways.redfish.service.ANSWER_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        gateway = metal.open(services=f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Failed, match="does not answer"):
            gateway.machines()


def test_a_wrong_password_is_told_and_not_repeated(metal: Subject, tmp_path: Path) -> None:
    ref = metal.server.plug_in()
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    secret.chmod(0o600)
    gateway = metal.open(secret=f"file:{secret}")
    for call in (gateway.machines, lambda: gateway.stop(ref)):
        with pytest.raises(Failed, match=r"refuses the account \(401\).*'account' and 'secret'") as refused:
            call()
        assert "hidden" not in str(refused.value)
    assert metal.open().look(ref).state is RUNNING


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"services": []}, "services: it is missing"),
        ({"services": "https://root:hidden@bmc1"}, "services: 'bmc1' is no address of a service"),
        ({"services": "bmc1"}, "services: 'bmc1' is no address of a service"),
        ({"account": ""}, "account: it is missing"),
        ({"secret": "hidden"}, "secret: the store keeps no secrets"),
        ({"ca": "/nowhere/ca.pem"}, "ca: there is no /nowhere/ca.pem"),
        ({"secret": "env:ADS_TEST_ABSENT"}, "env:ADS_TEST_ABSENT is not set"),
        ({"boot": "floppy"}, "'floppy' will not do.*disk, network, cd"),
    ],
)
def test_a_wrong_option_says_what_to_do(metal: Subject, options: dict[str, Any], said: str) -> None:
    with pytest.raises((Invalid, Failed), match=rf"(?i){said}") as refused:
        metal.open(**options)
    assert "hidden" not in str(refused.value)


def test_a_certificate_is_checked_unless_told_otherwise(
    metal: Subject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = tmp_path / "service.pem"
    words = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bmc"]
    place = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(certificate), "-out", str(tmp_path / "ca.pem")]
    subprocess.run(["openssl", "req", "-x509", *words, *place], check=True, capture_output=True)
    with certificate.open("a") as file:
        file.write((tmp_path / "ca.pem").read_text())
    service = RedfishService(certificate)
    try:
        options = service.options
        for name, value in service.keys.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(Failed, match=r"not trusted: self.signed certificate\. Name .*'ca'"):
            metal.open(**options).machines()
        ref = service.plug_in()
        for trusting in ({"ca": str(tmp_path / "ca.pem")}, {"verify": False}):
            assert metal.open(**options, **trusting).look(ref).state is RUNNING
    finally:
        service.end()


def test_without_its_library_it_is_told_how_to_install_it() -> None:
    code = """
import sys
from pathlib import Path
sys.modules["sushy"] = None
from adslib.adapters.gateways import open_gateway
try:
    open_gateway("redfish", "metal", {}, home=Path())
except Exception as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("Install it with: pip install 'adslib[redfish]'\n")
