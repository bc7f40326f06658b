"""SSH keys that a gateway makes for its machines, so that they are known before they first answer."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


@dataclass(frozen=True, slots=True)
class KeyPair:
    """An SSH key: the private one as OpenSSH keeps it, and the public one as `type base64`."""

    private: str = field(repr=False)
    public: str


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by name that all come from one secret: none of them has to be kept, and a name always has the same.

    Args:
        path: the file of that secret, made when it is first needed.
    """

    path: Path

    def pair(self, name: str) -> KeyPair:
        """The key of this name, such as a machine's id."""
        key = Ed25519PrivateKey.from_private_bytes(hmac.digest(self._secret(), name.encode(), "sha256"))
        return KeyPair(
            key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode(),
            key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode(),
        )

    def _secret(self) -> bytes:
        if not self.path.exists():
            write_once(self.path, secrets.token_bytes(32))
        return self.path.read_bytes()


def write_once(path: Path, content: bytes) -> None:
    """Write a file that its owner alone reads, if nobody wrote it before; it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}")
    draft.touch(0o600)
    draft.write_bytes(content)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
