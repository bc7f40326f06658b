# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where things lie on a machine: nothing that we write or remove lies outside its file system."""

from __future__ import annotations

import grp
import os
import posixpath
import pwd


class Refused(Exception):
    """Something that we do not do; the text names the thing, the reason and the remedy."""


class FileSystem:
    """The file system of a machine: that of this host, or a directory that stands for one.

    Args:
        root: the directory that is the machine's ``/``; empty where the machine is a host of its own.
    """

    def __init__(self, root):
        self.root = os.path.realpath(root) if root else ""
        if self.root and not os.path.isdir(self.root):
            raise Refused("ads_root %s is no directory: create or start the machine first" % root)
        self._written_root = root.rstrip("/") if root else ""
        self._safe_parents = set()
        self.users_may_come = False

    def inside(self, path, what):
        """Return the machine's own name of a path, normalised: ``/etc/media.json``.

        Raises:
            Refused: the path is relative or steps upwards.
        """
        for root in (self._written_root, self.root):
            if root and path.startswith(root + "/"):
                path = path[len(root) :]
        if not path.startswith("/") or "\0" in path:
            raise Refused("%s: the path %r is not absolute: begin it with /" % (what, path))
        if ".." in path.split("/"):
            raise Refused("%s: the path %r steps upwards: write it without .." % (what, path))
        return posixpath.normpath("/" + path.lstrip("/"))

    def outside(self, path, what):
        """Return where a path of the machine lies on this host.

        Raises:
            Refused: a symbolic link on the way leads out of the machine.
        """
        name = self.inside(path, what)
        if not self.root:
            return name
        parent, last = posixpath.split(self.root + name)
        if name == "/":
            return self.root
        if parent not in self._safe_parents:
            real = os.path.realpath(parent)
            if real != self.root and not real.startswith(self.root + "/"):
                raise Refused(
                    "%s: %s leads out of the machine's directory %s (to %s): remove the symbolic link"
                    % (what, name, self.root, real)
                )
            self._safe_parents.add(parent)
        return posixpath.join(parent, last)

    def owner(self, name, what):
        """Return the number of a user; -1 leaves the owner as it is.

        Raises:
            Refused: there is no such user here, or it is not ours to give.
        """
        return self._number(name, what, "owner", os.geteuid(), lambda text: pwd.getpwnam(text).pw_uid)

    def group(self, name, what):
        """Return the number of a group; -1 leaves the group as it is.

        Raises:
            Refused: there is no such group here, or it is not ours to give.
        """
        return self._number(name, what, "group", os.getegid(), lambda text: grp.getgrnam(text).gr_gid)

    def _number(self, name, what, kind, own, look_up):
        if not name:
            return -1
        try:
            number = int(name) if name.isdigit() else look_up(name)
        except KeyError:
            if self.users_may_come:
                return -1
            raise Refused(
                "%s: there is no %s %r on this machine: create it first, or leave it empty" % (what, kind, name)
            )
        if number == own:
            return number
        if self.root:
            raise Refused(
                "%s: %s %r is not possible here: everything on this machine belongs to the user who runs it; "
                "leave it empty, or use a machine of its own" % (what, kind, name)
            )
        if os.geteuid() != 0:
            raise Refused("%s: only root can give a file to the %s %r: set ansible_become" % (what, kind, name))
        return number
