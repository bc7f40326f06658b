"""Addresses, each held by one machine of this host: claimed in a directory, which may be for all users.

It is one that every user may write to where it may be reached, and in which nobody removes another's files: one file
an address, naming user, machine and directory. It is locked while somebody looks and takes. A claim is void when the
machine's directory is gone.
"""

from __future__ import annotations

import ipaddress
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from adslib.adapters.gateways.locks import take
from adslib.domain.errors import Conflict, Failed, Invalid

MODE = 0o1777
LONGEST_CLAIM = 8192


@dataclass(frozen=True, slots=True)
class Claim:
    """Who holds an address; `directory` is empty where the claim cannot be read."""

    uid: int
    id: str
    directory: str

    def void(self) -> bool:
        """Whether the machine is certainly gone: where we may not look, it is not."""
        if not self.directory:
            return False
        place = Path(self.directory)
        # In the order in which a machine has these names, as it may be completed between two looks.
        for path in (place.with_name(f".making-{place.name}"), place):
            try:
                path.lstat()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError:
                return False
            return False
        return True

    def __str__(self) -> str:
        return f"machine '{self.id}' of user {self.uid} in {self.directory or 'an unknown directory'}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The claims, and the network that new machines are numbered from.

    Args:
        directory: of the claims. fit: returns an address that a machine may have in its usual form, and refuses
            any other with `Invalid`.
    """

    directory: Path
    network: ipaddress.IPv4Network
    fit: Callable[[str], str]

    def claim(self, machine: Path, machine_id: str, wanted: str = "") -> str:
        """Take an address for a machine, the wanted one or any free one. A machine may take what it has once more.

        Raises:
            Conflict: the wanted address is taken. Invalid: no machine may have it. Failed: all are taken.
        """
        mine = Claim(os.geteuid(), machine_id, str(machine))
        with self._open() as handle:
            for address in [self.fit(wanted)] if wanted else self._candidates(machine):
                holder = _read(handle, address)
                if holder and holder.directory != mine.directory and not _freed(handle, address, holder):
                    if wanted:
                        raise Conflict(
                            f"address {address} belongs to {holder}",
                            place=str(self.directory / address),
                            remedy="choose another address, or delete that machine",
                        )
                    continue
                if not holder or holder.directory != mine.directory:
                    _write(handle, address, mine)
                return address
        raise Failed(
            f"every address of {self.network} is taken",
            remedy="delete machines, or give the gateway a larger 'network'",
        )

    def release(self, machine: Path, address: str = "") -> None:
        """Give back the address of a machine, or all that it holds if its address is not known."""
        with self._open() as handle:
            for name in [address] if address else [entry.name for entry in os.scandir(handle)]:
                holder = _read(handle, name)
                if holder and holder.directory == str(machine):
                    with suppress(PermissionError):
                        os.unlink(name, dir_fd=handle)

    def _candidates(self, machine: Path) -> Iterator[str]:
        """All addresses of the network, from one on that depends on the machine only."""
        size = self.network.num_addresses
        first = int.from_bytes(sha256(os.fsencode(machine)).digest()[:8]) % size
        for step in range(size):
            address = self.network[(first + step) % size]
            if size < 256 or address.packed[3] not in (0, 255):
                with suppress(Invalid):
                    yield self.fit(str(address))

    @contextmanager
    def _open(self) -> Iterator[int]:
        """Open and lock the directory of claims; it is made if this host has none yet."""
        try:
            self.directory.mkdir(mode=MODE, exist_ok=True)
        except OSError as error:
            raise Failed(
                f"the directory of address claims cannot be made ({error})", place=str(self.directory)
            ) from error
        try:
            handle = os.open(self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError as error:
            raise self._untrusted(f"it cannot be opened ({error.strerror})") from error
        try:
            take(handle, f"the address claims in {self.directory}", 10)
            self._check(handle)
            yield handle
        finally:
            os.close(handle)

    def _check(self, handle: int) -> None:
        """Make sure that every user may write here and none may remove what others wrote."""
        if os.fstat(handle).st_uid == os.geteuid():
            os.fchmod(handle, MODE)
        # Somebody else may have made it this very moment and be about to open it for all.
        for _attempt in range(50):
            mode = stat.S_IMODE(os.fstat(handle).st_mode)
            if mode == MODE:
                return
            time.sleep(0.02)
        raise self._untrusted(f"its mode is {mode:o} instead of {MODE:o}")

    def _untrusted(self, why: str) -> Failed:
        return Failed(
            f"the directory of address claims is not to be trusted: {why}",
            place=str(self.directory),
            remedy="remove it as its owner or as root; ads makes it anew",
        )


def _read(handle: int, name: str) -> Claim | None:
    """Read a claim; None if there is none. What cannot be read counts as a claim of the file's owner."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=handle)
    except FileNotFoundError:
        return None
    except OSError:
        return Claim(-1, "unknown", "")
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            return Claim(status.st_uid, "unknown", "")
        claim = json.loads(os.read(file, LONGEST_CLAIM))
        return Claim(status.st_uid, str(claim["id"]), str(claim["directory"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Claim(status.st_uid, "unknown", "")
    finally:
        os.close(file)


def _freed(handle: int, name: str, holder: Claim) -> bool:
    """Remove a claim that is void; False if it is not, or if it is not ours to remove."""
    if not holder.void():
        return False
    try:
        os.unlink(name, dir_fd=handle)
    except PermissionError:
        return False
    return True


def _write(handle: int, name: str, claim: Claim) -> None:
    """Write a claim in one step: under another name first, so that a crash leaves nothing half written."""
    text = json.dumps({"uid": claim.uid, "id": claim.id, "directory": claim.directory}).encode()
    new = f".{claim.uid}-{os.getpid()}-{name}"
    with suppress(FileNotFoundError):
        os.unlink(new, dir_fd=handle)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(new, flags, 0o644, dir_fd=handle)
    try:
        os.write(file, text)
        os.fchmod(file, 0o644)
    finally:
        os.close(file)
    os.link(new, name, src_dir_fd=handle, dst_dir_fd=handle, follow_symlinks=False)
    os.unlink(new, dir_fd=handle)
