"""Machines that ads did not make are wiped by a role of their gateway's choice before anybody else gets them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adslib.domain.errors import Invalid
from adslib.domain.job import JobKind
from adslib.usecases.ads import Ads
from usecases.acting import Run, acting, begin, carry_out, document, pool, told, with_machines

NAMES = ("m1", "m2", "m3")


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """Ann, with `shop` standing on three machines of a rack whose machines are wiped."""
    with acting(store_url) as opened:
        opened.gateways.add("rack", "static", {"wipe": "dc.wipe"})
        with_machines(opened, *NAMES, gateway="rack")
        opened.environments.create(document())
        assert carry_out(opened).after["state"] == "live"
        yield opened


@pytest.mark.req("A13")
def test_every_machine_is_wiped_after_it_is_empty_and_before_it_is_returned(ads: Ads) -> None:
    plan = ads.jobs.reserve("shop", JobKind.UNDEPLOY, dry_run=True).plan
    assert plan.counts() == {"remove": 3, "wipe": 3, "release": 3}
    assert carry_out(ads, kind="undeploy").after["state"] == "not-deployed"
    lines = told(ads)
    for name in NAMES:
        wiped, returned = (lines.index(f"machine '{name}' {what}") for what in ("wiped", "returned to the pool"))
        assert wiped < returned
    assert set(pool(ads).values()) == {""}


@pytest.mark.req("A13")
def test_one_that_is_not_wiped_stays_held_until_it_is(ads: Ads) -> None:
    failed = carry_out(ads, kind="undeploy", unremoved={"wipe of m2": "no route to the service processor"})
    assert failed.after["state"] == "incomplete"
    assert "wipe of m2" in failed.message
    assert {name for name, holder in pool(ads).items() if holder} == {"m2"}
    assert failed.after["last_job"]["failures"]["machine m2"] == "it was not wiped: no route to the service processor"
    again = carry_out(ads, kind="undeploy")
    assert again.after["state"] == "not-deployed"
    assert told(ads).count("machine 'm1' wiped") == 1
    assert told(ads).count("machine 'm2' wiped") == 1


@pytest.mark.req("A13")
def test_one_of_which_nobody_reported_stays_held(ads: Ads) -> None:
    work = Run(ads, begin(ads, kind="undeploy"))
    kept = ads.jobs.give_back(work.job.id, work.job.attempt)
    assert kept == dict.fromkeys(NAMES, "it was not wiped: nobody reported it")
    assert set(pool(ads).values()) == {"shop"}


@pytest.mark.req("A10", "A13")
def test_one_that_is_given_up_is_handed_to_nobody(ads: Ads) -> None:
    given_up = carry_out(ads, kind="undeploy", options={"abandon": True}, unremoved={"wipe of m2": "it is on fire"})
    assert given_up.after["state"] == "not-deployed"
    machine = ads.machines.show("m2")
    assert (machine["holder"], machine["availability"]) == ("", "quarantined")
    assert "abandoned uncleaned by environment 'shop'" in str(machine["reason"])


@pytest.mark.req("A13")
def test_a_deployment_that_needs_fewer_wipes_what_it_returns(ads: Ads) -> None:
    ads.environments.edit("shop", document(web=1))
    assert ads.environments.plan("shop").counts() == {"remove": 1, "wipe": 1, "release": 1}
    assert any("gateway rack asks for role dc.wipe" in line for line in ads.environments.plan("shop").lines())
    assert carry_out(ads).after["state"] == "live"
    assert sorted(pool(ads).values()) == ["", "shop", "shop"]


@pytest.mark.req("A13")
def test_what_ads_made_is_deleted_and_not_wiped(store_url: str) -> None:
    with acting(store_url) as ads:
        ads.gateways.add("cloud", "sim", {"wipe": "dc.wipe"})
        ads.environments.create(document())
        carry_out(ads)
        carry_out(ads, kind="undeploy")
        assert not any("wiped" in line for line in told(ads))


@pytest.mark.req("A13")
@pytest.mark.parametrize("role", ["../up", "a b", "{{ lookup('env', 'HOME') }}"])
def test_what_is_no_role_is_refused(store_url: str, role: str) -> None:
    with (
        acting(store_url) as ads,
        pytest.raises(Invalid, match=r"option wipe: .* will not do\. Use the name of a role"),
    ):
        ads.gateways.add("rack", "static", {"wipe": role})
