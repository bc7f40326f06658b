# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking an instance off a machine: its process, then its files and folders, then its record."""

from __future__ import annotations

import os

from . import files
from .process import Running


def withdraw(instance, file_system, records, init, run, check, show):
    """Remove all that the record of an instance names, except what another instance has too.

    What the process made stays, except its log and what it is said to leave behind. Packages stay: other software may
    have come to need them.

    Returns:
        What was done, in words, and the differences.

    Raises:
        Refused: something could not be removed; the record stays, and the next run goes on.
    """
    record = records.read(instance)
    if not records.exists(instance):
        return [], []
    actions, diff = [], []
    running = Running({"instance": instance}, record, init, run)
    running.end(actions, check)
    claimed = {path for other in records.others(instance) for path in other["files"]}
    leaving = sorted(path for path in record["files"] if path not in claimed)
    for path in leaving:
        place = file_system.outside(path, "file %s" % path)
        if not os.path.lexists(place):
            continue
        actions.append("file %s: remove" % path)
        if show:
            diff.append(files.shown_removal(path, place, bool(record["files"][path].get("secret"))))
        if not check:
            files.remove(path, file_system)
    actions.append("version: %s to nothing" % (record["version"] or "none"))
    if not check:
        running.forget()
        for path in _leavings(record["process"], init):
            files.remove(path, file_system)
        files.Folders(file_system, []).clear(record["directories"])
        records.remove(instance)
    return actions, diff


def _leavings(process, init):
    if not process:
        return []
    log = init.log(process["name"]) if init else ""
    return [*process.get("leaves", []), *([log, log + ".1"] if log else [])]
