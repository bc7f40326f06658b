"""List the requirements with the number of tests that prove each, and name those that none does.

Usage: requirement_coverage.py [--must ID …]   (exits 1 if one of the named has no test)
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "tests" / "requirements.txt"


class Tally:
    """Counts the tests that carry each requirement."""

    def __init__(self) -> None:
        self.tests: Counter[str] = Counter()

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Look at every test, before any is left out."""
        for item in items:
            self.tests.update({name for marker in item.iter_markers("req") for name in marker.args})


def main(words: list[str]) -> int:
    """Collect the tests without running them, then print the list."""
    rows = [line.split(maxsplit=1) for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    tally = Tally()
    said = StringIO()
    with redirect_stdout(said):
        collected = pytest.main(["--collect-only", "-qq", "-m", "", "-n", "0", str(ROOT / "tests")], [tally])
    if collected not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        print(said.getvalue())
        return int(collected)
    without = [(name, meaning) for name, meaning in rows if not tally.tests[name]]
    print("Tests:", *(f"{name} {tally.tests[name]}" for name, _ in rows if tally.tests[name]), sep="  ")
    print(f"{len(rows) - len(without)} of {len(rows)} requirements have a test. Without one:")
    for name, meaning in without:
        print(f"  {name:<4} {meaning}")
    missed = {name for name, _ in without} & set(words[1:] if words[:1] == ["--must"] else [])
    if missed:
        print(f"\nThese must have a test: {', '.join(sorted(missed))}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
