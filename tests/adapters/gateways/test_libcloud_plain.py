"""Providers of which only the common interface is used, shown with EC2, which a server here speaks (A8, A9).

What OpenStack and others have of their own is not run here: there is no server of theirs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.gateways import contract, contract_keeping
from adapters.gateways.subjects import Subject
from adslib.adapters.gateways.libcloud import access, providers
from adslib.adapters.gateways.libcloud.ec2.library import Library
from adslib.adapters.gateways.libcloud.providers.standard import New, Standard
from adslib.domain.errors import Failed
from adslib.domain.gateway import Gateway
from clouds import REGION, Cloud

pytestmark = [pytest.mark.req("A8", "A9"), pytest.mark.once]


class CommonEc2(Standard):
    """EC2 as if there were nothing special about it."""

    name = "EC2"
    saves = True

    def build(self, who: Mapping[str, str]) -> Any:
        """A driver."""
        where = {"host": self.choices.host, "port": self.choices.port, "secure": self.choices.secure}
        return Library(**where, **who, region=REGION, signature_version="4", timeout=self.choices.timeout)

    def words(self, library: Any, new: New) -> Mapping[str, Any]:
        """As its driver has them."""
        place = self.location(library, new.order.location)
        return {"ex_metadata": dict(new.tags), "ex_userdata": new.told, "location": place}

    def tags(self, node: Any) -> Mapping[str, str]:
        """Its tags."""
        return dict(node.extra["tags"])

    def facts(self, node: Any) -> tuple[str, str, str]:
        """By id."""
        return node.extra["instance_type"], node.extra["availability"], node.extra["image_id"]


@pytest.fixture
def subject(make_subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch) -> Subject:
    """A gateway of this provider."""
    monkeypatch.setitem(sys.modules, f"{providers.__name__}.common", SimpleNamespace(Provider=CommonEc2))
    monkeypatch.setattr(access, "PROVIDERS", {**access.PROVIDERS, "common": access.PROVIDERS["ec2"]})
    monkeypatch.setattr("adslib.adapters.gateways.libcloud.PROVIDERS", access.PROVIDERS)
    made = make_subject("libcloud")
    made.options |= {"provider": "common", "sizes": "t3.small, t3.large"}
    return made


@pytest.fixture
def gateway(subject: Subject) -> Gateway:
    """The gateway, opened."""
    return subject.open()


class TestLooking(contract.ContractOfLooking):
    pass


class TestCapturing(contract_keeping.ContractOfCapturing):
    pass


class TestRunning(contract.ContractOfRunning):
    pass


@pytest.mark.slow
class TestMaking(contract.ContractOfMaking):
    pass


def test_what_was_made_is_found_by_its_tags_and_leaves_nothing(subject: Subject, cloud: Cloud) -> None:
    before = cloud.count()
    wanted = subject.order()
    made = subject.open().create(wanted)
    assert subject.open().create(wanted) == made
    subject.open().create_snapshot(made.ref, "clean")
    assert [snapshot.name for snapshot in subject.open().snapshots(made.ref)] == ["clean"]
    subject.open().create_template(made.ref, "golden")
    assert ("golden", "debian-12") in [(each.name, each.os) for each in subject.open().templates()]
    subject.open().delete(made.ref)
    subject.open().delete_template("golden")
    # EC2 keeps the snapshots that its images were stored in, which is why it has a connector of its own.
    assert {**cloud.count(), "snapshots": before["snapshots"]} == before


def test_a_provider_that_is_not_there_is_named(subject: Subject) -> None:
    with pytest.raises(Failed, match="EC2 cannot be spoken to: there is no TLS"):
        subject.open(secure=True).machines()
