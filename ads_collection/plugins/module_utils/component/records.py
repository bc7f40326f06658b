# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands on a machine: a record for each instance, and the lock that lets one run at a time work there."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import time

from .file_system import Refused

FOLDER = "/var/lib/ads"
NOTHING = {
    "instance": "",
    "component": "",
    "version": "",
    "files": {},
    "directories": [],
    "trees": {},
    "process": None,
    "due": [],
}


class Records:
    """The records of a machine's instances, a file each: /var/lib/ads/instances/pod-1/us-west/media-1.json."""

    def __init__(self, file_system):
        self._file_system = file_system

    def read(self, instance):
        """Return the record of an instance; one that says nothing if there is none."""
        try:
            with open(self._place(instance), encoding="utf-8") as stream:
                found = json.load(stream)
        except FileNotFoundError:
            found = {}
        except ValueError as problem:
            raise Refused(
                "the record %s is damaged (%s): remove it; the next run writes it anew"
                % (self._place(instance), problem)
            )
        return dict(json.loads(json.dumps(NOTHING)), **found)

    def exists(self, instance):
        """Tell whether an instance has a record."""
        return os.path.exists(self._place(instance))

    def others(self, instance):
        """Return the records of all other instances."""
        folder = self._file_system.outside(FOLDER + "/instances", "the records")
        places = [
            os.path.join(at, name)
            for at, _folders, names in os.walk(folder)
            for name in names
            if name.endswith(".json")
        ]
        instances = [os.path.relpath(place, folder)[: -len(".json")] for place in places]
        return [self.read(other) for other in sorted(instances) if other != instance]

    def write(self, record):
        """Put a record on disk, so that it outlives a crash of the machine."""
        place = self._place(record["instance"])
        os.makedirs(os.path.dirname(place), exist_ok=True)
        staged = place + ".new"
        with open(os.open(staged, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            json.dump(record, stream, indent=1, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(staged, place)

    def remove(self, instance):
        """Forget an instance."""
        place = self._place(instance)
        if os.path.exists(place):
            os.remove(place)
        folder = os.path.dirname(place)
        while os.path.basename(folder) != "ads" and os.path.isdir(folder) and not os.listdir(folder):
            os.rmdir(folder)
            folder = os.path.dirname(folder)

    def _place(self, instance):
        name = "%s/instances/%s.json" % (FOLDER, instance)
        return self._file_system.outside(name, "the record of %s" % instance)


class Lock:
    """Held while one run works on the machine, so that a run that outlived its controller does not meet its successor.

    Args:
        writes: False (check mode) never makes the file; without it nobody else is at work.
        timeout: seconds to wait for the one before us.
    """

    def __init__(self, file_system, instance, timeout, writes):
        self._place = file_system.outside(FOLDER + "/lock", "the lock")
        self._instance = instance
        self._timeout = timeout
        self._writes = writes
        self._number = -1

    def __enter__(self):
        if self._writes:
            try:
                os.makedirs(os.path.dirname(self._place), mode=0o755, exist_ok=True)
                self._number = os.open(self._place, os.O_RDWR | os.O_CREAT, 0o600)
            except PermissionError as problem:
                raise Refused("cannot write %s: %s; set ansible_become" % (self._place, problem.strerror))
        elif os.access(self._place, os.R_OK | os.W_OK):
            self._number = os.open(self._place, os.O_RDWR)
        else:
            return self
        self._wait()
        return self

    def __exit__(self, *_):
        if self._number >= 0:
            os.close(self._number)

    def _wait(self):
        until = time.monotonic() + self._timeout
        while True:
            try:
                fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as problem:
                if problem.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
            if time.monotonic() >= until:
                raise Refused(self._held())
            time.sleep(0.1)
        if not self._writes:
            return
        holder = {"instance": self._instance, "pid": os.getpid(), "since": time.strftime("%Y-%m-%d %H:%M:%S %z")}
        os.ftruncate(self._number, 0)
        os.pwrite(self._number, json.dumps(holder).encode(), 0)

    def _held(self):
        try:
            holder = json.loads(os.pread(self._number, 4096, 0).decode())
            who = "process %(pid)s for %(instance)s since %(since)s" % holder
        except (ValueError, KeyError):
            who = "a process that has not said its name"
        return "another run is at work on this machine: %s; waited %g s. Wait for it or end it, then run again" % (
            who,
            self._timeout,
        )
