"""The public modules, by ansible-playbook on stores of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collection.module_stage import PYTHON, Player, Task, task
from servers import LONGEST


def definition(name: str = "notes", **more: Any) -> Task:
    """A small definition, given inline."""
    return {
        "environment": name,
        "components": {"notes": {"version": "1.0", "process": {"command": "/bin/true"}}},
        "services": {"notes": {"component": "notes", "machine": {"size": "small"}, "instances": 2}},
        **more,
    }


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of an empty SQLite store, where the database makes no difference."""
    return f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'store.db')}"


@pytest.fixture
def play(tmp_path: Path, sqlite_url: str) -> Player:
    return Player(tmp_path, sqlite_url)


@pytest.mark.req("A4")
def test_an_environment_is_defined_once(tmp_path: Path, store_url: str) -> None:
    wanted = task("environment", definition=definition())
    edited = task("environment", definition=definition(description="for the team"), comment="a name")
    info = task("environment_info", history=True, definition=True)
    first, again, changed, seen = Player(tmp_path, store_url)(wanted, wanted, edited, info)
    assert [each["changed"] for each in (first, again, changed, seen)] == [True, False, True, False]
    assert (first["environment"]["state"], first["environment"]["revision"]) == ("not-deployed", 1)
    [found] = seen["environments"]
    assert (found["revision"], found["definition"]["description"]) == (2, "for the team")
    assert [revision["comment"] for revision in found["history"]] == ["a name", ""]
    assert found["project"] == str(tmp_path)


@pytest.mark.req("A4")
def test_check_mode_makes_no_store(tmp_path: Path) -> None:
    path = tmp_path / "home" / "none.db"
    play = Player(tmp_path, f"sqlite:///{path}")
    made, seen = play(task("environment", definition=definition()), task("environment_info"), words=("--check",))
    assert (made["changed"], made["environment"]["state"], seen["environments"]) == (True, "not-deployed", [])
    assert not path.parent.exists()


@pytest.mark.req("A4")
def test_check_mode_changes_nothing_and_says_the_same(play: Player) -> None:
    tasks = [
        task("environment", definition=definition()),
        task("environment_template", name="base", definition=definition(), open=["services/**"]),
        task("machine", machines=[{"name": "web-1", "address": "10.0.0.1", "size": "small"}]),
    ]
    info = [task("environment_info"), task("machine_info")]
    *would, environments, machines = play(*tasks, *info, words=("--check",))
    assert (environments["environments"], machines["machines"]) == ([], [])
    done = play(*tasks)
    assert [each["changed"] for each in would] == [each["changed"] for each in done] == [True] * 3
    assert would[0]["environment"]["state"] == done[0]["environment"]["state"] == "not-deployed"
    assert would[2]["machines"][0]["address"] == "10.0.0.1"
    assert [each["diff"] for each in would[:2]] == [each["diff"] for each in done[:2]]
    again = play(*tasks, words=("--check",))
    assert [each["changed"] for each in again] == [False] * 3
    assert not any("diff" in each for each in again)


@pytest.mark.req("A4")
def test_diff_mode_shows_yaml(play: Player) -> None:
    play(task("environment", definition=definition()))
    edited = definition()
    edited["services"]["notes"]["instances"] = 3
    play(
        task("environment", definition=edited),
        task("machine", machines=[{"name": "web-1", "address": "10.0.0.1"}]),
        words=("--diff",),
    )
    assert "-    instances: 2\n" in play.output
    assert "+    instances: 3\n" in play.output
    assert "+address: 10.0.0.1\n" in play.output


@pytest.mark.req("A5")
def test_a_plan_is_made_and_shortage_is_named(play: Player) -> None:
    made, planned, deployed, gone = play(
        task("machine", machines=[{"name": "web-1", "address": "10.0.0.1", "size": "small"}]),
        task("environment", definition=definition(), state="planned"),
        task("environment", name="notes", state="deployed"),
        task("environment", name="notes", state="undeployed"),
    )
    assert made["changed"]
    assert (planned["changed"], planned["failed"]) == (True, False), "it was defined, too"
    assert planned["plan"]["blocked"]
    assert "notes" in planned["msg"]
    assert deployed["failed"]
    assert (deployed["code"], bool(deployed["problems"])) == ("blocked", True)
    assert "small" in deployed["msg"]
    assert (gone["changed"], gone["environment"]["state"]) == (False, "not-deployed")


@pytest.mark.req("A16")
def test_a_misspelt_variable_of_a_playbook_is_named(play: Player) -> None:
    strict = task("job", step="reserve", known=["ads_environment", "ads_go_live"])
    own = task("job", step="reserve")
    refused, lacking = play(strict, own, words=("-e", "ads_enviroment=shop house=2"))
    assert refused["failed"]
    assert "no variable 'ads_enviroment' (did you mean 'ads_environment'?), so nothing was begun" in refused["msg"]
    assert lacking["msg"] == "say which environment: -e ads_environment=NAME"


@pytest.mark.req("A4")
def test_templates_and_clones(play: Player) -> None:
    template = task("environment_template", name="base", definition=definition(), open=["services/notes/instances"])
    fill = {"services": {"notes": {"instances": 5}}}
    made = task("environment", name="shop", template="base", fill=fill)
    forbidden = task("environment", name="other", template="base", fill={"services": {"notes": {"component": "x"}}})
    results = play(
        template,
        template,
        made,
        made,
        forbidden,
        task("environment", name="shop", template="base", fill={"services": {"notes": {"instances": 6}}}),
        made,
        task("environment", name="copy", clone_of="shop"),
        task("environment_template", name="saved", environment="shop", open=["services/**"]),
        task("environment_template", name="saved", environment="shop", open=["services/**"]),
        task("environment", name="copy", template="base"),
        task("environment_info", names=["copy"], definition=True),
        task("environment_template", name="base", state="absent"),
        task("environment_template", name="base", state="absent"),
    )
    changed = [each["changed"] for each in results]
    assert changed == [True, False, True, False, False, True, True, True, True, False, False, False, True, False]
    assert (results[4]["failed"], results[4]["code"]) == (True, "invalid")
    assert "fixes this" in results[4]["msg"]
    assert not results[10]["failed"], "a clone is made from the template, too"
    [copied] = results[11]["environments"]
    assert copied["definition"]["services"]["notes"]["instances"] == 5


@pytest.mark.req("A10")
def test_machines_are_added_changed_and_removed_in_bulk(play: Player) -> None:
    machines = [{"name": f"web-{n}", "address": f"10.0.0.{n}", "size": "small", "location": "us-west"} for n in (1, 2)]
    wanted = task("machine", machines=machines)
    labelled = task("machine", machines=[{"name": "web-1", "labels": {"rack": 7}}])
    west = task("machine_info", location="us-west", free=True)
    gone = task("machine", machines=[{"name": "web-1"}, {"name": "web-2"}], state="absent")
    results = play(
        wanted, wanted, labelled, labelled, west, task("machine_info", names=["web-1"], details=True), gone, gone
    )
    assert [each["changed"] for each in results] == [True, False, True, False, False, False, True, False]
    assert [machine["name"] for machine in results[4]["machines"]] == ["web-1", "web-2"]
    assert results[4]["summary"]["availability"]["available"] == 2
    [seen] = results[5]["machines"]
    assert (seen["labels"], seen["location"], seen["instances"]) == ({"rack": "7"}, "us-west", [])


@pytest.mark.req("A10")
def test_no_machine_is_touched_if_one_will_not_do(play: Player) -> None:
    wrong, seen, unknown, twice = play(
        task("machine", machines=[{"name": "web-1", "address": "10.0.0.1"}, {"name": "Bad Name", "size": "giant"}]),
        task("machine_info"),
        task("machine", machines=[{"name": "web-1", "addres": "10.0.0.1"}]),
        task("machine", machines=[{"name": "a", "address": "b"}, {"name": "a", "address": "c"}]),
    )
    assert (wrong["failed"], wrong["changed"], wrong["code"]) == (True, False, "invalid")
    assert {problem["place"] for problem in wrong["problems"]} == {"machine 'Bad Name'"}
    assert "known sizes: small, medium, large" in wrong["msg"].replace("Known", "known")
    assert seen["machines"] == []
    assert "addres" in unknown["msg"]
    assert "more than once" in twice["msg"]


@pytest.mark.req("A2")
def test_a_path_is_found_beside_the_playbook_and_errors_name_the_line(play: Player) -> None:
    (play.folder / "files").mkdir()
    (play.folder / "files" / "notes.yml").write_text("environment: notes\nservices:\n  notes: {rolls: [x]}\n")
    (play.folder / "good.yml").write_text("environment: good\nservices:\n  notes: {roles: [x]}\n")
    wrong, good, missing, number = play(
        task("environment", definition="notes.yml"),
        task("environment", definition="good.yml"),
        task("environment", definition="absent.yml"),
        task("environment", definition=7),
    )
    assert "files/notes.yml:3" in wrong["msg"]
    assert (wrong["code"], good["changed"]) == ("invalid", True)
    assert missing["code"] == "not-found"
    assert "expected a path or a map" in number["msg"]


@pytest.mark.req("A2")
def test_a_definition_from_a_playbook_is_plain_data(play: Player, tmp_path: Path) -> None:
    hostile = f"{{{{ lookup('ansible.builtin.pipe', 'touch {tmp_path / 'touched'}') }}}}"
    (play.folder / "vars.yml").write_text(f'hostile: !unsafe "{hostile}"\n')
    made = task("environment", definition=definition(description="{{ hostile }}"))
    info = task("environment_info", definition=True)
    shown = {"ansible.builtin.debug": {"msg": "{{ result_1.environments }}"}}
    results = play(made, info, shown, words=("-e", f"@{play.folder / 'vars.yml'}"))
    assert not (tmp_path / "touched").exists()
    # Either it is refused as an expression that names nothing, or kept as the text that it is.
    assert results[0]["failed"] or results[1]["environments"][0]["definition"]["description"] == hostile


@pytest.mark.req("A12")
def test_what_could_have_no_effect_is_refused(play: Player) -> None:
    results = play(
        task("environment", name="notes", parameters={"a": 1}),
        task("environment", definition=definition(), plan="1234"),
        task("environment", name="notes", template="base", state="stopped"),
        task("environment"),
        task("environment", name="notes", definition=definition(), clone_of="other"),
        task("environment", name="nowhere", state="planned"),
    )
    assert all(each["failed"] and not each["changed"] for each in results)
    assert [each.get("code") for each in results] == ["invalid", "invalid", "invalid", None, None, "not-found"]


@pytest.mark.req("A16")
@pytest.mark.parametrize(
    ("library", "message"),
    [
        ("raise ImportError('hidden')", "Failed to import the required Python library (adslib)"),
        ("__version__ = '9.9.0'", "needs adslib 0.1, found 9.9.0: install both in the same version"),
    ],
)
def test_a_library_that_is_absent_or_does_not_fit_is_named(play: Player, library: str, message: str) -> None:
    package = play.folder / "fake" / "adslib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(library)
    [result] = play(task("environment_info"), PYTHONPATH=str(package.parent))
    assert result["failed"]
    assert message in result["msg"]


@pytest.mark.req("A16")
def test_every_module_runs_as_a_module_too(play: Player, collections_path: Path) -> None:
    """As on a host whose controller does not know the action plugin: the module file itself, with JSON on stdin."""
    arguments = {
        "environment": {"definition": definition()},
        "environment_info": {},
        "environment_template": {"name": "base", "definition": definition(), "open": ["services/**"]},
        "machine": {"machines": [{"name": "web-1", "address": "10.0.0.1"}]},
        "machine_info": {},
    }
    for name, given in arguments.items():
        path = collections_path / "ansible_collections" / "ads" / "deploy" / "plugins" / "modules" / f"{name}.py"
        done = subprocess.run(
            [sys.executable, str(path)],
            input=json.dumps({"ANSIBLE_MODULE_ARGS": {"database": play.url, **given}}),
            env={**os.environ, "PYTHONPATH": os.pathsep.join([PYTHON, str(collections_path)])},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        said = json.loads(done.stdout)
        assert not said.get("failed"), said
        assert said["changed"] is (not name.endswith("_info")), said


@pytest.mark.req("A16")
def test_the_collection_says_its_own_version(collections_path: Path) -> None:
    import yaml

    deploy = collections_path / "ansible_collections" / "ads" / "deploy"
    named = yaml.safe_load((deploy / "galaxy.yml").read_text())["version"]
    assert f'COLLECTION_VERSION = "{named}"' in (deploy / "plugins" / "module_utils" / "library.py").read_text()
