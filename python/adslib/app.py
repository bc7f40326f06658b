"""Wiring: one `App`, built once, passed in. No globals; a test builds one with its own clock and ids."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from adslib.adapters import processes
from adslib.adapters.settings import Settings, read_settings
from adslib.domain.gateway import Sighting, known_as
from adslib.domain.job import Owner
from adslib.domain.zone_setting import ZoneSetting

if TYPE_CHECKING:
    from adslib.adapters.dns.name_server import NameServer
    from adslib.adapters.gateways import Gateways
    from adslib.adapters.playbooks import Playbooks
    from adslib.adapters.store import Store

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


def new_id() -> str:
    """An identity: 26 characters, sortable by time, unguessable in its second half."""
    number = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def now() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


@dataclass
class App:
    """Everything that use cases need of the outside world. Rooms are opened when they are first used.

    Args:
        settings: of this process. clock, new_id: time and identities. owner: the process that acts.
        create: make an SQLite store that is missing; without, it counts as empty, and nothing is written.
    """

    settings: Settings
    clock: Callable[[], datetime] = now
    new_id: Callable[[], str] = new_id
    owner: Owner = field(default_factory=processes.this_process)
    create: bool = True

    @cached_property
    def store(self) -> Store:
        """The store; opening it creates and migrates an empty SQLite database."""
        from adslib.adapters.store import open_store

        return open_store(self.settings.database_url, create=self.create)

    @cached_property
    def gateways(self) -> Gateways:
        """The gateways by their settings in the store."""
        from adslib.adapters.gateways import Gateways
        from adslib.adapters.host_keys import KnownHosts
        from adslib.adapters.secrets import read_secret

        sizes, home = tuple(self.settings.sizes.values()), self.settings.home
        return Gateways(home, self.settings.database_url, sizes, self._known, KnownHosts(home), read_secret)

    @cached_property
    def playbooks(self) -> Playbooks:
        """The engine: ansible-runner."""
        from adslib.adapters.playbooks import Playbooks

        return Playbooks(self.settings.home)

    def name_server(self, zone: ZoneSetting) -> NameServer:
        """The server that carries a zone."""
        from adslib.adapters.dns import open_name_server
        from adslib.adapters.secrets import read_secret

        return open_name_server(zone, read_secret(zone.secret, f"zone '{zone.name}'"))

    def _known(self, gateway: str) -> list[Sighting]:
        """The machines that the store knows of a gateway."""
        with self.store.reading() as tx:
            return [known_as(machine) for machine in tx.machines.list(gateway=gateway)]

    def close(self) -> None:
        """Close what was opened."""
        if "store" in self.__dict__:
            self.store.close()


def open_app(database_url: str = "", *, create: bool = True) -> App:
    """Build the app of this process from its settings.

    Args:
        database_url: wins over the settings. create: see `App`.

    Raises:
        Invalid: the settings are wrong.
    """
    return App(read_settings(database_url=database_url), create=create)
