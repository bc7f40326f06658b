"""The lookup of free addresses, in a play: what it finds, what it refuses, and that it changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from adslib.domain.assignment import MOST
from collection.module_stage import Player, Task, task

NETWORKS = [{"name": "west", "prefix": "10.0.0.0/29", "gateway": "10.0.0.2"}, {"name": "lab", "prefix": "fd00::/64"}]


@pytest.fixture
def store(tmp_path: Path, sqlite_template: Path) -> Path:
    return Path(shutil.copyfile(sqlite_template, tmp_path / "store.db"))


@pytest.fixture
def play(tmp_path: Path, store: Path) -> Player:
    """Tasks on an SQLite store with a few networks; somebody has the first address of one."""
    player = Player(tmp_path, f"sqlite:///{store}")
    taken = {"network": "west", "addresses": ["10.0.0.1"], "key": "1"}
    player(task("network", networks=NETWORKS), task("address", addresses=[taken]))
    return player


def look(how: str, *words: str) -> Task:
    """A task that tells what the lookup finds; `how` is `lookup` or `query`."""
    arguments = ", ".join(["'ads.deploy.free_addresses'", *words])
    return telling(f"{how}({arguments})")


def telling(expression: str) -> Task:
    return {"name": "look", "ansible.builtin.debug": {"msg": f"{{{{ {expression} }}}}"}}


def everything(store: Path) -> list[str]:
    with closing(sqlite3.connect(store)) as database:
        return list(database.iterdump())


@pytest.mark.req("I6", "I8")
def test_the_lowest_free_addresses_are_found_and_nobody_takes_them(play: Player, store: Path) -> None:
    before = everything(store)
    database = f"database='{play.url}'"
    looped = {**telling("item"), "with_ads.deploy.free_addresses": ["west", "lab"]}
    one, again, several, none, more, unsaid, loop = play(
        look("lookup", "'west'", database),
        look("query", "'west'"),
        look("query", "'lab'", "'west'", "count='2'"),
        look("query", "'west'", "count=0"),
        look("query", "'west'", "count=100", "actor='ann'"),
        look("query", "'west'", "count=none"),
        looped,
        ADS_DATABASE_URL=play.url,
    )
    assert (one["msg"], again["msg"]) == ("10.0.0.3", ["10.0.0.3"])
    assert several["msg"] == ["fd00::1", "fd00::2", "10.0.0.3", "10.0.0.4"]
    assert (none["msg"], more["msg"]) == ([], [f"10.0.0.{n}" for n in (3, 4, 5, 6)])
    assert unsaid["msg"] == ["10.0.0.3"]
    assert [each["msg"] for each in loop["results"]] == ["10.0.0.3", "fd00::1"]
    assert everything(store) == before


@pytest.mark.req("I8")
def test_what_is_wrong_is_told_with_its_remedy(play: Player, store: Path, tmp_path: Path) -> None:
    before = everything(store)
    missing = tmp_path / "missing.db"
    wanted = [
        (["'west'", "'east'"], "there is no network 'east'. List them with: ads network list"),
        (["'west'", f"count={MOST + 1}"], f"{MOST + 1} addresses cannot be named. Ask for 0 to {MOST}"),
        (["'west'", "count=-1"], f"-1 addresses cannot be named. Ask for 0 to {MOST}"),
        (["'west'", "count='many'"], "many"),
        (["'west'", "cuont=3"], "unknown 'cuont'; known are count, database, actor"),
        (["'west'", f"database='sqlite:///{missing}'"], "there is no network 'west'"),
        (["'west'", "database='mysql://db'"], "mysql"),
    ]
    results = play(*(look("query", *words) for words, _ in wanted), ADS_DATABASE_URL=play.url)
    for result, (words, told) in zip(results, wanted, strict=True):
        assert result["failed"] is True, words
        assert told in result["msg"], words
    assert "Traceback" not in play.output
    assert not missing.exists()
    assert everything(store) == before


@pytest.mark.req("I8")
def test_without_adslib_it_says_what_is_missing(tmp_path: Path) -> None:
    (tmp_path / "adslib.py").write_text("raise ImportError('there is none')")
    [refused] = Player(tmp_path, "")(look("query", "'west'"), PYTHONPATH=str(tmp_path))
    assert "Failed to import the required Python library (adslib)" in refused["msg"]
