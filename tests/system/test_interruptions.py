"""A run is cancelled, or dies: it is written down, nothing goes on in the dark, and the next run completes."""

from __future__ import annotations

import subprocess

import pytest

from adslib import AdsError
from adslib.domain.job import JOB_MARKER
from servers import LONGEST
from system.home import Home, kill, wait_for, with_mark
from system.test_resting import LODGE, SERVE

WAITING = "tests: [{command: test -e FLAG, retries: 600, delay: 1}, "
"""Ten minutes of tries, over as soon as the file is there; a single try may not take long."""
SLOW = LODGE.replace("COMMAND", SERVE).replace("tests: [", WAITING)


def begun(home: Home) -> tuple[subprocess.Popen[str], str]:
    """A job that is at its tests, which wait for a file; and its id."""
    home.define(SLOW.replace("FLAG", str(home.folder / "fast")))
    carrying = home.begin_carrying("deploy", "lodge")
    wait_for(lambda: home.job("lodge").get("step") == "stage 1")
    return carrying, str(home.job("lodge")["job"])


def expect_the_next_run_completes(home: Home) -> None:
    (home.folder / "fast").touch()
    again = home.carry("deploy", "lodge")
    assert again.code == 0, again
    assert home.state("lodge") == "live"
    assert len(home.folders()) == len(home.claims()) == 2


@pytest.mark.req("A12", "A22")
def test_a_job_is_cancelled_from_elsewhere(home: Home) -> None:
    """Its playbook ends, no process of it is left, the environment is incomplete, and whoever waited is told."""
    carrying, job = begun(home)
    with carrying, home.ads() as ads:
        assert with_mark(f"{JOB_MARKER}={job}")
        ads.jobs.cancel(job)
        output, errors = carrying.communicate(timeout=LONGEST)
        with pytest.raises(AdsError, match="is cancelled: there is nothing to cancel"):
            ads.jobs.cancel(job)
    assert carrying.returncode == 1, output + errors
    assert "cancelled by tester" in output
    assert with_mark(f"{JOB_MARKER}={job}") == {}
    assert home.job("lodge")["state"] == "cancelled"
    assert home.state("lodge") == "incomplete"
    expect_the_next_run_completes(home)


@pytest.mark.req("A22", "A23")
def test_the_program_that_carries_a_job_dies(home: Home) -> None:
    """The next deployment ends what is left of it, and completes."""
    carrying, job = begun(home)
    kill(carrying)
    expect_the_next_run_completes(home)
    assert with_mark(f"{JOB_MARKER}={job}") == {}
    with home.ads() as ads:
        assert ads.jobs.show(job)["state"] == "interrupted"
