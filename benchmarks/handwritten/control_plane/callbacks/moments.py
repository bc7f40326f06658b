"""Writes down when each task began: a line each with its name and the seconds, into the file that MOMENTS names."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Hears of every task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "moments"

    def __init__(self):
        super().__init__()
        self._file = Path(os.environ["MOMENTS"]).open("w", encoding="utf-8")  # noqa: SIM115 – open as long as the run

    def v2_playbook_on_task_start(self, task, is_conditional):
        """Write down a task."""
        self._write(task.get_name())

    def v2_playbook_on_stats(self, stats):
        """Write down the end, and close the file."""
        self._write("end")
        self._file.close()

    def _write(self, name):
        self._file.write(f"{name}\t{time.perf_counter()}\n")
