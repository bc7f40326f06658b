"""Who may enter new machines: an account, by a key that lies on this host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adslib.adapters.gateways.remote.keys import Keys, write_once

ENTERS = "-enters"
"""The name of the key that lets in; no machine's id begins like this."""


@dataclass(frozen=True, slots=True)
class Access:
    """The account that new machines have, and the key that lets in; made when it is first needed.

    Args:
        key: the private one; the public one lies beside it with `.pub`. keys: where it comes from.
    """

    user: str
    key: Path
    keys: Keys

    def public(self) -> str:
        """The public key."""
        public = self.key.with_name(f"{self.key.name}.pub")
        if not public.exists():
            pair = self.keys.pair(ENTERS)
            write_once(self.key, pair.private.encode())
            write_once(public, f"{pair.public} ads\n".encode())
        return public.read_text().strip()
