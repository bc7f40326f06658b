"""Machines that somebody lends are wiped by a role of the user's before anybody else gets them."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from adslib.usecases.machine_spec import MachineSpec
from system.home import Home

DEFINITION = """
environment: lent
components:
  notice: {version: "1", files: [{path: /srv/notice.txt, content: "{{ self.id }}"}]}
services:
  board: {component: notice, instances: 2, machine: {gateway: rack}}
"""
ROLE = """
- name: Nothing of the environment is left
  ansible.builtin.command: test ! -e {{ ads_root }}/srv/notice.txt
  changed_when: false
- name: Overwrite the disk
  ansible.builtin.copy:
    dest: "{{ ads_root }}/wiped"
    content: "{{ ads_machine }} of {{ ads_gateway }}"
    mode: "0644"
  failed_when: lookup('ansible.builtin.env', 'PWD') is none or (ads_root ~ '/stuck') is exists
  notify: Switch it off
"""
HANDLER = """
- name: Switch it off
  ansible.builtin.copy: {dest: "{{ ads_root }}/off", content: "", mode: "0644"}
"""


def lend(home: Home, name: str) -> Path:
    """A machine of the rack: a directory of this host."""
    root = home.folder / name
    root.mkdir()
    with home.ads() as ads:
        spec = MachineSpec(
            name, gateway="rack", connection="local", root=str(root), python=sys.executable, size="small"
        )
        ads.machines.add(spec)
    return root


@pytest.fixture
def roots(home: Home) -> list[Path]:
    """Two machines of a rack whose machines are wiped by a role of the project, with an environment on them."""
    with home.ads() as ads:
        ads.gateways.add("rack", "static", {"wipe": "scrub"})
    roots = [lend(home, name) for name in ("blade1", "blade2")]
    for part, text in (("tasks", ROLE), ("handlers", HANDLER)):
        (home.project / "roles/scrub" / part).mkdir(parents=True)
        (home.project / "roles/scrub" / part / "main.yml").write_text(text)
    home.define(DEFINITION)
    assert home.play("deploy", "lent").code == 0
    assert all((root / "srv/notice.txt").exists() for root in roots)
    return roots


@pytest.mark.req("A9", "A13", "A16")
def test_a_role_wipes_what_is_returned_and_what_it_cannot_wipe_stays_held(home: Home, roots: list[Path]) -> None:
    (roots[1] / "stuck").touch()
    failed = home.play("undeploy", "lent")
    assert failed.code != 0
    assert home.state("lent") == "incomplete"
    assert "it was not wiped: " in home.job("lent")["failures"]["machine blade2"]
    assert (roots[0] / "wiped").read_text() == "blade1 of rack"
    assert (roots[0] / "off").exists(), "what the role notified has run"
    with home.ads() as ads:
        assert [machine["name"] for machine in ads.machines.list(holder="lent")] == ["blade2"]
    still = home.play("undeploy", "lent")
    assert still.code != 0, "there is nothing to remove any more, and yet it is not wiped"
    with home.ads() as ads:
        assert [machine["name"] for machine in ads.machines.list(holder="lent")] == ["blade2"]
    (roots[1] / "stuck").unlink()
    again = home.carry("undeploy", "lent")
    assert again.code == 0, again
    assert (roots[1] / "wiped").read_text() == "blade2 of rack"
    with home.ads() as ads:
        assert {machine["availability"] for machine in ads.machines.list()} == {"available"}


@pytest.mark.req("A13")
def test_a_role_that_is_nowhere_is_told_before_anything_is_done(home: Home, roots: list[Path]) -> None:
    (home.project / "roles/scrub").rename(home.project / "roles/scrap")
    said = "gateway rack, option wipe: role 'scrub' cannot be found"
    refused = home.carry("undeploy", "lent")
    assert refused.code != 0
    assert said in refused.message
    by_hand = home.play("undeploy", "lent")
    assert by_hand.code != 0
    assert said in by_hand.text
    assert home.state("lent") == "live"
    assert all((root / "srv/notice.txt").exists() for root in roots)
