"""The proxy of a bridge, by which its containers share the packages that they download: started and ended with it."""

from __future__ import annotations

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from adslib.adapters.gateways.lxc import packages
from adslib.adapters.gateways.lxc.programs import PATH, processes_with
from adslib.domain.errors import Failed

LONGEST_START = 30.0
LOOK_EVERY = 0.02
APT = """\
Acquire::http::Proxy "http://{address}:{port}";
Acquire::http::Timeout "600";
Acquire::https::Proxy "DIRECT";
Acquire::https::Timeout "30";
"""
"""What tells apt of it; the packages of a mirror by https are not shared.

It hears nothing of a package before the proxy has all of it, and would soon take that for a lost connection.
"""


def configuration(address: str) -> str:
    """What containers have in their apt.conf.d."""
    return APT.format(address=address, port=packages.PORT)


def start(bridge: str, address: str, folder: Path) -> None:
    """Have the proxy of a bridge running.

    Args:
        address: of this host on the bridge. folder: where packages are kept.

    Raises:
        Failed: it does not start.
    """
    if _listens(bridge, address):
        return
    words = [sys.executable, "-I", packages.__file__, bridge, address, str(folder)]
    # A child of nobody here: it stays when this process ends.
    subprocess.run(
        ["setsid", "--fork", *words],
        cwd="/",
        env={"PATH": PATH},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    until = time.monotonic() + LONGEST_START
    while not _listens(bridge, address):
        if time.monotonic() > until:
            raise Failed("the proxy by which containers share packages does not start", place=" ".join(words))
        time.sleep(LOOK_EVERY)


def end(bridge: str) -> None:
    """End the proxy of a bridge."""
    words = b"\0".join((os.fsencode(packages.__file__), bridge.encode(), b""))
    while found := processes_with(words):
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(LOOK_EVERY)


def _listens(bridge: str, address: str) -> bool:
    """Whether a program listens there; it is not asked, as this host cannot reach itself by a bridge."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, bridge.encode())
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, packages.PORT))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False
