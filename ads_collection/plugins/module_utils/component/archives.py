# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Archives: fetched, checked by SHA-256 and opened without trust in the names they hold."""

from __future__ import annotations

import os
import posixpath
import shutil
import tarfile
import urllib.error
import urllib.request
import zipfile

from .contents import PIECE, sha256_of
from .file_system import Refused
from .files import File

PATIENCE = 60


def download(url, digest, staging):
    """Fetch an archive by URL and return where it lies.

    Raises:
        Refused: it cannot be had, or it is another one than the definition means.
    """
    place = os.path.join(staging, "archive")
    try:
        with urllib.request.build_opener().open(url, timeout=PATIENCE) as source, open(place, "wb") as target:
            shutil.copyfileobj(source, target, PIECE)
    except (urllib.error.URLError, OSError, ValueError) as problem:
        raise Refused("archive %s cannot be fetched by the machine: %s" % (url, problem))
    found = sha256_of(place)
    if found != digest:
        raise Refused(
            "archive %s has the SHA-256 %s, the definition says %s: correct one of them" % (url, found, digest)
        )
    return place


def unpack(place, directory, strip, kind, staging, contents):
    """Lay the files of a tar or zip archive aside and return them as Files of a directory of the machine.

    Nothing gets a name of the archive's choosing here, so no member can reach anything.

    Args:
        strip: how many leading folders of each name are left out.
        kind: what the files are known as: ``archive`` or ``git``.

    Raises:
        Refused: it is neither tar nor zip, or holds a name that leads out, a device, or nothing.
    """
    if tarfile.is_tarfile(place):
        with tarfile.open(place) as archive:
            found = [_of_tar(archive, member) for member in archive if not member.isdir()]
            return _files(found, directory, strip, kind, staging, contents)
    if zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            found = [_of_zip(archive, member) for member in archive.infolist() if not member.filename.endswith("/")]
            return _files(found, directory, strip, kind, staging, contents)
    raise Refused("the archive for %s is neither tar nor zip" % directory)


class _Member:
    def __init__(self, name, link, executable, read):
        self.name = name
        self.link = link
        self.executable = executable
        self.read = read


def _of_tar(archive, member):
    if not (member.isreg() or member.islnk() or member.issym()):
        raise Refused("the archive holds %s, which is a device or a pipe: make it without" % member.name)
    link = member.linkname if member.issym() else ""
    return _Member(member.name, link, bool(member.mode & 0o100), lambda: archive.extractfile(member))


def _of_zip(archive, member):
    mode = member.external_attr >> 16
    link = archive.read(member).decode("utf-8", "replace") if (mode & 0o170000) == 0o120000 else ""
    return _Member(member.filename, link, bool(mode & 0o100), lambda: archive.open(member))


def _files(members, directory, strip, kind, staging, contents):
    files = {}
    for number, member in enumerate(members):
        name = _checked_name(member.name, strip)
        if not name:
            continue
        path = posixpath.join(directory, name)
        if member.link:
            files[path] = File(path, link=_checked_link(name, member.link), tree=kind)
            continue
        staged = os.path.join(staging, "member-%d" % number)
        with member.read() as source, open(staged, "wb") as target:
            shutil.copyfileobj(source, target, PIECE)
        mode = 0o755 if member.executable else 0o644
        files[path] = File(path, digest=contents.add_file(staged), mode=mode, tree=kind)
    if not files:
        raise Refused("the archive for %s holds no file below %d leading folders: lower strip" % (directory, strip))
    for path in files:
        above = posixpath.dirname(path)
        while len(above) > len(directory):
            if above in files:
                raise Refused("the archive holds %s below %s, which is no folder" % (path, above))
            above = posixpath.dirname(above)
    return list(files.values())


def _checked_name(name, strip):
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/") or ".." in parts or "\0" in name:
        raise Refused("the archive holds %r, which leads out of its directory: make it without" % name)
    return "/".join(parts[strip:])


def _checked_link(name, link):
    target = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
    if link.startswith("/") or target.split("/")[0] == "..":
        raise Refused("the archive holds the link %s to %s, which leads out of its directory" % (name, link))
    return link
