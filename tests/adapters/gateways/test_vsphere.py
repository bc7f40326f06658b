"""VMware vSphere: wrong options and credentials, a vCenter that is down, crashes, strangers, customization (A8, A9)."""

from __future__ import annotations

import gc
import ipaddress
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyVim.task import WaitForTask
from pyVmomi import vim

from adapters.gateways.subjects import LARGE, LITTLE, Subject, die_during, order
from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.remote import calls
from adslib.adapters.gateways.remote.prefix import Prefix
from adslib.adapters.gateways.vsphere import access, cloning
from adslib.adapters.gateways.vsphere.access import Access, Line, Unreached
from adslib.adapters.gateways.vsphere.cloning import Cloning, customized
from adslib.domain.errors import Conflict, Failed, Invalid
from adslib.domain.gateway import Order
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Size
from containers import NoHosts
from servers import free_port
from vcenter import CLUSTERS, VCenter

pytestmark = [pytest.mark.req("A8", "A9"), pytest.mark.once]
RUNNING = MachineState.RUNNING
GOOD = {"host": "vcenter", "account": "ads@vsphere.local", "images": "debian-12", "ssh_key": "/key"}


@pytest.fixture
def subject(make_subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch) -> Iterator[Subject]:
    """A gateway to the vCenter of the tests, which has no more machines, templates and files than before at the end."""
    monkeypatch.setattr(calls, "PAUSE", 0.01)
    try:
        subject = make_subject("vsphere")
    except NoHosts as reason:
        pytest.skip(str(reason))
    before = subject.server.count()
    yield subject
    subject.clear()
    assert subject.server.count() == before


@pytest.fixture
def vcenter(subject: Subject) -> VCenter:
    """The vCenter itself."""
    assert isinstance(subject.server, VCenter)
    return subject.server


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What is asked of the vCenter: names of methods and their arguments."""
    noted: list[tuple[str, Any]] = []
    real = Line.InvokeMethod

    def call(self: Line, thing: Any, info: Any, arguments: Any, *more: Any) -> Any:
        noted.append((info.wsdlName, arguments))
        return real(self, thing, info, arguments, *more)

    monkeypatch.setattr(Line, "InvokeMethod", call)
    return noted


# ── options ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"host": ""}, "option host: it is missing"),
        ({"account": ""}, "option account: it is missing.*ads@vsphere.local"),
        ({"images": {}}, "option images: it is missing"),
        ({"ssh_key": ""}, "option ssh_key: it is missing"),
        ({"secret": "hunter2"}, "option secret: the store keeps no secrets.*env:NAME"),
        ({"password": "hunter2"}, "'password' is no option"),
        ({"port": 0}, "option port: 0 will not do"),
        ({"ca": "/no/such/file"}, "option ca: there is no file /no/such/file"),
        ({"network": "10.0.0.1/24"}, "has host bits set"),
        ({"router": "10.0.0.1"}, "option network: it is missing"),
    ],
)
def test_a_wrong_option_is_refused_and_no_secret_repeated(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid, match=f"(?i){told}") as refused:
        open_gateway("vsphere", "here", {**GOOD, **options}, home=tmp_path)
    assert "hunter2" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_without_its_library_it_is_told_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("adslib.adapters.gateways.vsphere")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyVim.connect", None)
    with pytest.raises(Failed, match=r"not installed \(pyVim.connect\).*pip install 'adslib\[vsphere\]'"):
        open_gateway("vsphere", "here", GOOD, home=tmp_path)


@pytest.mark.parametrize("silent", [True, False])
def test_a_vcenter_that_is_down_is_not_waited_for_long(
    tmp_path: Path, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PAUSE", 0.01)
    monkeypatch.setattr(access, "ANSWER", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if silent else free_port()
        options = {**GOOD, "host": "127.0.0.1", "port": port}
        gateway = open_gateway("vsphere", "here", options, home=tmp_path, secret=lambda _where, _place: "x")
        began = time.monotonic()
        for call in (gateway.machines, gateway.offer, lambda: gateway.look("vm-1"), lambda: gateway.create(order())):
            with pytest.raises(Failed, match=r"127.0.0.1 does not answer as a vCenter: .*options 'host' and 'port'"):
                call()
        assert time.monotonic() - began < LITTLE


# ── who asks, and who answers ────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "environ", "told"),
    [
        ({}, {"VSPHERE_PASSWORD": "wrong"}, "does not let ads@vsphere.local in.*env:VSPHERE_PASSWORD"),
        ({"secret": "env:NOBODY_SET_THIS"}, {}, "env:NOBODY_SET_THIS is not set"),
        ({"ca": __file__}, {}, f"option ca: {__file__} cannot be used.*in PEM"),
        ({"ca": ""}, {}, "certificate of 127.0.0.1 is not trusted.*option 'ca'"),
        ({"locations": "DC0_C0,Atlantis"}, {}, "there is no location 'Atlantis'.*DC0_C0, DC0_C1"),
        ({"datacenter": "DC9"}, {}, "there is no datacenter 'DC9'.*There are: DC0"),
        ({"pool": "none"}, {}, "there is no pool 'none'.*There are: Resources"),
        ({"datastore": "none"}, {}, "there is no datastore 'none'.*There are: LocalDS_0"),
        ({"folder": "lab/none"}, {}, "there is no folder 'lab' in 'lab/none'"),
        (
            {"images": "plan9-4=glenda"},
            {},
            "no template 'glenda' .* 'plan9-4'.*There are: debian-12, rocky-9",
        ),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_made(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, options: dict[str, str], environ: dict[str, str], told: str
) -> None:
    wanted = subject.order()
    with monkeypatch.context() as other:
        for name, value in environ.items():
            other.setenv(name, value)
        with pytest.raises((Failed, Invalid), match=f"(?i){told}"):
            subject.open(**options).create(wanted)


@pytest.mark.slow
def test_a_certificate_need_not_be_checked(subject: Subject) -> None:
    assert subject.open(ca="", verify=False).machines() == []


@pytest.mark.slow
def test_a_session_that_has_expired_is_begun_anew(subject: Subject, called: list[tuple[str, Any]]) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    gateway._driver._access.content.sessionManager.Logout()
    called.clear()
    assert gateway.machines() == [made]
    assert [name for name, _arguments in called].count("Login") == 1


@pytest.mark.slow
def test_a_gateway_that_is_dropped_leaves_no_session(subject: Subject, called: list[tuple[str, Any]]) -> None:
    gc.collect()
    called.clear()
    gateway = subject.open()
    gateway.machines()
    del gateway
    gc.collect()
    names = [name for name, _arguments in called]
    assert (names.count("Login"), names.count("Logout")) == (1, 1)


# ── guests ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def unheard(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names of methods that guests do not hear of from now on."""
    names: set[str] = set()
    real = Line.InvokeMethod

    def call(self: Line, thing: Any, info: Any, arguments: Any, *more: Any) -> Any:
        return (200, None) if info.wsdlName in names else real(self, thing, info, arguments, *more)

    monkeypatch.setattr(Line, "InvokeMethod", call)
    return names


@pytest.mark.slow
@pytest.mark.parametrize("listens", [True, False])
def test_a_guest_is_asked_to_shut_down_and_switched_off_if_it_does_not(
    subject: Subject, unheard: set[str], called: list[tuple[str, Any]], listens: bool
) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    unheard |= set() if listens else {"ShutdownGuest"}
    assert gateway.stop(made.ref).state is MachineState.STOPPED
    names = [name for name, _arguments in called]
    assert (names.count("ShutdownGuest"), names.count("PowerOffVM_Task")) == (1, 0 if listens else 1)


@pytest.mark.slow
def test_a_guest_that_has_another_address_is_not_taken_for_made(
    subject: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(order: Order, prefix: Prefix, cards: int) -> Any:
        return customized(replace(order, address="198.18.65.10"), prefix, cards)

    monkeypatch.setattr(cloning, "customized", other)
    wanted = subject.order(address=subject.fixed)
    with pytest.raises(Failed, match=r"did not run within 5 s.*'patience'"):
        subject.open(patience=5).create(wanted)
    [seen] = subject.open().machines()
    assert (seen.id, seen.state, seen.reach.address) == (wanted.id, MachineState.CREATING, "")
    assert "do not tell its address" in seen.reason


# ── crashes and races ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
@pytest.mark.parametrize(
    ("owner", "name", "after"),
    [
        (Cloning, "_clone_for", False),
        (Access, "done", False),
        (Cloning, "_clone_for", True),
        (Cloning, "_set_up", True),
        (cloning, "made", False),
        (Cloning, "make", True),
    ],
)
def test_what_was_begun_is_found_again(subject: Subject, owner: Any, name: str, after: bool) -> None:
    wanted = subject.order(size=LARGE, address=subject.fixed)
    die_during(subject, owner, name, after, lambda gateway: gateway.create(wanted))
    gateway = subject.open()
    begun = gateway.machines()
    finished = RUNNING if name == "make" else MachineState.CREATING
    assert [(seen.id, seen.state) for seen in begun] == [(wanted.id, finished)] * len(begun)
    assert len(begun) == (name != "_clone_for" or after)
    made = gateway.create(wanted)
    assert gateway.machines() == [made]
    assert (made.name, made.state, made.size, made.reach.address) == (wanted.name, RUNNING, LARGE, subject.fixed)
    assert {seen.ref for seen in begun} <= {made.ref}


@pytest.mark.slow
def test_a_template_that_was_begun_is_finished_by_the_vcenter(subject: Subject) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    die_during(subject, Access, "done", False, lambda other: other.create_template(made.ref, "silver"))
    assert "silver" in [template.name for template in gateway.templates()]
    assert gateway.machines() == [made]
    assert gateway.create(subject.order(image="silver")).os == made.os
    gateway.delete_template("silver")


@pytest.mark.slow
@pytest.mark.parametrize("what", ["CloneVM_Task", "PowerOnVM_Task"])
def test_an_answer_that_is_lost_makes_no_second_machine(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    real, once = Line.InvokeMethod, [what]

    def call(self: Line, thing: Any, info: Any, *more: Any) -> Any:
        answer = real(self, thing, info, *more)
        if info.wsdlName in once:
            once.clear()
            raise Unreached("lost")
        return answer

    monkeypatch.setattr(Line, "InvokeMethod", call)
    wanted = subject.order()
    made = subject.open().create(wanted)
    assert (made.id, made.state, once) == (wanted.id, RUNNING, [])
    assert subject.open().machines() == [made]


@pytest.mark.slow
@pytest.mark.parametrize("ours", [True, False])
def test_a_name_that_is_taken_belongs_to_the_order_or_is_refused(
    subject: Subject, monkeypatch: pytest.MonkeyPatch, ours: bool
) -> None:
    """As a real vCenter says it, also while it still copies for a process that was killed; the simulator does not."""
    other, wanted = subject.open().create(subject.order()), subject.order()
    real, once = Access.done, [other.ref]

    def done(self: Access, task: Any) -> Any:
        made = real(self, task)
        if isinstance(made, vim.VirtualMachine) and once:
            ref = made._moId if ours else once[0]
            once.clear()
            if not ours:
                real(self, made.Destroy_Task())
            raise vim.fault.DuplicateName(name=wanted.name, object=vim.VirtualMachine(ref, self.stub))
        return made

    monkeypatch.setattr(Access, "done", done)
    if ours:
        assert subject.open().create(wanted).id == wanted.id
    else:
        with pytest.raises(Conflict, match=f"another '{wanted.name}' at vCenter.*another name"):
            subject.open().create(wanted)
    assert len(subject.open().machines()) == 1 + ours


@pytest.mark.slow
def test_what_is_still_being_copied_is_waited_for(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a real vCenter says it; the simulator has copied at once."""
    real, tasks = Access.done, list[Any]()

    def done(self: Access, task: Any) -> Any:
        tasks.append(task)
        made = real(self, task)
        if len(tasks) == 2:
            raise vim.fault.TaskInProgress(task=tasks[0])
        return made

    monkeypatch.setattr(Access, "done", done)
    wanted = subject.order()
    made = subject.open().create(wanted)
    assert (made.id, made.state, tasks[2]) == (wanted.id, RUNNING, tasks[0])
    assert subject.open().machines() == [made]


# ── strangers ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.slow
def test_a_copy_that_somebody_makes_is_nobodys(subject: Subject, vcenter: VCenter) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    vm = next(vm for vm in vcenter.made() if vm._moId == made.ref)
    # A real vCenter copies these by itself.
    config = vim.vm.ConfigSpec(extraConfig=[each for each in vm.config.extraConfig if each.key.startswith("ads.")])
    spec = vim.vm.CloneSpec(location=vim.vm.RelocateSpec(), powerOn=False, template=False, config=config)
    WaitForTask(vm.CloneVM_Task(folder=vm.parent, name="copy", spec=spec))
    assert {seen.name: seen.id for seen in gateway.machines()} == {made.name: made.id, "copy": ""}
    assert gateway.create(subject.order(id=made.id)) == made


@pytest.mark.slow
def test_where_a_cluster_places_no_machines_a_host_is_named(subject: Subject, called: list[tuple[str, Any]]) -> None:
    gateway = subject.open()
    inventory = gateway._driver._inventory
    # The simulator has no cluster without DRS.
    clusters = {name: replace(each, places=name == CLUSTERS[0]) for name, each in inventory.clusters.items()}
    inventory.__dict__["clusters"] = clusters
    for place in CLUSTERS:
        assert gateway.create(subject.order(location=place)).location == place
    first, second = (arguments[2].location.host for name, arguments in called if name == "CloneVM_Task")
    assert first is None
    assert second in list(clusters[CLUSTERS[1]].resource.host)


# ── what guests are told ─────────────────────────────────────────────────────────────────────────────


def test_the_address_of_an_order_becomes_that_of_the_first_card() -> None:
    four = Prefix(ipaddress.ip_network("10.0.0.0/24"), ipaddress.ip_address("10.0.0.1"), ("10.0.0.2",))
    told = customized(order(name="web1", address="10.0.0.9"), four, 2)
    first, second = (each.adapter for each in told.nicSettingMap)
    assert (first.ip.ipAddress, first.subnetMask, list(first.gateway)) == ("10.0.0.9", "255.255.255.0", ["10.0.0.1"])
    assert isinstance(second.ip, vim.vm.customization.DhcpIpGenerator)
    assert (told.identity.hostName.name, list(told.globalIPSettings.dnsServerList)) == ("web1", ["10.0.0.2"])
    six = Prefix(ipaddress.ip_network("fd00::/64"), ipaddress.ip_address("fd00::1"), ("fd00::2",))
    [only] = (each.adapter.ipV6Spec for each in customized(order(address="fd00::9"), six, 1).nicSettingMap)
    assert [(each.ipAddress, each.subnetMask) for each in only.ip] == [("fd00::9", 64)]
    assert list(only.gateway) == ["fd00::1"]


@pytest.mark.slow
def test_a_machine_has_the_size_and_the_disk_of_its_order(subject: Subject, vcenter: VCenter) -> None:
    half = Size("half", 0.5, 768, 3)
    subject.own_sizes = (half,)
    made = subject.open().create(subject.order(size=half))
    [vm] = vcenter.made()
    disks = [each for each in vm.config.hardware.device if isinstance(each, vim.vm.device.VirtualDisk)]
    assert (vm.config.hardware.numCPU, vm.config.hardware.memoryMB, made.size) == (1, 768, half)
    assert [disk.capacityInKB for disk in disks] == [3 << 20]
