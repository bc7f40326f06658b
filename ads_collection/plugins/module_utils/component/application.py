# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A component on a machine: look at everything, then write down what is intended, then do it, then see it run.

The order makes every interruption harmless. Sources are fetched and checked before anything changes; the record
names every file that may exist and the restart that is due before the first of them is touched; the restart is
crossed out when the process has been seen running. A run that was cut off is completed by the next.
"""

from __future__ import annotations

import os
import shutil
import tempfile

from . import files
from .file_system import Refused
from .files import File
from .packages import Packages
from .process import Running
from .records import FOLDER

STAGING = "staging-"


class Application:
    """Makes one instance's part of a machine as it is wanted.

    Args:
        wanted: what the controller rendered: instance, name, service, component, version, packages, files, archive,
            git, process, state.
        records: of the machine. init: its supervisord or systemd; None if it has neither.
        run: runs a command with extra environment and returns (code, output, errors).
        check: look only. show: gather differences.
    """

    def __init__(self, wanted, file_system, records, contents, init, run, check, show):
        self._wanted = wanted
        self._file_system = file_system
        self._records = records
        self._contents = contents
        self._run = run
        self._check = check
        self._show = show
        self._record = records.read(wanted["instance"])
        self._folders = files.Folders(file_system, self._record["directories"])
        self._running = Running(wanted, self._record, init, run)
        self.actions = []
        self.diff = []
        self.needs = []
        self._staging = ""

    def carry_out(self):
        """Bring the machine to what is wanted; ``actions`` and ``diff`` say what that took.

        Returns:
            Whether it is done; False: ``needs`` names content that has to be sent first, nothing was changed.

        Raises:
            Refused: it cannot be done; what was under way is recorded and completed by the next run.
        """
        packages = self._missing_packages()
        # Packages bring the users that files are to belong to.
        self._file_system.users_may_come = bool(packages)
        listed = [File(**fields) for fields in self._wanted["files"]] + self._running.files()
        for file in listed:
            file.path = self._file_system.inside(file.path, "file %s" % file.path)
        fetched, blind = self._trees(listed)
        if self.needs:
            return False
        changes = self._changes(fetched)
        self.needs = sorted({c.file.digest for c in changes if self._lacks(c.file)})
        if self.needs and not self._check:
            return False
        self.needs = []
        leaving = self._leaving(fetched, blind)
        self._refuse_others_files(fetched)
        self._tell(packages, changes, leaving)
        if self._check:
            self._running.foretell(self.actions, changes, packages or blind)
            return True
        self._intend(packages, changes, leaving, fetched)
        if packages:
            Packages(self._run).install(packages)
            self._file_system.users_may_come = False
            changes = self._changes(fetched)
        self._apply(changes, leaving)
        self._running.settle(self.actions, self._remember)
        self._conclude(fetched, leaving)
        return True

    def close(self):
        """Remove what was laid aside, also by a run that was killed; to be called under the lock."""
        above = self._file_system.outside(FOLDER, "the staging folder")
        for name in os.listdir(above) if os.path.isdir(above) and not self._check else []:
            if name.startswith(STAGING):
                shutil.rmtree(os.path.join(above, name), ignore_errors=True)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────

    def _missing_packages(self):
        wanted = self._wanted.get("packages") or []
        return Packages(self._run).missing(wanted) if wanted else []

    def _changes(self, wanted):
        return [change for change in (files.difference(file, self._file_system) for file in wanted) if change]

    def _trees(self, listed):
        """Return all wanted files, and the kinds of tree whose files nobody can know before they are fetched."""
        found, blind = list(listed), []
        for kind in ("archive", "git"):
            tree = self._wanted.get(kind)
            if not tree:
                continue
            if self._intact(kind, tree):
                for path, known in sorted(self._record["files"].items()):
                    if known.get("tree") == kind:
                        mode = known.get("mode", 0o644)
                        found.append(
                            File(path, digest=known["sha256"], link=known.get("link", ""), mode=mode, tree=kind)
                        )
            elif self._check:
                blind.append(kind)
                self._tell_tree(kind, tree)
            elif kind == "archive" and tree.get("local") and not self._contents.has(tree["sha256"]):
                self.needs.append(tree["sha256"])
            else:
                found.extend(self._fetch(kind, tree))
        return found, blind

    def _identity(self, tree):
        return " ".join("%s" % tree[key] for key in ("url", "sha256", "commit", "directory", "strip") if key in tree)

    def _intact(self, kind, tree):
        """Tell whether a tree stands as it was unpacked; a glance at size and time, as the whole may be large."""
        if self._record["trees"].get(kind) != self._identity(tree):
            return False
        for path, known in self._record["files"].items():
            if known.get("tree") != kind:
                continue
            try:
                found = os.lstat(self._file_system.outside(path, kind))
            except OSError:
                return False
            if known.get("link"):
                continue
            if [found.st_size, found.st_mtime_ns] != known.get("seen"):
                return False
        return True

    def _fetch(self, kind, tree):
        # Most runs fetch nothing: what fetching needs is a third of what all of this takes to load.
        from . import archives, git_commit

        if not self._staging:
            above = self._file_system.outside(FOLDER, "the staging folder")
            self._staging = tempfile.mkdtemp(prefix=STAGING, dir=above)
        staging = os.path.join(self._staging, kind)
        os.mkdir(staging)
        if kind == "git":
            place = git_commit.export(tree["url"], tree["commit"], staging, self._run)
        elif tree.get("local"):
            place = os.path.join(staging, "archive")
            number = os.open(place, os.O_WRONLY | os.O_CREAT, 0o600)
            try:
                self._contents.write(tree["sha256"], number)
            finally:
                os.close(number)
        else:
            place = archives.download(tree["url"], tree["sha256"], staging)
        self._tell_tree(kind, tree)
        directory = self._file_system.inside(tree["directory"], kind)
        return archives.unpack(place, directory, tree.get("strip", 0), kind, staging, self._contents)

    def _tell_tree(self, kind, tree):
        known = self._record["trees"].get(kind) == self._identity(tree)
        if self._check or not known:
            self.actions.append("%s: %s%s" % (kind, self._identity(tree), " (repair)" if known else ""))

    def _lacks(self, file):
        return bool(file.digest) and not self._contents.has(file.digest)

    def _leaving(self, wanted, blind):
        staying = {file.path for file in wanted}
        leaving = [
            path
            for path, known in self._record["files"].items()
            if path not in staying and known.get("tree") not in blind
        ]
        claimed = {path for other in self._records.others(self._wanted["instance"]) for path in other["files"]}
        return sorted(path for path in leaving if path not in claimed)

    def _refuse_others_files(self, wanted):
        for other in self._records.others(self._wanted["instance"]):
            for file in wanted:
                theirs = other["files"].get(file.path)
                under_way = theirs and not theirs["sha256"] and not theirs.get("link")
                if theirs and not under_way and (theirs["sha256"], theirs.get("link", "")) != (file.digest, file.link):
                    raise Refused(
                        "file %s belongs to %s on this machine, with another content: give one of the two another path "
                        "(paths may hold {{ self.name }}), or keep them on different machines"
                        % (file.path, other["instance"])
                    )

    # ── saying ───────────────────────────────────────────────────────────────────────────────────

    def _tell(self, packages, changes, leaving):
        if self._record["version"] != self._wanted["version"] or not self._records.exists(self._wanted["instance"]):
            before = self._record["version"] or "nothing"
            self.actions.append("version: %s to %s" % (before, self._wanted["version"] or "none"))
        for package in packages:
            self.actions.append("package %s %s: install" % (package["name"], package.get("version", "")))
        for change in changes:
            self.actions.append("file %s: %s" % (change.file.path, ", ".join(change.reasons)))
        for path in leaving:
            self.actions.append("file %s: remove" % path)
        if not self._show:
            return
        self.diff.extend(files.shown(change, self._contents) for change in changes)
        for path in leaving:
            place = self._file_system.outside(path, "file %s" % path)
            secret = bool(self._record["files"][path].get("secret"))
            self.diff.append(files.shown_removal(path, place, secret))

    # ── doing ────────────────────────────────────────────────────────────────────────────────────

    def _intend(self, packages, changes, leaving, wanted):
        due = self._running.due(changes, bool(packages), leaving)
        if not (packages or changes or leaving or due != self._record["due"]):
            return
        for file in wanted:
            self._record["files"].setdefault(file.path, {"sha256": "", "tree": file.tree, "secret": file.secret})
        for place in [os.path.dirname(change.place) for change in changes] + self._folders_to_make():
            self._folders.intend(place)
        self._record["due"] = due
        self._remember()

    def _apply(self, changes, leaving):
        for place in self._folders_to_make():
            self._folders.make(place)
        for change in changes:
            files.apply(change, self._file_system, self._contents, self._run, self._folders)
        for path in leaving:
            files.remove(path, self._file_system)

    def _folders_to_make(self):
        return [self._file_system.outside(name, "folder %s" % name) for name in self._running.folders()]

    def _conclude(self, wanted, leaving):
        """Write down what stands now."""
        before = self._record
        record = dict(
            before,
            instance=self._wanted["instance"],
            component=self._wanted["component"],
            version=self._wanted["version"],
            files={file.path: self._entry(file) for file in wanted},
            trees={k: self._identity(self._wanted[k]) for k in ("archive", "git") if self._wanted.get(k)},
            process=self._running.known(),
            due=[],
        )
        if leaving:
            self._folders.clear(self._folders.made - set(self._running.folders()))
        record["directories"] = sorted(self._folders.made)
        if record != self._records.read(self._wanted["instance"]):
            self._records.write(record)

    def _entry(self, file):
        entry = {"sha256": file.digest, "mode": file.mode}
        if file.link:
            entry["link"] = file.link
        if file.secret:
            entry["secret"] = True
        if file.tree:
            found = os.lstat(self._file_system.outside(file.path, file.tree))
            entry["tree"] = file.tree
            entry["seen"] = [found.st_size, found.st_mtime_ns]
        return entry

    def _remember(self):
        self._record["directories"] = sorted(self._folders.made)
        self._record["instance"] = self._wanted["instance"]
        self._records.write(self._record)
