# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files: what differs between the wanted and the actual, how that looks to a person, and putting it right."""

from __future__ import annotations

import os
import shlex
import stat
import tempfile

from .contents import SHOWN, as_text, sha256_of
from .file_system import Refused


class File:
    """A file or symbolic link that is wanted.

    Args:
        path: the machine's own name of it.
        digest: SHA-256 of the content; empty for a link.
        link: where a symbolic link points; empty for a file.
        mode: permissions as a number.
        secret: neither content nor a diff of it is ever shown.
        validate: command that must succeed on the staged file (``%s``) before it replaces the old one.
        on_change: ``restart``, ``reload`` or ``nothing``.
        reload: command that suffices if only this file changed; empty: the way of the process.
        tree: ``archive`` or ``git`` if it came from there.
    """

    def __init__(
        self,
        path,
        digest="",
        link="",
        mode=0o644,
        owner="",
        group="",
        secret=False,
        validate=(),
        on_change="restart",
        reload=(),
        tree="",
    ):
        self.path = path
        self.digest = digest
        self.link = link
        self.mode = mode
        self.owner = owner
        self.group = group
        self.secret = secret
        self.validate = list(validate)
        self.on_change = on_change
        self.reload = list(reload)
        self.tree = tree


class Change:
    """What is to be done to one file.

    Args:
        reasons: words for a person. found: words for what stands there, where only owner or mode differ.
        content: whether there is content to be written.
    """

    def __init__(self, file, place, reasons, content, found=()):
        self.file = file
        self.place = place
        self.reasons = reasons
        self.found = list(found)
        self.content = content


def difference(file, file_system):
    """Return the Change that makes a file as it is wanted; None if it is so already.

    Raises:
        Refused: a directory stands there, the path leaves the machine, or the owner cannot be given.
    """
    place = file_system.outside(file.path, "file %s" % file.path)
    owner = file_system.owner(file.owner, "file %s" % file.path)
    group = file_system.group(file.group, "file %s" % file.path)
    try:
        found = os.lstat(place)
    except (FileNotFoundError, NotADirectoryError):
        return Change(file, place, ["new"], content=True)
    if stat.S_ISDIR(found.st_mode):
        raise Refused("file %s: a directory stands there: remove it, or choose another path" % file.path)
    if file.link:
        same = stat.S_ISLNK(found.st_mode) and os.readlink(place) == file.link
        return None if same else Change(file, place, ["link"], content=True)
    if not stat.S_ISREG(found.st_mode):
        return Change(file, place, ["type"], content=True)
    content = sha256_of(place) != file.digest
    differing = []
    if stat.S_IMODE(found.st_mode) != file.mode:
        differing.append(("mode %04o" % stat.S_IMODE(found.st_mode), "%04o" % file.mode))
    if owner not in (-1, found.st_uid):
        differing.append(("owner %d" % found.st_uid, file.owner))
    if group not in (-1, found.st_gid):
        differing.append(("group %d" % found.st_gid, file.group))
    reasons = ["content"] * content + ["%s to %s" % pair for pair in differing]
    return Change(file, place, reasons, content, [before for before, _after in differing]) if reasons else None


def apply(change, file_system, contents, run, folders):
    """Make a file as it is wanted, at once: nobody ever reads half of it.

    Raises:
        Refused: its validation failed; the file on the machine stays as it was.
    """
    file = change.file
    folders.make(os.path.dirname(change.place))
    if not change.content:
        _set_owner_and_mode(file, change.place, file_system)
        return
    # The folder may be younger than the check of its path.
    place = file_system.outside(file.path, "file %s" % file.path)
    number, staged = tempfile.mkstemp(prefix=".ads-", dir=os.path.dirname(place))
    try:
        if file.link:
            os.remove(staged)
            os.symlink(file.link, staged)
        else:
            if contents.write(file.digest, number) != file.digest:
                raise Refused("file %s: its content was damaged on the way: run again" % file.path)
            _set_owner_and_mode(file, staged, file_system)
            _validate(file, staged, run)
        os.rename(staged, place)
    except BaseException:
        if os.path.lexists(staged):
            os.remove(staged)
        raise
    finally:
        os.close(number)


def _set_owner_and_mode(file, place, file_system):
    owner = file_system.owner(file.owner, "file %s" % file.path)
    group = file_system.group(file.group, "file %s" % file.path)
    if owner >= 0 or group >= 0:
        os.chown(place, owner, group)
    os.chmod(place, file.mode)


def _validate(file, staged, run):
    if not file.validate:
        return
    command = [word.replace("%s", staged) for word in file.validate]
    code, output, errors = run(command)
    if code != 0:
        said = "(its words may hold a secret)" if file.secret else (output + errors).replace(staged, file.path).strip()
        raise Refused(
            "file %s: the new content is not valid, the old one stays. %s ended with %d: %s"
            % (file.path, " ".join(shlex.quote(word) for word in file.validate), code, said[-2000:])
        )


def shown(change, contents):
    """Return the change of a file as Ansible shows differences."""
    file = change.file
    before, after = _before(change.place, file), _after(file, contents)
    if file.secret:
        before, after = _hidden(before, "before"), _hidden(after, "after")
    if not change.content:
        before, after = ", ".join(change.found) + "\n", ", ".join(change.reasons) + "\n"
    header = "%s (%s)" % (file.path, ", ".join(change.reasons))
    return {"before_header": file.path, "after_header": header, "before": before, "after": after}


def shown_removal(path, place, secret):
    """Return the removal of a file as Ansible shows differences."""
    before = _before(place, File(path))
    return {
        "before_header": path,
        "after_header": "%s (removed)" % path,
        "before": _hidden(before, "before") if secret else before,
        "after": "",
    }


def _hidden(text, which):
    return "(secret content %s)\n" % which if text else ""


def _before(place, file):
    if os.path.islink(place):
        return "link to %s\n" % os.readlink(place)
    if not os.path.isfile(place):
        return ""
    size = os.path.getsize(place)
    if size <= SHOWN and not file.secret:
        with open(place, "rb") as stream:
            text = as_text(stream.read())
        if text is not None:
            return text
    return "(%d bytes, SHA-256 %s)\n" % (size, sha256_of(place))


def _after(file, contents):
    if file.link:
        return "link to %s\n" % file.link
    text = None if file.secret else contents.text(file.digest)
    return "(SHA-256 %s)\n" % file.digest if text is None else text


class Folders:
    """Makes folders and remembers which, so that they go again when they are empty.

    Args:
        made: the machine's names of those made so far; grows.
    """

    def __init__(self, file_system, made):
        self._file_system = file_system
        self.made = set(made)

    def intend(self, place):
        """Remember which folders will have to be made for one: to be written down before they are."""
        while not os.path.isdir(place):
            self.made.add(place[len(self._file_system.root) :])
            place = os.path.dirname(place)

    def make(self, place):
        """Make a folder and those above it."""
        missing = []
        while not os.path.isdir(place):
            missing.append(place)
            place = os.path.dirname(place)
        for folder in reversed(missing):
            try:
                os.mkdir(folder, 0o755)
            except FileExistsError:
                raise Refused("folder %s: a file stands there: remove it, or choose another path" % folder)
            self.made.add(folder[len(self._file_system.root) :])

    def clear(self, names):
        """Remove those folders of ours that are empty by now and forget them."""
        for name in sorted(set(names), key=len, reverse=True):
            place = self._file_system.outside(name, "folder %s" % name)
            try:
                os.rmdir(place)
            except FileNotFoundError:
                pass
            except OSError:
                continue
            self.made.discard(name)


def remove(path, file_system):
    """Remove a file of ours, and the bytecode that Python kept of it."""
    place = file_system.outside(path, "file %s" % path)
    if os.path.lexists(place) and not os.path.isdir(place):
        os.remove(place)
    if path.endswith(".py"):
        folder, name = os.path.split(place)
        cache = os.path.join(folder, "__pycache__")
        kept = os.listdir(cache) if os.path.isdir(cache) and not os.path.islink(cache) else []
        for bytecode in kept:
            if bytecode.startswith(name[:-2]) and bytecode.endswith(".pyc"):
                os.remove(os.path.join(cache, bytecode))
        if kept and not os.listdir(cache):
            os.rmdir(cache)
