"""What a machine is told for its first boot: its SSH host key, so that it is known before it answers, and more."""

from __future__ import annotations

import hmac
import os
import secrets
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from adslib.adapters.gateways.libcloud.choices import Choices
from adslib.adapters.gateways.surroundings import HostKeys

KINDS = {"#!": "x-shellscript", "#cloud-config": "cloud-config", "#include": "x-include-url"}
"""How what cloud-init takes begins, and what it is."""


class Booting:
    """What the machines of a gateway are told, and where it is noted.

    The host keys come from one secret: none of them has to be kept, and an order that is made again has the same key.

    Args:
        path: the file of that secret, made when it is first needed. choices: of the user. host_keys: where to pin.
    """

    def __init__(self, path: Path, choices: Choices, host_keys: HostKeys) -> None:
        self._path, self._choices, self._host_keys = path, choices, host_keys

    def told(self, id: str) -> str:
        """What cloud-init reads; the machine's host key is pinned from now on."""
        key = self._key(id) if self._choices.host_keys else None
        if key:
            self._host_keys.pin({id: [_public(key)]})
        more = Path(self._choices.user_data).read_text() if self._choices.user_data else ""
        return _user_data(key, more)

    def forget(self, id: str) -> None:
        """Forget the host key of a machine that goes."""
        if id:
            self._host_keys.forget([id])

    def _key(self, id: str) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(hmac.digest(self._secret(), id.encode(), "sha256"))

    def _secret(self) -> bytes:
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            draft = self._path.with_suffix(f".{os.getpid()}-{secrets.token_hex(4)}")
            draft.touch(0o600)
            draft.write_bytes(secrets.token_bytes(32))
            try:
                # Whoever comes first; a file that is there whole or not at all.
                self._path.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        return self._path.read_bytes()


def _public(key: Ed25519PrivateKey) -> str:
    """The public key, as `type base64`."""
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def _user_data(key: Ed25519PrivateKey | None, more: str) -> str:
    """What cloud-init reads.

    Args:
        key: the host key. more: the user's own, of any form that cloud-init takes.
    """
    parts = [MIMEText(_host_key(key), "cloud-config", "utf-8")] if key else []
    if not parts or not more:
        return _host_key(key) if key else more
    kind = next((kind for begin, kind in KINDS.items() if more.startswith(begin)), "cloud-config")
    both = MIMEMultipart()
    # A later part of cloud-config adds to an earlier one instead of taking its place.
    merge = "list(append)+dict(no_replace,recurse_list)+str()"
    for part in (*parts, MIMEText(more, kind, "utf-8")):
        part.add_header("Merge-Type", merge)
        both.attach(part)
    return both.as_string()


def _host_key(key: Ed25519PrivateKey) -> str:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()).decode()
    text = "".join(f"    {line}\n" for line in private.splitlines())
    kept = f"ssh_deletekeys: true\nssh_genkeytypes: []\nssh_keys:\n  ed25519_private: |\n{text}"
    return f"#cloud-config\n{kept}  ed25519_public: {_public(key)}\n"
