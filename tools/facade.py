"""Gate: Ansible plugins import only `adslib`, the public facade, and nothing from the inside of the house."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

PLUGINS = Path(__file__).resolve().parent.parent / "ads_collection" / "plugins"


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Every module that a file imports, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""


def main() -> int:
    """Name every import that reaches past the facade."""
    found = 0
    for path in sorted(PLUGINS.rglob("*.py")):
        for line, module in imported(ast.parse(path.read_text(), filename=str(path))):
            if module.startswith("adslib."):
                found += 1
                print(f"{path.relative_to(PLUGINS.parent.parent)}:{line}: imports {module}; import adslib instead")
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
