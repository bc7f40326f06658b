"""Who may enter new machines: an account, by a key that lies on this host."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from adslib.adapters.gateways.libvirt.seed import key_pair
from adslib.adapters.gateways.locks import locked

KEY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Access:
    """The account that new machines have, and the pair of keys that lets in; made when it is first needed.

    Args:
        key: the private one; the public one lies beside it with `.pub`.
    """

    user: str
    key: Path

    def public(self) -> str:
        """The public key."""
        public = self.key.with_name(f"{self.key.name}.pub")
        if not public.exists():
            self.key.parent.mkdir(parents=True, exist_ok=True)
            with locked(self.key.with_name(".key.lock"), "the key of the gateway", KEY_SECONDS):
                if not public.exists():
                    private, text = key_pair()
                    self.key.touch(mode=0o600)
                    self.key.write_text(private)
                    public.write_text(f"{text} ads\n")
        return public.read_text().strip()
