"""Tasks with the public modules, run by ansible-playbook on a store of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from servers import LONGEST

PYTHON = str(Path(__file__).resolve().parents[2] / "python")

Task = dict[str, Any]
Result = dict[str, Any]


def task(module: str, **arguments: Any) -> Task:
    """A task that calls one of our modules."""
    return {"name": module, f"ads.deploy.{module}": arguments}


class Player:
    """Runs tasks on localhost with the store's URL as the default of the whole group of modules."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.output = ""

    def __call__(self, *tasks: Task, words: tuple[str, ...] = (), **environ: str) -> list[Result]:
        """Run the tasks, also after one failed, and return their results; `output` has what was printed."""
        names = [f"result_{number}" for number in range(len(tasks))]
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "module_defaults": {"group/ads.deploy.ads": {"database": self.url}},
            "tasks": [
                *({**each, "register": name, "ignore_errors": True} for each, name in zip(tasks, names, strict=True)),
                {"name": "all results", "ansible.builtin.debug": {"msg": f"{{{{ [{', '.join(names)}] | to_json }}}}"}},
            ],
        }
        path = self.folder / "play.json"
        path.write_text(json.dumps([play]))
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), str(path), *words],
            env={**os.environ, "PYTHONPATH": PYTHON, "ANSIBLE_LOCALHOST_WARNING": "false", **environ},
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        output, separator, results = done.stdout.partition("TASK [all results]")
        self.output = output + done.stderr
        assert separator, self.output
        shown, _end = json.JSONDecoder().raw_decode(results[results.index("{") :])
        found: list[Result] = json.loads(shown["msg"])
        return found
