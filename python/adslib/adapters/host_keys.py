"""SSH host keys: pinned in ADS_HOME/known_hosts under the machine's id, so that checking is never off (DESIGN §9)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from fcntl import LOCK_EX, flock
from pathlib import Path

from adslib.domain.errors import Failed, Invalid

KEY = re.compile(r"(?P<kind>(?:ssh|ecdsa|sk)-[\w@.-]+)\s+(?P<body>[A-Za-z0-9+/]+={0,2})(?:\s|$)")
TRUSTED_BY_USER = ("~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
PATIENCE = 5
"""Seconds that a machine has to show its keys."""


class KnownHosts:
    """The pinned host keys of one home.

    Args:
        home: ADS_HOME.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / "known_hosts"

    def arguments(self, machine_id: str) -> str:
        """The arguments that make ssh accept the pinned keys of a machine and no others."""
        options = (f"HostKeyAlias={machine_id}", f'UserKnownHostsFile="{self.path}"', "StrictHostKeyChecking=yes")
        return " ".join(f"-o {shlex.quote(option)}" for option in options)

    def pinned(self, machine_id: str) -> list[str]:
        """The keys of a machine, as `type base64`."""
        return [key for name, key in self._lines() if name == machine_id]

    def pin(self, keys: Mapping[str, Sequence[str]]) -> None:
        """Replace the keys of machines: id → keys."""
        self._rewrite(keys, {machine_id: found for machine_id, found in keys.items() if found})

    def forget(self, machine_ids: Iterable[str]) -> None:
        """Remove the keys of machines."""
        self._rewrite(set(machine_ids), {})

    def _lines(self) -> list[tuple[str, str]]:
        if not self.path.exists():
            return []
        parts = (line.partition(" ") for line in self.path.read_text(encoding="utf-8").splitlines())
        return [(name, key) for name, _, key in parts if key]

    def _rewrite(self, gone: Iterable[str], new: Mapping[str, Sequence[str]]) -> None:
        without = set(gone)
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self.path.with_suffix(".lock").open("w") as lock:
            flock(lock, LOCK_EX)
            lines = [f"{name} {key}\n" for name, key in self._lines() if name not in without]
            lines += [f"{name} {key}\n" for name, keys in new.items() for key in keys]
            fresh = self.path.with_suffix(".new")
            fresh.write_text("".join(lines), encoding="utf-8")
            fresh.replace(self.path)


def fingerprint(key: str) -> str:
    """A key as people compare it: `ssh-ed25519 SHA256:…`."""
    kind, _, body = key.partition(" ")
    digest = hashlib.sha256(base64.b64decode(body)).digest()
    return f"{kind} SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def read_keys(given: str) -> list[str]:
    """The keys in a text or in a file: public keys, or lines of known_hosts.

    Raises:
        Invalid: there is none in it.
    """
    path = Path(given).expanduser()
    try:
        is_file = len(given) < 4096 and path.is_file()
        text = path.read_text(encoding="utf-8") if is_file else given
    except (OSError, UnicodeError) as error:
        raise Invalid(f"the host key cannot be read: {error}", place=given, remedy="name a public key file") from None
    if "PRIVATE KEY" in text:
        raise Invalid("this is a private key", place="host key", remedy="give the public one, for example …_key.pub")
    keys = _keys_of(text)
    if not keys:
        raise Invalid(
            "this is neither a public host key nor a file with one",
            place=given[:80],
            remedy="give 'ssh-ed25519 AAAA…' or a file like /etc/ssh/ssh_host_ed25519_key.pub of that machine",
        )
    return keys


def trusted_by_user(address: str, port: int) -> list[str]:
    """The keys of a machine that the user, or this host, knows already."""
    name = address if port == 22 else f"[{address}]:{port}"
    found: list[str] = []
    for place in TRUSTED_BY_USER:
        path = Path(place).expanduser()
        if path.is_file():
            asked = _run(["ssh-keygen", "-F", name, "-f", str(path)], "")
            found += _keys_of("\n".join(line for line in asked.splitlines() if not line.startswith(("@", "#"))))
    return list(dict.fromkeys(found))


def shown_by(targets: Iterable[tuple[str, int]]) -> dict[tuple[str, int], list[str]]:
    """Ask machines for their keys, all at once; those that do not answer in time are left out."""
    by_port: dict[int, list[str]] = {}
    for address, port in targets:
        by_port.setdefault(port, []).append(address)
    found: dict[tuple[str, int], list[str]] = {}
    for port, addresses in by_port.items():
        command = ["ssh-keyscan", "-T", str(PATIENCE), "-p", str(port), "-f", "-"]
        for line in _run(command, "".join(f"{address}\n" for address in addresses)).splitlines():
            name, _, key = line.partition(" ")
            address = name.removesuffix(f"]:{port}").removeprefix("[")
            found.setdefault((address, port), []).extend(_keys_of(key))
    return found


def _keys_of(text: str) -> list[str]:
    keys = []
    for line in text.splitlines():
        match = KEY.search(line)
        if match:
            try:
                base64.b64decode(match["body"], validate=True)
            except binascii.Error:
                continue
            keys.append(f"{match['kind']} {match['body']}")
    return keys


def _run(command: Sequence[str], text: str) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, check=False)
    except FileNotFoundError:
        raise Failed(f"{command[0]} is not installed", remedy="install the OpenSSH client") from None
    except subprocess.TimeoutExpired:
        return ""
    return done.stdout
