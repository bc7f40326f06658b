"""Running `ads` in this process, as `main` would."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.entrypoints.cli import main
from entrypoints.cli.commanding import SHOP, Result, Run


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], sqlite_template: Path, tmp_path: Path) -> Run:
    """Run one command line on a store of this test's own."""
    home = tmp_path / "ads-home"
    home.mkdir()
    (home / "ads.db").write_bytes(sqlite_template.read_bytes())

    def ran(*words: str, expect: int | None = 0) -> Result:
        capsys.readouterr()
        code = 0
        try:
            main(list(words))
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        written = capsys.readouterr()
        if expect is not None:
            assert code == expect, f"ads {' '.join(words)}: {code}\n{written.out}\n{written.err}"
        return Result(code, written.out, written.err)

    return ran


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """The path of a definition."""
    path = tmp_path / "shop.yml"
    path.write_text(SHOP)
    return str(path)
