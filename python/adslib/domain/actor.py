"""Who acts, and what they may do (A20)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from adslib.domain.errors import Forbidden


class Permission(StrEnum):
    """What an actor may do: `view` reads, `define` edits definitions, `deploy` changes machines, `operate` runs.

    `networks` adds and changes networks, `addresses` takes addresses and names of them and gives them back.
    """

    VIEW = "view"
    DEFINE = "define"
    DEPLOY = "deploy"
    OPERATE = "operate"
    MACHINES = "machines"
    NETWORKS = "networks"
    ADDRESSES = "addresses"
    ADMINISTER = "administer"


ALL = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Actor:
    """A person or program: its name, the tenant it belongs to, and its permissions."""

    name: str
    tenant: str = "default"
    permissions: frozenset[Permission] = ALL

    def must(self, permission: Permission, thing: str) -> None:
        """Let the actor pass if it has the permission.

        Raises:
            Forbidden: it has not; nothing was changed.
        """
        if permission not in self.permissions:
            raise Forbidden(
                f"{self.name} lacks the permission '{permission}' for {thing}",
                remedy="ask an administrator of ads for it",
            )
