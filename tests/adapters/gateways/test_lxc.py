"""Containers of this host: what is refused before anything is done, what they may not ask, what they share (A8, A9)."""

from __future__ import annotations

import http.client
import os
import shlex
import socket
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from adapters.gateways.subjects import SMALL, Subject, order, tar
from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.lxc import containers, limits, packages, programs
from adslib.domain.errors import Conflict, Failed, Invalid, Unsupported
from adslib.domain.gateway import Sighting
from containers import NoHosts

pytestmark = pytest.mark.req("A8", "A9")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"network": "10.1.2.3/24"}, "has host bits set"),
        ({"network": "10.1.2.0/30"}, "room for no host"),
        ({"network": "fd00::/64"}, "option network"),
        ({"bridge": "Much_too_long_for_a_bridge"}, "no name for a bridge"),
        ({"suite": "slink"}, "use one of: bookworm, bullseye"),
        ({"folder": "/srv/my machines"}, "cannot lie below a path with ' '"),
        ({"limits": "disk"}, "use some of: cpu, memory"),
        ({"colour": "blue"}, "'colour' is no option"),
    ],
)
def test_a_wrong_option_is_refused_wherever_it_is_said(tmp_path: Path, options: dict[str, Any], told: str) -> None:
    with pytest.raises(Invalid, match=f"(?i){told}"):
        open_gateway("lxc", "here", options, home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_cannot_run_containers_is_told_all_that_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(programs, "PATH", str(tmp_path))
    with pytest.raises(
        Unsupported, match=r"cannot work here: .*not installed: .*lxc mmdebstrap nftables.*Apt-get inst"
    ):
        open_gateway("lxc", "here", {}, home=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_cannot_be_held_is_refused_where_it_is_demanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "GROUPS", tmp_path)
    assert limits.lines(SMALL, []) == []
    with pytest.raises(Failed, match=r"no control group for 'memory'.*option 'limits'"):
        limits.lines(SMALL, [limits.Limit.MEMORY])
    (tmp_path / "cgroup.controllers").write_text("cpu io memory\n")
    held = ["lxc.cgroup2.cpu.max = 100000 100000", f"lxc.cgroup2.memory.max = {2**30}"]
    assert limits.lines(SMALL, [limits.Limit.MEMORY]) == held


def test_control_groups_go_when_the_last_process_has_left_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in them a moment longer than it can be seen; no kernel lets them be removed until then."""
    for place in ("pids/ads-1-one/lxc.pivot", "cpu/ads-1-one-2", "cpu/ads-1-other"):
        (tmp_path / place).mkdir(parents=True)
    process = tmp_path / "pids/ads-1-one/lxc.pivot/process"
    process.touch()
    monkeypatch.setattr(limits, "GROUPS", tmp_path)
    monkeypatch.setattr("time.sleep", lambda _seconds: process.unlink())
    limits.remove_groups("ads-1-one")
    assert sorted(path.name for path in tmp_path.glob("*/*")) == ["ads-1-other"]


def test_the_proxy_asks_nothing_of_this_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "FOLDER", tmp_path)
    with ThreadingHTTPServer(("127.0.0.1", 0), packages.Handler) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        for path in ("http://127.0.0.1/", "http://localhost/a.deb", "https://deb.debian.org/a.deb", "/a.deb"):
            asked = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
            asked.request("GET", path)
            assert asked.getresponse().status == http.client.BAD_GATEWAY
            asked.close()
        proxy.shutdown()
    assert list(tmp_path.iterdir()) == []


def test_an_sshd_that_is_slow_to_speak_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy host it takes a connection at once, and speaks when it is its turn."""
    here, there = socket.socketpair()

    def taken(_bridge: str, _address: str, _port: int, seconds: float) -> socket.socket:
        here.settimeout(seconds)
        threading.Timer(seconds + 0.2, there.send, [b"SSH-2.0-OpenSSH"]).start()
        return here

    monkeypatch.setattr(containers, "connected", taken)
    with there:
        assert containers.greets("198.19.0.2", "bridge")


def test_the_proxy_serves_without_asking_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever starts a container waits for it: DNS that does not answer must not be in the way."""
    asked: list[str] = []
    monkeypatch.setattr("socket.getfqdn", lambda *names: asked.extend(names) or "")
    monkeypatch.setattr(packages, "PORT", 0)
    monkeypatch.setattr(packages, "FOLDER", tmp_path)
    with packages.Server("lo", "127.0.0.1") as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        asking = http.client.HTTPConnection(*proxy.server_address[:2], timeout=10)
        asking.request("GET", "/a.deb")
        assert asking.getresponse().status == http.client.BAD_GATEWAY
        asking.close()
        proxy.shutdown()
    assert asked == []


class Breaking(BaseHTTPRequestHandler):
    """A mirror that breaks off in the middle of an answer."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"beginning")
        # Closed like this, a connection is reset.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_an_answer_that_breaks_off_is_no_other_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "outside", lambda _address: True)
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as mirror,
        ThreadingHTTPServer(("127.0.0.1", 0), packages.Handler) as proxy,
    ):
        for server in (mirror, proxy):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        asking = http.client.HTTPConnection("127.0.0.1", proxy.server_port, timeout=10)
        asking.request("GET", f"http://127.0.0.1:{mirror.server_port}/Release")
        answer = asking.getresponse()
        with pytest.raises(http.client.IncompleteRead) as broken:
            answer.read()
        asking.close()
        for server in (mirror, proxy):
            server.shutdown()
    assert b"beginning".startswith(broken.value.partial)


# ── on real containers ───────────────────────────────────────────────────────────────────────────────

GET = "import sys, urllib.request as u; print(u.urlopen(sys.argv[1], timeout=30).read().decode())"


REFUSED = """
import http.client, subprocess
proxy = subprocess.run(["ip", "-o", "route", "show", "default"], capture_output=True, text=True).stdout.split()[2]
asked = http.client.HTTPConnection(proxy, 3142, timeout=10)
asked.request("GET", "http://127.0.0.1/")
print(asked.getresponse().status)
"""
GREETING = "import socket, sys; print(socket.create_connection((sys.argv[1], 22), timeout=10).recv(4).decode())"


@pytest.fixture
def lxc(make_subject: Callable[..., Subject]) -> Iterator[Subject]:
    """A gateway of containers."""
    try:
        yield make_subject("lxc")
    except NoHosts as reason:
        pytest.skip(str(reason))


def tell(lxc: Subject, machine: Sighting, *words: str) -> str:
    """Run a command in a container; it must succeed. Gives its output."""
    place = lxc.home / "lxc" / "here" / "machines"
    command = ["lxc-attach", "-P", str(place), "-n", machine.ref, "--clear-env", "--", *words]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.mark.slow
def test_a_package_is_downloaded_once(lxc: Subject) -> None:
    # The foundation of all tests, but packages of this test's own.
    (lxc.home / "cache").mkdir()
    foundations = Path(lxc.options["cache"]) / "foundations"
    foundations.mkdir(exist_ok=True)
    (lxc.home / "cache" / "foundations").symlink_to(foundations)
    gateway = lxc.open(cache=str(lxc.home / "cache"))
    mirror, one, two = (gateway.create(order()) for _ in range(3))
    tell(lxc, mirror, "sh", "-c", "mkdir /srv/pool && echo first >/srv/pool/a.deb && echo first >/srv/pool/Release")
    tell(lxc, mirror, "systemd-run", "-u", "mirror", "--working-directory=/srv", "python3", "-m", "http.server", "80")
    told = (tell(lxc, one, "apt-config", "shell", "X", f"Acquire::http::{name}") for name in ("Proxy", "Timeout"))
    proxy, patience = (each.partition("=")[2].strip("'") for each in told)
    assert float(patience) > packages.SECONDS, "apt gives up while a mirror still sends to the proxy"
    base = f"http://{mirror.reach.address}/pool"

    def ask(machine: Sighting, name: str) -> str:
        return tell(lxc, machine, "env", f"http_proxy={proxy}", "python3", "-c", GET, f"{base}/{name}")

    tell(lxc, one, "sh", "-c", f"until python3 -c '{GET}' {base}/Release; do :; done")
    assert (ask(one, "a.deb"), ask(one, "Release")) == ("first", "first")
    tell(lxc, mirror, "sh", "-c", "echo second >/srv/pool/a.deb; echo second >/srv/pool/Release")
    assert (ask(two, "a.deb"), ask(two, "Release")) == ("first", "second")


@pytest.mark.slow
def test_a_bridge_keeps_its_hardware_address_whoever_joins(lxc: Subject) -> None:
    """What containers know of it stays true: else their way out is lost for as long as they remember it."""
    lxc.open().create(order())
    bridge = lxc.options["bridge"]
    address = Path("/sys/class/net", bridge, "address")
    before = address.read_text()
    # Names of this process's own: one that was killed leaves its pair behind.
    low, other = f"low{os.getpid()}", f"other{os.getpid()}"
    lowest = ["ip", "link", "add", low, "address", "02:00:00:00:00:01", "type", "veth", "peer", other]
    subprocess.run(lowest, check=True)
    try:
        subprocess.run(["ip", "link", "set", low, "master", bridge, "up"], check=True)
        assert address.read_text() == before
    finally:
        subprocess.run(["ip", "link", "delete", low], check=True)


@pytest.mark.slow
def test_what_a_machine_stands_on_stays_and_others_bridges_are_respected(lxc: Subject, tmp_path: Path) -> None:
    gateway = lxc.open()
    gateway.upload_template("golden", str(tar(tmp_path / "a.tar", {"srv/hello": "hello"})))
    made = gateway.create(order(image="golden"))
    assert tell(lxc, made, "cat", "/srv/hello") == "hello"
    with pytest.raises(Conflict, match=f"1 machines stand on instance template 'golden': {made.ref}"):
        gateway.delete_template("golden")
    gateway.create_snapshot(made.ref, "then")
    (saved,) = lxc.home.glob(f"**/{made.ref}/snapshots/then.tar")
    assert saved.stat().st_mode & 0o077 == 0, "it has the host's private key"
    other = lxc.open(folder=str(lxc.home / "other"))
    with pytest.raises(Conflict, match=r"belongs to the gateway in .*/lxc/here.*another 'bridge'"):
        other.create(order(id="late"))
    other.delete("late")
    assert gateway.look(made.ref) == made
    gateway.delete(made.ref)
    gateway.delete_template("golden")


@pytest.mark.slow
@pytest.mark.req("I1")
def test_overlapping_networks_of_two_tenants_lead_each_to_its_own(lxc: Subject) -> None:
    other = Subject("lxc", lxc.home / "other")
    other.options["network"] = lxc.options["network"]
    try:
        made = [
            subject.open().create(order(name=name, address=lxc.fixed)) for subject, name in ((lxc, "a"), (other, "b"))
        ]
        assert made[0].reach.address == made[1].reach.address
        told = []
        for subject, machine in zip((lxc, other), made, strict=True):
            way = shlex.split(str(machine.reach.vars["ansible_ssh_common_args"]))
            trust = ("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR")
            command = ["ssh", *way, *trust, "-i", machine.reach.key, f"root@{machine.reach.address}", "hostname"]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True
            )
            told.append(done.stdout.strip())
            # The proxy of its own bridge answers: what it refuses to ask for.
            assert tell(subject, machine, "python3", "-c", REFUSED) == "502"
            neighbour = subject.open().create(order())
            assert tell(subject, neighbour, "python3", "-c", GREETING, machine.reach.address) == "SSH-"
        assert told == ["a", "b"]
    finally:
        other.clear()
