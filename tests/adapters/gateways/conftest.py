"""Gateways with worlds of their own, cleared when the test is over, whatever became of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from adapters.gateways.providers import SUBJECTS
from adapters.gateways.subjects import ABSENT, KINDS, Subject
from adslib.domain.gateway import Gateway
from bare_metal import RedfishService
from clouds import Cloud
from containers import NoHosts
from hypervisors import Hypervisor
from open_stack import OpenStack
from proxmox_ve import ProxmoxVE
from vcenter import VCenter

Server = Cloud | Hypervisor | OpenStack | ProxmoxVE | RedfishService | VCenter
"""What stands for a provider: it has `keys`, the credentials of its user as variables, and `options` of a gateway."""

SERVERS: Mapping[str, type[Server]] = {
    "libcloud": Cloud,
    "libvirt": Hypervisor,
    "openstack": OpenStack,
    "proxmox": ProxmoxVE,
    "redfish": RedfishService,
    "vsphere": VCenter,
}


LOG_SHOWN = 4000
"""Characters of a server's log that are shown where a test fails."""


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker by which a test of the contract names the capabilities that it is about."""
    config.addinivalue_line("markers", "needs(capability, …): runs for gateways that have these capabilities")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what its servers said: their logs go with them."""
    report = yield
    if report.failed:
        used = {id(getattr(each, "server", each)) for each in item.funcargs.values()}
        for kind, server in item.funcargs.get("servers", {}).items():
            log = Path(getattr(server, "home", "")) / "log"
            if id(server) in used and log.is_file():
                report.sections.append((f"End of the log of {kind}", log.read_text(errors="replace")[-LOG_SHOWN:]))
    return report


@pytest.fixture(scope="session")
def servers() -> Iterator[dict[str, Server]]:
    """Those that run, each from the first test that uses it."""
    running: dict[str, Server] = {}
    yield running
    for server in running.values():
        server.end()


@pytest.fixture
def serve(servers: dict[str, Server], monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Server]:
    """Have a server, empty when the test begins to use it, and the credentials of its user in the environment."""

    @cache
    def serve(kind: str) -> Server:
        server = servers[kind] = servers.get(kind) or SERVERS[kind]()
        server.empty()
        for name, value in server.keys.items():
            monkeypatch.setenv(name, value)
        return server

    return serve


@pytest.fixture
def cloud(serve: Callable[[str], Server]) -> Server:
    """A cloud that speaks EC2."""
    return serve("libcloud")


@pytest.fixture
def open_stack(serve: Callable[[str], Server]) -> Server:
    """A stand-in for OpenStack."""
    return serve("openstack")


@pytest.fixture
def proxmox_ve(serve: Callable[[str], Server]) -> Server:
    """A Proxmox VE with nothing but templates."""
    return serve("proxmox")


@pytest.fixture
def make_subject(tmp_path: Path, serve: Callable[[str], Server]) -> Iterator[Callable[..., Subject]]:
    """Make a gateway of some kind, in some directory below the test's own."""
    made: list[Subject] = []

    def make(kind: str, place: str = "home") -> Subject:
        home = tmp_path / place
        home.mkdir(parents=True, exist_ok=True)
        made.append(SUBJECTS.get(kind, Subject)(kind, home, server=serve(kind) if kind in SERVERS else None))
        return made[-1]

    yield make
    problems = []
    for subject in made:
        try:
            subject.clear()
        except Exception as error:  # noqa: BLE001 – the others must be cleared too
            problems.append(error)
    if problems:
        raise problems[0]


# What a provider's library does is the same on the newest Python.
MARKS: Mapping[str, Any] = {
    **dict.fromkeys(SERVERS, pytest.mark.once),
    "lxc": pytest.mark.slow,
    "vsphere": (pytest.mark.once, pytest.mark.slow),
}


@pytest.fixture(params=[pytest.param(kind, marks=MARKS.get(kind, ())) for kind in KINDS])
def subject(request: pytest.FixtureRequest, make_subject: Callable[..., Subject]) -> Subject:
    """Each kind of gateway that has the capabilities which the test names."""
    marker = request.node.get_closest_marker("needs")
    for capability in marker.args if marker else ():
        if (request.param, capability) in ABSENT:
            pytest.skip(f"{request.param} has no {capability}: {ABSENT[request.param, capability]}")
    try:
        return make_subject(request.param)
    except NoHosts as reason:
        pytest.skip(str(reason))


@pytest.fixture
def gateway(subject: Subject) -> Gateway:
    """The gateway, opened."""
    return subject.open()


@pytest.fixture
def short_place() -> Iterator[Path]:
    """A directory with a path that is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="ads-") as place:
        yield Path(place)


@pytest.fixture
def local(make_subject: Callable[..., Subject]) -> Subject:
    """A gateway of local machines."""
    return make_subject("local")
