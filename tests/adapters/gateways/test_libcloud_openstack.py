"""OpenStack, against a stand-in (`tests/open_stack.py`): calls are put as its reference wants them (A8, A9)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.gateways import contract, contract_keeping
from adapters.gateways.subjects import Subject
from adslib.domain.errors import AdsError, Failed
from adslib.domain.gateway import Gateway, Order
from open_stack import OpenStack

pytestmark = [pytest.mark.req("A8", "A9"), pytest.mark.once]


@pytest.fixture
def subject(open_stack: OpenStack, tmp_path: Path) -> Subject:
    """A gateway to it, where nobody has made anything."""
    return Subject("libcloud", tmp_path, dict(open_stack.options))


@pytest.fixture
def gateway(subject: Subject) -> Gateway:
    """The gateway, opened."""
    return subject.open()


class TestSnapshots(contract_keeping.ContractOfSnapshots):
    pass


class TestCapturing(contract_keeping.ContractOfCapturing):
    pass


class TestRunning(contract.ContractOfRunning):
    pass


@pytest.mark.slow
class TestLooking(contract.ContractOfLooking):
    pass


@pytest.mark.slow
class TestMaking(contract.ContractOfMaking):
    pass


def test_a_machine_keeps_its_tags_and_its_place_when_it_goes_back(subject: Subject, open_stack: OpenStack) -> None:
    gateway = subject.open(subnets="net-1", security_groups="ssh", key_name="ops", user="debian")
    made = gateway.create(subject.order(location="nova-2"))
    gateway.create_snapshot(made.ref, "clean")
    assert gateway.restore_snapshot(made.ref, "clean") == made
    assert (made.location, made.reach.user, made.size.name) == ("nova-2", "debian", "m1.small")
    gateway.delete(made.ref)
    assert open_stack.servers == {}
    assert set(open_stack.images) == {"debian-12", "rocky-9"}


@pytest.mark.parametrize(
    ("options", "variable", "said"),
    [
        ({"images": {"debian-12": "absent"}}, {}, r"no image 'absent' for debian-12.*option 'images'"),
        ({"region": "Nowhere"}, {}, "Set the option 'region'"),
        ({"sizes": "m1.smal"}, {}, r"no size 'm1.smal'.*m1.small"),
        ({}, {"OS_PASSWORD": "wrong"}, "OpenStack does not take the credentials"),
    ],
    ids=["image", "region", "size", "credentials"],
)
def test_what_is_wrong_is_named_and_nothing_is_made(
    subject: Subject,
    open_stack: OpenStack,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, object],
    variable: dict[str, str],
    said: str,
) -> None:
    wanted = subject.order()
    for name, value in variable.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(AdsError, match=said):
        subject.open(**options).create(wanted)
    assert open_stack.servers == {}


def test_the_limit_holds_while_another_machine_is_completed(
    subject: Subject, open_stack: OpenStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not at the provider yet when that is asked, and no longer being made when one looks after that."""
    faster, slower, first, second = subject.open(limit=1), subject.open(limit=1), subject.order(), subject.order()
    makes, listed = faster._driver.make, slower._driver.machines  # type: ignore[attr-defined]
    begun, looked = threading.Event(), threading.Event()

    def make(order: Order) -> object:
        begun.set()
        assert looked.wait(60)
        return makes(order)

    with ThreadPoolExecutor(1) as pool:

        def machines() -> object:
            seen = listed()
            looked.set()
            making.result()
            return seen

        monkeypatch.setattr(faster._driver, "make", make)  # type: ignore[attr-defined]
        monkeypatch.setattr(slower._driver, "machines", machines)  # type: ignore[attr-defined]
        making = pool.submit(faster.create, first)
        assert begun.wait(60)
        with pytest.raises(Failed, match="1 machines of 1"):
            slower.create(second)
    assert len(open_stack.servers) == 1


def test_an_absent_variable_is_named(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OS_PROJECT_NAME")
    with pytest.raises(Failed, match="env:OS_PROJECT_NAME is not set"):
        subject.open()
