"""Gate: the generated documents are what the code says now. It makes them again and names those that change."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GENERATOR = ROOT / "tools" / "docs.py"
# Where generated text may stand.
PLACES = ["README.md", "docs", "ads_collection", "examples", "python"]
KINDS = {".md", ".json", ".xsd", ".yml", ".svg", ".html"}


def snapshot() -> dict[Path, str]:
    """The digest of every document there is."""
    files = [path for place in PLACES for path in [ROOT / place, *(ROOT / place).rglob("*")]]
    return {
        path.relative_to(ROOT): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
        if path.suffix in KINDS and path.is_file()
    }


def main() -> int:
    """Run the generator and compare."""
    if not GENERATOR.exists():
        print("tools/docs.py is not there yet: no document is generated.")
        return 0
    before = snapshot()
    done = subprocess.run([sys.executable, str(GENERATOR)], cwd=ROOT)
    after = snapshot()
    stale = sorted(str(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    for path in stale:
        print(f"{path}: was out of date and has been made again; look at it and commit it")
    return done.returncode or int(bool(stale))


if __name__ == "__main__":
    sys.exit(main())
