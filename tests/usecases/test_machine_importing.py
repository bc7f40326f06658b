"""Machines imported from an Ansible inventory, all or none, without any secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.domain.errors import Invalid, NotFound
from adslib.usecases.ads import Ads
from usecases.machines import names

pytestmark = pytest.mark.usefixtures("own_known_hosts")


INVENTORY = """
all:
  vars: {ansible_user: deploy, ansible_become: true, http_port: 80}
  hosts:
    lonely: {ansible_connection: local}
  children:
    west:
      vars: {site: us-west, platform: debian-12}
      hosts:
        web1: {ansible_host: 10.0.0.5, ansible_port: 2222, flavour: large}
        web2.example.com: {ansible_ssh_common_args: -o ProxyJump=bastion}
"""


@pytest.fixture
def inventory(tmp_path: Path) -> Path:
    path = tmp_path / "project" / "hosts.yml"
    path.parent.mkdir()
    path.write_text(INVENTORY)
    return path


@pytest.mark.req("A10")
def test_import(ads: Ads, inventory: Path) -> None:
    wanted: dict[str, str] = {"location_var": "site", "location": "home", "os_var": "platform", "os": "debian-12"}
    sizes = {"size_var": "flavour", "size": "small"}
    outcome = ads.machines.import_inventory(str(inventory), **wanted, **sizes)
    assert outcome.message.startswith("3 machines added, 0 changed, 0 unchanged")
    assert outcome.after["without_host_key"] == ["web1", "web2.example.com"]
    web1 = ads.machines.show("web1")
    told = {key: web1[key] for key in ("address", "port", "user", "become", "size", "os", "location", "labels")}
    assert told == {
        "address": "10.0.0.5",
        "port": 2222,
        "user": "deploy",
        "become": "sudo",
        "size": "large",
        "os": "debian-12",
        "location": "us-west",
        "labels": {"groups": "west"},
    }
    web2 = ads.machines.show("web2.example.com")
    assert (web2["address"], web2["size"]) == ("web2.example.com", "small")
    assert web2["variables"]["ansible_ssh_common_args"].endswith("-o ProxyJump=bastion")
    assert "http_port" not in web2["variables"]
    assert ads.machines.show("lonely")["connection"] == "local"
    again = ads.machines.import_inventory(str(inventory), **wanted, **sizes)
    assert (again.changed, again.message[:39]) == (False, "0 machines added, 0 changed, 3 unchange")


def test_an_import_may_be_tried_first(ads: Ads, inventory: Path) -> None:
    outcome = ads.machines.import_inventory(str(inventory), dry_run=True)
    assert outcome.changed is True
    assert len(outcome.after["machines"]) == 3
    assert names(ads) == []


@pytest.mark.req("A10")
def test_plain_secrets_are_refused_by_host_and_name_all_at_once(refusing: Ads, tmp_path: Path) -> None:
    path = tmp_path / "hosts.ini"
    path.write_text(
        "web1 ansible_password=hunter2\n"
        "web2 ansible_ssh_pass=hunter2 ansible_become_password=hunter2\n"
        'web3 ansible_become_pass=\'{{ lookup("env", "PASS") }}\'\n'
    )
    with pytest.raises(Invalid) as caught:
        refusing.machines.import_inventory(str(path))
    told = [(problem.place, problem.message.split("'")[1]) for problem in caught.value.problems]
    assert sorted(told) == [
        ("host 'web1'", "ansible_password"),
        ("host 'web2'", "ansible_become_password"),
        ("host 'web2'", "ansible_ssh_pass"),
    ]
    assert "hunter2" not in str(caught.value)
    assert names(refusing) == []


def test_a_vaulted_secret_stays_where_it_is(refusing: Ads, tmp_path: Path) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(
        "all:\n  hosts:\n    web1:\n      ansible_host: 10.0.0.5\n      ansible_become_password: !vault |\n"
        "        $ANSIBLE_VAULT;1.1;AES256\n        33303030\n"
    )
    refusing.machines.import_inventory(str(path))
    assert "password" not in str(refusing.machines.show("web1"))


@pytest.mark.parametrize(
    ("text", "options", "said"),
    [
        ("all: [", {}, "Ansible cannot read this inventory"),
        ("all: {hosts: {}}", {}, "has no hosts"),
        ("all: {hosts: {a: {ansible_connection: winrm}}}", {}, "does not connect by 'winrm'"),
        ("all: {hosts: {a: {ansible_port: many}}}", {}, "ansible_port 'many' is no number"),
        ("all: {hosts: {a: {ansible_host: '{{ x }}'}}}", {}, "ansible_host is an expression"),
        ("all: {hosts: {a: {}, A: {}}}", {}, "two hosts differ in case only"),
        ("all: {hosts: {a: {}}}", {"size": "huge"}, "no size is called 'huge'"),
        ("all: {hosts: {a: {}}}", {"location_var": "site"}, "it has no variable 'site'"),
        ("all: {hosts: {a: {}}}", {"gateway": "nowhere"}, "there is no gateway 'nowhere'"),
        ("all: {hosts: {a: {}, b: {ansible_private_key_file: /no/key}}}", {}, "there is no key file '/no/key'"),
    ],
)
def test_wrong_inventories_import_nothing(
    refusing: Ads, tmp_path: Path, text: str, options: dict[str, str], said: str
) -> None:
    path = tmp_path / "hosts.yml"
    path.write_text(text)
    with pytest.raises(Invalid, match=said):
        refusing.machines.import_inventory(str(path), **options)  # type: ignore[arg-type]
    assert names(refusing) == []


def test_no_inventory_there(refusing: Ads) -> None:
    with pytest.raises(NotFound, match="there is no inventory '/no/where'"):
        refusing.machines.import_inventory("/no/where")
