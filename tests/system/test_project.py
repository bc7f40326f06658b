"""The user's own project: its ansible.cfg, roles and variables apply by hand and as a job alike."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from system.home import Home

BROKEN_BELL = """
- name: Ring the bell
  ansible.builtin.fail: {msg: the bell is broken}
  when: inventory_hostname == 'house-1'
"""
HOUSE = Path(__file__).with_name("projects") / "house"


@pytest.fixture
def house(home: Home) -> Home:
    """A home with the project and its environment, which is not deployed."""
    shutil.copytree(HOUSE, home.project)
    home.define_file(home.project / "house.yml")
    return home


def expect_all_had_their_say(home: Home) -> None:
    """ansible.cfg, both kinds of roles, dependencies, group_vars, host_vars and the definition."""
    for number, door in ((1, "front"), (2, "none")):
        id = f"notice-{number}"
        address = home.instance("house", id)["address"]
        assert home.file("house", id, "/srv/notice.txt").read_text().splitlines() == [
            f"title: {id} at {address}",
            "footer: notice of house",
            f"house: the blue house, light blue, {door} door",
            "forks: 3",
            "system: Linux",
            f"instance: {id}",
        ]
        assert home.file("house", id, "/srv/stamp.txt").read_text() == "stamped in blue\n"
        assert home.file("house", id, f"/srv/bell-{id}.txt").read_text() == f"rung for {id} at {address}\n"
    assert home.state("house") == "live"


@pytest.mark.req("A16")
@pytest.mark.parametrize("way", ["job", "inventory", "configured"])
def test_the_project_applies(house: Home, way: str) -> None:
    """The same result for a job, for a person in the project's folder, and where ansible.cfg names the inventory."""
    (house.project / "ads.yml").write_text("plugin: ads.deploy.ads\n")
    if way == "configured":
        with (house.project / "ansible.cfg").open("a") as settings:
            settings.write("inventory = ads.yml\n")
    if way == "job":
        done = house.carry("deploy", "house")
        assert done.code == 0, done
    else:
        words = ("-i", "ads.yml") if way == "inventory" else ()
        played = house.play("deploy", "house", *words, cwd=house.project)
        assert played.code == 0, played.output
    expect_all_had_their_say(house)
    if way == "job":
        # What a job deployed, a person finds as it should be.
        again = house.play("deploy", "house", "-i", "ads.yml", cwd=house.project)
        assert (again.code, again.changed) == (0, set()), again.output


@pytest.mark.req("A16")
def test_variables_of_the_project_apply_without_an_inventory(house: Home) -> None:
    played = house.play("deploy", "house", cwd=house.project)
    assert played.code == 0, played.output
    expect_all_had_their_say(house)


@pytest.mark.req("A16")
def test_handlers_see_the_variables_of_their_own_instance(house: Home) -> None:
    """Also where two instances of one role stand on one machine, and Ansible keeps one copy of its handlers."""
    text = (house.project / "house.yml").read_text()
    together = "    instances: 2\n    machine: {shared: true, spread: false}\n"
    house.define(text.replace("    instances: 2\n", together))
    assert house.carry("deploy", "house").code == 0
    assert house.instance("house", "notice-1")["machine"] == house.instance("house", "notice-2")["machine"]
    for id in ("notice-1", "notice-2"):
        address = house.instance("house", id)["address"]
        assert house.file("house", id, f"/srv/bell-{id}.txt").read_text() == f"rung for {id} at {address}\n"


@pytest.mark.req("A16")
def test_what_a_role_may_need(house: Home) -> None:
    """Roles in the folder `roles` need no ansible.cfg; a missing one is named before anything changes."""
    text = (house.project / "house.yml").read_text()
    (house.project / "ansible.cfg").unlink()
    shutil.move(house.project / "lent" / "stamp", house.project / "roles" / "stamp")
    (house.project / "house.yml").write_text(text.replace("role: notice", "role: notices"))
    house.define_file(house.project / "house.yml")
    refused = house.carry("deploy", "house")
    assert refused.code != 0
    assert "role 'notices' cannot be found" in refused.message
    assert "services.notice.roles" in refused.message
    assert house.state("house") == "not-deployed"
    house.expect_nothing_left()

    (house.project / "house.yml").write_text(text)
    house.define_file(house.project / "house.yml")
    done = house.carry("deploy", "house")
    assert done.code == 0, done
    assert house.file("house", "notice-1", "/srv/stamp.txt").read_text() == "stamped in blue\n"


@pytest.mark.req("A16")
def test_a_missing_role_is_named_by_hand(house: Home) -> None:
    text = (house.project / "house.yml").read_text()
    (house.project / "house.yml").write_text(text.replace("role: notice", "role: notices"))
    house.define_file(house.project / "house.yml")
    refused = house.play("deploy", "house", cwd=house.project)
    assert refused.code != 0
    assert "role 'notices' cannot be found" in refused.text
    assert house.state("house") == "not-deployed"
    house.expect_nothing_left()


@pytest.mark.req("A16")
def test_a_failing_handler_fails_its_instance(house: Home) -> None:
    """What a role does at the end counts as well."""
    (house.project / "roles/notice/handlers/main.yml").write_text(BROKEN_BELL)
    failed = house.carry("deploy", "house")
    assert failed.code != 0
    assert house.state("house") == "incomplete"
    assert house.instance("house", "notice-1")["state"] == "failed"
    assert "the bell is broken" in house.instance("house", "notice-1")["message"]
    assert house.instance("house", "notice-2")["state"] == "deployed"


@pytest.mark.req("A10", "A16")
def test_roles_that_may_change_the_host_are_refused(house: Home) -> None:
    """On local machines a role has to declare that it keeps below ads_root, unless the definition allows more."""
    text = (house.project / "house.yml").read_text().replace("        ads_root: true\n", "")
    (house.project / "house.yml").write_text(text)
    house.define_file(house.project / "house.yml")
    refused = house.carry("deploy", "house")
    assert refused.told["error"] == "Blocked"
    assert "roles that change the whole system" in refused.message
    assert "allow_host_changes" in refused.message
    house.expect_nothing_left()
    (house.project / "house.yml").write_text(f"{text}allow_host_changes: true\n")
    house.define_file(house.project / "house.yml")
    with house.ads() as ads:
        assert not ads.environments.plan("house").blocked


@pytest.mark.req("A2", "A16")
def test_a_project_at_a_commit(house: Home) -> None:
    """A git URL and a commit: its roles and variables are used, whatever lies on the disk meanwhile."""
    place = house.folder / "origin"
    shutil.copytree(HOUSE, place)
    git("init", "--quiet", cwd=place)
    git("add", ".", cwd=place)
    git("-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "first", cwd=place)
    commit = git("rev-parse", "HEAD", cwd=place)
    git("clone", "--quiet", "--bare", str(place), str(house.folder / "bare.git"), cwd=house.folder)
    shutil.rmtree(place)
    text = (house.project / "house.yml").read_text()
    shutil.rmtree(house.project)
    house.define(f"{text}project: file://{house.folder}/bare.git@{commit}\n")
    done = house.carry("deploy", "house")
    assert done.code == 0, done
    expect_all_had_their_say(house)


def git(*words: str, cwd: Path) -> str:
    return subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()
