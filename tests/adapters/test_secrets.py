"""Secrets are read where they lie, if nobody else can read them there."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.adapters.secrets import read_secret
from adslib.domain.errors import Failed

pytestmark = pytest.mark.req("A20")


def test_a_secret_in_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("hidden\n")
    path.chmod(0o600)
    assert read_secret(f"file:{path}", "here") == "hidden"
    path.chmod(0o644)
    with pytest.raises(Failed) as refused:
        read_secret(f"file:{path}", "here")
    assert str(refused.value) == f"here: anybody on this host may read or change {path}. Run: chmod 600 {path}"


def test_a_secret_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADS_TEST_SECRET", " hidden ")
    assert read_secret("env:ADS_TEST_SECRET", "here") == "hidden"
    monkeypatch.setenv("ADS_TEST_SECRET", " ")
    with pytest.raises(Failed, match="here: env:ADS_TEST_SECRET is not set"):
        read_secret("env:ADS_TEST_SECRET", "here")


def test_what_is_no_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    with pytest.raises(Failed, match=r"zone 'x': .* cannot be read: No such file"):
        read_secret(f"file:{path}", "zone 'x'")
    path.touch(0o600)
    with pytest.raises(Failed, match="is empty"):
        read_secret(f"file:{path}", "zone 'x'")
    with pytest.raises(Failed, match="is no file"):
        read_secret(f"file:{tmp_path}", "zone 'x'")
