# Copyright (c) The ads authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Commands on the machine: without a shell, without a terminal, at the machine's root."""

from __future__ import annotations

import os
import subprocess

from .file_system import Refused


def runner(directory):
    """Return a function that runs a command in a directory.

    It takes the words of the command and extra environment, returns exit code, output and errors, and raises Refused
    where there is no such program.
    """

    def run(command, environment=None):
        surroundings = dict(os.environ, LC_ALL="C.UTF-8")
        surroundings.update(environment or {})
        # A program that ours starts must not be mistaken for a part of the deployment that goes on.
        surroundings.pop("ADS_JOB", None)
        try:
            done = subprocess.run(
                command, env=surroundings, cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, check=False
            )
        except OSError as problem:
            raise Refused("cannot run %s: %s" % (command[0], problem.strerror))
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    return run
