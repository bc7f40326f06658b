"""Settings: where they come from, and what is said about a broken `ads.toml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.adapters.settings import read_settings
from adslib.domain.errors import Invalid

pytestmark = pytest.mark.req("A22")


def test_a_variable_wins_over_the_file_and_the_file_over_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folders = {"XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}
    assert read_settings(folders).home == tmp_path / "data" / "ads"
    (tmp_path / "config" / "ads").mkdir(parents=True)
    (tmp_path / "config" / "ads" / "ads.toml").write_text('home = "/in/config"\n')
    assert read_settings(folders).home == Path("/in/config")
    (tmp_path / "ads.toml").write_text('home = "/here"\n[sizes]\ntiny = {cpu = 1, memory = 256}\n')
    here = read_settings(folders)
    assert (here.home, here.database_url, list(here.sizes)) == (Path("/here"), "sqlite:////here/ads.db", ["tiny"])
    (tmp_path / "named.toml").write_text('home = "/named"\n')
    named = {**folders, "ADS_CONFIG": str(tmp_path / "named.toml")}
    assert read_settings(named).home == Path("/named")
    assert read_settings({**named, "ADS_HOME": "/said"}).home == Path("/said")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('home = "/a"\nsizes : 3\n', ":2", "this is no TOML: "),
        ('home = "/a"\nsizes = {', ":2", "this is no TOML: "),
        ('# where\n\nhom = "/a"\n', ":3", "unknown setting 'hom'. Known: database_url, broker_url, home, sizes"),
        ("\nhome = 3\n", ":2", 'home is a text. Write home = "…"'),
        ("\n[sizes]\nsmall = {cpu = 1}\n", ":2 sizes", "a size needs cpu (cores) and memory (MiB)"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(tmp_path: Path, text: str, line: str, said: str) -> None:
    path = tmp_path / "ads.toml"
    path.write_text(text)
    with pytest.raises(Invalid) as refused:
        read_settings({"ADS_CONFIG": str(path)})
    [problem] = refused.value.problems
    assert problem.place == f"{path}{line}"
    assert said in str(problem)
