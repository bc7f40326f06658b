"""Install the Debian packages of requirements/debian.txt that are missing, or say exactly what to install.

Usage: debian_packages.py [package …]   (without names: all of the list but those marked +)

Runs on the bare machine, before there is a virtual environment: standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import TracebackType

LIST = Path(__file__).resolve().parent.parent / "requirements" / "debian.txt"
POLICY = Path("/usr/sbin/policy-rc.d")


def listed() -> dict[str, str]:
    """Each package of the list, with the program or file pattern that shows it is installed.

    One that is wanted only where it is asked for by name has a + before its name.
    """
    lines = (line.split(maxsplit=2) for line in LIST.read_text().splitlines() if line and not line.startswith("#"))
    return {fields[0]: fields[1] for fields in lines}


def is_there(sign: str) -> bool:
    """Tell whether a program is on PATH or a file pattern matches."""
    if sign.startswith("/"):
        return any(Path("/").glob(sign.lstrip("/")))
    return shutil.which(sign) is not None


class NoServicesStarted:
    """While packages are installed, keep their services from starting: the tests start their own."""

    def __init__(self, as_root: list[str]) -> None:
        self.as_root = as_root
        self.ours = not POLICY.exists()

    def __enter__(self) -> None:
        if self.ours:
            script = f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}"
            subprocess.run([*self.as_root, "sh", "-c", script], check=True)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.ours:
            subprocess.run([*self.as_root, "rm", "-f", str(POLICY)], check=True)


def way_to_root() -> list[str] | None:
    """The words before a command that run it as root without a question, or None where there is no such way."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0:
        return ["sudo", "-n"]
    return None


def install(packages: list[str]) -> int:
    """Install packages with apt-get where this user may; say what to install where not. Returns the exit code."""
    as_root = way_to_root()
    by_hand = f"apt-get install --no-install-recommends {' '.join(packages)}"
    if as_root is None or not shutil.which("apt-get"):
        print(f"These are missing: {' '.join(packages)}. Install them as root, then run this again:\n  {by_hand}")
        return 1
    print(f"Installing Debian packages: {' '.join(packages)}", flush=True)
    quiet = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-o", "Dpkg::Use-Pty=0"]
    with NoServicesStarted(as_root):
        subprocess.run([*quiet, "update"], check=False, stdin=subprocess.DEVNULL)
        done = subprocess.run(
            [*quiet, "install", "-y", "--no-install-recommends", *packages],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    if done.returncode:
        print(done.stdout)
        print(f"apt-get could not install {' '.join(packages)}: see its message above. By hand:\n  {by_hand}")
    return done.returncode


def main(names: list[str]) -> int:
    """Install what is missing of the named packages, or of the whole list."""
    always = {name: sign for name, sign in listed().items() if not name.startswith("+")}
    signs = {name.removeprefix("+"): sign for name, sign in listed().items()}
    unknown = [name for name in names if name not in signs]
    if unknown:
        print(f"{' '.join(unknown)}: not in {LIST.name}; add a line there that says what shows it is installed.")
        return 2
    missing = [name for name in names or always if not is_there(signs[name])]
    return install(missing) if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
