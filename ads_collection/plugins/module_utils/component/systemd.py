# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes under systemd: the init of machines that are hosts of their own."""

from __future__ import annotations

import time

from .file_system import Refused
from .files import File

UNIT = """\
# Written by ads for {instance}: changes made here do not stay.
[Unit]
Description={description}
After=network-online.target
Wants=network-online.target

[Service]
Type=exec
ExecStart={command}
{options}Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target
"""

# A process must live this long, in seconds, before we call it running.
MOMENT = 1.0
PATIENCE = 20


class Systemd:
    """The services of one machine's systemd.

    Args:
        contents: takes the files that describe a process.
        run: runs a command with extra environment and returns (code, output, errors).
    """

    kind = "systemd"

    def __init__(self, contents, run):
        self._contents = contents
        self._run = run

    def name(self, instance, process):
        """Return what a process is known as: the name of its service."""
        return process.get("name") or instance["service"]

    def files(self, name, process, running):
        """Return the unit that describes a process."""
        options = []
        if process.get("user"):
            options.append("User=%s" % process["user"])
        if process.get("directory"):
            options.append("WorkingDirectory=%s" % process["directory"].replace("%", "%%"))
        for key, value in sorted((process.get("environment") or {}).items()):
            options.append("Environment=%s" % quoted("%s=%s" % (key, value), dollars=False))
        reload = process.get("reload")
        if reload:
            words = ["/bin/kill", "-s", reload, "$MAINPID"] if isinstance(reload, str) else reload
            options.append("ExecReload=" + " ".join(w if w == "$MAINPID" else quoted(w) for w in words))
        unit = UNIT.format(
            instance=process["instance"],
            description=process["instance"].replace("%", "%%"),
            command=" ".join(quoted(word) for word in process["command"]),
            options="".join(option + "\n" for option in options),
        )
        secret = bool(process.get("secret"))
        return [
            File(
                "/etc/systemd/system/%s.service" % name,
                digest=self._contents.add(unit.encode()),
                mode=0o600 if secret else 0o644,
                secret=secret,
                on_change="restart",
            )
        ]

    def folders(self, process):
        """Return the folders that a process needs."""
        return [process.get("directory") or "/"]

    def log(self, name):
        """Return the file that takes what a service says: none, systemd has a journal."""
        return ""

    def running(self, name):
        """Tell whether a service runs and will run after a reboot."""
        state = self._state(name)
        return state["ActiveState"] in ("active", "reloading") and state["UnitFileState"] == "enabled"

    def restart(self, name):
        """Stop and start a service, so that it runs as its unit says now."""
        self._systemctl("daemon-reload")
        self._systemctl("enable", name)
        self._systemctl("reset-failed", name, heed=False)
        self._come_up("restart", name)

    def start(self, name):
        """Start a service now and at every boot, and see it run for a moment.

        Raises:
            Refused: it does not stay; with the last lines of its log.
        """
        self._systemctl("daemon-reload")
        self._systemctl("enable", name)
        self._come_up("start", name)

    def stop(self, name):
        """Stop a service, also at the next boot."""
        if self._state(name)["LoadState"] == "loaded":
            self._systemctl("disable", "--now", name)

    def signal(self, name, signal):
        """Send a signal to the main process of a service."""
        self._systemctl("kill", "--kill-who=main", "--signal=" + signal, name)

    def withdraw(self, name):
        """Make systemd forget a service whose unit is gone."""
        self._systemctl("daemon-reload")
        self._systemctl("reset-failed", name, heed=False)

    def settle(self, name):
        """Take up a unit that changed while the service is meant to stand still."""
        self._systemctl("daemon-reload")

    def wait(self, name):
        """See a service run for a moment without a restart.

        Raises:
            Refused: it ends, or does not come up; with the last lines of its log.
        """
        until = time.monotonic() + PATIENCE
        seen, since = None, time.monotonic()
        while True:
            state = self._state(name)
            life = (state["MainPID"], state["NRestarts"])
            if state["ActiveState"] != "active" or life != seen:
                seen, since = life, time.monotonic()
            elif time.monotonic() - since >= MOMENT:
                return
            if state["ActiveState"] == "failed" or time.monotonic() > until:
                raise Refused(
                    "service %s does not stay up (%s). %s" % (name, state["ActiveState"], self.last_words(name))
                )
            time.sleep(0.1)

    def last_words(self, name):
        """Return the last 20 lines of a service's log, introduced."""
        call = ["journalctl", "--unit", name, "--lines", "20", "--no-pager", "--output", "cat"]
        _code, output, _errors = self._run(call, {})
        return (
            "Its last words (journalctl -u %s):\n%s" % (name, output.strip()) if output.strip() else "It said nothing."
        )

    def _come_up(self, verb, name):
        code, output, errors = self._run(["systemctl", verb, name], {})
        if code != 0:
            words = (errors or output).strip()
            raise Refused("service %s does not start: %s %s" % (name, words, self.last_words(name)))
        self.wait(name)

    def _state(self, name):
        fields = "LoadState,ActiveState,UnitFileState,MainPID,NRestarts"
        _code, output, errors = self._run(["systemctl", "show", "--property", fields, name + ".service"], {})
        state = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
        if "ActiveState" not in state:
            raise Refused("systemd does not answer on this machine: %s" % (errors or output).strip())
        return dict({"LoadState": "", "UnitFileState": "", "MainPID": "", "NRestarts": "0"}, **state)

    def _systemctl(self, verb, *words, **options):
        code, output, errors = self._run(["systemctl", verb, *list(words)], {})
        if code != 0 and options.get("heed", True):
            raise Refused("systemctl %s %s failed: %s" % (verb, " ".join(words), (errors or output).strip()))


def quoted(word, dollars=True):
    """Return a word as systemd's units want it: quoted, with no specifier and no variable left in it."""
    escaped = (
        word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t").replace("%", "%%")
    )
    return '"%s"' % (escaped.replace("$", "$$") if dollars else escaped)
