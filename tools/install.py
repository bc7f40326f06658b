"""Make a virtual environment from a lock file, with this package in it as an editable install.

Usage: install.py dev       .venv, from requirements/dev.txt, on Python 3.11 or else the oldest newer one
       install.py newest    .venv312, from requirements/newest.txt, on Python 3.12; without one it says so and exits 3

Does nothing when the environment already holds this lock. Standard library only: it runs on the bare machine.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import debian_packages

ROOT = Path(__file__).resolve().parent.parent
KINDS = {
    "dev": (".venv", "dev.txt", ["3.11", "3.12", "3.13", "3.14"]),
    "newest": (".venv312", "newest.txt", ["3.12"]),
}
NO_INTERPRETER = 3


def candidates(version: str) -> Iterator[str]:
    """Interpreters that may be this version: by name on PATH, plain python3, then those that pyenv keeps."""
    for name in (f"python{version}", "python3"):
        found = shutil.which(name)
        if found:
            yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield from (str(path) for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True))


def interpreter(versions: list[str]) -> str | None:
    """The first interpreter of the first version that really runs: a pyenv shim may exist and still refuse."""
    show = "import sys; print('%d.%d' % sys.version_info[:2], sys._base_executable)"
    for version in versions:
        for candidate in candidates(version):
            answer = subprocess.run([candidate, "-c", show], capture_output=True, text=True, check=False)
            if answer.returncode == 0 and answer.stdout.split(maxsplit=1)[0] == version:
                return answer.stdout.split(maxsplit=1)[1].strip()
    return None


def fingerprint(lock: Path) -> str:
    """What the environment must hold: the lock, and the entry points of the package."""
    return hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()


def make_venv(python: str, venv: Path) -> None:
    """Make the virtual environment; Debian keeps the part of venv that brings pip in a package of its own."""
    if subprocess.run([python, "-c", "import ensurepip"], capture_output=True, check=False).returncode:
        show = "import sys; print('python%d.%d-venv' % sys.version_info[:2])"
        package = subprocess.run([python, "-c", show], capture_output=True, text=True, check=True).stdout.strip()
        if debian_packages.install([package]):
            sys.exit(1)
    subprocess.run([python, "-m", "venv", "--clear", str(venv)], check=True)


def fill_venv(venv: Path, lock: Path) -> None:
    """Install the lock and this package; uv does it in seconds, and pip does wherever uv cannot."""
    python = str(venv / "bin" / "python")
    quiet = ["-qq", "--disable-pip-version-check"]
    tools = (ROOT / "requirements" / "dev.txt").read_text().splitlines()
    locked_uv = next(line for line in tools if line.startswith("uv=="))
    uv = [python, "-m", "uv", "pip", "install", "--quiet", "--python", python]
    pip = [python, "-m", "pip", "install", *quiet]
    packages = ["-r", str(lock)]
    itself = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    have_uv = subprocess.run([*pip, locked_uv], check=False).returncode == 0
    if not (have_uv and subprocess.run([*uv, *packages], check=False).returncode == 0):
        subprocess.run([*pip, *packages], check=True)
    subprocess.run([*pip, *itself], check=True)


def link_collection(venv: Path) -> None:
    """Let Ansible find ads.deploy where it looks by itself: beside the packages of this environment."""
    show = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([str(venv / "bin" / "python"), "-c", show], capture_output=True, text=True, check=True)
    place = Path(site.stdout.strip()) / "ansible_collections" / "ads" / "deploy"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(ROOT / "ads_collection")


def main(kind: str) -> int:
    """Bring one of the two environments up to its lock."""
    folder, lock_name, versions = KINDS[kind]
    venv, lock = ROOT / folder, ROOT / "requirements" / lock_name
    stamp = venv / ".installed"
    wanted = fingerprint(lock)
    if stamp.exists() and stamp.read_text() == wanted:
        stamp.touch()
        return 0
    python = interpreter(versions)
    if python is None:
        print(f"No Python {' or '.join(versions)} that runs was found on PATH or with pyenv.")
        return NO_INTERPRETER
    if not (venv / "bin" / "pip").exists():
        print(f"Making {folder} with {python}", flush=True)
        make_venv(python, venv)
    print(f"Installing requirements/{lock_name} into {folder}", flush=True)
    fill_venv(venv, lock)
    link_collection(venv)
    stamp.write_text(wanted)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in KINDS:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
