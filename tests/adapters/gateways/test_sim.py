"""The simulated cloud: its faults repeat exactly, and thousands of machines are no burden (A8, A10)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert

from adapters.gateways.subjects import SMALL, Subject, order
from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.registry import KINDS
from adslib.adapters.gateways.sim.tables import machines
from adslib.domain.errors import Failed, Invalid
from adslib.domain.gateway import Gateway
from adslib.domain.lifecycle import MachineState

pytestmark = pytest.mark.req("A8", "A10")


@pytest.fixture
def cloud(make_subject: Any) -> Subject:
    """A simulated cloud."""
    subject: Subject = make_subject("sim")
    return subject


def refused(gateway: Gateway, orders: list[Any]) -> list[bool]:
    """Which orders a gateway refuses."""
    answers = []
    for each in orders:
        try:
            gateway.create(each)
        except Failed as error:
            answers.append("simulated cloud 'here' refused order" in str(error))
        else:
            answers.append(False)
    return answers


def test_faults_are_drawn_from_seed_and_order_alone(cloud: Subject, tmp_path: Path) -> None:
    # What is drawn hangs on the ids, so these are the same in every run.
    orders = [order(id=f"m{number}") for number in range(60)]
    first = refused(cloud.open(create_fails=0.3, seed=7), orders)
    cloud.clear()
    assert refused(cloud.open(create_fails=0.3, seed=7), orders[::-1]) == first[::-1]
    cloud.clear()
    assert refused(cloud.open(create_fails=0.3, seed=8), orders) != first
    assert 8 <= sum(first) <= 30


def test_an_order_whose_answer_is_lost_was_carried_out(cloud: Subject) -> None:
    gateway = cloud.open(create_times_out_yet_succeeds=1)
    wanted = order()
    with pytest.raises(Failed, match=r"did not answer .* in time: the machine may exist"):
        gateway.create(wanted)
    assert [machine.id for machine in gateway.machines()] == [wanted.id]
    assert gateway.create(wanted).state is MachineState.RUNNING
    assert len(gateway.machines()) == 1


def test_a_machine_takes_its_time_to_boot(cloud: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [2_000_000_000.0]
    monkeypatch.setattr(time, "time", lambda: now[0])
    gateway = cloud.open(boot_ms=150)
    made = gateway.create(order())
    assert (made.state, made.reason) == (MachineState.CREATING, "it boots (simulated)")
    mark = gateway.changes().mark  # type: ignore[attr-defined]
    now[0] += 0.2
    assert gateway.look(made.ref).state is MachineState.RUNNING
    assert [machine.ref for machine in gateway.changes(mark).machines] == [made.ref]  # type: ignore[attr-defined]
    assert gateway.reboot(made.ref).state is MachineState.CREATING


def test_a_machine_that_never_boots_says_that_it_is_simulated(cloud: Subject) -> None:
    gateway = cloud.open(never_boots=1)
    made = gateway.create(order())
    assert (made.state, made.reason) == (MachineState.CREATING, "simulated fault: it never boots")
    assert gateway.reboot(made.ref).state is MachineState.CREATING
    assert gateway.stop(made.ref).state is MachineState.STOPPED


def test_the_power_of_some_machines_comes_and_goes(cloud: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = cloud.open(power_flaps=0.5, flap_ms=1000, seed=3)
    made = [gateway.create(order(id=f"m{number}")) for number in range(40)]
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.5)
    assert {machine.state for machine in gateway.machines()} == {MachineState.RUNNING}
    monkeypatch.setattr(time, "time", lambda: 2_000_000_001.5)
    off = [machine.ref for machine in gateway.machines() if machine.state is MachineState.STOPPED]
    assert 10 <= len(off) <= 30
    assert {gateway.look(ref).state for ref in off} == {MachineState.STOPPED}
    assert {machine.ref for machine in made} > set(off)


def test_a_cloud_that_is_down_answers_nothing_and_loses_nothing(cloud: Subject) -> None:
    made = cloud.open().create(order())
    down = cloud.open(down=True)
    for call in (down.machines, down.offer, down.templates, lambda: down.look(made.ref), lambda: down.create(order())):
        with pytest.raises(Failed, match="is down"):
            call()
    assert list(cloud.open().machines()) == [made]


def test_calls_take_the_time_that_they_are_told_to(cloud: Subject) -> None:
    gateway = cloud.open(delay_ms=40)
    gateway.machines()
    before = time.monotonic()
    for _ in range(5):
        gateway.machines()
    assert time.monotonic() - before > 5 * 0.02


def test_wrong_options_are_refused_all_at_once(cloud: Subject) -> None:
    with pytest.raises(Invalid) as wrong:
        cloud.open(create_fails=2, seed="x", down="perhaps", quota=1.5, locations=7, colour="blue")
    text = str(wrong.value)
    for name in ("create_fails", "seed", "down", "quota", "locations", "colour"):
        assert name in text
    assert "from 0 to 1" in text


def test_options_may_come_as_texts(cloud: Subject) -> None:
    gateway = cloud.open(seed="3", create_fails="0.0", down="false", locations="us-east, us-west")
    assert gateway.offer().locations == ("us-east", "us-west")


def test_without_a_store_there_is_no_simulation(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="needs the store"):
        open_gateway("sim", "here", {}, home=tmp_path)
    with pytest.raises(Invalid, match=f"no kind of gateway.*Use {', '.join(KINDS)}"):
        open_gateway("cloudy", "here", {}, home=tmp_path)


def test_two_clouds_in_one_store_are_apart(cloud: Subject) -> None:
    engine = f"sqlite:///{cloud.home}/store.db"
    other = open_gateway("sim", "there", {}, home=cloud.home, engine=engine)
    wanted = order(address="198.18.3.3")
    assert cloud.open().create(wanted).reach == other.create(wanted).reach
    other.delete(other.machines()[0].ref)
    assert len(cloud.open().machines()) == 1
    assert list(other.machines()) == []


def test_ten_thousand_machines_are_read_within_a_second(cloud: Subject) -> None:
    gateway = cloud.open()
    gateway.delete(gateway.create(order()).ref)
    plain = {"cloud": "here", "power": True, "boots": True, "ready": 0, "size": SMALL.name, "cpu": 1, "memory": 1024}
    plain |= {"disk": 10, "os": "debian-12", "location": "", "image": "debian-12", "labels": {}, "changed": 1}
    rows = [{**plain, "ref": f"r{n:05d}", "id": f"i{n}", "name": f"n{n}", "address": f"a{n}"} for n in range(10_000)]
    engine = create_engine(f"sqlite:///{cloud.home}/store.db")
    with engine.begin() as connection:
        connection.execute(insert(machines), rows)
    engine.dispose()
    before = time.process_time()
    assert len(gateway.machines()) == 10_000
    assert time.process_time() - before < 1
    engine = create_engine(f"sqlite:///{cloud.home}/store.db")
    with engine.begin() as connection:
        connection.execute(machines.delete())
    engine.dispose()


def test_it_works_in_any_store_and_makes_its_tables_when_several_begin_at_once(
    bare_store_url: str, tmp_path: Path
) -> None:
    wanted = [order() for _ in range(24)]

    def act(number: int) -> str:
        gateway = open_gateway("sim", "here", {"quota": 20}, home=tmp_path, engine=bare_store_url)
        try:
            return gateway.create(wanted[number]).reach.address
        except Failed as error:
            return str(error)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(act, range(24)))
    made = {answer for answer in answers if answer.startswith("198.18.")}
    assert len(made) == 20
    assert all("quota of simulated cloud 'here' is used up" in answer for answer in answers if answer not in made)
    gateway = open_gateway("sim", "here", {}, home=tmp_path, engine=bare_store_url)
    ref = gateway.machines()[0].ref
    gateway.create_snapshot(ref, "before")
    assert gateway.restore_snapshot(ref, "before").state is MachineState.RUNNING
    gateway.delete(ref)
    assert len(gateway.machines()) == 19


def test_trouble_with_the_store_is_told_in_words(tmp_path: Path) -> None:
    gateway = open_gateway("sim", "here", {}, home=tmp_path, engine=f"sqlite:///{tmp_path}/absent/store.db")
    with pytest.raises(Failed, match="the store of simulated cloud 'here' does not work: unable to open"):
        gateway.machines()
    with pytest.raises(Invalid, match="cannot be opened"):
        open_gateway("sim", "here", {}, home=tmp_path, engine="nonsense")
