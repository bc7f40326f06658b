"""The doctor: each check says what it found, and a remedy where something is missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import adslib
from adslib.adapters import installation
from adslib.domain.actor import Permission
from adslib.domain.errors import Conflict, Forbidden
from adslib.usecases.ads import Ads
from adslib.usecases.doctor import Check, Verdict


def checks(ads: Ads) -> dict[str, Check]:
    return {check.name: check for check in ads.doctor.check()}


@pytest.mark.req("A22")
def test_a_whole_installation(ads: Ads) -> None:
    found = checks(ads)
    assert {name: check.verdict for name, check in found.items() if check.verdict is Verdict.FAIL} == {}
    assert set(found) == {
        "home", "store", "ansible-core", "ansible-runner", "collection", "supervisor", "haproxy", "ssh",
    }  # fmt: skip
    assert "schema" in found["store"].found
    assert adslib.__version__ in found["collection"].found


@pytest.mark.req("A22")
def test_a_store_without_schema(bare_store_url: str) -> None:
    with adslib.connect(bare_store_url) as ads:
        check = checks(ads)["store"]
        if bare_store_url.startswith("sqlite"):
            assert check.verdict is Verdict.OK
            assert "made ready" in check.found
        else:
            assert check.verdict is Verdict.FAIL
            assert "ads doctor --migrate" in check.remedy
            with pytest.raises(Conflict, match="ads doctor --migrate"):
                ads.environments.list()
        ads.doctor.migrate()
        assert checks(ads)["store"].verdict is Verdict.OK
        assert ads.environments.list() == []


def test_a_store_that_does_not_answer() -> None:
    with adslib.connect("postgresql+psycopg://ads:secret@127.0.0.1:1/ads") as ads:
        check = checks(ads)["store"]
    assert check.verdict is Verdict.FAIL
    assert check.remedy
    assert "secret" not in f"{check}"


def test_a_home_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ADS_HOME", str(tmp_path / "file"))
    with adslib.connect(f"sqlite:///{tmp_path}/store.db") as ads:
        check = checks(ads)["home"]
    assert check.verdict is Verdict.FAIL
    assert "ADS_HOME" in check.remedy


def test_a_collection_of_another_version(
    store_url: str, collections_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "collections" / "ansible_collections" / "ads" / "deploy"
    other.mkdir(parents=True)
    original = (collections_path / "ansible_collections" / "ads" / "deploy" / "galaxy.yml").read_text()
    (other / "galaxy.yml").write_text(original.replace(f"version: {adslib.__version__}", "version: 9.8.7"))
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(tmp_path / "collections"))
    with adslib.connect(store_url) as ads:
        check = checks(ads)["collection"]
    assert check.verdict is Verdict.FAIL
    assert "9.8.7" in check.found
    assert "ansible-galaxy collection install" in check.remedy


def test_what_is_missing_is_named(ads: Ads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other installations cannot be had here, so what looks at this one is told to find nothing."""
    monkeypatch.setattr(installation, "version_of", lambda package: "2.16.3" if package == "ansible-core" else "")
    monkeypatch.setattr(installation, "collection", lambda name: ("", ""))
    monkeypatch.setattr(installation, "haproxy", lambda: "")
    found = checks(ads)
    failed = {name for name, check in found.items() if check.verdict is Verdict.FAIL}
    assert failed == {"ansible-core", "ansible-runner", "collection"}
    assert {name for name, check in found.items() if check.verdict is Verdict.WARN} == {"supervisor", "haproxy"}
    assert all(check.remedy for check in found.values() if check.verdict is not Verdict.OK)


@pytest.mark.parametrize(
    ("version", "numbers"), [("2.17", (2, 17)), ("2.19.1rc1", (2, 19, 1)), ("2.20.0.post0", (2, 20, 0)), ("", ())]
)
def test_versions_compare_by_their_numbers(version: str, numbers: tuple[int, ...]) -> None:
    assert installation.numbers(version) == numbers


def test_programs_are_found_beside_python_and_on_the_path() -> None:
    assert installation.program("ansible-playbook") == str(Path(shutil.which("ansible-playbook") or ""))
    assert installation.program("no-such-program") == ""


def test_permissions(acting: Callable[..., Ads]) -> None:
    with pytest.raises(Forbidden):
        acting("eve", permissions={Permission.VIEW}).doctor.migrate()
