"""Where an SQLite store lies: it must be a local disk, and nobody else's business."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from adslib.domain.errors import Failed, Invalid

# SQLite's log is shared memory and its locks are the kernel's: neither reaches other hosts.
NETWORK_FILESYSTEMS = frozenset(
    {
        *("9p", "acfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "gpfs", "lustre", "ncpfs"),
        *("nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "wekafs"),
        *("fuse.ceph", "fuse.curlftpfs", "fuse.davfs", "fuse.glusterfs", "fuse.goofys", "fuse.juicefs", "fuse.moosefs"),
        *("fuse.rclone", "fuse.s3fs", "fuse.sshfs"),
    }
)
ELSEWHERE = "choose a directory that you may write to, with ADS_DATABASE_URL or ADS_HOME"
MOUNTS = Path("/proc/self/mountinfo")


def prepare_file(path: Path, mounts: Path = MOUNTS) -> None:
    """Make sure that a database file is there, on a local disk, for its owner only.

    Directories that are missing are made with mode 0700 and the file with 0600; what exists keeps its mode.

    Raises:
        Invalid: the path lies on a network filesystem, or is a directory.
        Failed: the file cannot be made; the message says why.
    """
    if path.is_file():
        refuse_network(path, mounts)
        return
    if path.is_dir():
        raise Invalid(f"{path} is a directory", remedy=f"name a file in it: sqlite:///{path / 'ads.db'}")
    existing = next(parent for parent in path.parents if parent.exists())
    if not existing.is_dir():
        raise Failed(f"the store {path} cannot be made: {existing} is no directory", remedy=ELSEWHERE)
    refuse_network(existing, mounts)
    try:
        for directory in reversed([parent for parent in path.parents if parent.is_relative_to(existing)]):
            directory.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except OSError as error:
        reason = error.strerror or str(error)
        raise Failed(
            f"the store {path} cannot be made: {error.filename or path}: {reason}",
            remedy=ELSEWHERE,
        ) from error


def has_content(path: Path) -> bool:
    """Whether something is there that is not an empty file; what cannot be looked at counts."""
    try:
        return path.exists() and (not path.is_file() or path.stat().st_size > 0)
    except OSError:
        return True


def refuse_network(path: Path, mounts: Path = MOUNTS) -> None:
    """Let a path pass if it lies on a disk of this host.

    Raises:
        Invalid: it lies on a network filesystem, where SQLite loses data.
    """
    kind = filesystem_of(path.resolve(), mounts)
    if kind in NETWORK_FILESYSTEMS:
        raise Invalid(
            f"{path} lies on a network filesystem ({kind}), where SQLite loses data",
            remedy="keep the store on a local disk, or use PostgreSQL: postgresql+psycopg://user@host/database",
        )


def filesystem_of(path: Path, mounts: Path = MOUNTS) -> str:
    """The type of the filesystem that a resolved path lies on; empty where the system does not tell."""
    best = ("", "")
    for point, kind in _mounted(mounts):
        # Of two mounts on the same point the later covers the earlier.
        if path.is_relative_to(point) and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]


def _mounted(mounts: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return
    for line in lines:
        before, separator, after = line.partition(b" - ")
        if separator:
            # Blanks in a mount point are written as octal escapes.
            point = os.fsdecode(before.split()[4].decode("unicode_escape").encode("latin-1"))
            yield point, os.fsdecode(after.split()[0])
