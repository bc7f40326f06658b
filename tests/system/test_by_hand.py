"""A person deploys with ansible-playbook: the first run, the unchanged one, repair, check mode, and what is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from system.home import Home, Played, kill, wait_for

SERVE = "{{ ads_python }} -m http.server --bind {{ self.address }} --directory {{ ads_root }}/srv/{{ self.service }}"
SHOP = f"""
environment: shop
components:
  store:
    version: "1"
    files: [{{path: /srv/store/stock.txt, content: "42 of {{{{ self.id }}}}\\n"}}]
    process: {{command: "{SERVE} 8080"}}
  web:
    version: "1"
    files:
      - {{path: /srv/web/name.txt, content: "{{{{ self.id }}}} asks {{{{ members.store[0].address }}}}\\n"}}
      - {{path: /srv/web/page.txt, template: page.j2}}
    process: {{command: "{SERVE} 8080"}}
services:
  store: {{component: store, ports: {{http: 8080}}, tests: [{{http: /stock.txt, contains: "42"}}]}}
  web:
    component: web
    instances: 2
    requires: [store]
    ports: {{http: 8080}}
    tests: [{{http: /name.txt, contains: web-}}, {{tcp: http}}]
"""
COMPONENT = "Put the component"


@dataclass
class Shop:
    """The deployed environment, and the run that deployed it."""

    home: Home
    first: Played

    def play(self, *words: str, **more: object) -> Played:
        return self.home.play("deploy", "shop", *words, **more)

    def file(self, instance: str, path: str) -> Path:
        return self.home.file("shop", instance, path)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = Home(tmp_path_factory.mktemp("shop"))
    home.project.mkdir()
    (home.project / "page.j2").write_text("page of {{ self.name }}\n")
    try:
        home.define(SHOP)
        yield Shop(home, home.play("deploy", "shop"))
    finally:
        home.sweep()


@pytest.mark.req("A12", "A15", "A16")
def test_first_run_from_an_empty_folder(shop: Shop) -> None:
    """No inventory, no ansible.cfg: machines are made, software deployed, tested, live."""
    assert shop.first.code == 0, shop.first.output
    assert set(shop.first.recap) == {"localhost", "shop-1", "shop-2", "shop-3"}
    for numbers in shop.first.recap.values():
        assert numbers["failed"] == numbers["unreachable"] == numbers["ignored"] == 0
        assert numbers["changed"] >= 1
    shown = shop.home.show("shop")
    assert shown["state"] == "live"
    assert shown["tests"]["passed"] == 5
    assert {i["instance"]: i["state"] for i in shown["instances"]} == dict.fromkeys(
        ["store-1", "web-1", "web-2"], "deployed"
    )
    store = shop.home.instance("shop", "store-1")["address"]
    assert shop.home.get("shop", "web-2", "/name.txt") == (200, f"web-2 asks {store}\n")
    # The common order: what is required comes first.
    order = [host for host, _ in shop.first.looks(COMPONENT)]
    assert order[0] == shop.home.instance("shop", "store-1")["machine"]


@pytest.mark.req("A16")
@pytest.mark.parametrize("with_inventory", [False, True])
def test_unchanged_run_changes_nothing_and_looks_at_everything_once(
    shop: Shop, tmp_path: Path, with_inventory: bool
) -> None:
    """The same with the inventory plugin as without."""
    words = ()
    if with_inventory:
        (tmp_path / "ads.yml").write_text("plugin: ads.deploy.ads\n")
        words = ("-i", str(tmp_path / "ads.yml"))
    pids = [shop.home.pid("shop", name) for name in ("store-1", "web-1", "web-2")]
    again = shop.play(*words)
    assert again.code == 0, again.output
    assert again.changed == set()
    assert set(again.recap) == {"localhost", "shop-1", "shop-2", "shop-3"}
    assert sorted(again.looks(COMPONENT)) == [("shop-1", "ok"), ("shop-2", "ok"), ("shop-3", "ok")]
    assert shop.home.state("shop") == "live"
    assert [shop.home.pid("shop", name) for name in ("store-1", "web-1", "web-2")] == pids


@pytest.mark.req("A16")
def test_what_was_changed_by_hand_is_repaired_and_nothing_else(shop: Shop) -> None:
    """A changed file, a deleted file, a changed mode, a stopped process; an untouched neighbour stays untouched."""
    home, neighbour = shop.home, shop.home.pid("shop", "web-2")
    assert shop.first.code == 0
    shop.file("store-1", "/srv/store/stock.txt").write_text("13\n")
    shop.file("web-1", "/srv/web/page.txt").unlink()
    shop.file("web-1", "/srv/web/name.txt").chmod(0o600)
    home.init("shop", "web-1", "stopProcess", "web-1")
    assert home.pid("shop", "web-1") == 0
    again = shop.play()
    assert again.code == 0, again.output
    assert again.changed == {home.instance("shop", name)["machine"] for name in ("store-1", "web-1")}
    assert home.get("shop", "store-1", "/stock.txt") == (200, "42 of store-1\n")
    assert home.get("shop", "web-1", "/page.txt") == (200, "page of web-1\n")
    assert shop.file("web-1", "/srv/web/name.txt").stat().st_mode & 0o777 == 0o644
    assert home.pid("shop", "web-2") == neighbour
    assert home.state("shop") == "live"


@pytest.mark.req("A16")
def test_a_killed_process_comes_back_without_us(shop: Shop) -> None:
    """The machine's own init restarts it; the next run finds nothing to do."""
    before = shop.home.pid("shop", "store-1")
    os.kill(before, 9)
    wait_for(lambda: shop.home.pid("shop", "store-1") not in (0, before))
    wait_for(lambda: shop.home.get("shop", "store-1", "/stock.txt")[0] == 200)
    assert shop.play().changed == set()


@pytest.mark.req("A16")
def test_check_mode_writes_nothing_and_shows_differences(shop: Shop) -> None:
    """On a standing environment after an edit: the plan, the file's diff, and not a byte written."""
    home = shop.home
    home.define(SHOP.replace("42 of", "43 of"))
    try:
        files, rows = home.snapshot(), home.rows()
        checked = shop.play("--check", "--diff")
        assert checked.code == 0, checked.output
        assert "-42 of store-1" in checked.output
        assert "+43 of store-1" in checked.output
        assert "update store-1" in checked.text
        assert home.snapshot() == files
        assert home.rows() == rows
        assert home.get("shop", "store-1", "/stock.txt")[1] == "42 of store-1\n"
    finally:
        home.define(SHOP)


@pytest.mark.req("A5", "A16")
def test_check_mode_before_any_machine_exists(shop: Shop) -> None:
    """The plan is printed, nothing is made or written."""
    home = shop.home
    home.define(SHOP.replace("environment: shop", "environment: corner"))
    files, rows = home.snapshot(), home.rows()
    checked = home.play("deploy", "corner", "--check", "--diff")
    assert checked.code == 0, checked.output
    for words in ("create corner-1", "deploy store-1", "deploy web-2"):
        assert words in checked.text
    assert home.snapshot() == files
    assert home.rows() == rows
    assert home.state("corner") == "not-deployed"


REFUSALS = {
    "limit": (["--limit", "localhost"], "limited by --limit"),
    "tags": (["--tags", "web"], "limited by --tags"),
    "skip-tags": (["--skip-tags", "web"], "limited by --skip-tags"),
    "stages": (["-e", "ads_stages=1"], "has 2 stages and this run was started for 1. Say -e ads_stages=2"),
    "unknown": (["-e", "ads_environment=shopp"], "there is no environment 'shopp'"),
    "misspelt": (["-e", "ads_go_liv=false"], "no variable 'ads_go_liv' (did you mean 'ads_go_live'?)"),
    "plan": (["-e", "ads_plan=0123456789abcdef"], "the saved plan 0123456789abcdef"),
}


@pytest.mark.req("A12", "A16")
@pytest.mark.parametrize("case", REFUSALS)
def test_refused_before_anything_changes(shop: Shop, case: str) -> None:
    """With the reason, an exit code, and not a row written."""
    words, reason = REFUSALS[case]
    files, rows = shop.home.snapshot(), shop.home.rows()
    refused = shop.play(*words)
    assert refused.code != 0
    assert reason in refused.text
    assert "Traceback" not in refused.output
    assert shop.home.snapshot() == files
    assert shop.home.rows() == rows


@pytest.mark.req("A12")
def test_wrong_state_is_refused_with_what_is_possible(shop: Shop) -> None:
    rows = shop.home.rows()
    refused = shop.home.play("start", "shop")
    assert refused.code != 0
    assert "environment 'shop' is live: 'start' is not possible" in refused.text
    assert "possible now: deploy, test, stop, undeploy, edit" in refused.text
    assert shop.home.rows() == rows


@pytest.mark.req("A12", "A22")
def test_a_second_job_is_refused_and_a_persons_run_is_never_ended(shop: Shop) -> None:
    """While one run is at work others are told whose it is; killed, it is written down, and the next one completes."""
    home = shop.home
    # A single try may not take long, so the run is kept at work by many of them.
    waiting = "tests: [{command: test -e never, retries: 600, delay: 1}, {http: /stock.txt"
    slow = SHOP.replace("tests: [{http: /stock.txt", waiting)
    home.define(slow.replace("environment: shop", "environment: slow").replace("instances: 2", "instances: 1"))
    with home.begin_playing("deploy", "slow") as playing:
        try:
            wait_for(lambda: home.job("slow").get("step") == "stage 2")
            rows = home.rows()
            refused = home.play("deploy", "slow")
            assert refused.code != 0
            assert f"job {home.job('slow')['job']} (deploy) of environment 'slow' is at work" in refused.text
            assert f"process {playing.pid}" in refused.text
            assert home.rows() == rows
            cancelled = home.carry("undeploy", "slow")
            assert cancelled.told["error"] == "Conflict"
            assert playing.poll() is None
        finally:
            kill(playing)
    wait_for(lambda: home.job("slow")["state"] == "interrupted")
    assert home.state("slow") == "incomplete"
    home.define(SHOP.replace("environment: shop", "environment: slow").replace("instances: 2", "instances: 1"))
    again = home.play("deploy", "slow")
    assert again.code == 0, again.output
    assert home.state("slow") == "live"
    assert home.carry("undeploy", "slow").code == 0
