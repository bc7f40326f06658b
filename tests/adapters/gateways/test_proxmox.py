"""Proxmox VE: wrong options and credentials, services that are down, crashes, strangers, containers (A8, A9)."""

from __future__ import annotations

import ipaddress
import socket
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from adapters.gateways.subjects import LARGE, LITTLE, Subject, die_during
from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.proxmox import api
from adslib.adapters.gateways.proxmox.api import Api
from adslib.adapters.gateways.proxmox.cloning import Cloning
from adslib.adapters.gateways.proxmox.cluster import Cluster
from adslib.adapters.gateways.proxmox.forms import Container, VirtualMachine, address_settings
from adslib.adapters.gateways.remote import calls
from adslib.adapters.gateways.remote.prefix import Prefix
from adslib.adapters.host_keys import KnownHosts
from adslib.adapters.secrets import read_secret
from adslib.domain.errors import Failed, Invalid
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Size
from proxmox_front import HOST_KEY, TOKEN, TOKEN_SECRET
from proxmox_ve import ProxmoxVE
from servers import free_port

pytestmark = [pytest.mark.req("A8", "A9"), pytest.mark.once]
GOOD = {"host": "pve", "account": "ads@pve", "images": "debian-12", "ssh_key": "/key"}


@pytest.fixture
def subject(make_subject: Callable[..., Subject]) -> Subject:
    """A gateway to the Proxmox VE of the tests."""
    return make_subject("proxmox")


@pytest.fixture
def counted(subject: Subject, proxmox_ve: ProxmoxVE) -> Iterator[None]:
    """See that there is no machine, no template and no disk more than before when all machines are deleted."""
    yield
    subject.clear()
    assert (proxmox_ve.guests(), proxmox_ve.volumes()) == ([], [])


def resolver(subject: Subject) -> str:
    """The DNS server of machines with a given address: without an option, the first address of their network."""
    return str(ipaddress.ip_network(subject.options["network"])[1])


# ── options ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"host": ""}, "option host is missing"),
        ({"account": "ads"}, "option account: who asks.*ads@pve!token"),
        ({"images": {}}, "option images is missing"),
        ({"ssh_key": ""}, "option ssh_key is missing"),
        ({"secret": "hunter2"}, "option secret: the store keeps no secrets.*env:NAME"),
        ({"password": "hunter2"}, "'password' is no option"),
        ({"makes": "vm,container"}, "option makes: one gateway"),
        ({"makes": "moon"}, "use some of: container, vm"),
        ({"ca": "/no/such/file"}, "option ca: there is no file /no/such/file"),
        ({"network": "10.0.0.1/24"}, "has host bits set"),
        (
            {"network": "10.0.0.0/24", "router": "10.0.1.1"},
            "option network: '10.0.0.0/24' .* '10.0.1.1' is not in it",
        ),
    ],
)
def test_a_wrong_option_is_refused_and_no_secret_repeated(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid, match=f"(?i){told}") as refused:
        open_gateway("proxmox", "here", {**GOOD, **options}, home=tmp_path)
    assert "hunter2" not in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_without_its_library_it_is_told_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("adslib.adapters.gateways.proxmox")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "proxmoxer", None)
    with pytest.raises(Failed, match=r"not installed \(proxmoxer\).*pip install 'adslib\[proxmox\]'"):
        open_gateway("proxmox", "here", GOOD, home=tmp_path)


# ── who asks, and who answers ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("options", "environ", "told"),
    [
        ({}, {"PROXMOX_PASSWORD": "wrong"}, "does not let root@pam in.*env:PROXMOX_PASSWORD"),
        ({"account": "root@pam!t"}, {"PROXMOX_TOKEN_SECRET": "wrong"}, "does not let root@pam!t in"),
        ({"secret": "env:NOBODY_SET_THIS"}, {}, "env:NOBODY_SET_THIS is not set"),
        ({"ca": ""}, {}, "certificate of 127.0.0.1:[0-9]+ is not trusted.*pve-root-ca"),
        ({"locations": "pve1,pve9"}, {}, "there is no node 'pve9'.*pve1, pve2"),
    ],
)
def test_who_is_not_let_in_or_not_trusted(
    subject: Subject,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, str],
    environ: dict[str, str],
    told: str,
) -> None:
    order = subject.order()
    with monkeypatch.context() as other:
        for name, value in environ.items():
            other.setenv(name, value)
        with pytest.raises((Failed, Invalid), match=f"(?i){told}"):
            subject.open(**options).create(order)


def test_an_api_token_does_all_that_a_password_does(subject: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROXMOX_TOKEN_SECRET", TOKEN_SECRET)
    gateway = subject.open(account=TOKEN)
    made = gateway.create(subject.order())
    assert gateway.machines() == [made]


@pytest.mark.parametrize("silent", [True, False])
def test_a_service_that_is_down_is_not_waited_for_long(
    subject: Subject, silent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PAUSE", 0.01)
    monkeypatch.setattr(api, "ANSWER", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1] if silent else free_port()
        gateway, began = subject.open(host=f"127.0.0.1:{port}"), time.monotonic()
        for call in (gateway.machines, gateway.offer, lambda: gateway.look("100")):
            with pytest.raises(Failed, match=f"127.0.0.1:{port} does not answer: .*option 'host'"):
                call()
        assert time.monotonic() - began < LITTLE


def test_an_image_without_a_template_is_refused_with_those_there_are(subject: Subject, counted: None) -> None:
    gateway = subject.open(images={"debian-12": "", "plan9-4": "glenda"})
    with pytest.raises(Invalid, match=r"no template 'glenda' .* for image 'plan9-4'.*There are: debian-12, rocky-9"):
        gateway.create(subject.order(os="plan9-4"))


def test_what_a_task_says_is_told(subject: Subject, proxmox_ve: ProxmoxVE, counted: None) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    gateway.stop(made.ref)
    number = made.ref.partition("-")[0]
    at = proxmox_ve.api.nodes(made.location).qemu(number)
    kept = at.config.get()["scsi0"]
    at.config.put(scsi0=f"local:{number}/vm-{number}-disk-9.raw,size=10G")
    with pytest.raises(Failed, match="snapshot feature is not available"):
        gateway.create_snapshot(made.ref, "before")
    at.config.put(scsi0=kept)
    with pytest.raises(Invalid, match="Use up to 36 characters"):
        gateway.create_snapshot(made.ref, "x" * 37)


# ── crashes and races ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("owner", "name", "after"),
    [
        (Cloning, "_clone", False),
        (Api, "post", True),
        (Api, "put", False),
        (Api, "put", True),
        (Cluster, "switch", False),
        (Cluster, "switch", True),
    ],
)
def test_what_was_begun_is_found_again(
    subject: Subject, proxmox_ve: ProxmoxVE, counted: None, owner: type, name: str, after: bool
) -> None:
    order = subject.order(size=LARGE, address=subject.fixed)
    die_during(subject, owner, name, after, lambda gateway: gateway.create(order))
    gateway = subject.open()
    begun = gateway.machines()
    assert [(seen.id, seen.state) for seen in begun] == [(order.id, MachineState.CREATING)] * len(begun)
    made = gateway.create(order)
    assert gateway.machines() == [made]
    assert (made.name, made.state, made.size) == (order.name, MachineState.RUNNING, LARGE)
    number = made.ref.partition("-")[0]
    config = proxmox_ve.api.nodes(made.location).qemu(number).config.get()
    assert config["nameserver"] == resolver(subject)
    tags = config["tags"]
    assert tags.split(";") == [f"ads-{number}-{order.id}", "golden", "ours"]
    assert {seen.ref for seen in begun} <= {made.ref}


@pytest.mark.parametrize(("owner", "name", "after"), [(Api, "post", True), (Api, "put", True)])
def test_a_template_that_was_begun_is_made_anew(
    subject: Subject, counted: None, owner: type, name: str, after: bool
) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    die_during(subject, owner, name, after, lambda other: other.create_template(made.ref, "silver"))
    assert "silver" not in [template.name for template in gateway.templates()]
    gateway.create_template(made.ref, "silver")
    assert gateway.machines() == [made]
    gateway.delete_template("silver")


def test_an_answer_that_is_lost_makes_no_second_machine(
    subject: Subject, proxmox_ve: ProxmoxVE, counted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PAUSE", 0.01)
    for what in ("/clone", "/status/start"):
        once = [what]
        proxmox_ve.front.lost = lambda method, path, once=once: path.endswith(tuple(once)) and bool(once.pop())
        order = subject.order()
        made = subject.open().create(order)
        assert (made.id, made.state, once) == (order.id, MachineState.RUNNING, [])
    assert len(subject.open().machines()) == 2


def test_a_machine_that_tells_no_address_fails_in_time_and_is_kept(
    subject: Subject, proxmox_ve: ProxmoxVE, counted: None
) -> None:
    proxmox_ve.front.agents = False
    order = subject.order()
    # Made and started before, so that nothing but its address is waited for: a second may be short for the rest.
    die_during(subject, Cluster, "switch", True, lambda gateway: gateway.create(order))
    with pytest.raises(Failed, match=r"did not run within 1 s.*'patience'"):
        subject.open(patience=1).create(order)
    assert [seen.state for seen in subject.open().machines()] == [MachineState.CREATING]
    proxmox_ve.front.agents = True
    assert subject.open().create(order).state is MachineState.RUNNING


def test_two_homes_take_each_a_number_and_no_address_twice(
    make_subject: Callable[..., Subject], proxmox_ve: ProxmoxVE
) -> None:
    homes = [make_subject("proxmox", place) for place in ("one", "two")]
    orders = [home.order() for home in homes for _ in range(4)]
    gateways = [home.open() for home in homes for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda both: both[0].create(both[1]), zip(gateways, orders, strict=True)))
    assert len({seen.ref.partition("-")[0] for seen in made}) == len(proxmox_ve.guests()) == 8
    assert {seen.location for seen in made} == {"pve1", "pve2"}


def test_a_node_that_is_down_keeps_its_machines_and_the_others_go_on(
    subject: Subject, proxmox_ve: ProxmoxVE, counted: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "PAUSE", 0.01)
    gateway = subject.open()
    lost, kept = (gateway.create(subject.order(location=node)) for node in ("pve1", "pve2"))
    proxmox_ve.front.down = {"pve1"}
    seen = {each.ref: (each.id, each.state) for each in gateway.machines()}
    assert seen == {lost.ref: (lost.id, MachineState.UNKNOWN), kept.ref: (kept.id, MachineState.RUNNING)}
    assert gateway.look(lost.ref).reason == "node pve1 does not answer"
    with pytest.raises(Failed, match="No route to host"):
        gateway.start(lost.ref)
    later = subject.open(locations="pve1,pve2")
    assert later.offer().locations == ("pve2",)
    assert later.create(subject.order()).location == "pve2"
    with pytest.raises(Failed, match=r"no node answers of pve1, pve2.*'locations'"):
        subject.open(locations="pve1").offer()
    proxmox_ve.front.down = set()
    assert gateway.look(lost.ref) == lost


# ── strangers ────────────────────────────────────────────────────────────────────────────────────────


def test_a_copy_that_somebody_makes_is_nobodys(subject: Subject, proxmox_ve: ProxmoxVE) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    number = made.ref.partition("-")[0]
    at = proxmox_ve.api.nodes(made.location).qemu(number)
    proxmox_ve.wait(at.clone.post(newid=777, name="copy", full=1))
    assert at.config.get()["tags"] == proxmox_ve.api.nodes(made.location).qemu(777).config.get()["tags"]
    assert [(seen.ref, seen.id) for seen in gateway.machines()] == [(made.ref, made.id), ("777", "")]
    assert gateway.create(subject.order(id=made.id)) == made
    # Whoever rewrites what stands beside the tag, or adds tags, takes nothing away.
    at.config.put(description="mine", tags=f"other;{at.config.get()['tags']}")
    assert (gateway.look(made.ref).id, gateway.create(subject.order(id=made.id)).ref) == (made.id, made.ref)
    gateway.delete(made.ref)
    assert [seen.ref for seen in gateway.machines()] == ["777"]


def test_a_number_that_is_somebody_elses_now_is_left_alone(subject: Subject, proxmox_ve: ProxmoxVE) -> None:
    gateway = subject.open()
    made = gateway.create(subject.order())
    gateway.delete(made.ref)
    number = made.ref.partition("-")[0]
    proxmox_ve.wait(proxmox_ve.api.nodes("pve1").qemu(9000).clone.post(newid=number, name="other"))
    gateway.delete(made.ref)
    assert [(seen.ref, seen.name) for seen in gateway.machines()] == [(number, "other")]


def test_the_host_key_that_the_agent_reads_is_pinned(subject: Subject) -> None:
    known = KnownHosts(subject.home)
    gateway = open_gateway("proxmox", "here", subject.options, home=subject.home, secret=read_secret, host_keys=known)
    made = gateway.create(subject.order())
    assert known.pinned(made.id) == [" ".join(HOST_KEY.split()[:2])]
    assert f"HostKeyAlias={made.id}" in made.reach.vars["ansible_ssh_common_args"]


# ── configurations ──────────────────────────────────────────────────────────────────────────────────


def test_what_a_configuration_says() -> None:
    machine, container = VirtualMachine(), Container()
    prefix = Prefix(ipaddress.ip_network("fd00:7::/64"), ipaddress.ip_address("fd00:7::1"), ())
    six = address_settings("fd00:7::5", prefix)
    assert machine.net({}, six) == {"ipconfig0": "ip6=fd00:7::5/64,gw6=fd00:7::1"}
    card = {"net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,gw=10.0.0.1,ip=10.0.0.9/24"}
    assert container.net(card, six) == {
        "net0": "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,ip6=fd00:7::5/64,gw6=fd00:7::1"
    }
    assert (container.fixed(card), container.fixed(container.net(card, six))) == ("10.0.0.9", "fd00:7::5")
    assert (container.net(card, {})["net0"], container.net({}, {})) == (
        "name=eth0,bridge=vmbr0,hwaddr=BC:24:11:00:00:02,ip=dhcp",
        {},
    )
    half = machine.settings(Size("half", 0.5, 512), "ops", lambda: "ssh-ed25519 AAAA me@here")
    assert (half["cores"], half["cpulimit"], half["sshkeys"]) == (1, 0.5, "ssh-ed25519%20AAAA%20me%40here")
    drives = {"ide2": "local:cloudinit,media=cdrom", "sata0": "local:d0,size=512M", "virtio1": "local:d1,size=1T"}
    assert machine.disk({**drives, "boot": "order=virtio1;sata0"}) == ("virtio1", 1024)
    assert machine.disk(drives) == ("sata0", 0.5)
    assert (machine.disk({}), machine.takes_address(drives), machine.takes_address({})) == (("", 0), True, False)


# ── containers ───────────────────────────────────────────────────────────────────────────────────────


def test_life_of_containers(subject: Subject, proxmox_ve: ProxmoxVE, counted: None) -> None:
    """All that virtual machines do: made at once, found by another, stopped, saved, copied, deleted."""
    subject.options["makes"] = "container"
    gateway = subject.open()
    orders = [subject.order(size=LARGE, os="rocky-9", location="pve2"), subject.order(address=subject.fixed)]
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(gateway.create, orders)
    assert (first.kind, first.size, first.os, first.location) == ("container", LARGE, "rocky-9", "pve2")
    assert second.reach.address == subject.fixed
    number = second.ref.partition("-")[0]
    assert proxmox_ve.api.nodes(second.location).lxc(number).config.get()["nameserver"] == resolver(subject)
    assert first.reach.address not in {"", subject.fixed}
    assert subject.open().create(orders[0]) == first
    assert {row["type"] for row in proxmox_ve.guests()} == {"lxc"}

    assert gateway.stop(first.ref).state is MachineState.STOPPED
    assert gateway.start(first.ref) == gateway.reboot(first.ref) == first
    gateway.create_snapshot(first.ref, "before")
    assert gateway.restore_snapshot(first.ref, "before") == first
    captured = gateway.create_template(first.ref, "silver")
    assert (captured in gateway.templates(), captured.os) == (True, "rocky-9")
    assert [snapshot.name for snapshot in gateway.snapshots(first.ref)] == ["before"]
    third = gateway.create(subject.order(image="silver"))
    assert (third.image, third.os, third.state) == ("silver", "rocky-9", MachineState.RUNNING)
    gateway.delete_template("silver")
