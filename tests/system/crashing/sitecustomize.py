"""Makes every Python process of a run count the moments at which the power could go, and at one of them it goes.

A moment is before and after each commit of the store and each call of a gateway. Put this folder on PYTHONPATH and
set `ADS_CRASH_LOG` (a file that counts the moments over all processes) and `ADS_CRASH_AT` (the number of the moment at
which all processes of the run are killed; 0: never). Nothing in ads knows of this.
"""

from __future__ import annotations

import fcntl
import importlib.abc
import importlib.machinery
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

LOG = os.environ.get("ADS_CRASH_LOG", "")
AT = int(os.environ.get("ADS_CRASH_AT", "0"))
CALLS = ("create", "delete", "start", "stop", "machines", "offer")


def moment(what: str) -> None:
    """Count a moment; if it is the one, kill every process that carries this run's environment, this one last."""
    with Path(LOG).open("a+") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        log.seek(0)
        number = len(log.readlines()) + 1
        log.write(f"{what}\n")
        log.flush()
    if number == AT:
        cut_the_power()


def cut_the_power() -> None:
    """SIGKILL to all processes of the run; machines live on, as they would."""
    # Again until there is none: they start others meanwhile.
    while victims := others():
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def others() -> list[int]:
    """The processes of the run but this one."""
    marker = f"ADS_CRASH_LOG={LOG}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                if marker in environment(entry).split(b"\0"):
                    found.append(int(entry.name))
    return found


def environment(entry: Path) -> bytes:
    """The environment of a process; while its program is being loaded it has neither that nor words."""
    while not (variables := (entry / "environ").read_bytes()) and not (entry / "cmdline").read_bytes():
        # No kernel thread, and none that has ended, has a program.
        (entry / "exe").readlink()
        time.sleep(0.001)
    return variables or (entry / "environ").read_bytes()


def around(function, what):
    """The same function with a moment before and after it."""

    def wrapped(*args, **kwargs):
        moment(f"before {what}")
        result = function(*args, **kwargs)
        moment(f"after {what}")
        return result

    return wrapped


def instrument(module) -> None:
    """Wrap what touches the outside in a module that was just imported."""
    if module.__name__ == "adslib.adapters.store.transaction":
        module.Transaction.commit = around(module.Transaction.commit, "commit")
    if module.__name__ == "adslib.adapters.gateways.opening":
        opened = module.Gateways.open_setting

        def open_setting(self, setting):
            gateway = opened(self, setting)
            if gateway.kind != "static":
                for name in CALLS:
                    object.__setattr__(gateway, name, around(getattr(gateway, name), f"{gateway.kind} {name}"))
            return gateway

        module.Gateways.open_setting = open_setting


class Finder(importlib.abc.MetaPathFinder):
    """Lets the normal finders find, and instruments what they load."""

    wanted = frozenset({"adslib.adapters.store.transaction", "adslib.adapters.gateways.opening"})

    def find_spec(self, name, path, target=None):
        """Find a wanted module and give its loader a second step."""
        if name not in self.wanted:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        loader = spec.loader
        execute = loader.exec_module

        def exec_module(module):
            execute(module)
            instrument(module)

        loader.exec_module = exec_module
        return spec


if LOG:
    sys.meta_path.insert(0, Finder())
