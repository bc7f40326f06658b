"""`ads doctor`: exit code 1 if something that is needed is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run


@pytest.mark.req("A22")
def test_all_is_well(run: Run) -> None:
    checks = run("doctor", "--format", "json").data
    assert list(checks[0]) == list(FIELDS["doctor"])
    assert {check["verdict"] for check in checks} <= {"ok", "warn"}
    assert run("doctor").out.splitlines()[1].split()[:2] == ["home", "ok"]


def test_what_is_missing_fails_with_a_remedy(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    url = f"sqlite:///{tmp_path}/elsewhere.db"
    monkeypatch.setenv("ADS_HOME", str(tmp_path / "file"))
    result = run("--database", url, "doctor", expect=1)
    assert "set ADS_HOME to a directory of your own" in result.out


def test_a_broken_file_of_settings_is_told_with_its_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "ads.toml"
    broken.write_text('home = "/srv/ads"\nsizes =\n')
    monkeypatch.setenv("ADS_CONFIG", str(broken))
    for words in (["doctor"], ["environment", "list"]):
        result = run(*words, expect=2)
        assert (result.out, result.err.count("\n")) == ("", 1)
        assert result.err.startswith(f"Error: {broken}:2: this is no TOML: ")


def test_migrate_makes_a_store_ready(run: Run, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    checks = run("--database", url, "doctor", "--migrate", "--format", "json").data
    store = next(check for check in checks if check["name"] == "store")
    assert (store["verdict"], "schema" in store["found"]) == ("ok", True)
