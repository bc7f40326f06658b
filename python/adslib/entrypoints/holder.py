"""Keeps the job of a person's own `ansible-playbook` alive for as long as that process lives.

Started detached by the playbook's first step; ends by itself when the job has ended or the process is gone.
Usage: python -m adslib.entrypoints.holder JOB ATTEMPT PID START-TIME
"""

from __future__ import annotations

import sys
import time

import adslib
from adslib.adapters.processes import started

RENEW_EVERY = 15.0
LOOK_EVERY = 1.0


def hold(job_id: str, attempt: int, pid: int, start_time: int) -> None:
    """Renew the job's lease while the process lives; when it is gone, write down that the job was lost."""
    renewed = 0.0
    while started(pid) == start_time:
        if time.monotonic() - renewed > RENEW_EVERY:
            with adslib.connect() as ads:
                if not ads.jobs.renew(job_id, attempt):
                    return
            renewed = time.monotonic()
        time.sleep(LOOK_EVERY)
    with adslib.connect() as ads:
        ads.jobs.lost(job_id, "its ansible-playbook ended before the job did")


if __name__ == "__main__":
    hold(sys.argv[1], *(int(word) for word in sys.argv[2:5]))
