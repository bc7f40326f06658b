"""What every gateway promises (A8, A9, A10). `test_contract.py` runs it over each kind."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from adapters.gateways.subjects import ABSENT, Subject, order
from adslib.domain.errors import Conflict, Failed, Invalid, NotFound, Unsupported
from adslib.domain.gateway import Capability, Gateway, Notifying, Order
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Size

C = Capability
RUNNING, STOPPED = MachineState.RUNNING, MachineState.STOPPED

OPERATIONS: dict[Capability, list[Callable[[Gateway, str], object]]] = {
    C.CREATE: [lambda gateway, _ref: gateway.create(order())],
    C.DELETE: [lambda gateway, ref: gateway.delete(ref)],
    C.START: [lambda gateway, ref: gateway.start(ref)],
    C.STOP: [lambda gateway, ref: gateway.stop(ref)],
    C.REBOOT: [lambda gateway, ref: gateway.reboot(ref)],
    C.SNAPSHOTS: [
        lambda gateway, ref: gateway.snapshots(ref),
        lambda gateway, ref: gateway.create_snapshot(ref, "before"),
        lambda gateway, ref: gateway.restore_snapshot(ref, "before"),
        lambda gateway, ref: gateway.delete_snapshot(ref, "before"),
    ],
    C.TEMPLATES: [
        lambda gateway, _ref: gateway.templates(),
        lambda gateway, _ref: gateway.delete_template("mine"),
    ],
    C.UPLOAD: [lambda gateway, _ref: gateway.upload_template("mine", "mine.tar")],
    C.CAPTURE: [lambda gateway, ref: gateway.create_template(ref, "mine")],
}


@pytest.mark.req("A8", "A9")
class ContractOfCapabilities:
    """What a gateway declares is what it has."""

    def test_the_reviewed_table_is_what_is_declared(self, subject: Subject, gateway: Gateway) -> None:
        missing = {capability for kind, capability in ABSENT if kind == subject.kind}
        assert gateway.capabilities == frozenset(Capability) - missing
        assert gateway.kind == subject.kind
        assert gateway.name == "here"

    def test_what_is_not_declared_is_refused_before_anything_is_done(self, subject: Subject, gateway: Gateway) -> None:
        seen = subject.machine(gateway)
        for capability in frozenset(OPERATIONS) - gateway.capabilities:
            for operation in OPERATIONS[capability]:
                with pytest.raises(Unsupported, match="here"):
                    operation(gateway, seen.ref)
        assert seen.ref in [machine.ref for machine in gateway.machines()]
        assert len(gateway.machines()) == max(len(subject.before), 1)

    def test_a_wrong_option_is_refused_with_those_there_are(self, subject: Subject) -> None:
        with pytest.raises(Invalid, match=r"'colour' is no option.*ts options: "):
            subject.open(colour="blue")


@pytest.mark.req("A8", "A10")
class ContractOfLooking:
    """Looking tells what is, and nothing that is not."""

    def test_there_is_nothing_at_first_but_what_others_made(self, subject: Subject, gateway: Gateway) -> None:
        assert [machine.ref for machine in gateway.machines()] == subject.before

    def test_one_is_seen_as_among_all(self, subject: Subject, gateway: Gateway) -> None:
        first, second = subject.machine(gateway), subject.machine(gateway)
        assert gateway.look(first.ref) == first
        assert {first.ref: first, second.ref: second}.items() <= {each.ref: each for each in gateway.machines()}.items()
        assert first.ref != second.ref

    def test_another_process_sees_the_same(self, subject: Subject, gateway: Gateway) -> None:
        made = subject.machine(gateway)
        assert subject.open().look(made.ref) == made

    @pytest.mark.parametrize("ref", ["nobody", "", "../escape", ".making-x", "a b", "x" * 300])
    def test_an_unknown_machine_is_not_found(self, subject: Subject, gateway: Gateway, ref: str) -> None:
        with pytest.raises(NotFound, match="no machine"):
            gateway.look(ref)
        for capability in gateway.capabilities & {C.START, C.STOP, C.REBOOT, C.SNAPSHOTS}:
            for operation in OPERATIONS[capability]:
                with pytest.raises(NotFound, match="no machine"):
                    operation(gateway, ref)
        assert [machine.ref for machine in gateway.machines()] == subject.before

    def test_the_offer_says_what_can_be_made(self, gateway: Gateway) -> None:
        offer = gateway.offer()
        assert offer.gateway == "here"
        assert list(offer.sizes) == sorted(offer.sizes, key=lambda size: (size.cpu, size.memory, size.disk))
        assert bool(offer.sizes) == (C.CREATE in gateway.capabilities)
        assert offer == gateway.offer()


@pytest.mark.req("A8", "A9")
@pytest.mark.needs(C.CREATE, C.DELETE)
class ContractOfMaking:
    """An order becomes one machine, whatever happens, and a machine goes without a trace."""

    def test_a_machine_is_as_it_was_ordered(self, subject: Subject, gateway: Gateway) -> None:
        offer, place = gateway.offer(), subject.locations[-1]
        wanted = subject.order(name="media-1", size=subject.sizes[-1], os=offer.systems[-1], location=place)
        made = gateway.create(wanted)
        assert (made.id, made.name, made.size) == (wanted.id, "media-1", subject.sizes[-1])
        assert (made.os, made.location, made.kind) == (offer.systems[-1], place, offer.kind)
        assert made.capabilities == offer.capabilities
        assert made.state is RUNNING
        assert made.ref
        assert made.reach.address

    def test_what_is_left_open_is_chosen(self, subject: Subject, gateway: Gateway) -> None:
        made = gateway.create(subject.order())
        assert made.os in gateway.offer().systems
        assert made.image in {template.name for template in gateway.templates()}

    def test_the_same_order_is_made_once(self, subject: Subject, gateway: Gateway) -> None:
        wanted = subject.order()
        assert gateway.create(wanted) == subject.open().create(wanted) == gateway.create(replace(wanted, name="other"))
        assert len(gateway.machines()) == 1

    def test_the_same_order_at_once_is_made_once(self, subject: Subject, gateway: Gateway) -> None:
        wanted = subject.order()
        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(lambda _number: subject.open().create(wanted), range(6)))
        assert set(map(repr, made)) == {repr(made[0])}
        assert list(gateway.machines()) == made[:1]

    def test_several_at_once_are_apart(self, subject: Subject, gateway: Gateway) -> None:
        with ThreadPoolExecutor(6) as pool:
            made = list(pool.map(gateway.create, [subject.order() for _ in range(6)]))
        assert len({machine.ref for machine in made}) == len({machine.reach.address for machine in made}) == 6

    def test_machines_are_made_while_others_go(self, subject: Subject, gateway: Gateway) -> None:
        def live_and_die(order: Order) -> None:
            gateway.delete(gateway.create(order).ref)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(live_and_die, [subject.order() for _ in range(8)]))
        assert list(gateway.machines()) == []

    def test_a_stopped_machine_stays_stopped_when_it_is_ordered_again(self, subject: Subject, gateway: Gateway) -> None:
        wanted = subject.order()
        gateway.stop(gateway.create(wanted).ref)
        assert gateway.create(wanted).state is STOPPED

    def test_what_is_deleted_is_gone_and_can_be_deleted_again(self, subject: Subject, gateway: Gateway) -> None:
        kept, made = gateway.create(subject.order()), gateway.create(subject.order())
        gateway.delete(made.ref)
        gateway.delete(made.ref)
        assert [machine.ref for machine in gateway.machines()] == [kept.ref]
        with pytest.raises(NotFound):
            gateway.look(made.ref)

    def test_an_order_can_be_made_anew_after_its_machine_was_deleted(self, subject: Subject, gateway: Gateway) -> None:
        wanted = subject.order()
        gateway.delete(gateway.create(wanted).ref)
        assert gateway.create(wanted).state is RUNNING

    def test_a_stopped_machine_can_be_deleted(self, subject: Subject, gateway: Gateway) -> None:
        made = gateway.create(subject.order())
        gateway.stop(made.ref)
        gateway.delete(made.ref)
        assert list(gateway.machines()) == []

    def test_room_shrinks_and_grows(self, subject: Subject) -> None:
        gateway = subject.open(**{subject.limit: 9})
        room = gateway.offer().room
        assert room is not None
        order = subject.order()
        made = gateway.create(order)
        assert (gateway.offer().room, order.id in gateway.offer().counted) == (room - 1, True)
        gateway.delete(made.ref)
        assert (gateway.offer().room, order.id in gateway.offer().counted) == (room, False)

    def test_a_full_gateway_refuses_one_more_and_keeps_what_it_has(self, subject: Subject) -> None:
        gateway = subject.open(**{subject.limit: 1})
        first = subject.order()
        gateway.create(first)
        with pytest.raises(Failed, match=rf"1 machines of 1.*'{subject.limit}'"):
            gateway.create(subject.order())
        assert gateway.create(first).id == first.id
        assert len(gateway.machines()) == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"size": Size("giant", 99, 1, 1)},
            {"os": "plan9-4"},
            {"location": "atlantis"},
            {"image": "nothing"},
            {"image": "../../etc"},
        ],
    )
    def test_a_wrong_order_is_refused_with_what_there_is(self, subject: Subject, wrong: dict[str, Any]) -> None:
        gateway = subject.open(**subject.placed)
        offer = gateway.offer()
        known = {
            "size": [f"{size.name} ({size.cpu:g} CPU" for size in offer.sizes],
            "os": offer.systems,
            "location": offer.locations,
            "image": subject.images,
        }
        with pytest.raises(Invalid) as refused:
            gateway.create(subject.order(**wrong))
        assert all(each in str(refused.value) for each in known[next(iter(wrong))])
        assert list(gateway.machines()) == []

    def test_a_size_is_offered_as_a_whole(self, subject: Subject, gateway: Gateway) -> None:
        with pytest.raises(Invalid, match="there is no size"):
            gateway.create(subject.order(size=replace(subject.sizes[0], cpu=77)))

    def test_an_order_without_a_proper_id_is_refused(self, subject: Subject, gateway: Gateway) -> None:
        for id in ("", "../up", "a b"):
            with pytest.raises(Invalid, match="is no id for"):
                gateway.create(subject.order(id=id))


@pytest.mark.req("A8")
class ContractOfRunning:
    """Machines start, stop and reboot, and asking twice does no harm."""

    @pytest.mark.needs(C.START, C.STOP)
    def test_a_machine_stops_and_starts(self, subject: Subject, gateway: Gateway) -> None:
        made = subject.machine(gateway)
        for _twice in range(2):
            assert gateway.stop(made.ref).state is STOPPED
        assert subject.open().look(made.ref).state is STOPPED
        for _twice in range(2):
            assert gateway.start(made.ref) == made
        assert subject.open().look(made.ref) == made

    @pytest.mark.needs(C.STOP, C.REBOOT)
    def test_a_machine_reboots_whether_it_runs_or_not(self, subject: Subject, gateway: Gateway) -> None:
        made = subject.machine(gateway)
        assert gateway.reboot(made.ref) == made
        gateway.stop(made.ref)
        assert gateway.reboot(made.ref) == made

    @pytest.mark.needs(C.START, C.STOP)
    def test_the_same_at_once_does_no_harm(self, subject: Subject, gateway: Gateway) -> None:
        made = subject.machine(gateway)
        with ThreadPoolExecutor(4) as pool:
            stopped = list(pool.map(lambda _number: subject.open().stop(made.ref).state, range(4)))
            started = list(pool.map(lambda _number: subject.open().start(made.ref).state, range(4)))
        assert {*stopped} == {STOPPED}
        assert {*started} == {RUNNING}


@pytest.mark.req("A8")
@pytest.mark.needs(C.CREATE, C.ADDRESS)
class ContractOfAddresses:
    """An address may come with the order; it belongs to one machine."""

    def test_the_given_address_is_taken(self, subject: Subject, gateway: Gateway) -> None:
        made = gateway.create(subject.order(address=subject.fixed))
        assert made.reach.address == subject.fixed
        assert gateway.reboot(made.ref).reach.address == made.reach.address

    def test_what_is_no_address_is_refused(self, subject: Subject, gateway: Gateway) -> None:
        with pytest.raises(Invalid, match="Use one"):
            gateway.create(subject.order(address="999.1.2.3"))
        assert list(gateway.machines()) == []

    def test_a_taken_address_is_refused_by_the_name_of_its_holder(self, subject: Subject, gateway: Gateway) -> None:
        first = subject.order(address=subject.fixed)
        gateway.create(first)
        with pytest.raises(Conflict, match=f"{first.id}|{first.name}"):
            gateway.create(subject.order(address=first.address))
        assert len(gateway.machines()) == 1
        gateway.delete(gateway.machines()[0].ref)
        assert gateway.create(subject.order(address=first.address)).reach.address == first.address


@pytest.mark.req("A10")
@pytest.mark.needs(C.CREATE, C.NOTIFY)
class ContractOfNotification:
    """A gateway that notifies tells what changed since one asked last, and nothing else."""

    def test_only_what_changed_is_told(self, subject: Subject, gateway: Notifying) -> None:
        kept, moved, lost = (gateway.create(subject.order()) for _ in range(3))
        first = gateway.changes()
        assert {machine.ref for machine in first.machines} == {kept.ref, moved.ref, lost.ref}
        gateway.stop(moved.ref)
        gateway.delete(lost.ref)
        second = gateway.changes(first.mark)
        assert [(machine.ref, machine.state) for machine in second.machines] == [(moved.ref, STOPPED)]
        assert second.gone == (lost.ref,)
        third = gateway.changes(second.mark)
        assert (third.machines, third.gone) == ((), ())

    def test_a_mark_that_is_none_is_refused(self, gateway: Notifying) -> None:
        with pytest.raises(Invalid, match="is no mark"):
            gateway.changes("yesterday")
