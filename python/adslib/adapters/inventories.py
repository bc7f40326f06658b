"""Reading a user's Ansible inventory, by Ansible itself: every format, plugin and group_vars that it knows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adslib.domain.errors import Failed, Invalid, NotFound

PATIENCE = 120


@dataclass(frozen=True, slots=True)
class InventoryHost:
    """A host of an inventory: its name, its variables as written (never rendered), and its groups."""

    name: str
    variables: Mapping[str, Any]
    groups: tuple[str, ...]


def read_inventory(path: str) -> list[InventoryHost]:
    """The hosts of an inventory, by name.

    Args:
        path: file or directory; it is read in its own directory, so that the `ansible.cfg` there applies.

    Raises:
        NotFound: there is no such file. Invalid: Ansible cannot read it. Failed: ansible-inventory is missing.
    """
    place = Path(path).expanduser().absolute()
    if not place.exists():
        raise NotFound(f"there is no inventory '{path}'", remedy="check the path")
    listed = _listed(place)
    hostvars = listed.get("_meta", {}).get("hostvars", {})
    groups: dict[str, list[str]] = {name: [] for name in hostvars}
    for group, content in listed.items():
        for host in content.get("hosts", ()) if isinstance(content, dict) else ():
            groups.setdefault(host, []).append(group)
    return [
        InventoryHost(name, hostvars.get(name, {}), tuple(g for g in groups[name] if g not in ("all", "ungrouped")))
        for name in sorted(groups)
    ]


def _listed(place: Path) -> dict[str, Any]:
    command = [_program(), "-i", str(place), "--list"]
    strict = {
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    try:
        done = subprocess.run(
            command,
            cwd=place if place.is_dir() else place.parent,
            env={**os.environ, **strict},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Failed(f"ansible-inventory took longer than {PATIENCE} s", place=str(place)) from None
    if done.returncode:
        raise Invalid(f"Ansible cannot read this inventory: {_cause(done.stderr)}", place=str(place), remedy="mend it")
    try:
        listed = json.loads(done.stdout)
    except ValueError:
        raise Failed("ansible-inventory gave no JSON", place=str(place), remedy="run it by hand and look") from None
    return listed if isinstance(listed, dict) else {}


def _cause(said: str) -> str:
    """The sentences that ansible-inventory ends with, in one line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line] or lines[-1:]
    return "; ".join(line.replace("[ERROR]: ", "").replace("ERROR! ", "").rstrip(".") for line in errors) or "no reason"


def _program() -> str:
    beside = Path(sys.executable).with_name("ansible-inventory")
    found = str(beside) if beside.exists() else shutil.which("ansible-inventory")
    if not found:
        raise Failed("ansible-inventory is not installed", remedy="install ansible-core beside adslib")
    return found
