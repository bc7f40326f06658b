# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The process of an instance: what is due after a change, and bringing it to rest as wanted."""

from __future__ import annotations

import json
import posixpath
import time

from .file_system import Refused

RESTART, RELOAD = "restart", "reload"
MOMENT = 0.3


class Running:
    """The process of one instance, or its absence.

    Args:
        record: of the instance; its ``due`` holds what an earlier run left undone.
        init: the machine's supervisord or systemd; None if it has neither.

    Raises:
        Refused: there is a process to run and nothing to run it.
    """

    def __init__(self, wanted, record, init, run):
        self._instance = wanted
        self._process = wanted.get("process")
        self._stopped = wanted.get("state") == "stopped"
        self._record = record
        self._init = init
        self._run = run
        self.name = init.name(wanted, self._process) if init and self._process else ""
        if self._process and not init:
            raise Refused(
                "%s has a process, but the machine has neither systemd among its capabilities nor a supervisord: "
                "use another machine, or leave the process out" % wanted["instance"]
            )
        former = record["process"]
        self._former = former["name"] if former and former["name"] != self.name else ""
        self._due = list(record["due"])

    def files(self):
        """Return the files that describe the process to its init."""
        if not self._process:
            return []
        described = dict(self._process, instance=self._instance["instance"])
        return self._init.files(self.name, described, not self._stopped)

    def folders(self):
        """Return the folders that it needs."""
        if not self._process:
            return []
        leaves = [posixpath.dirname(path) for path in self._process.get("leaves", [])]
        return self._init.folders(self._process) + leaves

    def known(self):
        """Return what the record keeps of the process."""
        return {"name": self.name, "leaves": self._process.get("leaves", [])} if self._process else None

    def due(self, changes, packages, leaving):
        """Return what is due, an earlier run's rest included: a restart covers reloads, a reload those of files."""
        due = set(self._due)
        if self._process:
            if packages or leaving:
                due.add(RESTART)
            for change in changes:
                due.update(self._caused_by(change.file))
        if RESTART in due:
            due = {RESTART}
        elif RELOAD in due:
            due = {RELOAD}
        self._due = sorted(due)
        return self._due

    def _caused_by(self, file):
        if file.on_change == RELOAD and file.reload:
            return [json.dumps(file.reload)]
        if file.on_change == RELOAD:
            return [RELOAD] if self._process.get("reload") else [RESTART]
        return [] if file.on_change == "nothing" else [RESTART]

    def foretell(self, actions, changes, anything):
        """Say what settle would do (check mode)."""
        due = self.due(changes, bool(anything), [])
        if self._former:
            actions.append("process %s: remove" % self._former)
        if not self._process:
            return
        running = self._init.running(self.name)
        if self._stopped:
            if running:
                actions.append("process %s: stop" % self.name)
        elif not running:
            actions.append("process %s: start" % self.name)
        elif due:
            actions.append("process %s: %s" % (self.name, RESTART if due == [RESTART] else RELOAD))

    def settle(self, actions, remember):
        """Restart, reload, start or stop the process, as far as needed; cross out what was due.

        Raises:
            Refused: it does not stay up; what is due stays due.
        """
        if self._former and self._init:
            self._init.stop(self._former)
            self._init.withdraw(self._former)
            actions.append("process %s: remove" % self._former)
        if self._process:
            self._record["process"] = self.known()
            if self._stopped:
                self._rest(actions)
            else:
                self._run_on(actions, remember)
        self._record["due"] = []

    def _rest(self, actions):
        if self._init.running(self.name):
            self._init.stop(self.name)
            actions.append("process %s: stop" % self.name)
        if self._due:
            self._init.settle(self.name)

    def _run_on(self, actions, remember):
        running = self._init.running(self.name)
        if not running or RESTART in self._due:
            verb = RESTART if running else "start"
            if self._due != [RESTART]:
                # From here on a cut-off run must start it again, whatever else was due.
                self._record["due"] = [RESTART]
                remember()
            actions.append("process %s: %s" % (self.name, verb))
            # A stopped process may be one that is about to try again: take it out first, too.
            self._init.restart(self.name)
        elif self._due:
            for due in self._due:
                self._reload(due)
            # What ends of its new configuration ends soon.
            time.sleep(MOMENT)
            self._init.wait(self.name)
            actions.append("process %s: reload" % self.name)

    def _reload(self, due):
        way = self._process["reload"] if due == RELOAD else json.loads(due)
        if isinstance(way, str):
            self._init.signal(self.name, way)
            return
        code, output, errors = self._run(way)
        if code != 0:
            raise Refused(
                "process %s cannot be reloaded: %s ended with %d: %s %s"
                % (self.name, way[0], code, (output + errors).strip()[-2000:], self._init.last_words(self.name))
            )

    def end(self, actions, check):
        """Stop the process that the record knows and make its init forget it (state absent)."""
        former = self._record["process"]
        if not former:
            return
        if not self._init:
            raise Refused(
                "its process %s runs under the machine's supervisord or systemd, and this call does not say where that "
                "is: give init_socket, or the capability systemd" % former["name"]
            )
        actions.append("process %s: remove" % former["name"])
        if not check:
            self._init.stop(former["name"])

    def forget(self):
        """Make the init forget the process, once its description is gone."""
        if self._init and self._record["process"]:
            self._init.withdraw(self._record["process"]["name"])
