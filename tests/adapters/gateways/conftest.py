"""Gateways with worlds of their own, cleared when the test is over, whatever became of it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from adapters.gateways.providers import subject_of
from adapters.gateways.subjects import ABSENT, KINDS, Subject
from adslib.domain.gateway import Gateway
from containers import NoHosts
from proxmox_ve import KEYS as PROXMOX_KEYS
from proxmox_ve import ProxmoxVE


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker by which a test of the contract names the capabilities that it is about."""
    config.addinivalue_line("markers", "needs(capability, …): runs for gateways that have these capabilities")


@pytest.fixture(scope="session")
def fakepve() -> Iterator[ProxmoxVE]:
    """A Proxmox VE; it runs from the first test that uses it."""
    server = ProxmoxVE()
    yield server
    server.end()


@pytest.fixture
def proxmox_ve(fakepve: ProxmoxVE, monkeypatch: pytest.MonkeyPatch) -> ProxmoxVE:
    """A Proxmox VE with nothing but templates, and the credentials of its user."""
    for name, value in PROXMOX_KEYS.items():
        monkeypatch.setenv(name, value)
    fakepve.empty()
    return fakepve


@pytest.fixture
def make_subject(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Subject]]:
    """Make a gateway of some kind, in some directory below the test's own."""
    made: list[Subject] = []

    def make(kind: str, place: str = "home") -> Subject:
        home = tmp_path / place
        home.mkdir(parents=True, exist_ok=True)
        if kind == "proxmox":
            server: ProxmoxVE = request.getfixturevalue("proxmox_ve")
            made.append(Subject(kind, home, dict(server.options), counted=lambda: (server.guests(), server.volumes())))
        else:
            made.append(subject_of(kind, home))
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


@pytest.fixture(params=[pytest.param(kind, marks=pytest.mark.slow if kind == "lxc" else ()) for kind in KINDS])
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
