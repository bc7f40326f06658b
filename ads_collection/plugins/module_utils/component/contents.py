# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of files, known by its SHA-256: embedded in the call, in a bundle beside it, or made on the machine."""

from __future__ import annotations

import base64
import hashlib
import os
import zlib

PIECE = 1024 * 1024
SHOWN = 100 * 1024


def sha256_of(path):
    """Return the SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        for piece in iter(lambda: stream.read(PIECE), b""):
            digest.update(piece)
    return digest.hexdigest()


class Contents:
    """Finds content by its SHA-256.

    Args:
        embedded: base64 of the compressed content, by SHA-256.
        bundle: path of a tar file whose members are named by their SHA-256; empty: none.
    """

    def __init__(self, embedded, bundle):
        self._embedded = embedded
        self._bundle = bundle
        self._made = {}
        self._places = {}
        self._members = set()
        if bundle:
            import tarfile

            with tarfile.open(bundle) as tar:
                self._members = set(tar.getnames())

    def add(self, content):
        """Keep content that was made here; return its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        self._made[digest] = content
        return digest

    def add_file(self, path):
        """Keep the place of a file that was fetched; return its SHA-256."""
        digest = sha256_of(path)
        self._places[digest] = path
        return digest

    def has(self, digest):
        """Tell whether this content is at hand."""
        return any(digest in known for known in (self._made, self._places, self._embedded, self._members))

    def text(self, digest):
        """Return the content as text for a diff; None where it is large, binary or not at hand."""
        if not self.has(digest):
            return None
        pieces = b""
        for piece in self.pieces(digest):
            pieces += piece
            if len(pieces) > SHOWN:
                return None
        return as_text(pieces)

    def pieces(self, digest):
        """Yield the content in pieces."""
        if digest in self._made:
            yield self._made[digest]
        elif digest in self._embedded:
            yield zlib.decompress(base64.b64decode(self._embedded[digest]))
        elif digest in self._places:
            with open(self._places[digest], "rb") as stream:
                yield from iter(lambda: stream.read(PIECE), b"")
        else:
            import tarfile

            with tarfile.open(self._bundle) as tar:
                stream = tar.extractfile(digest)
                yield from iter(lambda: stream.read(PIECE), b"")

    def write(self, digest, number):
        """Write the content to an open file and return the SHA-256 of what was written."""
        written = hashlib.sha256()
        for piece in self.pieces(digest):
            written.update(piece)
            rest = memoryview(piece)
            while rest:
                rest = rest[os.write(number, rest) :]
        return written.hexdigest()


def as_text(content):
    """Return bytes as text; None if they are binary."""
    if b"\0" in content:
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return None
