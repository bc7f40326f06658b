"""A store with an ads on it, once on SQLite and once on PostgreSQL, and what a test puts into it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import adslib
from adslib.adapters import documents
from adslib.domain.actor import Actor, Permission
from adslib.domain.job import JobKind
from adslib.usecases.ads import Ads
from name_servers import Bind
from usecases.naming import Zone, new_zone

DEFINITION: dict[str, Any] = {
    "environment": "shop",
    "parameters": {"count": {"type": "int", "default": 1}},
    "components": {"web": {"version": "1.0"}},
    "services": {
        "web": {
            "component": "web",
            "instances": "{{ count }}",
            "machine": {"size": "small", "shared": True, "cpu": 0.25},
            "ports": {"http": 8080},
        }
    },
}


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """An ads of ann's, with all permissions."""
    with adslib.connect(store_url, actor="ann") as opened:
        yield opened


@pytest.fixture
def refusing(sqlite_template: Path, tmp_path: Path) -> Iterator[Ads]:
    """An ads on SQLite alone, for input that is refused before the store matters."""
    path = shutil.copyfile(sqlite_template, tmp_path / "refusing.db")
    with adslib.connect(f"sqlite:///{path}", actor="ann") as opened:
        yield opened


@pytest.fixture
def acting(ads: Ads) -> Callable[..., Ads]:
    """The same store for somebody else: `acting("bob", tenant="other", permissions={…})`."""

    def act(name: str, tenant: str = "default", permissions: set[Permission] | None = None) -> Ads:
        allowed = frozenset(Permission) if permissions is None else frozenset(permissions)
        return Ads(ads.app, Actor(name, tenant, allowed))

    return act


@pytest.fixture
def define(ads: Ads) -> Callable[..., None]:
    """Defines an environment: `define("shop", count=2)`."""

    def make(name: str = "shop", **parameters: Any) -> None:
        ads.environments.create(documents.restored({**DEFINITION, "environment": name}, parameters))

    return make


@pytest.fixture
def deployed(ads: Ads, define: Callable[..., None]) -> Callable[..., None]:
    """Defines and deploys an environment as a playbook would, up to its end."""

    def make(name: str = "shop", **parameters: Any) -> None:
        define(name, **parameters)
        job = ads.jobs.reserve(name, JobKind.DEPLOY).job
        assert job is not None
        ads.jobs.provide(job.id, job.attempt)
        for stage in ads.jobs.stages(job):
            ads.jobs.report(job.id, job.attempt, stage, {f"web-{n}": "" for n in range(1, 9)})
        ads.jobs.finish(job.id, job.attempt)

    return make


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """ADS_HOME of this test."""
    return tmp_path / "ads-home"


@pytest.fixture
def own_known_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own known_hosts, empty."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    path = tmp_path / ".ssh" / "known_hosts"
    path.touch()
    return path


@pytest.fixture
def running(ads: Ads, deployed: Callable[..., None]) -> str:
    """The name of a machine that a cloud made and an environment holds."""
    ads.gateways.add("cloud", "sim")
    deployed()
    return str(ads.machines.list(holder="shop")[0]["name"])


@pytest.fixture
def zone(ads: Ads, bind: Bind, monkeypatch: pytest.MonkeyPatch) -> Zone:
    """A zone that BIND carries, ads publishes, and network `web` gives names of."""
    monkeypatch.setenv("ADS_TEST_DNS_KEY", bind.secret)
    return new_zone(ads, bind).carried().added().with_network()


def texts(ads: Ads) -> list[str]:
    """The sentences of the log, newest first."""
    return [str(event["text"]) for event in ads.events.list()]
