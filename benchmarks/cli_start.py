"""How long `ads` takes to start, against a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from row import Row

RUNS = 15
BUDGET = 0.3
ADS = [sys.executable, "-c", "from adslib.entrypoints.cli import main; main()"]
COMMANDS = {"ads --help": ["--help"], "ads environment --help": ["environment", "--help"]}


def seconds(command: list[str], env: dict[str, str]) -> float:
    """The seconds of one run."""
    began = time.perf_counter()
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    spent = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{command} ended with {done.returncode}: {done.stderr.decode()}")
    return spent


def measure() -> list[Row]:
    """Runs alternate, so that a busy moment of the machine meets all of them; the best counts."""
    script = Path(sys.executable).with_name("ads")
    ads = [str(script)] if script.exists() else ADS
    commands = {"pass": [sys.executable, "-c", "pass"], **{name: [*ads, *words] for name, words in COMMANDS.items()}}
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "ADS_HOME": home}
        found: dict[str, list[float]] = {name: [] for name in commands}
        for command in commands.values():
            seconds(command, env)  # writes the bytecode, reads the files once
        for _ in range(RUNS):
            for name, command in commands.items():
                found[name].append(seconds(command, env))
    nothing = min(found["pass"])
    return [Row(name, 0, min(found[name]), "s", "python -c pass", nothing, BUDGET) for name in COMMANDS]
