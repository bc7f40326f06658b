# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Processes under a supervisord: the init of machines that are a directory."""

from __future__ import annotations

import configparser
import http.client
import os
import shlex
import socket
import time
import xmlrpc.client

from .file_system import Refused
from .files import File

CONFIGURATION = """\
[program:{name}]
command = /bin/sh {script}
directory = {directory}
autostart = {autostart}
autorestart = true
startsecs = 1
startretries = 3
stopsignal = TERM
stopwaitsecs = 10
stopasgroup = {group}
killasgroup = true
redirect_stderr = true
stdout_logfile = {log}
stdout_logfile_maxbytes = 10MB
stdout_logfile_backups = 1
{user}"""

# supervisord's numbers for what went wrong.
NO_SUCH_PROCESS, DID_NOT_START, IS_STARTED, IS_STOPPED, IS_ADDED = 10, 50, 60, 70, 90
# Three tries with growing pauses, and the second that each has to live.
PATIENCE = 20


class _Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, path):
        super().__init__()
        self._path = path

    def make_connection(self, host):
        return _Connection(self._path)


class Supervisord:
    """The processes of one machine's supervisord.

    Args:
        path: its socket on this host, or the configuration that names it.
        file_system: of the machine.
        contents: takes the files that describe a process.
    """

    kind = "supervisord"

    def __init__(self, path, file_system, contents):
        self._path = path = _socket_of(path)
        self._server = xmlrpc.client.ServerProxy("http://localhost/RPC2", transport=_Transport(path))
        self._file_system = file_system
        self._contents = contents

    def name(self, instance, process):
        """Return what a process is known as: the name of its instance."""
        return process.get("name") or instance["name"]

    def files(self, name, process, running):
        """Return the files that describe a process: the program, and the script that sets it up and becomes it.

        A script, because supervisord's own syntax has no way to write some characters in a value.
        """
        outside = self._file_system.outside
        script = "/var/lib/ads/run/%s" % name
        log = outside(self.log(name), "the log of %s" % name)
        user = process.get("user") or ""
        self._file_system.owner(user, "process %s" % name)
        configuration = CONFIGURATION.format(
            name=name,
            script=_quoted(outside(script, name)),
            directory=_percents(outside(process.get("directory") or "/", "process %s" % name)),
            autostart="true" if running else "false",
            # A process that reloads on a signal has children of its own to end.
            group="false" if process.get("reload") else "true",
            log=_percents(log),
            user="user = %s\n" % user if user and not self._file_system.root else "",
        )
        lines = ["#!/bin/sh", "# How %s starts. Written by ads: changes made here do not stay." % name]
        for key, value in sorted((process.get("environment") or {}).items()):
            lines.append("export %s=%s" % (key, shlex.quote(value)))
        lines.append("exec %s" % " ".join(shlex.quote(word) for word in process["command"]))
        secret = bool(process.get("secret"))
        return [
            File(
                script,
                digest=self._contents.add(("\n".join(lines) + "\n").encode()),
                mode=0o700 if secret else 0o755,
                secret=secret,
                on_change="restart",
            ),
            File(
                "/etc/supervisor/conf.d/%s.conf" % name,
                digest=self._contents.add(configuration.encode()),
                on_change="restart",
            ),
        ]

    def folders(self, process):
        """Return the folders that a process needs."""
        return ["/var/log", process.get("directory") or "/"]

    def log(self, name):
        """Return the file that takes what a process says."""
        return "/var/log/%s.log" % name

    def running(self, name):
        """Tell whether a process runs, or is about to."""
        return self._state(name) in ("RUNNING", "STARTING")

    def restart(self, name):
        """Stop and start a process, so that it runs as it is described now."""
        self.stop(name)
        self._take_out(name)
        self.start(name)

    def start(self, name):
        """Start a process and see it run for a moment.

        Raises:
            Refused: it does not stay; with the last lines of its log.
        """
        self._call("reloadConfig")
        # Adding a program starts it too; starting it once more does no harm.
        self._call("addProcessGroup", name, accept=(IS_ADDED,))
        self._call("startProcess", name, False, accept=(IS_STARTED, DID_NOT_START))
        self.wait(name)

    def stop(self, name):
        """Stop a process; one that is stopped or unknown stays as it is."""
        self._call("stopProcess", name, True, accept=(NO_SUCH_PROCESS, IS_STOPPED))

    def signal(self, name, signal):
        """Send a signal to a process."""
        self._call("signalProcess", name, signal)

    def withdraw(self, name):
        """Make supervisord forget a process that is stopped and whose description is gone."""
        self._take_out(name)
        self._call("reloadConfig")

    def settle(self, name):
        """Take up a description that changed while the process is meant to stand still."""
        self._take_out(name)
        self._call("reloadConfig")
        self._call("addProcessGroup", name, accept=(IS_ADDED,))

    def wait(self, name):
        """Wait until a process is seen running for its second.

        Raises:
            Refused: it ends, or does not come up; with the last lines of its log.
        """
        until = time.monotonic() + PATIENCE
        while True:
            state = self._state(name)
            if state == "RUNNING":
                return
            if state in ("FATAL", "EXITED", "STOPPED", "UNKNOWN") or time.monotonic() > until:
                raise Refused("process %s does not stay up (%s). %s" % (name, state.lower(), self.last_words(name)))
            time.sleep(0.05)

    def last_words(self, name):
        """Return the last 20 lines of a process's log, introduced."""
        place = self._file_system.outside(self.log(name), "the log of %s" % name)
        try:
            with open(place, "rb") as stream:
                stream.seek(max(0, os.path.getsize(place) - 16384))
                lines = stream.read().decode("utf-8", "replace").splitlines()[-20:]
        except OSError:
            lines = []
        return "Its last words in %s:\n%s" % (self.log(name), "\n".join(lines)) if lines else "It said nothing."

    def _take_out(self, name):
        # A changed description counts only when the program is taken out and put in again.
        until = time.monotonic() + PATIENCE
        while True:
            try:
                self._call("removeProcessGroup", name, accept=(NO_SUCH_PROCESS,))
                return
            except Refused:
                if self._state(name) != "STOPPING" or time.monotonic() > until:
                    raise
            time.sleep(0.1)

    def _state(self, name):
        info = self._call("getProcessInfo", name, accept=(NO_SUCH_PROCESS,))
        return info["statename"] if info else "UNKNOWN"

    def _call(self, method, *arguments, **options):
        try:
            return getattr(self._server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in options.get("accept", ()):
                return None
            raise Refused("supervisord refused %s %s: %s" % (method, " ".join(map(str, arguments)), fault.faultString))
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as problem:
            raise Refused(
                "the machine's supervisord does not answer at %s (%s): start the machine, then run again"
                % (self._path, problem)
            )


def _socket_of(path):
    if not os.path.isfile(path):
        return path
    configuration = configparser.RawConfigParser(strict=False)
    configuration.read(path, encoding="utf-8")
    if not configuration.has_option("unix_http_server", "file"):
        raise Refused("%s names no Unix socket: give ads_init_socket" % path)
    return configuration.get("unix_http_server", "file")


def _percents(text):
    return text.replace("%", "%%")


def _quoted(text):
    return _percents(shlex.quote(text))
