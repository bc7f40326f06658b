"""Hosts of their own, reached over SSH: systemd, packages of the operating system, host keys, and hosts that are down.

The hosts are system containers that the tests make (`hosts.py`); everything in them is Debian's own: its systemd, sshd,
Python, apt and dpkg.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from containers import NoHosts, call, need
from system.home import Home, get, wait_for
from system.hosts import Host, Hosts
from system.packaging import apt_repository, rpm_repository

PROJECT = Path(__file__).with_name("projects") / "greeter"
MOTTO = '100 % of "it" for $5 \\ more'

pytestmark = pytest.mark.slow


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    """A bridge for hosts, which go with it."""
    try:
        with Hosts() as made:
            yield made
    except NoHosts as reason:
        pytest.skip(str(reason))


@pytest.fixture
def debian(hosts: Hosts, tmp_path: Path) -> Callable[[str], Host]:
    """Starts Debian hosts that find the packages of the greeter, and no others."""
    repository = tmp_path / "repository"
    repository.mkdir()
    apt_repository(repository, PROJECT / "greeter.py", ["1.0", "1.1"])

    def start(name: str) -> Host:
        host = hosts.new(name)
        host.lay("/etc/apt/sources.list", "deb [trusted=yes] file:/srv/repository ./\n")
        shutil.copytree(repository, host.layer / "srv" / "repository")
        host.start()
        return host

    return start


@pytest.fixture
def rocky(hosts: Hosts, tmp_path: Path) -> Callable[[str], Host]:
    """Starts hosts of the RPM family, as far as anything there can tell."""
    need("rpm", "createrepo-c")
    repository = tmp_path / "rpm-repository"
    repository.mkdir()
    rpm_repository(repository, PROJECT / "greeter.py", ["1.0", "1.1"])

    def start(name: str) -> Host:
        host = hosts.new(name)
        host.lay("/etc/os-release", 'ID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.5"\n')
        host.lay("/etc/yum.repos.d/ours.repo", "[ours]\nname=ours\nbaseurl=file:///srv/repository\ngpgcheck=0\n")
        shutil.copytree(repository, host.layer / "srv" / "repository")
        host.start()
        return host

    return start


@pytest.fixture
def hall(home: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with the greeter's project; connections that ssh keeps open are closed in the end."""
    shutil.copytree(PROJECT, home.project)
    (home.project / "page.txt").write_text("welcome")
    with tarfile.open(home.project / "page.tar.gz", "w:gz") as archive:
        archive.add(home.project / "page.txt", "page.txt")
    sockets = tmp_path_factory.mktemp("ssh")
    home.environ["ANSIBLE_SSH_CONTROL_PATH_DIR"] = str(sockets)
    yield home
    for socket in sockets.iterdir():
        subprocess.run(["ssh", "-O", "exit", "-o", f"ControlPath={socket}", "any"], capture_output=True, check=False)


def ads(home: Home, *words: str, expect: int = 0) -> str:
    """Say something to the command line; it must end with the expected code. Gives what it said."""
    command = [sys.executable, "-m", "adslib.entrypoints.cli", *words]
    done = subprocess.run(
        command, cwd=home.folder, env=home.surroundings(), capture_output=True, text=True, timeout=240, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == expect, said
    return said


def add(home: Home, host: Host) -> None:
    """Make a host known by hand."""
    words = ("--address", host.address, "--user", "root", "--key", str(host.key), "--trust-first-contact")
    ads(home, "machine", "add", host.name, *words)


def add_by_import(home: Home, *hosts: Host) -> None:
    """Make hosts known by an inventory of Ansible."""
    inventory = home.folder / "inventory.yml"
    known = {host.name: {"ansible_host": host.address, "ansible_user": "root"} for host in hosts}
    keys = {"ansible_ssh_private_key_file": str(hosts[0].key)}
    inventory.write_text(json.dumps({"all": {"hosts": known, "vars": keys}}))
    ads(home, "machine", "import", "-i", str(inventory), "--trust-first-contact")


def create(home: Home, **parameters: Any) -> None:
    """Define the hall."""
    digest = hashlib.sha256((home.project / "page.tar.gz").read_bytes()).hexdigest()
    home.define_file(home.project / "greeter.yml", sha256=digest, **parameters)


def greeting(host: Host, port: int = 8080) -> dict[str, Any]:
    """What the greeter of a host says of itself; empty: it does not answer."""
    status, said = get(f"http://{host.address}:{port}/")
    return json.loads(said) if status == 200 else {}


def unit(host: Host, *properties: str) -> list[str]:
    """Properties of the greeter's unit, as systemd says."""
    return host.ask("systemctl", "show", "--value", "-p", ",".join(properties), "greeter").split()


def expect_greeter(host: Host) -> None:
    """Package, archive, file and service stand on a host as they are wanted."""
    said = greeting(host)
    assert said.pop("pid") == int(unit(host, "MainPID")[0])
    assert said.pop("settings")["instance"].startswith("greeter-")
    assert said == {"user": "greeter", "motto": MOTTO, "page": "welcome"}
    assert host.ask("stat", "-c", "%U:%G %a", "/etc/greeter.json") == "greeter:greeter 640"
    assert host.ask("systemctl", "is-enabled", "greeter") == "enabled"


@pytest.mark.req("A9", "A10", "A12", "A13", "A14", "A16")
def test_life_on_hosts(debian: Callable[[str], Host], hall: Home) -> None:
    """From two hosts added by hand to a live environment, through repair, stop and start, to hosts that are free."""
    one, two = debian("one"), debian("two")
    add(hall, one)
    add_by_import(hall, two)
    create(hall)
    deployed = ads(hall, "environment", "deploy", "hall")
    assert hall.state("hall") == "live", deployed
    assert hall.show("hall")["tests"]["passed"] == 6
    for host in (one, two):
        expect_greeter(host)
        assert host.ask("dpkg-query", "-W", "-f", "${Version}", "greeter") == "1.0-1"

    # Nothing to do is nothing done.
    pids = [greeting(host)["pid"] for host in (one, two)]
    again = hall.play("deploy", "hall")
    assert (again.code, again.changed) == (0, set()), again.output
    assert [greeting(host)["pid"] for host in (one, two)] == pids

    # What was done by hand is undone.
    one.ask("sed", "-i", "s/greeter-/stranger-/", "/etc/greeter.json")
    one.ask("chmod", "644", "/etc/greeter.json")
    one.ask("rm", "/opt/hall/page.txt")
    one.ask("systemctl", "disable", "--now", "greeter")
    one.ask("dpkg", "--remove", "greeter")
    two.ask("apt-get", "-qq", "install", "-y", "greeter=1.1-1")
    mended = hall.play("deploy", "hall")
    assert (mended.code, mended.changed) == (0, {"one", "two"}), mended.output
    for host in (one, two):
        expect_greeter(host)
        assert host.ask("dpkg-query", "-W", "-f", "${Version}", "greeter") == "1.0-1"
    pid = greeting(two)["pid"]
    one.ask("systemctl", "stop", "greeter")
    mended = hall.play("deploy", "hall")
    assert (mended.code, mended.changed) == (0, {"one"}), mended.output
    expect_greeter(one)
    assert greeting(two)["pid"] == pid

    # The service is there after a power cut, without anybody's help.
    one.cut_power()
    one.start()
    wait_for(lambda: greeting(one))

    ads(hall, "environment", "stop", "hall")
    assert hall.state("hall") == "stopped"
    ads(hall, "environment", "start", "hall")
    assert hall.state("hall") == "live"
    expect_greeter(one)

    ads(hall, "environment", "undeploy", "hall")
    assert hall.state("hall") == "not-deployed"
    with hall.ads() as library:
        assert {(m["name"], m["holder"]) for m in library.machines.list()} == {("one", ""), ("two", "")}
    for host in (one, two):
        assert greeting(host) == {}
        assert unit(host, "LoadState") == ["not-found"]
        gone = ["/etc/greeter.json", "/opt/hall", "/etc/systemd/system/greeter.service", "/var/lib/ads/instances"]
        assert [path for path in gone if host.tell("test", "-e", path)[0] == 0] == []


@pytest.mark.req("A10", "A16")
def test_a_changed_host_key_is_refused(debian: Callable[[str], Host], hall: Home) -> None:
    """What shows another key than the one that was pinned may be another machine: nothing is deployed there."""
    one = debian("one")
    add(hall, one)
    create(hall, instances=1)
    one.cut_power()
    one.show_new_key()
    one.start()
    key = str(one.layer / "etc/ssh/ssh_host_ed25519_key.pub")
    shown = call("ssh-keygen", "-l", "-f", key).split()[1]
    # However much patience there is: waiting mends nothing here.
    said = ads(hall, "environment", "deploy", "hall", expect=1)
    cause = hall.instance("hall", "greeter-1")["message"]
    assert cause.startswith(f"one shows another host key ({shown}) than the one that is pinned")
    assert "ads machine add one --host-key" in cause
    assert cause in " ".join(said.split())
    assert one.tell("test", "-e", "/var/lib/ads")[0] != 0

    ads(hall, "machine", "add", "one", "--host-key", key)
    ads(hall, "environment", "deploy", "hall")
    expect_greeter(one)


@pytest.mark.req("A10")
def test_a_host_whose_key_nobody_knows(debian: Callable[[str], Host], hall: Home) -> None:
    """Nothing is deployed on a host that was added without its key, and the way to give it is named."""
    one = debian("one")
    ads(hall, "machine", "add", "one", "--address", one.address, "--user", "root", "--key", str(one.key))
    create(hall, instances=1)
    assert hall.play("deploy", "hall").code != 0
    cause = hall.instance("hall", "greeter-1")["message"]
    assert cause.startswith("the host key of one is not known")
    assert "ads machine add one --host-key" in cause


CHOOSY = """
environment: choosy
components: {note: {version: "1", files: [{path: /etc/note, content: hello}]}}
services: {note: {component: note, machine: {os: debian-12}}}
"""


@pytest.mark.req("A24")
def test_a_host_with_another_system_than_was_said(hosts: Hosts, hall: Home) -> None:
    """What is asked for is checked at the first contact; once it is known what the host is, it is not chosen."""
    one = hosts.new("one")
    one.lay("/etc/os-release", 'ID="rocky"\nVERSION_ID="9.5"\n')
    one.start()
    add(hall, one)
    ads(hall, "machine", "add", "one", "--os", "debian-12")
    hall.define(CHOOSY)
    said = ads(hall, "environment", "deploy", "choosy", expect=1)
    cause = hall.instance("choosy", "note-1")["message"]
    assert cause.startswith("one runs rocky-9.5, but note-1 asks for debian-12, so nothing is done there"), cause
    assert cause in " ".join(said.split())
    assert one.tell("test", "-e", "/etc/note")[0] != 0

    ads(hall, "machine", "add", "one", "--os", "rocky-9.5")
    said = ads(hall, "environment", "deploy", "choosy", expect=3)
    assert "debian-12" in said


@pytest.mark.req("A12", "A16")
def test_a_host_that_is_down(debian: Callable[[str], Host], hall: Home) -> None:
    """Its instance fails and says why, the other is deployed; when it is up again, the next run completes."""
    one, two = debian("one"), debian("two")
    add_by_import(hall, one, two)
    create(hall)
    two.cut_power()
    partly = hall.play("deploy", "hall", "-e", "ads_patience=5")
    assert partly.code != 0
    assert hall.state("hall") == "incomplete"
    failed = next(i for i in hall.show("hall")["instances"] if i["machine"] == "two")
    assert failed["state"] == "failed"
    assert failed["message"].startswith("its host did not answer")
    expect_greeter(one)

    two.start()
    ads(hall, "environment", "deploy", "hall")
    assert hall.state("hall") == "live"
    expect_greeter(two)


@pytest.mark.req("A16", "A24")
def test_packages_of_the_rpm_family(rocky: Callable[[str], Host], debian: Callable[[str], Host], hall: Home) -> None:
    """One definition on two families of systems: packages come by dnf here and by apt there.

    Real: rpm and dnf with their database, the package (built by rpmbuild), its repository (made by createrepo_c), and
    all that they do. Not real: the system around them is Debian's, whose own files no rpm knows, and /etc/os-release
    says that it is a Rocky Linux. The dnf is Debian's, version 4 as on Rocky 8 and 9.
    """
    one, two = rocky("one"), debian("two")
    add_by_import(hall, one, two)
    create(hall)
    ads(hall, "environment", "deploy", "hall")
    versions = ("rpm", "-q", "--qf", "%{VERSION}-%{RELEASE}", "greeter")
    assert one.ask(*versions) == "1.0-1"
    assert one.tell("dpkg", "-s", "greeter")[0] != 0
    assert two.tell(*versions)[0] != 0
    for host in (one, two):
        expect_greeter(host)
    again = hall.play("deploy", "hall")
    assert (again.code, again.changed) == (0, set()), again.output

    for by_hand in (("dnf", "-y", "remove", "greeter"), ("dnf", "-y", "upgrade", "greeter")):
        one.ask(*by_hand)
        assert one.tell(*versions)[1] != "1.0-1"
        mended = hall.play("deploy", "hall")
        assert (mended.code, mended.changed) == (0, {"one"}), mended.output
        assert one.ask(*versions) == "1.0-1"
        expect_greeter(one)


@pytest.mark.req("A7", "A16")
def test_an_operator_with_sudo(debian: Callable[[str], Host], hall: Home) -> None:
    """Not root but a user with sudo: ours and a role of the usual style, with facts, packages, templates, a handler."""
    one = debian("one")
    one.ask("useradd", "--create-home", "--shell", "/bin/bash", "ops")
    one.ask("install", "-D", "-o", "ops", "-m", "600", "/root/.ssh/authorized_keys", "/home/ops/.ssh/authorized_keys")
    one.ask("rm", "/root/.ssh/authorized_keys")
    one.ask("sh", "-c", "echo 'ops ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/ops")
    reach = ("--address", one.address, "--user", "ops", "--key", str(one.key), "--trust-first-contact")
    ads(hall, "machine", "add", "one", *reach)
    hall.define_file(hall.project / "office.yml")
    refused = ads(hall, "environment", "deploy", "office", expect=1)
    assert "set ansible_become" in hall.instance("office", "greeter-1")["message"], refused

    ads(hall, "machine", "add", "one", "--become", "sudo")
    ads(hall, "environment", "deploy", "office")
    assert hall.state("office") == "live"
    assert greeting(one)["user"] == "greeter"
    first = greeting(one, 8081)
    assert first["user"] == "root"
    assert first["settings"] == {"news": "nothing", "kernel": "Linux"}
    again = hall.play("deploy", "office")
    assert (again.code, again.changed) == (0, set()), again.output

    # What the operator changes in the project reaches the machine, and the role's handler restarts the service.
    (hall.project / "group_vars").mkdir()
    (hall.project / "group_vars" / "ads_service_herald.yml").write_text("herald_news: peace\n")
    changed = hall.play("deploy", "office")
    assert (changed.code, changed.changed) == (0, {"one"}), changed.output
    wait_for(lambda: greeting(one, 8081).get("settings", {}).get("news") == "peace")
    assert greeting(one, 8081)["pid"] != first["pid"]
