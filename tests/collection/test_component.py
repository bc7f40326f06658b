"""The role component: files, folder and process of one instance, put there, kept and taken away."""

from __future__ import annotations

import fcntl
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collection.component_stage import Machine, instance, machine, wait_for

pytestmark = pytest.mark.req("A16")

SLEEPER = "import time, sys\nprint('up', flush=True)\ntime.sleep(3600)\n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Machine]:
    project = tmp_path / "project"
    (project / "web").mkdir(parents=True)
    (project / "web" / "web.py").write_text(SLEEPER)
    (project / "templates").mkdir()
    (project / "templates" / "web.conf.j2").write_text(
        "{{ self.name }} of {{ self.levels.pod }} at {{ ads_address }}\n"
    )
    with machine(project) as made:
        yield made


def component(**more: Any) -> dict[str, Any]:
    """A component as the inventory gives it: every key is there, null where it is not used."""
    plain = dict.fromkeys(("packages", "archive", "git", "folder", "files", "process", "vars"))
    return {
        "name": "web",
        "version": "1.0.0",
        **plain,
        "folder": {"path": "web", "directory": "/opt/web"},
        "files": [
            {
                "path": "/etc/web.conf",
                "template": "templates/web.conf.j2",
                "content": None,
                "source": None,
                "mode": "0640",
            },
            {"path": "/etc/{{ self.name }}.json", "content": '{"root": "{{ ads_root }}"}', "owner": "", "group": ""},
        ],
        "process": {"command": "{{ ads_python }} {{ ads_root }}/opt/web/web.py", "environment": {}, "reload": ""},
        **more,
    }


def deploy(stage: Machine, *arguments: str, **variables: Any) -> Any:
    return stage.run("component", *arguments, **{"ads_instance": instance(), "ads_component": component(), **variables})


def test_it_is_put_there_once_and_then_left_alone(stage: Machine) -> None:
    first = deploy(stage)
    assert "process web-1: start" in first.actions
    assert stage.path("/etc/web.conf").read_text() == "web-1 of pod-1 at 127.0.0.1\n"
    assert stage.path("/etc/web.conf").stat().st_mode & 0o777 == 0o640
    assert json.loads(stage.path("/etc/web-1.json").read_text()) == {"root": str(stage.root)}
    assert stage.said("web-1") == "up\n"
    pid = stage.pid("web-1")
    second = deploy(stage)
    assert (second.result["changed"], second.actions, stage.pid("web-1")) == (False, [], pid)


@pytest.mark.req("A12")
def test_what_was_changed_by_hand_is_put_back(stage: Machine) -> None:
    deploy(stage)
    stage.path("/etc/web.conf").write_text("by hand\n")
    stage.path("/opt/web/web.py").chmod(0o600)
    stage.path("/etc/web-1.json").unlink()
    stage.init("stopProcess", "web-1")
    repaired = deploy(stage)
    assert repaired.actions == [
        "file /opt/web/web.py: mode 0600 to 0644",
        "file /etc/web.conf: content",
        "file /etc/web-1.json: new",
        "process web-1: start",
    ]
    assert stage.path("/etc/web.conf").read_text() == "web-1 of pod-1 at 127.0.0.1\n"
    assert stage.pid("web-1")
    stage.init("stopProcess", "web-1")
    assert deploy(stage).actions == ["process web-1: start"]


@pytest.mark.once
def test_only_a_change_that_the_process_uses_restarts_it(stage: Machine) -> None:
    note = {"path": "/etc/note", "content": "one", "on_change": "nothing"}
    deploy(stage, ads_component=component(files=[note]))
    pid = stage.pid("web-1")
    assert deploy(stage, ads_component=component(files=[dict(note, content="two")])).actions == [
        "file /etc/note: content"
    ]
    assert stage.pid("web-1") == pid
    restarted = deploy(stage, ads_component=component(files=[dict(note, content="three", on_change="restart")]))
    assert restarted.actions == ["file /etc/note: content", "process web-1: restart"]
    assert stage.pid("web-1") != pid


@pytest.mark.once
def test_a_signal_reloads_without_a_restart(stage: Machine) -> None:
    (stage.project / "web" / "web.py").write_text(
        "import signal, time\nsignal.signal(signal.SIGHUP, lambda *_: print('read again', flush=True))\n"
        "print('up', flush=True)\nwhile True:\n    time.sleep(1)\n"
    )
    process = {**component()["process"], "reload": "HUP"}
    deploy(stage, ads_component=component(process=process))
    pid = stage.pid("web-1")
    assert stage.said("web-1") == "up\n"
    (stage.project / "templates" / "web.conf.j2").write_text("other\n")
    assert "process web-1: reload" in deploy(stage, ads_component=component(process=process)).actions
    wait_for(lambda: "read again" in stage.path("/var/log/web-1.log").read_text())
    assert stage.pid("web-1") == pid


@pytest.mark.req("A12")
@pytest.mark.once
def test_a_restart_that_is_due_survives_a_failed_run(stage: Machine) -> None:
    deploy(stage)
    pid = stage.pid("web-1")
    files = [
        {"path": "/etc/web.conf", "content": "new\n"},
        {"path": "/etc/broken", "content": "x", "validate": "/bin/false %s"},
    ]
    failed = deploy(stage, ads_component=component(files=files))
    assert "file /etc/broken: the new content is not valid, the old one stays" in failed.message
    assert (stage.path("/etc/web.conf").read_text(), stage.pid("web-1")) == ("new\n", pid)
    again = deploy(stage, ads_component=component(files=files[:1]))
    assert "process web-1: restart" in again.actions
    assert stage.pid("web-1") != pid
    assert not deploy(stage, ads_component=component(files=files[:1])).result["changed"]


@pytest.mark.once
def test_a_process_that_does_not_stay_up_is_named_with_its_last_words(stage: Machine) -> None:
    # A shell, as it ends sooner than any Python: what lives for its second counts as running.
    process = {"command": "/bin/sh -c 'echo no disk to be found; exit 1'"}
    failed = deploy(stage, ads_component=component(process=process))
    assert re.search(r"pod-1/us-west/web-1: process web-1 does not stay up", failed.message)
    assert "no disk to be found" in failed.message
    (stage.project / "web" / "web.py").write_text(SLEEPER)
    assert "process web-1: start" in deploy(stage).actions or stage.pid("web-1")
    assert not deploy(stage).result["changed"]


def test_check_mode_tells_and_writes_nothing(stage: Machine) -> None:
    told = deploy(stage, "--check", "--diff")
    assert told.result["changed"]
    assert "process web-1: start" in told.actions
    assert "+web-1 of pod-1 at 127.0.0.1" in told.output
    assert not list(stage.path("/etc").glob("web*"))
    assert not list(stage.path("/var/lib").iterdir())
    done = deploy(stage)
    assert done.actions == told.actions
    stage.path("/etc/web.conf").write_text("by hand\n")
    assert deploy(stage, "--check").actions == ["file /etc/web.conf: content", "process web-1: restart"]
    assert stage.path("/etc/web.conf").read_text() == "by hand\n"


@pytest.mark.once
def test_files_that_leave_the_folder_go_and_others_stay(stage: Machine) -> None:
    (stage.project / "web" / "old.py").write_text("")
    (stage.project / "web" / "parts").mkdir()
    (stage.project / "web" / "parts" / "part.py").write_text("")
    deploy(stage)
    stage.path("/opt/web/data").write_text("of the program itself")
    (stage.project / "web" / "old.py").unlink()
    (stage.project / "web" / "parts" / "part.py").unlink()
    actions = deploy(stage).actions
    assert {"file /opt/web/old.py: remove", "file /opt/web/parts/part.py: remove"} <= set(actions)
    assert sorted(path.name for path in stage.path("/opt/web").iterdir()) == ["data", "web.py"]


@pytest.mark.req("A13")
@pytest.mark.once
def test_absent_leaves_nothing_of_the_instance(stage: Machine) -> None:
    before = sorted(path for path in stage.root.rglob("*"))
    deploy(stage)
    told = deploy(stage, "--check", component_state="absent")
    assert stage.pid("web-1")
    gone = deploy(stage, component_state="absent")
    assert gone.actions == told.actions
    left = sorted(path for path in stage.root.rglob("*"))
    assert set(left) - set(before) == {stage.path("/var/lib/ads"), stage.path("/var/lib/ads/lock")}
    assert stage.init("getAllProcessInfo") == []
    assert not deploy(stage, component_state="absent").result["changed"]


@pytest.mark.req("A12")
@pytest.mark.once
def test_stopped_keeps_the_software_and_present_runs_it_again(stage: Machine) -> None:
    deploy(stage)
    assert "process web-1: stop" in deploy(stage, component_state="stopped").actions
    assert stage.pid("web-1") == 0
    assert not deploy(stage, component_state="stopped").result["changed"]
    assert "process web-1: start" in deploy(stage).actions


@pytest.mark.req("A7")
@pytest.mark.once
def test_instances_on_one_machine_do_not_disturb_each_other(stage: Machine) -> None:
    other = component(
        name="shop", folder={"path": "web", "directory": "/opt/shop"}, files=[{"path": "/etc/shop", "content": "1"}]
    )
    other["process"] = {"command": "{{ ads_python }} {{ ads_root }}/opt/shop/web.py"}
    shop = {"ads_instance": instance("shop-1", "shop"), "ads_component": other}
    deploy(stage)
    deploy(stage, **shop)
    pid = stage.pid("web-1")
    other["files"][0]["content"] = "2"
    deploy(stage, **shop)
    deploy(stage, **shop, component_state="absent")
    assert stage.pid("web-1") == pid
    assert not deploy(stage).result["changed"]
    taken = deploy(stage, **{**shop, "ads_component": component(files=[{"path": "/etc/web.conf", "content": "mine"}])})
    assert "file /etc/web.conf belongs to pod-1/us-west/web-1" in taken.message
    assert stage.path("/etc/web.conf").read_text().startswith("web-1")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"packages": [{"name": "nginx", "version": ""}]}, "nginx.*capability 'packages'"),
    ({"files": [{"path": "/etc/../../x", "content": ""}]}, r"steps upwards.*without \.\."),
    ({"files": [{"path": "etc/x", "content": ""}]}, "not absolute: begin it with /"),
    ({"files": [{"path": "/way/out", "content": ""}]}, "leads out of the machine's directory.*symbolic link"),
    ({"files": [{"path": "/etc/x", "content": "", "owner": "nobody"}]}, "owner 'nobody' is not possible here"),
    ({"files": [{"path": "/etc/x", "content": "", "mode": "9"}]}, "mode '9' is not octal"),
    ({"files": [{"path": "/etc/x", "template": "../secret"}]}, "lies outside the project"),
    ({"files": [{"path": "/etc/x", "template": "none.j2"}]}, "template none.j2 is not there; looked for"),
    ({"files": [{"path": "/opt", "content": ""}]}, "a directory stands there"),
    (
        {"files": [{"path": "/etc/x", "content": "{{ nothing }}"}]},
        r"files\[/etc/x\].content: 'nothing' is undefined",
    ),
    ({"files": [{"path": "/etc/x", "content": "{{ 'a' * 10**9 }}"}]}, r"\* is for numbers here"),
    ({"files": [{"path": "/etc/x", "content": "{{ ''.__class__.__mro__ }}"}]}, "access to attribute '__class__'"),
    ({"files": [{"path": "/etc/x", "content": "{{ lookup('pipe', 'touch /tmp/x') }}"}]}, "'lookup' is undefined"),
    ({"folder": {"path": "empty", "directory": "/opt/web"}}, "folder empty is not there"),
    ({"process": {"command": "x 'y"}}, "process.command: no closing quotation"),
    ({"process": {"command": "x", "environment": {"A": {"secret": "db"}}}}, "secret 'db' is not known"),
]


def test_what_cannot_be_is_refused_before_anything_changes(stage: Machine) -> None:
    (stage.project.parent / "secret").write_text("not for machines")
    stage.path("/way").symlink_to("/tmp")
    before = set(stage.root.rglob("*"))
    cases = [{"ads_instance": instance(), "ads_component": component(**changes)} for changes, _words in REFUSED]
    for refused, (changes, words) in zip(stage.run_each("component", cases), REFUSED, strict=True):
        assert refused.code != 0, changes
        assert re.search(words, refused.message, re.DOTALL), refused.message
    assert set(stage.root.rglob("*")) - before <= {stage.path("/var/lib/ads"), stage.path("/var/lib/ads/lock")}


def test_stored_strings_are_data_in_templates_too(stage: Machine) -> None:
    proof = stage.folder / "proof"
    hostile = f"{{{{ lookup('pipe', 'touch {proof}') }}}}"
    (stage.project / "templates" / "web.conf.j2").write_text(
        "{{ members.db[0].name }}|{{ configurations.c.v }}|{{ 'x' | upper }}\n"
    )
    deployed = deploy(
        stage,
        ads_members={"db": [{"name": hostile}]},
        ads_configurations={"c": {"v": hostile}},
    )
    assert deployed.code == 0, deployed.output
    assert stage.path("/etc/web.conf").read_text() == f"{hostile}|{hostile}|X\n"
    assert not proof.exists()


def test_a_secret_file_is_never_shown(stage: Machine) -> None:
    files = [{"path": "/etc/key", "content": "wonderland-1", "secret": True, "mode": "0600"}]
    process = {**component()["process"], "environment": {"KEY": "wonderland-2"}, "secret": True}
    first = deploy(stage, "--diff", "-vvv", ads_component=component(files=files, process=process))
    stage.path("/etc/key").write_text("wonderland-3")
    second = deploy(stage, "--diff", "-vvv", ads_component=component(files=files, process=process))
    assert stage.path("/etc/key").read_text() == "wonderland-1"
    assert "file /etc/key: content" in second.output
    said = first.output + second.output
    # The inventory of this test holds them; what the module got of it is all that -vvv may show.
    assert "wonderland" not in re.sub(r"^.*ads_component.*$", "", said, flags=re.MULTILINE)
    assert stage.path("/var/lib/ads/run/web-1").stat().st_mode & 0o077 == 0
    assert "wonderland" not in "".join(p.read_text() for p in stage.path("/var/lib/ads/instances").rglob("*.json"))


def test_any_value_reaches_the_environment_as_it_is(stage: Machine) -> None:
    (stage.project / "web" / "web.py").write_text(
        "import json, os, sys, time\nprint(json.dumps([os.environ['V'], sys.argv[1:]]), flush=True)\ntime.sleep(3600)\n"
    )
    value = "a\"b'c %(x)s ;d #e $HOME `id` \\ é\nnew line"
    process = {
        "command": "{{ ads_python }} {{ ads_root }}/opt/web/web.py 'two words' {{ self.odd }} $HOME %d",
        "environment": {"V": value},
    }
    deploy(stage, ads_instance=instance(odd="; touch x"), ads_component=component(process=process)).actions  # noqa: B018
    said = json.loads(stage.said("web-1"))
    assert said == [value, ["two words", "; touch x", "$HOME", "%d"]]


@pytest.mark.once
def test_a_second_run_waits_and_then_says_who_is_at_work(stage: Machine) -> None:
    deploy(stage)
    lock = stage.path("/var/lib/ads/lock")
    with lock.open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = deploy(stage, component_lock_timeout=1)
    assert f"process {json.loads(lock.read_text())['pid']} for pod-1/us-west/web-1 since" in refused.message
    assert not deploy(stage).result["changed"]


def test_large_content_is_sent_only_where_it_is_missing(stage: Machine) -> None:
    large = os.urandom(2_000_000)
    (stage.project / "web" / "model.bin").write_bytes(large)
    deployed = deploy(stage)
    assert "file /opt/web/model.bin: new" in deployed.actions
    assert stage.path("/opt/web/model.bin").read_bytes() == large
    assert not deploy(stage).result["changed"]
    stage.path("/opt/web/model.bin").write_bytes(large[:-1])
    told = deploy(stage, "--check", "--diff")
    assert "(1999999 bytes, SHA-256" in told.output
    assert "file /opt/web/model.bin: content" in deploy(stage).actions
    assert stage.path("/opt/web/model.bin").read_bytes() == large


@pytest.mark.once
def test_a_stopped_machine_is_named(stage: Machine) -> None:
    refused = deploy(stage, ads_init_socket=str(stage.folder / "nobody"))
    assert "supervisord does not answer" in refused.message
    without = deploy(stage, ads_init_socket=None)
    assert "neither systemd among its capabilities nor a supervisord" in without.message
    gone = deploy(stage, ads_root=str(stage.folder / "gone"))
    assert "is no directory: create or start the machine first" in gone.message


def test_the_interpreter_is_that_of_the_machine(stage: Machine) -> None:
    deploy(stage)
    assert sys.executable in stage.path("/var/lib/ads/run/web-1").read_text()
