# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a component takes from the controller: files below the project or the role, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import os
import tarfile
import zlib

# Up to here content travels inside the call; what is larger is sent only where the machine lacks it.
EMBEDDED = 512 * 1024
LEFT_OUT = {".git", "__pycache__"}


class Missing(Exception):
    """Something that is not there, or must not be read; the text says where it was looked for."""


class Project:
    """The folders that files may come from.

    Args:
        folders: the role's and the project's, in the order in which they are searched; empty ones are left out.
    """

    def __init__(self, folders):
        self._folders = [os.path.realpath(folder) for folder in folders if folder]

    def find(self, name, what, kind=""):
        """Return the path of a file or folder.

        Args:
            kind: the role's folder for such files (``templates``, ``files``).

        Raises:
            Missing: it is nowhere, or lies outside.
        """
        tried = [os.path.join(folder, *part, name) for folder in self._folders for part in ([kind], [])[not kind :]]
        for path in tried:
            if not os.path.exists(path):
                continue
            real = os.path.realpath(path)
            if not any(real == folder or real.startswith(folder + "/") for folder in self._folders):
                raise Missing("%s %s lies outside the project %s: copy it there" % (what, name, self._folders[-1]))
            return real
        raise Missing("%s %s is not there; looked for %s" % (what, name, ", ".join(tried)))

    def listing(self, folder):
        """Yield (name below the folder, path) of its files, in order.

        Raises:
            Missing: a symbolic link in it leads out of it.
        """
        for at, folders, names in os.walk(folder):
            folders[:] = sorted(set(folders) - LEFT_OUT)
            linked = [name for name in folders if os.path.islink(os.path.join(at, name))]
            folders[:] = [name for name in folders if name not in linked]
            for name in sorted(names + linked):
                path = os.path.join(at, name)
                if os.path.islink(path) and not os.path.realpath(path).startswith(folder + "/"):
                    raise Missing("the link %s leads out of the folder %s: copy what it points to" % (path, folder))
                if name not in LEFT_OUT and not name.endswith(".pyc"):
                    yield os.path.relpath(path, folder), path


class Supply:
    """The content of all files of a component, by SHA-256."""

    def __init__(self):
        self._texts = {}
        self._paths = {}

    def add_text(self, text):
        """Take rendered text; return its SHA-256."""
        content = text.encode("utf-8", "surrogateescape")
        digest = hashlib.sha256(content).hexdigest()
        self._texts[digest] = content
        return digest

    def add_file(self, path):
        """Take a file of the project; return its SHA-256."""
        digest = hashlib.sha256()
        with open(path, "rb") as stream:
            for piece in iter(lambda: stream.read(1024 * 1024), b""):
                digest.update(piece)
        self._paths[digest.hexdigest()] = path
        return digest.hexdigest()

    def text(self, digest):
        """Return rendered text by its SHA-256; empty for files."""
        return self._texts.get(digest, b"").decode("utf-8", "surrogateescape")

    def embedded(self):
        """Return what is small enough to travel in the call: base64 of the compressed content, by SHA-256."""
        room, result = EMBEDDED, {}
        files = ((digest, os.path.getsize(path), path) for digest, path in self._paths.items())
        texts = ((digest, len(content), content) for digest, content in self._texts.items())
        for digest, size, content in sorted([*texts, *files], key=lambda entry: entry[:2][::-1]):
            if size > room:
                break
            room -= size
            if isinstance(content, str):
                with open(content, "rb") as stream:
                    content = stream.read()
            result[digest] = base64.b64encode(zlib.compress(content, 1)).decode()
        return result

    def bundle(self, digests, place):
        """Write a tar file of some content, its members named by their SHA-256."""
        with tarfile.open(place, "w:gz", compresslevel=1) as tar:
            for digest in digests:
                if digest in self._paths:
                    tar.add(os.path.realpath(self._paths[digest]), arcname=digest)
                else:
                    self._add_text_to(tar, digest)

    def _add_text_to(self, tar, digest):
        import io

        member = tarfile.TarInfo(digest)
        member.size = len(self._texts[digest])
        tar.addfile(member, io.BytesIO(self._texts[digest]))
