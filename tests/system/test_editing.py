"""A live environment is edited: only what differs is done, and everybody who works with it hears of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import pytest

from adslib.usecases.machine_spec import MachineSpec
from system.home import Home, get, wait_for

SERVE = "{{ ads_python }} -m http.server --bind {{ self.address }} --directory {{ ads_root }}/srv 8080"
TOWN = f"""
environment: town
components:
  shop:
    version: "1"
    files: [{{path: /srv/shop.txt, content: "{{{{ self.id }}}} sells {{{{ configurations.goods.what }}}}"}}]
    process: {{command: "{SERVE}"}}
  post:
    version: "1"
    files: [{{path: /srv/post.txt, template: post.j2}}]
    process: {{command: "{SERVE}"}}
  park: {{version: "1", files: [{{path: /srv/park.txt, content: "trees"}}]}}
configurations:
  goods: {{settings: {{what: bread}}}}
services:
  shop: {{component: shop, instances: 1, requires: [{{configuration: goods}}], ports: {{http: 8080}}}}
  post: {{component: post, requires: [shop], ports: {{http: 8080}}, tests: [{{http: /post.txt, contains: shop-1}}]}}
  park: {{component: park, machine: {{shared: true}}}}
"""
POST = "{% for shop in members.shop %}{{ shop.id }} {% endfor %}"
STALL = f"""
environment: town
components:
  park: {{version: "1", files: [{{path: /srv/park.txt, content: "trees"}}]}}
  stall:
    version: "1"
    files: [{{path: /srv/stall.txt, content: stall}}]
    process: {{command: "{SERVE}"}}
services:
  stall: {{component: stall, machine: {{shared: true}}, ports: {{http: 8080}}}}
  park: {{component: park, machine: {{shared: true}}}}
"""


def actions(home: Home) -> set[tuple[str, str]]:
    """Verb and subject of what a deployment would do now."""
    with home.ads() as ads:
        return {(str(action.verb), action.subject) for action in ads.environments.plan("town").actions}


def seen(home: Home) -> dict[str, Any]:
    """Numbers of the processes, and when the files were written."""
    found: dict[str, Any] = {i["instance"]: i for i in home.show("town")["instances"]}
    times = {path: path.stat().st_mtime_ns for path in home.home.glob("machines/*/root/srv/*.txt")}
    return {**times, **{id: home.pid("town", id) for id in found if not id.startswith("park")}}


def text(home: Home, id: str) -> str:
    return home.file("town", id, f"/srv/{id[:-2]}.txt").read_text()


def deployed(home: Home) -> Mapping[str, Any]:
    done = home.carry("deploy", "town")
    assert done.code == 0, done
    assert home.state("town") == "live"
    assert actions(home) == set()
    return done.told


@pytest.mark.req("A5", "A7", "A12", "A13")
@pytest.mark.once
def test_edits_of_a_live_environment(home: Home) -> None:
    """A setting, an instance more, a service less, a machine named: each does what it must and no more."""
    home.project.mkdir()
    (home.project / "post.j2").write_text(POST)
    home.define(TOWN)
    deployed(home)
    before = seen(home)
    machines = {id: home.instance("town", id)["machine"] for id in ("shop-1", "post-1", "park-1")}

    # A setting: the shop, and who works with it, are done again; the park is not touched.
    step = TOWN.replace("what: bread", "what: cake")
    home.define(step)
    assert actions(home) == {("update", "shop-1"), ("update", "post-1")}
    assert home.carry("deploy", "town", dry_run=True).code == 0
    assert text(home, "shop-1") == "shop-1 sells bread"
    deployed(home)
    after = seen(home)
    assert text(home, "shop-1") == "shop-1 sells cake"
    assert after["shop-1"] != before["shop-1"]
    # Nothing of the post's own differs, so its process runs on.
    assert after["post-1"] == before["post-1"]
    park = home.file("town", "park-1", "/srv/park.txt")
    assert after[park] == before[park]

    # One more instance: a machine is made for it, its dependent hears of it, the old one is left alone.
    more = step.replace("instances: 1", "instances: 2")
    home.define(more)
    assert actions(home) == {("create", "town-4"), ("deploy", "shop-2"), ("update", "post-1")}
    deployed(home)
    assert text(home, "post-1") == "shop-1 shop-2 "
    assert seen(home)["shop-1"] == after["shop-1"]
    wait_for(lambda: home.get("town", "shop-2", "/shop.txt") == (200, "shop-2 sells cake"))

    # One less, and a service that goes: their machines return.
    less = step.replace("  park: {component: park, machine: {shared: true}}\n", "")
    home.define(less)
    assert actions(home) == {
        *{("remove", "shop-2"), ("delete", "town-4"), ("remove", "park-1"), ("delete", machines["park-1"])},
        ("update", "post-1"),
    }
    deployed(home)
    assert text(home, "post-1") == "shop-1 "
    assert sorted(home.machines()) == sorted([machines["shop-1"], machines["post-1"]])
    assert len(home.folders()) == len(home.claims()) == 2
    assert seen(home)["shop-1"] == after["shop-1"]
    assert {i["machine"] for i in home.show("town")["instances"]} == set(home.machines())


@pytest.mark.req("A5", "A7", "A13")
def test_a_service_leaves_a_machine_that_stays(home: Home) -> None:
    """Shared machine: files and process of the removed service go, its neighbour does not notice."""
    home.define(STALL)
    deployed(home)
    assert home.instance("town", "stall-1")["machine"] == home.instance("town", "park-1")["machine"]
    wait_for(lambda: home.get("town", "stall-1", "/stall.txt") == (200, "stall"))
    leaving, address = home.file("town", "stall-1", "/srv/stall.txt"), home.instance("town", "stall-1")["address"]
    home.define(STALL.replace("  stall: {component: stall, machine: {shared: true}, ports: {http: 8080}}\n", ""))
    assert actions(home) == {("remove", "stall-1")}
    deployed(home)
    assert not leaving.exists()
    assert not [line for line in home.living().values() if address in line]
    assert get(f"http://{address}:8080/")[0] == 0
    assert home.file("town", "park-1", "/srv/park.txt").read_text() == "trees"
    assert [i["instance"] for i in home.show("town")["instances"]] == ["park-1"]


@pytest.mark.req("A5", "A7", "A10", "A13")
def test_an_instance_moves_to_a_machine_that_is_named(home: Home) -> None:
    """From a machine that ads made to one of the pool and back; each leaves the old place clean."""
    spare = home.folder / "spare"
    spare.mkdir()
    with home.ads() as ads:
        ads.gateways.add("local", "local")
        spec = MachineSpec("spare", connection="local", root=str(spare), python=sys.executable, size="small")
        ads.machines.add(spec)
    placed = """
environment: town
components:
  park: {version: "1", files: [{path: /srv/park.txt, content: "trees at {{ self.machine }}"}]}
  map: {version: "1", files: [{path: /srv/map.txt, content: "{{ members.park[0].machine }}"}]}
services:
  park: {component: park, machine: {gateway: local}}
  map: {component: map, requires: [park], machine: {gateway: local}}
levels: {node: }
nodes:
  all:
    services: [PLACE, map]
"""
    home.define(placed.replace("PLACE", "park"))
    deployed(home)
    old = home.instance("town", "all/park-1")["machine"]
    home.define(placed.replace("PLACE", "{service: park, machines: [spare]}"))
    assert actions(home) >= {("allocate", "spare"), ("move", "all/park-1"), ("delete", old), ("update", "all/map-1")}
    deployed(home)
    assert (spare / "srv" / "park.txt").read_text() == "trees at spare"
    assert old not in home.machines()
    home.define(placed.replace("PLACE", "park"))
    deployed(home)
    assert not (spare / "srv").exists()
    with home.ads() as ads:
        assert ads.machines.show("spare")["holder"] == ""
    assert home.carry("undeploy", "town").code == 0
    assert home.machines() == ["spare"]
    assert home.folders() == set()
