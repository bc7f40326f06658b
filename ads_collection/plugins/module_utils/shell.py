# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line for the shell that ends in time, with everything that it started."""

from __future__ import annotations

import os
import signal
import subprocess


class StillRunning(Exception):
    """It took longer than it may, and was ended."""


def run_line(line, directory, environment, seconds):
    """Run a line; return its exit code, and what it wrote to both outputs.

    Raises:
        StillRunning: its time was over.
    """
    shell = subprocess.Popen(
        ["/bin/sh", "-c", line],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with shell:
        try:
            output = shell.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            # The session is its own, so what it started is in it too.
            os.killpg(shell.pid, signal.SIGKILL)
            raise StillRunning
    return shell.returncode, output.decode("utf-8", "replace")
