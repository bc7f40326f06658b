"""Programs of the host that make containers: called with a time limit, and told apart from those that are missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from adslib.domain.errors import Failed, Unsupported

PACKAGES = {
    "lxc-start": "lxc",
    "mmdebstrap": "mmdebstrap",
    "apt-get": "apt",
    "ip": "iproute2",
    "nft": "nftables",
    "ssh-keygen": "openssh-client",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "tar": "tar",
}
"""Every program that is called, and the Debian package that has it."""

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LONGEST_MESSAGE = 1500


def require(gateway: str) -> None:
    """Make sure that this host can run containers.

    Raises:
        Unsupported: it cannot; with all the reasons.
    """
    reasons, missing = [], sorted({PACKAGES[name] for name in PACKAGES if not shutil.which(name, path=PATH)})
    if os.geteuid() != 0:
        reasons.append("system containers need root")
    if missing:
        reasons.append(f"these packages are not installed: {' '.join(missing)}")
    if "\toverlay\n" not in Path("/proc/filesystems").read_text():
        reasons.append("this kernel has no overlay file system (modprobe overlay may bring it)")
    if not any(line.split()[2].startswith("cgroup") for line in Path("/proc/mounts").read_text().splitlines()):
        reasons.append("no control groups are mounted below /sys/fs/cgroup")
    if reasons:
        remedy = f"apt-get install {' '.join(missing)}" if missing else "use it on a host that can, or another gateway"
        raise Unsupported(f"gateway '{gateway}' (lxc) cannot work here: {'; '.join(reasons)}", remedy=remedy)


def run(*words: str, seconds: float = 300, given: str = "", fine: Sequence[int] = (0,)) -> str:
    """Run a program, which ends with this process, and give what it wrote.

    Args:
        seconds: its time. given: its input. fine: exit codes that are no failure.

    Raises:
        Failed: it did not end in time, or with another code; with its last words.
    """
    command = ["setpriv", "--pdeathsig", "KILL", *words]
    around = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/root"}
    around |= {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    try:
        done = subprocess.run(
            command, input=given, env=around, capture_output=True, text=True, timeout=seconds, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"{words[0]} did not end within {seconds:.0f} s", place=" ".join(words)) from None
    if done.returncode not in fine:
        said = (done.stderr or done.stdout).strip()[-LONGEST_MESSAGE:] or f"exit code {done.returncode}"
        raise Failed(f"{words[0]} failed: {said}", place=" ".join(words))
    return done.stdout


def processes_with(words: bytes) -> list[int]:
    """The processes with certain words in their command line."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if words in (place / "cmdline").read_bytes():
                found.append(int(place.name))
    return found
