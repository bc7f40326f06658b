"""Who may do what with an environment: each use case asks for its permission, and other tenants' do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from adslib.domain.actor import Actor, Permission
from adslib.domain.environment import Environment
from adslib.domain.errors import AdsError, Conflict, Forbidden, NotFound
from adslib.domain.job import JobKind
from adslib.domain.lifecycle import EnvironmentState
from adslib.usecases.ads import Ads
from usecases.acting import (
    acting_also,
    begin,
    carry_out,
    document,
    opened_shop,
    pool,
    tenant,
    told,
    with_machines,
)


@pytest.fixture
def ads(store_url: str) -> Iterator[Ads]:
    """Ann, with a cloud of six machines at most and the environment `shop`."""
    with opened_shop(store_url, quota=6) as opened:
        yield opened


CALLS: dict[str, tuple[Permission, Callable[[Ads], Any]]] = {
    "create": (Permission.DEFINE, lambda ads: ads.environments.create(document("other"))),
    "define": (Permission.DEFINE, lambda ads: ads.environments.define(document(web=5))),
    "edit": (Permission.DEFINE, lambda ads: ads.environments.edit("shop", document(web=5))),
    "clone": (Permission.DEFINE, lambda ads: ads.environments.clone("shop", "other")),
    "delete": (Permission.DEFINE, lambda ads: ads.environments.delete("shop")),
    "list": (Permission.VIEW, lambda ads: ads.environments.list()),
    "show": (Permission.VIEW, lambda ads: ads.environments.show("shop")),
    "document": (Permission.VIEW, lambda ads: ads.environments.document("shop")),
    "history": (Permission.VIEW, lambda ads: ads.environments.history("shop")),
    "compare": (Permission.VIEW, lambda ads: ads.environments.compare("shop", 1)),
    "plan": (Permission.VIEW, lambda ads: ads.environments.plan("shop", save=True)),
    "go-live": (Permission.OPERATE, lambda ads: ads.environments.go_live("shop", despite="x")),
    "deploy": (Permission.DEPLOY, lambda ads: begin(ads)),
    "undeploy": (Permission.DEPLOY, lambda ads: begin(ads, kind="undeploy")),
    "test": (Permission.OPERATE, lambda ads: begin(ads, kind="test")),
    "stop": (Permission.OPERATE, lambda ads: begin(ads, kind="stop")),
    "hosts": (Permission.VIEW, lambda ads: ads.jobs.hosts("shop")),
    "jobs": (Permission.VIEW, lambda ads: ads.jobs.list(environment="shop")),
}


@pytest.mark.req("A20")
def test_without_the_permission_everything_is_refused_before_anything(ads: Ads) -> None:
    carry_out(ads, hold=True)
    before = dict(ads.environments.show("shop")), told(ads), pool(ads)
    for permission, call in CALLS.values():
        others = Actor("eve", permissions=frozenset(Permission) - {permission})
        with (
            acting_also(ads, others) as eve,
            pytest.raises(Forbidden, match=f"eve lacks the permission '{permission}' for "),
        ):
            call(eve)
    assert (dict(ads.environments.show("shop")), told(ads), pool(ads)) == before


@pytest.mark.req("A20")
def test_tenants_do_not_see_each_other(ads: Ads) -> None:
    carry_out(ads, hold=True)
    before = dict(ads.environments.show("shop")), told(ads), pool(ads)
    job = ads.jobs.list()[0]["job"]
    with acting_also(ads, tenant("acme")) as foreign:
        assert foreign.environments.list() == []
        assert foreign.jobs.list() == []
        for name, (_, call) in CALLS.items():
            if name not in ("create", "define", "list", "jobs"):
                _hidden(call, foreign)
        for hidden in (
            foreign.jobs.show,
            foreign.jobs.cancel,
            lambda id: foreign.jobs.adopt(id, "shop", JobKind.DEPLOY),
        ):
            with pytest.raises(NotFound, match=f"there is no job {job}"):
                hidden(job)
        with pytest.raises(Conflict, match="'shop'"):
            foreign.environments.define(document(web=5))
        foreign.environments.create(document("acme-shop"))
        assert [found["name"] for found in foreign.environments.list()] == ["acme-shop"]
    assert (dict(ads.environments.show("shop")), told(ads), pool(ads)) == before
    assert [found["name"] for found in ads.environments.list()] == ["shop"]


def _hidden(call: Callable[[Ads], Any], foreign: Ads) -> None:
    with pytest.raises(AdsError) as refused:
        call(foreign)
    assert isinstance(refused.value, NotFound), refused.value
    assert str(refused.value).startswith("there is no environment 'shop'. "), refused.value


@pytest.mark.req("A10", "A20")
def test_a_tenant_gets_no_machines_of_another(ads: Ads) -> None:
    with_machines(ads, "m1", "m2", tenant="acme")
    assert not {"m1", "m2"} & set(ads.environments.plan("shop").seats.values())


@pytest.mark.req("A12")
def test_a_new_environment_is_not_deployed(ads: Ads) -> None:
    with ads.app.store.reading() as tx:
        found: Environment = tx.environments.get("shop")
    assert (found.state, found.revision, found.deployed) == (EnvironmentState.NOT_DEPLOYED, 1, 0)
