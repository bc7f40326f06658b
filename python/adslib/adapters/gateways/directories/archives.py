"""Tar files of machines: what instance templates and snapshots are kept in.

A machine has no chroot of its own, so a link out of its root would be a link into this host. Nothing is unpacked
unless every member stays inside.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from adslib.domain.errors import Failed, Invalid, Problem

MOST_LINKS = 40


class OutsideError(Exception):
    """A path leads out of the directory that it should stay in."""


def pack(root: Path, target: Path) -> None:
    """Write a directory to a tar file, which appears when it is complete. Sockets stay out; what vanishes is skipped.

    Nobody else may read it, as it has what only root of the machine could read.

    Raises:
        Failed: something in it cannot be read, or there is no room for the file.
    """
    new = target.with_name(f".{target.name}.new")
    try:
        new.touch(0o600)
        with new.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
                for path in _walk(root):
                    _add(archive, path, str(path.relative_to(root)))
            file.flush()
            os.fsync(file.fileno())
        new.rename(target)
    except (OSError, tarfile.TarError) as error:
        new.unlink(missing_ok=True)
        raise Failed(f"the files of a machine cannot be saved ({error})", place=str(root)) from error


def unpack(source: Path, root: Path, *, own: bool) -> None:
    """Unpack a tar file into a new directory.

    Args:
        own: ads packed it. Then owners and setuid bits come back (where we may), and links may point anywhere, as they
            did before. What came from elsewhere becomes ours, sets no user, and its links stay inside.

    Raises:
        Invalid: it is no tar file, or a member leads outside. Failed: it cannot be written.
    """
    with _opened(source) as archive:
        members = [member for member in examine(archive, source, own=own) if _name(member)]
        for member in members:
            # Python's tarfile takes 'a/.' for a name of its own.
            member.name = _name(member)
            if member.islnk():
                member.linkname = _norm(member.linkname)
            if not own:
                member.uid, member.gid, member.uname, member.gname = os.geteuid(), os.getegid(), "", ""
                member.mode &= 0o1777
        # Ours is the stricter check; Python's own would refuse what a snapshot may well hold.
        archive.extraction_filter = lambda member, _path: member
        try:
            root.mkdir()
            archive.extractall(root, members, numeric_owner=True)
        except (OSError, tarfile.TarError) as error:
            raise Failed(f"{source.name} cannot be unpacked ({error})", place=str(root)) from error


def check(source: Path) -> None:
    """Make sure that a tar file can be unpacked without harm.

    Raises:
        Invalid: it is no tar file, or a member leads outside.
    """
    with _opened(source) as archive:
        examine(archive, source, own=False)


def examine(archive: tarfile.TarFile, source: Path, *, own: bool) -> list[tarfile.TarInfo]:
    """Return all members, with every one of them inside the directory, whatever links there are between them.

    Raises:
        Invalid: some are not; the message names them all.
    """
    members = archive.getmembers()
    links = {_name(member): member.linkname for member in members if member.issym()}
    solid = {_name(member) for member in members if not member.isdir()}
    seen: set[str] = set()
    problems = []
    for member in members:
        wrong = _wrong_place(member, links.keys(), solid, seen) or ("" if own else _wrong_link(member, links))
        if wrong:
            problems.append(Problem(f"member '{member.name}' {wrong}", str(source), "leave it out of the tar file"))
        seen.add(_name(member))
    if problems:
        raise Invalid(problems=problems[:20])
    return members


def _wrong_place(member: tarfile.TarInfo, links: Set[str], solid: Set[str], seen: Set[str]) -> str:
    """What speaks against writing a member; empty if nothing does.

    Args:
        links: the names that are links. solid: those that are no directories. seen: those before this one.
    """
    if not (member.isreg() or member.isdir() or member.issym() or member.islnk() or member.isfifo()):
        return "is a device or something unknown"
    name = _name(member)
    if member.name.startswith("/") or ".." in name.split("/"):
        return "lies outside"
    if not name and not member.isdir():
        return "would take the place of the whole machine"
    if any(parent in links for parent in _parents(name)):
        return "is reached through a link"
    if any(parent in solid for parent in _parents(name)):
        return "lies in what is no directory"
    if name in seen and (name in solid or not member.isdir()):
        return "appears twice"
    if member.islnk() and (member.linkname.startswith("/") or _norm(member.linkname) not in (seen & solid) - links):
        return f"is a hard link to '{member.linkname}', which is no file before it"
    return ""


def _wrong_link(member: tarfile.TarInfo, links: Mapping[str, str]) -> str:
    """What speaks against following a member that is a link; empty if nothing does."""
    if member.issym():
        parent = _name(member).rpartition("/")[0]
        try:
            resolve(f"{parent}/{member.linkname}", links, absolute=member.linkname.startswith("/"))
        except OutsideError:
            return f"is a link to '{member.linkname}', outside"
    return ""


def resolve(path: str, links: Mapping[str, str], *, absolute: bool = False) -> str:
    """Follow a path as the system would, from the top of the tree, through the links in it.

    Raises:
        OutsideError: it leaves the tree on the way, or goes round in circles.
    """
    ahead = path.split("/")[::-1]
    done: list[str] = []
    followed = 0
    while ahead:
        part = ahead.pop()
        if absolute or (part == ".." and not done):
            raise OutsideError
        if part in ("", "."):
            continue
        if part == "..":
            done.pop()
            continue
        target = links.get("/".join([*done, part]))
        if target is None:
            done.append(part)
            continue
        followed += 1
        if followed > MOST_LINKS:
            raise OutsideError
        absolute = target.startswith("/")
        ahead.extend(target.split("/")[::-1])
    return "/".join(done)


def _name(member: tarfile.TarInfo) -> str:
    return _norm(member.name)


def _norm(name: str) -> str:
    """A name without empty and '.' parts; '..' stays to be seen."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def _parents(name: str) -> Iterator[str]:
    parts = name.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts)))


def _walk(root: Path) -> Iterator[Path]:
    """All below a directory, a directory before what is in it, by name."""
    for entry in sorted(os.scandir(root), key=lambda entry: entry.name):
        path = Path(entry.path)
        yield path
        if entry.is_dir(follow_symlinks=False):
            with suppress(FileNotFoundError):
                yield from _walk(path)


def _add(archive: tarfile.TarFile, path: Path, name: str) -> None:
    """Add one member. The machine may run: a file may vanish, grow or shrink under our hands."""
    with suppress(FileNotFoundError):
        if path.is_socket():  # its program makes it anew
            return
        member = archive.gettarinfo(str(path), name)
        if not member.isreg():
            archive.addfile(member)
            return
        with path.open("rb") as file:
            member.size = os.fstat(file.fileno()).st_size
            archive.addfile(member, _Steady(file))


class _Steady:
    """Reads as many bytes as it is asked for, zeros where a file has shrunk since it was measured."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int = 0, /) -> bytes:
        return self._file.read(size).ljust(size, b"\0")


@contextmanager
def _opened(source: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(source, "r:*") as archive:
            yield archive
    except (tarfile.TarError, EOFError) as error:
        raise Invalid(f"it is no tar file ({error})", place=str(source), remedy="make it with tar -cf") from error
    except OSError as error:
        raise Invalid(f"it cannot be read ({error})", place=str(source)) from error
