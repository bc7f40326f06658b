"""Run the benchmarks and write benchmarks/RESULTS.md.

Usage: run.py [name …]      (default: all)

A benchmark is a file of this folder with a function `measure() -> list[Row]`. Each runs in a process of its own. What
is not run keeps the lines that it has in RESULTS.md; the figures are kept in results.json.
"""

from __future__ import annotations

import ast
import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import groupby, pairwise
from pathlib import Path

from row import Row

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "RESULTS.md"
KEPT = HERE / "results.json"
HEAD = "| what | size | figure | peer or ceiling | ratio | budget | met |"
CHILD = """
import json, sys
from dataclasses import asdict
from importlib import import_module
rows = import_module(sys.argv[1]).measure()
open(sys.argv[2], "w").write(json.dumps([asdict(row) for row in rows]))
"""


def benchmarks() -> tuple[list[str], list[str]]:
    """Names of the files that this runner can run, and of those that measure in a way of their own."""
    ours, others = [], []
    for path in sorted(HERE.glob("*.py")):
        found = [n for n in ast.parse(path.read_text()).body if isinstance(n, ast.FunctionDef) and n.name == "measure"]
        for function in found:
            (others if function.args.args or function.args.posonlyargs else ours).append(path.stem)
    return ours, others


def measured(name: str) -> list[Row]:
    """Run one benchmark in a fresh process."""
    out = HERE / f".{name}.rows"
    paths = [str(HERE), str(HERE.parent / "python"), os.environ.get("PYTHONPATH", "")]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    try:
        subprocess.run([sys.executable, "-c", CHILD, name, str(out)], env=env, cwd=HERE.parent, check=True)
        return [Row(**row) for row in json.loads(out.read_text())]
    finally:
        out.unlink(missing_ok=True)


def shown(figure: float, unit: str) -> str:
    """A figure with three digits that count."""
    digits = 0 if figure >= 100 else max(0, 2 - math.floor(math.log10(figure))) if figure > 0 else 0
    return f"{figure:,.{min(digits, 6)}f} {unit}".strip()


def line(row: Row) -> str:
    """A row of the table."""
    peer = f"{row.peer}: {shown(row.peer_figure, row.unit)}" if row.peer_figure is not None else row.peer or "–"
    ratio = f"{row.ratio:.2f} ×" if row.ratio else "–"
    unit = "×" if row.budget_is_ratio else row.unit
    budget = f"≤ {row.budget:g} {unit}" if row.budget is not None else "–"
    met = {True: "yes", False: "**no**", None: "–"}[row.met]
    size = f"{row.size:,}" if row.size else "–"
    return f"| {row.what} | {size} | {shown(row.figure, row.unit)} | {peer} | {ratio} | {budget} | {met} |"


def curves(rows: Iterable[Row]) -> Iterator[str]:
    """How figures grow with size: the exponent between neighbouring sizes; 1 is linear."""
    for what, found in groupby(sorted(rows, key=lambda row: (row.what, row.size)), key=lambda row: row.what):
        # The figure is the same whatever it is compared with.
        sized = {row.size: row for row in found if row.size and row.figure > 0}.values()
        steps = [
            f"{one.size:,} → {two.size:,}: n^{math.log(two.figure / one.figure) / math.log(two.size / one.size):.2f}"
            for one, two in pairwise(sized)
        ]
        if steps:
            yield f"- {what}: {'; '.join(steps)}"


def page(kept: Mapping[str, Mapping[str, object]], others: Iterable[str]) -> Iterator[str]:
    """RESULTS.md."""
    yield "# What was measured"
    yield ""
    yield "Written by `benchmarks/run.py`. Ratios and growth travel; seconds belong to the machine that is named."
    for name, result in sorted(kept.items()):
        rows = [Row(**row) for row in result["rows"]]  # type: ignore[attr-defined]
        yield from ("", f"## {name}", "", f"{result['where']}. Again: `python benchmarks/run.py {name}`", "")
        yield from (HEAD, "|---|---:|---:|---|---:|---|---|", *map(line, rows))
        grown = list(curves(rows))
        if grown:
            yield from ("", "Growth with size n:", "", *grown)
    for name in others:
        yield from ("", f"## {name}", "", f"Prints its own table: `python benchmarks/{name}.py`")


def main(words: list[str]) -> int:
    """Run what is asked for; 1 if something exceeds its budget."""
    ours, others = benchmarks()
    unknown = [word for word in words if word not in ours]
    if unknown:
        print(f"there is no benchmark '{unknown[0]}'; there are: {', '.join(ours)}", file=sys.stderr)
        return 2
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    where = f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, Python {platform.python_version()}"
    missed = False
    for name in words or ours:
        print(f"{name} …", flush=True)
        rows = measured(name)
        kept[name] = {"where": where, "rows": [asdict(row) for row in rows]}
        print("\n".join(map(line, rows)), flush=True)
        missed = missed or any(row.met is False for row in rows)
    kept = {name: result for name, result in kept.items() if name in ours}
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")
    RESULTS.write_text("\n".join(page(kept, others)) + "\n")
    print(f"written to {RESULTS.relative_to(HERE.parent)}")
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
