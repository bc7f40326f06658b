"""The module `environment` runs jobs: deployed, live, stopped, undeployed, on machines of this host."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collection.module_stage import Player, task

SERVER = "{{ ads_python }} -m http.server --bind {{ ads_address }} --directory {{ ads_root }}/etc 8080"
DEFINITION: dict[str, Any] = {
    "environment": "small",
    "components": {
        "web": {
            "version": "1",
            "files": [{"path": "/etc/web.txt", "content": "{{ ads_instance.id }}\n"}],
            "process": {"command": SERVER},
        }
    },
    "services": {
        "web": {
            "component": "web",
            "ports": {"http": 8080},
            "tests": [{"http": "/web.txt", "contains": "web-1"}],
        }
    },
}


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite store: what is tested here is the same on every database."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'store.db')}"


@pytest.fixture
def play(tmp_path: Path, sqlite_url: str) -> Iterator[Player]:
    """Runs tasks; what they deployed is undeployed afterwards."""
    player = Player(tmp_path, sqlite_url)
    yield player
    player(task("environment", name="small", state="undeployed"))


@pytest.mark.req("A12")
@pytest.mark.req("A14")
def test_an_environment_goes_through_its_life(play: Player) -> None:
    (play.folder / "small.json").write_text(json.dumps(DEFINITION))
    live = task("environment", definition="small.json", state="live")
    would = play(live, words=("--check", "--diff"))[0]
    assert (would["changed"], would.get("job")) == (True, None)
    assert [action["verb"] for action in would["plan"]["actions"]] == ["create", "deploy"]
    made, again, deployed = play(live, live, task("environment", name="small", state="deployed"))
    assert not made["failed"], made["msg"]
    assert (made["environment"]["state"], made["job"]["state"]) == ("live", "succeeded")
    assert [action["verb"] for action in made["plan"]["actions"]] == ["create", "deploy"]
    assert made["environment"]["tests"]["passed"] == 1
    assert [again["changed"], deployed["changed"], deployed["environment"]["state"]] == [False, False, "live"]
    states = ("stopped", "stopped", "deployed", "live", "undeployed", "undeployed", "absent", "absent")
    results = play(*(task("environment", name="small", state=state) for state in states))
    assert not [each["msg"] for each in results if each["failed"]]
    assert [each["changed"] for each in results] == [True, False, True, True, True, False, True, False]
    seen = [each["environment"].get("state") for each in results]
    assert seen == ["stopped", "stopped", "ready", "live", "not-deployed", "not-deployed", None, None]


@pytest.mark.req("A12")
@pytest.mark.once
def test_failed_tests_fail_the_task_unless_there_is_a_reason(play: Player) -> None:
    tested = {**DEFINITION["services"]["web"], "tests": [{"tcp": "9", "retries": 1, "delay": 0.1}]}
    wrong = {**DEFINITION, "services": {"web": tested}}
    (play.folder / "small.json").write_text(json.dumps(wrong))
    live = {"definition": "small.json", "state": "live"}
    failed, despite = play(
        task("environment", **live), task("environment", **live, despite_failed_tests="a demonstration")
    )
    assert failed["failed"]
    assert "tcp" in failed["msg"]
    assert not despite["failed"], despite["msg"]
    assert despite["environment"]["state"] == "live"
    assert "a demonstration" in despite["environment"]["live_despite"]
