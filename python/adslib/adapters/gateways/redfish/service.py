"""One Redfish service: its machines, by their ids."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import sushy
from sushy.auth import BasicAuth
from sushy.exceptions import ResourceNotFoundError

CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 30.0


@dataclass(frozen=True, slots=True)
class Account:
    """What opens a service.

    Args:
        verify: whether its certificate is checked, or a path of those it is checked by.
    """

    name: str
    password: str = field(repr=False)
    verify: bool | str = True


@dataclass
class Service:
    """A Redfish service, opened when it is first asked.

    Args:
        url: scheme, host and port.
    """

    url: str
    account: Account
    _root: Any = None
    _opening: Lock = field(default_factory=Lock)

    def systems(self) -> list[Any]:
        """All machines."""
        systems: list[Any] = self._systems().get_members()
        return systems

    def system(self, id: str) -> Any | None:
        """One machine, read now; None if there is none."""
        # The path of a machine is the service's own; only its last part is the id.
        paths = [path for path in self._systems().members_identities if path.rpartition("/")[2] == id]
        try:
            return self._open().get_system(paths[0]) if paths else None
        except ResourceNotFoundError:
            return None

    def _systems(self) -> Any:
        # A collection keeps what it read, so each call has one of its own.
        return self._open().get_system_collection()

    def _open(self) -> Any:
        with self._opening:
            # Not with sessions: whoever is killed would leave them behind, and controllers have few. Retries are ours.
            self._root = self._root or sushy.Sushy(
                self.url,
                auth=BasicAuth(self.account.name, self.account.password),
                verify=self.account.verify,
                server_side_retries=1,
                server_side_retries_delay=0,
                read_timeout=ANSWER_SECONDS,
                connect_timeout=CONNECT_SECONDS,
            )
            return self._root
