"""What a machine is told for its first boot: its SSH host key, so that it is known before it answers, and more."""

from __future__ import annotations

from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from pathlib import Path

from adslib.adapters.gateways.libcloud.choices import Choices
from adslib.adapters.gateways.remote.keys import KeyPair, Keys
from adslib.adapters.gateways.surroundings import HostKeys

KINDS = {"#!": "x-shellscript", "#cloud-config": "cloud-config", "#include": "x-include-url"}
"""How what cloud-init takes begins, and what it is."""


class Booting:
    """What the machines of a gateway are told, and where it is noted.

    Args:
        keys: where host keys come from. choices: of the user. host_keys: where to pin.
    """

    def __init__(self, keys: Keys, choices: Choices, host_keys: HostKeys) -> None:
        self._keys, self._choices, self._host_keys = keys, choices, host_keys

    def told(self, id: str) -> str:
        """What cloud-init reads; the machine's host key is pinned from now on."""
        key = self._keys.pair(id) if self._choices.host_keys else None
        if key:
            self._host_keys.pin({id: [key.public]})
        more = Path(self._choices.user_data).read_text() if self._choices.user_data else ""
        return _user_data(key, more)

    def forget(self, id: str) -> None:
        """Forget the host key of a machine that goes."""
        if id:
            self._host_keys.forget([id])


def _user_data(key: KeyPair | None, more: str) -> str:
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


def _host_key(key: KeyPair) -> str:
    text = "".join(f"    {line}\n" for line in key.private.splitlines())
    kept = f"ssh_deletekeys: true\nssh_genkeytypes: []\nssh_keys:\n  ed25519_private: |\n{text}"
    return f"#cloud-config\n{kept}  ed25519_public: {key.public}\n"
