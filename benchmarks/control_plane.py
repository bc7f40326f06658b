"""A task of the control plane against an action that does nothing, in turns, in one run of ansible-playbook.

A task lasts from its start until the next one's, with all that Ansible does around it. The environment is deployed and
live, so `reserve` in check mode reads all of it and plans.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

from estate import fill
from inventory import environment
from row import Row

PLUGINS = Path(__file__).resolve().parent / "handwritten" / "control_plane"
INSTANCES = (30, 1_000)
REPEATED = 20
ABOVE = 0.1
EMPTY = "an empty action"
TASKS: dict[str, dict[str, Any]] = {
    EMPTY: {"nothing": {}},
    "reserve, check mode": {"ads.deploy.job": {"step": "reserve", "environment": "big"}, "check_mode": True},
    "environment_info": {"ads.deploy.environment_info": {"names": ["big"]}},
}


def played(folder: Path) -> dict[str, list[float]]:
    """Run every task as often as they are repeated; returns the seconds of each, by name."""
    tasks = [{"name": name, **task} for _ in range(REPEATED) for name, task in TASKS.items()]
    # What is loaded once in a run is no part of a task.
    first = [{"name": "first", **task} for task in TASKS.values()]
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [*first, *tasks]}
    (folder / "playbook.json").write_text(json.dumps([play]))
    env = {
        **environment(folder),
        "ADS_DATABASE_URL": f"sqlite:///{folder / 'ads.db'}",
        "ANSIBLE_ACTION_PLUGINS": str(PLUGINS / "actions"),
        "ANSIBLE_CALLBACK_PLUGINS": str(PLUGINS / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "moments",
        "MOMENTS": str(folder / "moments"),
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    done = subprocess.run([program, "playbook.json"], env=env, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the playbook ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-2000:]}")
    moments = [line.rsplit("\t", 1) for line in (folder / "moments").read_text().splitlines()]
    spent: dict[str, list[float]] = {}
    for (name, began), (_, ended) in pairwise(moments):
        spent.setdefault(name, []).append(float(ended) - float(began))
    return spent


def measure() -> list[Row]:
    """Both tasks at some sizes of the environment."""
    rows = []
    for instances in INSTANCES:
        with tempfile.TemporaryDirectory(prefix="ads-control-plane-") as name:
            fill(f"sqlite:///{Path(name) / 'ads.db'}", instances)
            spent = {task: median(each) for task, each in played(Path(name)).items()}
        empty = spent[EMPTY]
        rows += [
            Row(task, instances, spent[task], "s", EMPTY, empty, round(empty + ABOVE, 3))
            for task in TASKS
            if task != EMPTY
        ]
    return sorted(rows, key=lambda row: row.what)
