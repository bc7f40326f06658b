"""Virtual machines by libvirt: what they are told, what others made, and hypervisors that are not as they should be."""

from __future__ import annotations

import io
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pycdlib
import pytest
import yaml

from adapters.gateways.providers import Virtual
from adapters.gateways.subjects import LITTLE, Subject
from adslib.adapters.gateways import open_gateway
from adslib.adapters.host_keys import KnownHosts
from adslib.domain.errors import Conflict, Failed, Invalid, NotFound
from adslib.domain.lifecycle import MachineState
from containers import NoHosts
from hypervisors import DEAF, bindings, image

pytestmark = [pytest.mark.req("A8", "A9"), pytest.mark.once]

RUNNING, STOPPED = MachineState.RUNNING, MachineState.STOPPED


@pytest.fixture
def virtual(make_subject: Callable[..., Subject], monkeypatch: pytest.MonkeyPatch) -> Virtual:
    """A gateway to a hypervisor, which loses no time between tries."""
    monkeypatch.setattr("adslib.adapters.gateways.remote.calls.PAUSE", 0.01)
    try:
        subject = make_subject("libvirt")
    except NoHosts as reason:
        pytest.skip(str(reason))
    assert isinstance(subject, Virtual)
    return subject


@pytest.fixture
def foreign(virtual: Virtual) -> Iterator[Any]:
    """A machine that somebody else made, and that does not run."""
    with virtual.server.connected() as connection:
        domain = connection.defineXML(
            "<domain type='qemu'><name>other</name><memory unit='MiB'>64</memory><vcpu>2</vcpu>"
            "<os><type arch='x86_64'>hvm</type></os></domain>"
        )
        yield domain
        domain.undefine()


def files_of(path: Path) -> dict[str, Any]:
    """What is on a seed, by the names of the files."""
    disk = pycdlib.PyCdlib()
    disk.open(str(path))
    found = {}
    for entry in disk.list_children(joliet_path="/"):
        if entry is not None and entry.is_file():
            name = entry.file_identifier().decode("utf-16-be")
            out = io.BytesIO()
            disk.get_file_from_iso_fp(out, joliet_path=f"/{name}")
            found[name] = yaml.safe_load(out.getvalue())
    assert disk.pvd.volume_identifier.decode().strip() == "cidata"
    disk.close()
    return found


def test_a_machine_is_told_who_it_is_and_who_may_enter(virtual: Virtual) -> None:
    made = virtual.open(user="ops").create(virtual.order(name="web1", address=virtual.fixed))
    told = files_of(virtual.server.home / "pool" / f"{made.id}.iso")
    user, network = told["user-data"], told["network-config"]["ethernets"]["primary"]
    assert (user["hostname"], user["users"][0]["name"]) == ("web1", "ops")
    key = Path(made.reach.key)
    assert user["users"][0]["ssh_authorized_keys"] == [key.with_name("key.pub").read_text().strip()]
    assert (made.reach.user, made.reach.become, key.stat().st_mode & 0o777) == ("ops", "sudo", 0o600)
    known = subprocess.run(["ssh-keygen", "-y", "-f", str(key)], capture_output=True, text=True, check=True)
    assert known.stdout.split()[:2] == key.with_name("key.pub").read_text().split()[:2]
    keys = KnownHosts(virtual.home)
    assert keys.pinned(made.id) == [user["ssh_keys"]["ed25519_public"]]
    assert made.reach.vars == {"ansible_ssh_common_args": keys.arguments(made.id)}
    assert network["addresses"] == [f"{virtual.fixed}/18"]
    assert network["gateway4"] == "198.18.64.1"
    assert told["meta-data"] == {"instance-id": made.id}
    with virtual.server.connected() as connection:
        assert network["match"]["macaddress"] in connection.lookupByName("web1").XMLDesc()
    virtual.open().delete(made.ref)
    assert keys.pinned(made.id) == []


def test_a_machine_without_an_address_asks_for_one(virtual: Virtual) -> None:
    made = virtual.open().create(virtual.order(address=""))
    told = files_of(virtual.server.home / "pool" / f"{made.id}.iso")
    assert told["network-config"]["ethernets"]["primary"]["dhcp4"] is True


def test_a_machine_that_does_not_hear_is_cut_off(virtual: Virtual, tmp_path: Path) -> None:
    gateway = virtual.open(grace=0.5)
    gateway.upload_template("deaf", str(image(tmp_path / "deaf.img", DEAF)))
    assert gateway.stop(gateway.create(virtual.order(image="deaf")).ref).state is STOPPED


@pytest.mark.parametrize("look", [1, 2])
def test_a_machine_that_stops_by_itself_meanwhile_is_deleted(
    virtual: Virtual, monkeypatch: pytest.MonkeyPatch, look: int
) -> None:
    """Between the look whether it runs and what is done because it does."""
    libvirt = bindings()
    really, looks = libvirt.virDomain.isActive, itertools.count(1)

    def active(domain: Any) -> int:
        runs = really(domain)
        if next(looks) == look:
            assert runs, "it had to run until now"
            domain.destroyFlags(0)
        return int(runs)

    gateway = virtual.open()
    made = gateway.create(virtual.order())
    monkeypatch.setattr(libvirt.virDomain, "isActive", active)
    gateway.delete(made.ref)
    assert next(looks) > look
    assert virtual.server.count() == []


def test_what_others_made_is_seen_and_left(virtual: Virtual, foreign: Any) -> None:
    gateway = virtual.open()
    [seen] = gateway.machines()
    assert (seen.ref, seen.name, seen.id, seen.state) == (foreign.UUIDString(), "other", "", STOPPED)
    assert (seen.size.cpu, seen.size.memory, seen.size.disk) == (2, 64, 0)
    assert gateway.start(seen.ref).state is RUNNING
    for act in (lambda: gateway.delete(seen.ref), lambda: gateway.create_template(seen.ref, "theirs")):
        with pytest.raises(Invalid, match="other: ads did not make this machine"):
            act()
    with pytest.raises(Conflict, match="another machine 'other'"):
        gateway.create(virtual.order(name="other"))
    assert gateway.look(seen.ref).state is RUNNING
    foreign.destroy()


# ── images ───────────────────────────────────────────────────────────────────────────────────────────


def test_an_image_that_stands_on_another_file_is_refused(virtual: Virtual, tmp_path: Path) -> None:
    for words in (["-b", "/etc/passwd", "-F", "raw"], ["-o", f"data_file={tmp_path}/data"]):
        path = tmp_path / "image.qcow2"
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", *words, str(path), "1M"], check=True)
        with pytest.raises(Invalid, match="it stands on another file"):
            virtual.open().upload_template("golden", str(path))


def test_a_template_comes_as_it_is_and_stays_while_machines_stand_on_it(virtual: Virtual, tmp_path: Path) -> None:
    gateway, path = virtual.open(), tmp_path / "image.qcow2"
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", str(image(tmp_path / "raw")), str(path)], check=True)
    uploaded = gateway.upload_template("golden", str(path))
    [volume] = (virtual.server.home / "pool").glob("golden.*.qcow2")
    assert volume.read_bytes() == path.read_bytes()
    assert uploaded.size_bytes == path.stat().st_size
    made = gateway.create(virtual.order(image="golden"))
    with pytest.raises(Conflict, match=f"machines stand on instance template 'golden': {made.id}"):
        gateway.delete_template("golden")
    assert gateway.stop(made.ref).state is STOPPED, "it did not boot from the template"


def test_an_upload_that_was_killed_is_no_template_and_is_cleared_away(virtual: Virtual, tmp_path: Path) -> None:
    gateway = virtual.open()
    with virtual.server.connected() as connection:
        pool = connection.storagePoolLookupByName("default")
        for name in ("golden.part", "golden.0123456789abcdef.raw"):
            pool.createXML(f"<volume><name>{name}</name><capacity>512</capacity></volume>")
    assert [template.name for template in gateway.templates()] == ["debian-12", "rocky-9"]
    gateway.upload_template("golden", str(image(tmp_path / "a.img")))
    assert [name.partition(".")[0] for name in virtual.server.count()] == ["golden"]


def test_an_image_that_is_not_there_or_too_large_is_refused(virtual: Virtual) -> None:
    large = virtual.server.home / "pool" / "large.img"
    gateway = virtual.open(images="debian-12=absent.img")
    with pytest.raises(Invalid, match=r"pool 'default' has no volume 'absent.img' for image 'debian-12'"):
        gateway.create(virtual.order())
    with large.open("wb") as file:
        os.truncate(file.fileno(), (11 << 30) + 1)
    gateway = virtual.open(images="debian-12=large.img")
    try:
        with pytest.raises(Invalid, match="needs a disk of 12 GiB, size small has 10"):
            gateway.create(virtual.order())
    finally:
        large.unlink()
        virtual.server.refresh()


# ── hypervisors that are not as they should be ───────────────────────────────────────────────────────


def test_what_fails_without_a_cause_is_tried_again(virtual: Virtual, monkeypatch: pytest.MonkeyPatch) -> None:
    libvirt = bindings()
    without_cause = libvirt.libvirtError("")
    without_cause.err = (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_NONE, "unknown", 2, None, None, None, -1, -1)
    failures = [without_cause]
    really = libvirt.virStoragePool.createXML

    def create(*given: Any) -> Any:
        if failures:
            raise failures.pop()
        return really(*given)

    monkeypatch.setattr(libvirt.virStoragePool, "createXML", create)
    assert virtual.open().create(virtual.order()).state is RUNNING
    assert not failures


def test_a_hypervisor_that_is_down_fails(virtual: Virtual) -> None:
    gateway = virtual.open(uri="qemu+unix:///session?socket=/nowhere")
    for call in (gateway.machines, lambda: gateway.create(virtual.order())):
        with pytest.raises(Failed, match=r"socket=/nowhere does not answer: .*No such file.*'uri'"):
            call()


def test_a_hypervisor_that_hangs_is_not_waited_for_long(
    virtual: Virtual, short_place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adslib.adapters.gateways.libvirt.hypervisor.ANSWER_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(short_place / "socket"))
        silent.listen()
        gateway = virtual.open(uri=f"qemu+unix:///session?socket={short_place}/socket", patience=1)
        began = time.monotonic()
        for call in (gateway.machines, lambda: gateway.look("00000000-0000-4000-8000-000000000000")):
            with pytest.raises(Failed, match="does not answer: it takes too long"):
                call()
        assert time.monotonic() - began < LITTLE


def test_a_hypervisor_that_wants_an_account(virtual: Virtual) -> None:
    with pytest.raises(Failed, match=r"refuses to be used: authentication failed.*authentication file"):
        virtual.open(uri=virtual.server.guarded).machines()


def test_a_pool_that_is_not_there_is_named(virtual: Virtual) -> None:
    with pytest.raises(Failed, match=r"there is no storage pool 'fast'.*'pool'"):
        virtual.open(pool="fast").create(virtual.order())
    assert virtual.server.count() == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"uri": "qemu+tcp://ads:hidden@host/system"}, "uri: it holds a password"),
        ({"uri": "qemu+ssh://host/system?command=/tmp/x"}, "uri: it names a command"),
        ({"images": ""}, "images: it is missing"),
        ({"interface": "eth0"}, "interface: 'eth0' will not do"),
        ({"network": "198.18.0.0/33"}, r"network: .*198.18.0.0/33"),
        ({"router": "nowhere"}, "'nowhere'"),
        ({"network": "", "router": "198.18.64.1"}, "network: it is missing"),
        ({"ssh_key": "/nowhere/key"}, "there is no /nowhere/key.pub"),
    ],
)
def test_a_wrong_option_says_what_to_do(virtual: Virtual, options: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=said) as refused:
        virtual.open(**options)
    assert "hidden" not in str(refused.value)


# ── libvirt's own simulation ─────────────────────────────────────────────────────────────────────────


def test_power_of_what_is_there_by_another_driver(tmp_path: Path) -> None:
    try:
        bindings()
    except NoHosts as reason:
        pytest.skip(str(reason))
    options = {"uri": "test:///default", "images": "debian-12=none", "interface": "user"}
    gateway = open_gateway("libvirt", "here", options, home=tmp_path)
    [seen] = gateway.machines()
    assert (seen.name, seen.state, seen.size.cpu) == ("test", RUNNING, 2)
    assert gateway.stop(seen.ref).state is STOPPED
    assert gateway.reboot(seen.ref).state is RUNNING
    with pytest.raises(NotFound):
        gateway.look("00000000-0000-4000-8000-000000000000")


def test_without_its_library_it_is_told_how_to_install_it() -> None:
    code = """
import sys
from pathlib import Path
sys.modules["libvirt"] = None
from adslib.adapters.gateways import open_gateway
try:
    open_gateway("libvirt", "here", {}, home=Path())
except Exception as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("Install it with: pip install 'adslib[libvirt]'\n")
