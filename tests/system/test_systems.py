"""Machines of several operating systems in one environment, each a container with its own packages and systemd."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from system.home import Home, get
from system.hosts import gateway_of
from system.test_borrowed_roles import PROJECT
from system.test_containers import ads

MIXED = """
environment: mixed
components:
  note: {version: "1", packages: [bc], files: [{path: /etc/note, content: "{{ self.service }}"}]}
services:
  for_each:
  - as: system
    in: ["12", "13"]
    key: "on-{{ system }}"
    value:
      component: note
      roles:
        - ads.deploy.component
        - {role: site, vars: {site_address: "{{ self.address }}", site_port: 8080, site_title: "{{ ads_os }}"}}
      machine: {os: "debian-{{ system }}"}
      ports: {http: 8080}
      tests:
        - {http: /, contains: "debian-{{ system }}"}
        - command: >-
            grep -qx 'VERSION_ID="{{ system }}"' /etc/os-release && grep -qx on-{{ system }} /etc/note
        - {command: "test $(echo 6*7 | bc) = 42 && systemctl is-active nginx"}
"""

pytestmark = pytest.mark.slow


@pytest.fixture
def both(home: Home, containers: Mapping[str, Any]) -> Iterator[Home]:
    """A home with a gateway for each of two releases of Debian."""
    shutil.copytree(PROJECT, home.project)
    with gateway_of(home, "newer", suite="trixie", packages=""):
        yield home


@pytest.mark.req("A9", "A11", "A24")
def test_two_systems_in_one_environment(both: Home) -> None:
    """Each service gets a machine with the system that it asks for; the same roles deploy it there."""
    both.define(MIXED)
    ads(both, "environment", "deploy", "mixed")
    shown = both.show("mixed")
    assert (shown["state"], shown["tests"]["passed"]) == ("live", 6)
    machines = {
        row["name"]: (row["os"], row["gateway"]) for row in json.loads(ads(both, "machine", "list", "--format", "json"))
    }
    stand = {each["service"]: machines[each["machine"]] for each in shown["instances"]}
    assert stand == {"on-12": ("debian-12", "hosts"), "on-13": ("debian-13", "newer")}
    for each in shown["instances"]:
        assert get(f"http://{each['address']}:8080/name") == (200, each["machine"])
    again = both.play("deploy", "mixed", cwd=both.project)
    assert (again.code, again.changed) == (0, set()), again.output
