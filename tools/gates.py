"""Run the gates that every change must pass, side by side, and print one line for each.

Usage: gates.py [--fresh] [name …]   (without names: all)

A gate whose inputs have not changed since it last passed is not run again, unless --fresh or CI is set; its inputs
are the files it watches, the lock, pyproject.toml and tools/.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STAMPS = ROOT / "build" / "gates"
BIN = Path(sys.executable).parent
ALWAYS_WATCHED = ["pyproject.toml", "requirements", "tools"]
NOT_INPUT = {"__pycache__", "output", ".ansible"}


@dataclass(frozen=True)
class Gate:
    """One check: its command, and the paths that decide its outcome."""

    name: str
    command: list[str]
    watches: list[str]

    def inputs(self) -> str:
        """A digest of everything that decides the outcome."""
        digest = hashlib.sha256(repr((self.command, sys.version)).encode())
        for place in sorted({*self.watches, *ALWAYS_WATCHED}):
            for path in sorted([ROOT / place, *(ROOT / place).rglob("*")]):
                if path.is_file() and not NOT_INPUT & set(path.parts):
                    digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_mode & 0o111}\0".encode())
                    digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


def program(name: str, *words: str) -> list[str]:
    """The command line of a program of this virtual environment."""
    return [str(BIN / name), *words]


def script(name: str, *words: str) -> list[str]:
    """The command line of a script of tools/."""
    return [sys.executable, str(ROOT / "tools" / name), *words]


# What this version promises: each of these has a test.
PROMISED = [f"A{number}" for number in (1, 2, 3, 4, 5, 6, 7, 10, 12, 13, 15, 16, 22)]
PROMISED += [f"I{number}" for number in range(1, 10)]
SOURCES = ["python", "tests", "tools", "ads_collection", "benchmarks", "examples"]
# The longest first, so that the short ones fill the gaps.
GATES = [
    Gate("sanity", script("collection.py", "sanity"), ["ads_collection"]),
    Gate("importer", script("collection.py", "importer"), ["ads_collection"]),
    Gate("mypy", program("mypy"), ["python", "tests"]),
    Gate("ansible-lint", script("collection.py", "lint"), ["ads_collection"]),
    # -P: the folder of the script, where collection.py lies, does not stand before tests/collection.
    Gate(
        "requirements",
        [sys.executable, "-P", str(ROOT / "tools" / "requirement_coverage.py"), "--must", *PROMISED],
        ["tests", "python"],
    ),
    Gate("docs", script("docs_current.py"), [*SOURCES, "docs", "README.md"]),
    Gate("imports", program("lint-imports", "--no-logo", "--cache-dir", "build/import-linter"), ["python"]),
    Gate("facade", script("facade.py"), ["ads_collection"]),
    Gate("format", program("ruff", "format", "--check", "--diff", "--quiet", "."), SOURCES),
    Gate("ruff", program("ruff", "check", "--quiet", "."), SOURCES),
]


def run(gate: Gate, fresh: bool) -> tuple[Gate, bool, str, str]:
    """Run one gate; returns it, whether it passed, how long it took, and what it said."""
    stamp = STAMPS / gate.name
    # Taken before the run: a file that is edited meanwhile makes the next run look again.
    inputs = gate.inputs()
    if not fresh and stamp.exists() and stamp.read_text() == inputs:
        return gate, True, "unchanged", ""
    began = time.monotonic()
    path = f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    own = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "python"), "RUFF_CACHE_DIR": str(ROOT / "build/ruff")}
    done = subprocess.run(
        gate.command,
        cwd=ROOT,
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    stamp.unlink(missing_ok=True)
    if done.returncode == 0:
        stamp.write_text(inputs)
    return gate, done.returncode == 0, f"{time.monotonic() - began:.1f} s", done.stdout


def main(words: list[str]) -> int:
    """Run the named gates, or all, and tell how they went; what a failed one said is printed in full."""
    fresh = "--fresh" in words or bool(os.environ.get("CI"))
    names = [word for word in words if word != "--fresh"]
    unknown = set(names) - {gate.name for gate in GATES}
    if unknown:
        print(f"No gate named {', '.join(sorted(unknown))}; there are: {', '.join(gate.name for gate in GATES)}")
        return 2
    STAMPS.mkdir(parents=True, exist_ok=True)
    failed = []
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        runs = [pool.submit(run, gate, fresh) for gate in GATES if not names or gate.name in names]
        for ended in as_completed(runs):
            gate, passed, took, said = ended.result()
            print(f"{'ok    ' if passed else 'FAILED'} {gate.name:<13} {took}", flush=True)
            if not passed:
                failed.append(gate.name)
                print(said.rstrip(), flush=True)
    if failed:
        print(f"check: {', '.join(sorted(failed))} failed; run one alone with: make check GATES='{failed[0]}'")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
