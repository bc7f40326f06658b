"""Gateways: added, looked at, their sizes and instance templates; silent ones never break planning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adslib.domain.actor import Permission
from adslib.domain.errors import Blocked, Conflict, Forbidden, Invalid, NotFound, Unsupported
from adslib.domain.gateway_setting import GatewaySetting
from adslib.domain.machine import Size
from adslib.usecases.ads import Ads
from adslib.usecases.machine_spec import MachineSpec
from usecases.acting import acting as carrying
from usecases.acting import carry_out, document, with_machines


@pytest.mark.req("A9")
def test_two_gateways_are_there_without_being_added(ads: Ads) -> None:
    rows = {str(row["name"]): row for row in ads.gateways.list()}
    assert set(rows) == {"local", "static"}
    assert rows["local"]["reachable"] is True
    assert "create" in rows["local"]["capabilities"]
    assert rows["static"]["capabilities"] == []
    assert [size["name"] for size in ads.gateways.sizes("local")] == ["small", "medium", "large"]
    assert ads.gateways.sizes("static") == []


@pytest.mark.req("A5", "A9")
@pytest.mark.parametrize("kind", ["local", "sim"])
def test_machines_are_made_in_the_sizes_of_the_settings(
    kind: str, store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "ads.toml"
    settings.write_text("[sizes]\nroomy = {cpu = 3, memory = 6144, disk = 7}\ntiny = {cpu = 0.5, memory = 256}\n")
    monkeypatch.setenv("ADS_CONFIG", str(settings))
    services = {name: {"roles": ["ads.deploy.component"], "machine": {"size": name}} for name in ("tiny", "roomy")}
    with carrying(store_url) as ads:
        ads.gateways.add("here", kind)
        assert [size["name"] for size in ads.gateways.sizes("here")] == ["tiny", "roomy"]
        ads.environments.create(document(services=services))
        try:
            carry_out(ads)
            with ads.app.store.reading() as tx:
                stored = {machine.size for machine in tx.machines.list(gateway="here")}
                made = ads.app.gateways.open("here", tx.gateways.list()).machines()
            assert stored == {machine.size for machine in made} == {Size("tiny", 0.5, 256), Size("roomy", 3, 6144, 7)}
        finally:
            carry_out(ads, kind="undeploy")


@pytest.mark.req("A9")
def test_a_gateway_that_asks_nobody_sees_the_machines_that_the_store_knows(ads: Ads) -> None:
    ads.gateways.add("rack", "static")
    with_machines(ads, "web1", "web2", made=True)
    with_machines(ads, "web3", gateway="rack", os="debian-12", location="west")
    assert [ads.gateways.show(name)["machines"] for name in ("static", "rack")] == [2, 1]
    with ads.app.store.reading() as tx:
        settings = tx.gateways.list()
        stored = tx.machines.get("web3")
    rack = ads.app.gateways.open("rack", settings)
    assert [machine.name for machine in rack.machines()] == ["web3"]
    seen = rack.look(stored.ref)
    assert (seen.id, seen.os, seen.location) == ("", "debian-12", "west"), "it was not made by ads"
    assert (seen.size, seen.reach, seen.state) == (stored.size, stored.reach, stored.state)
    static = ads.app.gateways.open("static", settings)
    assert [machine.id for machine in static.machines()] == ["id-web1", "id-web2"]
    with pytest.raises(NotFound, match="knows no machine 'web3'"):
        static.look("web3")


@pytest.mark.req("A9")
def test_adding_says_what_it_did_and_the_same_again_does_nothing(ads: Ads) -> None:
    added = ads.gateways.add("cloud", "sim", {"quota": "5"})
    assert (added.changed, added.before, added.after["name"]) == (True, {}, "cloud")
    assert ads.gateways.show("cloud")["room"] == 5
    assert ads.gateways.add("cloud", "sim", {"quota": "5"}).changed is False
    assert ads.gateways.add("cloud", "sim", {"quota": "7"}).message == "gateway 'cloud' changed"
    assert ads.gateways.show("cloud")["room"] == 7
    assert [event["text"] for event in ads.events.list()] == [
        "gateway 'cloud' (sim) changed",
        "gateway 'cloud' (sim) added",
    ]


@pytest.mark.req("A9")
def test_it_is_said_once_that_the_default_gateway_stands_aside(ads: Ads) -> None:
    aside = "the default gateway stands aside"
    assert aside not in ads.gateways.add("cloud", "sim", dry_run=True).message
    assert aside in ads.gateways.add("cloud", "sim").message
    assert aside not in ads.gateways.add("other", "sim").message
    assert aside not in ads.machines.add(MachineSpec(name="web1", address="192.0.2.1")).message
    for name in ("cloud", "other"):
        ads.gateways.remove(name)
    ads.machines.remove("web1")
    assert aside not in ads.gateways.add("here", "local").message
    ads.gateways.remove("here")
    assert aside not in ads.machines.add(MachineSpec(name="web1", address="192.0.2.1"), dry_run=True).message
    assert aside in ads.machines.add(MachineSpec(name="web1", address="192.0.2.1")).message
    assert aside not in ads.machines.add(MachineSpec(name="web2", address="192.0.2.2")).message


def test_a_dry_run_adds_and_removes_nothing(ads: Ads) -> None:
    assert ads.gateways.add("cloud", "sim", dry_run=True).changed is True
    assert {row["name"] for row in ads.gateways.list(ask=False)} == {"local", "static"}
    ads.gateways.add("cloud", "sim")
    assert ads.gateways.remove("cloud", dry_run=True).changed is True
    assert "cloud" in {row["name"] for row in ads.gateways.list(ask=False)}


@pytest.mark.parametrize(
    ("name", "kind", "options", "said"),
    [
        ("cloud", "nebula", {}, "'nebula' is no kind of gateway"),
        ("cloud", "sim", {"quota": "many"}, "option quota: 'many' will not do"),
        ("cloud", "sim", {"colour": "red"}, "'colour' is no option of it"),
        ("Cloud 9", "sim", {}, "'Cloud 9' is no name for a gateway"),
        ("static", "sim", {}, "gateway 'static' is always there"),
    ],
)
def test_wrong_input_is_refused_and_nothing_is_stored(
    refusing: Ads, name: str, kind: str, options: dict[str, str], said: str
) -> None:
    with pytest.raises(Invalid, match=said):
        refusing.gateways.add(name, kind, options)
    assert {row["name"] for row in refusing.gateways.list(ask=False)} == {"local", "static"}


def test_removing(ads: Ads) -> None:
    ads.gateways.add("cloud", "sim")
    assert ads.gateways.remove("cloud").changed is True
    assert ads.gateways.remove("cloud").changed is False
    with pytest.raises(Invalid, match="always there"):
        ads.gateways.remove("local")
    with pytest.raises(NotFound, match="no gateway 'cloud'"):
        ads.gateways.show("cloud")


@pytest.mark.req("A10")
def test_a_gateway_with_machines_stays(ads: Ads, deployed: Callable[..., None]) -> None:
    ads.gateways.add("cloud", "sim")
    deployed()
    for change in (
        lambda: ads.gateways.remove("cloud"),
        lambda: ads.gateways.remove("cloud", dry_run=True),
        lambda: ads.gateways.add("cloud", "sim", {"quota": 3}),
    ):
        with pytest.raises(Conflict, match="gateway 'cloud' still has machine"):
            change()
    assert ads.gateways.show("cloud")["machines"] == 1


@pytest.mark.req("A11")
def test_a_silent_gateway_offers_nothing_and_breaks_no_plan(ads: Ads, define: Callable[..., None]) -> None:
    ads.gateways.add("dead", "sim", {"down": "true"})
    ads.gateways.add("cloud", "sim")
    define(count=2)
    assert {new.gateway for new in ads.environments.plan("shop").new} == {"cloud"}
    row = ads.gateways.show("dead")
    assert row["reachable"] is False
    assert row["reason"]
    with ads.app.store.reading() as tx:
        settings = tx.gateways.list()
    offers = ads.app.gateways.offers(settings, with_default=False)
    assert [offer.gateway for offer in offers] == ["cloud"]
    assert set(offers.silent) == {"dead"}


@pytest.mark.req("A11")
def test_the_default_gateway_never_fills_a_shortage_of_others(ads: Ads, define: Callable[..., None]) -> None:
    define(count=2)
    assert {new.gateway for new in ads.environments.plan("shop").new} == {"local"}
    ads.gateways.add("cloud", "sim", {"quota": 1})
    # web shares machines, so one would do; two that are spread need two.
    assert ads.environments.plan("shop").blocked


def test_offers_come_in_the_order_of_names_and_an_added_local_takes_the_place_of_the_default(ads: Ads) -> None:
    settings = [
        GatewaySetting("zeta", "sim"),
        GatewaySetting("local", "local", {"limit": 3}),
        GatewaySetting("alpha", "sim"),
    ]
    offers = ads.app.gateways.offers(settings, with_default=True)
    assert [(offer.gateway, offer.room) for offer in offers if offer.gateway == "local"] == [("local", 3)]
    assert [offer.gateway for offer in offers] == ["alpha", "local", "zeta"]


@pytest.mark.req("A8")
def test_instance_templates(ads: Ads, tmp_path: Path) -> None:
    ads.gateways.add("cloud", "sim")
    image = tmp_path / "image.tar"
    image.write_bytes(b"image")
    before = {template["name"] for template in ads.gateways.templates("cloud")}
    for dry_run in (True, False):
        with pytest.raises(Invalid, match=r"/nowhere: it cannot be read: there is no such file"):
            ads.gateways.upload_template("cloud", "golden", "/nowhere", dry_run=dry_run)
    assert ads.gateways.upload_template("cloud", "golden", str(image), dry_run=True).changed is True
    assert {template["name"] for template in ads.gateways.templates("cloud")} == before
    assert ads.gateways.upload_template("cloud", "golden", str(image)).changed is True
    assert {template["name"] for template in ads.gateways.templates("cloud")} == before | {"golden"}
    assert ads.gateways.delete_template("cloud", "golden").changed is True
    assert ads.gateways.delete_template("cloud", "golden").changed is False
    with pytest.raises(Unsupported, match=r"gateway 'static' .static. keeps no instance templates"):
        ads.gateways.templates("static")


@pytest.mark.req("A8")
def test_an_instance_template_of_a_machine(ads: Ads) -> None:
    ads.gateways.add("cloud", "sim")
    ads.environments.create(document(services={"web": {"roles": ["ads.deploy.component"]}}))
    carry_out(ads)
    machine = str(ads.machines.list(holder="shop")[0]["name"])
    assert ads.gateways.create_template(machine, "golden", dry_run=True).changed is True
    assert ads.gateways.create_template(machine, "golden").message == (
        f"instance template 'golden' made of machine '{machine}' at gateway 'cloud'"
    )
    assert "golden" in {template["name"] for template in ads.gateways.templates("cloud")}
    with pytest.raises(Conflict, match="gateway 'cloud' has an instance template 'golden' already"):
        ads.gateways.create_template(machine, "golden")
    with_machines(ads, "web1")
    with pytest.raises(Unsupported, match=r"gateway .static. .static. makes no instance templates of machines"):
        ads.gateways.create_template("web1", "silver")
    with pytest.raises(NotFound, match="no machine 'ghost'"):
        ads.gateways.create_template("ghost", "silver")


@pytest.mark.req("A11")
def test_costs_and_a_share_are_said_of_any_gateway(ads: Ads) -> None:
    ads.gateways.add("cloud", "sim", {"costs": "small=0.02, large=0.4", "per_environment": "2"})
    assert [size["cost"] for size in ads.gateways.sizes("cloud")] == [0.02, None, 0.4]
    with ads.app.store.reading() as tx:
        (offer,) = ads.app.gateways.offers(tx.gateways.list(), with_default=False)
        assert ads.app.gateways.shares(tx.gateways.list()) == {"cloud": 2}
    assert offer.costs == {"small": 0.02, "large": 0.4}
    for costs in ("small", "small=cheap", {"small": -1}, "=1", ["small"], "small=nan"):
        with pytest.raises(Invalid, match=r"option costs: .* will not do\. Use names and numbers, like small=0.02"):
            ads.gateways.add("dear", "sim", {"costs": costs})
    ads.gateways.add("odd", "sim", {"costs": {"tiny": 0.1}})
    assert "there is no size 'tiny'. There are: small, medium, large" in ads.gateways.show("odd")["reason"]


@pytest.mark.req("A20")
def test_permissions(ads: Ads, acting: Callable[..., Ads]) -> None:
    looker = acting("eve", permissions={Permission.VIEW})
    assert looker.gateways.list()
    with pytest.raises(Forbidden, match="eve lacks the permission 'administer' for gateway 'cloud'"):
        looker.gateways.add("cloud", "sim")
    with pytest.raises(Forbidden):
        looker.gateways.upload_template("local", "x", "/nowhere")
    with pytest.raises(Forbidden):
        acting("nobody", permissions=set()).gateways.list()


@pytest.mark.req("A10")
def test_every_gateway_may_say_how_often_it_is_to_be_read(ads: Ads) -> None:
    ads.gateways.add("cloud", "sim", {"refresh_every": "60"})
    ads.gateways.add("rack", "static", {"refresh_every": 3600})
    assert ads.gateways.show("cloud")["options"] == {"refresh_every": "60"}
    with pytest.raises(Invalid, match=r"option refresh_every: 'often' will not do\. Use a number from 0 to 604800"):
        ads.gateways.add("hasty", "sim", {"refresh_every": "often"})


@pytest.mark.req("A11")
def test_an_instance_template_that_nobody_has_is_told_before_anything_is_held(ads: Ads, tmp_path: Path) -> None:
    ads.gateways.add("cloud", "sim")
    web = {"component": "web", "machine": {"size": "small", "image": "golden"}}
    ads.environments.create(document(services={"web": web}))
    with pytest.raises(Blocked, match="gateway cloud has no instance template 'golden'"):
        carry_out(ads)
    assert ads.machines.list() == []
    assert ads.environments.plan("shop").blocked
    (tmp_path / "golden.tar").write_bytes(b"image")
    ads.gateways.upload_template("cloud", "golden", str(tmp_path / "golden.tar"))
    assert ads.environments.plan("shop").counts()["create"] == 1
