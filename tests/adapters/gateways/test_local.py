"""What only machines of this host promise: processes, reboots, and no trace outside their directory (A8, A9)."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from adapters.gateways.subjects import Subject, below, init_of, order, tar, until
from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.directories import snapshots
from adslib.adapters.gateways.directories.directory import Directory
from adslib.adapters.gateways.local import control, processes
from adslib.adapters.gateways.local.processes import Process
from adslib.adapters.gateways.local.templates import Templates
from adslib.domain.errors import Conflict, Failed, Invalid
from adslib.domain.gateway import Sighting
from adslib.domain.lifecycle import MachineState

pytestmark = pytest.mark.req("A8", "A9", "A22")

WORKER = """\
import os, signal, sys, time
root = sys.argv[1]
open(root + "/var/log/started", "a").write("x")
{body}
open(root + "/run/pid-%d" % os.getpid(), "w").close()
time.sleep(600)
"""
LEAVE = "if os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)"
FORGET = "if 'clean' not in sys.argv: os.execve(sys.executable, [sys.executable, *sys.argv, 'clean'], {})"
PROGRAM = """\
[program:{name}]
command = {python} {script} {root}
autostart = true
autorestart = false
startsecs = 0
redirect_stderr = true
stdout_logfile = {root}/var/log/{name}.log
"""


def install(machine: Sighting, name: str = "worker", body: str = "") -> Path:
    """Put a program on a machine, for its next start; returns the machine's root."""
    root = Path(machine.reach.root)
    script = root / f"srv/{name}.py"
    script.write_text(WORKER.format(body=body))
    text = PROGRAM.format(name=name, python=sys.executable, script=script, root=root)
    (root / f"etc/supervisor/conf.d/{name}.conf").write_text(text)
    return root


def workers(root: Path, count: int = 1) -> list[Process]:
    """The programs of a machine that say that they run."""

    def told() -> list[Process]:
        everyone = processes.running()
        pids = [int(file.name.removeprefix("pid-")) for file in root.glob("run/pid-*")]
        found = [everyone[pid] for pid in pids if pid in everyone]
        return found if len(found) >= count else []

    return list(until(told, f"the start of {count} programs"))


# ── processes ────────────────────────────────────────────────────────────────────────────────────────


def test_a_reboot_brings_the_programs_back(local: Subject) -> None:
    gateway = local.open()
    root = install(gateway.create(order(id="one")))
    gateway.reboot("one")
    first = workers(root)
    gateway.reboot("one")
    assert not any(process.lives() for process in first)
    until(lambda: (root / "var/log/started").read_text() == "xx", "the second start")


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("", id="obedient"),
        pytest.param(LEAVE, id="daemonised"),
        pytest.param(f"{FORGET}\n{LEAVE}", id="daemonised-with-empty-environment"),
        pytest.param("for n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)", id="deaf"),
        pytest.param(f"for n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n{LEAVE}", id="deaf-and-daemonised"),
        pytest.param("for _ in range(20): os.fork() or time.sleep(600)", id="many"),
    ],
)
@pytest.mark.parametrize("end", ["stop", "delete"])
def test_no_process_is_left(local: Subject, body: str, end: str) -> None:
    gateway = local.open(grace=1)
    root = install(gateway.create(order(id="one")), body=body)
    gateway.reboot("one")
    found = workers(root)
    getattr(gateway, end)("one")
    assert not any(process.lives() for process in found)
    assert below(local.home) == []


def test_what_daemonised_itself_is_found_after_the_init_was_killed(local: Subject) -> None:
    gateway = local.open()
    machine = gateway.create(order(id="one"))
    root = install(machine, body=LEAVE)
    gateway.reboot("one")
    found = workers(root)
    init_of(machine).signal(signal.SIGKILL)
    until(lambda: not init_of(machine).lives(), "the end of the init")
    seen = gateway.look("one")
    assert seen.state is MachineState.FAILED
    assert str(found[0].pid) in seen.reason
    assert list(gateway.machines()) == [seen]
    assert gateway.start("one").state is MachineState.RUNNING
    assert not found[0].lives()
    assert len(workers(root)) == 1


def test_a_killed_init_leaves_a_stopped_machine_that_says_why(local: Subject) -> None:
    gateway = local.open()
    machine = gateway.create(order(id="one"))
    init_of(machine).signal(signal.SIGKILL)
    until(lambda: not init_of(machine).lives(), "the end of the init")
    seen = gateway.look("one")
    assert seen.state is MachineState.STOPPED
    assert "killed, or this host was restarted" in seen.reason
    assert gateway.start("one") == machine


def test_an_init_that_hangs_is_seen_and_a_start_replaces_it(local: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ANSWER_SECONDS", 0.5)
    gateway = local.open(grace=0.5)
    machine = gateway.create(order(id="one"))
    hung = init_of(machine)
    hung.signal(signal.SIGSTOP)
    seen = gateway.look("one")
    assert seen.state is MachineState.FAILED
    assert f"process {hung.pid}) does not answer" in seen.reason
    assert gateway.start("one") == machine
    assert not hung.lives()


def test_a_recycled_process_number_is_not_taken_for_the_init(local: Subject) -> None:
    gateway = local.open()
    machine = gateway.create(order(id="one"))
    gateway.stop("one")
    (Path(machine.reach.root).parent / "init/pid").write_text(f"{os.getpid()} 1\n")
    assert gateway.look("one").state is MachineState.STOPPED
    gateway.stop("one")
    assert gateway.start("one") == machine


def test_a_machine_inherits_nothing_of_its_caller(local: Subject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADS_JOB", "job-1")
    monkeypatch.setenv("SECRET", "xyzzy")
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        machine = local.open().create(order(id="one"))
    finally:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    init = init_of(machine)
    environment = Path(f"/proc/{init.pid}/environ").read_bytes().decode().strip("\0").split("\0")
    directory = Path(machine.reach.root).parent
    assert sorted(environment) == [
        "ADS_MACHINE=one",
        f"ADS_MACHINE_DIR={directory}",
        "LANG=C.UTF-8",
        f"PATH={control.PATH}",
    ]
    assert os.getsid(init.pid) == init.pid
    assert Path(f"/proc/{init.pid}/cwd").readlink() == directory
    assert Path(f"/proc/{init.pid}/fd/0").readlink() == Path("/dev/null")
    ignored = next(line for line in Path(f"/proc/{init.pid}/status").read_text().splitlines() if "SigIgn" in line)
    assert not int(ignored.split()[1], 16) & 1 << (signal.SIGHUP - 1)
    for file in Path(f"/proc/{init.pid}/fd").iterdir():
        # The connection that asked it whether it is up may be closed meanwhile.
        with suppress(FileNotFoundError):
            assert not re.search(r"store\.db|\.lock$", str(file.readlink()))


def test_a_program_that_cannot_be_read_fails_the_start_with_the_reason(local: Subject) -> None:
    gateway = local.open()
    machine = gateway.create(order(id="one"))
    (Path(machine.reach.root) / "etc/supervisor/conf.d/bad.conf").write_text("[program:bad]\ncolour = blue\n")
    with pytest.raises(Failed, match=r"'one' does not start: its init ended again: .*program:bad"):
        gateway.reboot("one")
    assert gateway.look("one").state is MachineState.STOPPED
    assert below(local.home) == []


# ── the directory and what lies outside it ───────────────────────────────────────────────────────────


def test_a_deep_home_works(local: Subject) -> None:
    local.home = local.home / "/".join(["deep" * 12] * 5)
    local.home.mkdir(parents=True)
    assert len(str(local.home)) > 200
    gateway = local.open()
    machine = gateway.create(order(id="a" * 64))
    assert machine.state is MachineState.RUNNING
    address = machine.reach.vars["ads_init_socket"]
    assert len(address) < 80
    with socket.socket(socket.AF_UNIX) as probe:
        probe.connect(address)
    gateway.stop(machine.ref)
    assert not Path(address).exists()


def test_a_home_with_blanks_works_and_one_that_supervisord_cannot_name_is_refused(local: Subject) -> None:
    local.home = local.home / "with blanks 'and' ümläute"
    local.home.mkdir()
    gateway = local.open()
    root = install(gateway.create(order(id="one")))
    for file in root.glob("etc/supervisor/conf.d/*.conf"):
        file.write_text(f"[program:x]\ncommand = touch run/seen\ndirectory = {root}\nstartsecs = 0\n")
    gateway.reboot("one")
    until((root / "run/seen").exists, "the start of the program")
    with pytest.raises(Invalid, match="cannot lie below a path with '%'"):
        open_gateway("local", "here", {}, home=local.home / "100%")


def test_nothing_is_left_of_a_machine(local: Subject, short_place: Path) -> None:
    claims, sockets = short_place / "claims", short_place / "run"
    gateway = local.open(claims=str(claims), runtime=str(sockets))
    gateway.create(order(id="one"))
    assert len(list(claims.iterdir())) == len(list(sockets.iterdir())) == 1
    gateway.create_snapshot("one", "before")
    gateway.delete("one")
    assert [file.name for file in (local.home / "machines").iterdir()] == [".lock"]
    assert list(claims.iterdir()) == list(sockets.iterdir()) == []


def test_sockets_lie_in_a_directory_that_is_ours_alone(local: Subject, short_place: Path) -> None:
    open_to_all = short_place / "run"
    open_to_all.mkdir(mode=0o755)
    gateway = local.open(runtime=str(open_to_all))
    with pytest.raises(Failed, match="is not ours alone"):
        gateway.create(order(id="one"))
    open_to_all.chmod(0o700)
    link = short_place / "link"
    link.symlink_to(open_to_all)
    with pytest.raises(Failed, match="is not ours alone"):
        local.open(runtime=str(link)).create(order(id="two"))
    with pytest.raises(Invalid, match="too long for a Unix socket"):
        local.open(runtime=str(local.home / ("x" * 120))).create(order(id="three"))
    assert gateway.create(order(id="one")).state is MachineState.RUNNING
    gateway.delete("one")


def test_two_homes_with_the_same_machines_are_apart(make_subject: Callable[..., Subject]) -> None:
    gateways = [make_subject("local", place).open() for place in ("east", "west")]
    wanted = [order(id=f"m{number}") for number in range(3)]
    with ThreadPoolExecutor(6) as pool:
        east, west = ([pool.submit(gateway.create, each) for each in wanted] for gateway in gateways)
        made = [future.result() for future in (*east, *west)]
    assert len({machine.reach.address for machine in made}) == 6
    root = install(made[-1], body=LEAVE)
    gateways[1].reboot("m2")
    kept = workers(root)
    for each in wanted:
        gateways[0].delete(each.id)
    assert {machine.state for machine in gateways[1].machines()} == {MachineState.RUNNING}
    assert kept[0].lives()


def test_a_record_that_cannot_be_read_is_told_and_can_be_deleted(local: Subject) -> None:
    gateway = local.open()
    gateway.create(order(id="good"))
    gateway.create(order(id="bad"))
    (local.home / "machines/bad/machine.json").write_text("{")
    bad, good = gateway.machines()
    assert (bad.ref, bad.state, good.state) == ("bad", MachineState.FAILED, MachineState.RUNNING)
    assert "machine.json" in bad.reason
    gateway.delete("bad")
    assert list(gateway.machines()) == [good]


def test_somebody_who_is_busy_with_a_machine_is_waited_for_but_not_forever(
    local: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = local.open()
    gateway.create(order(id="one"))
    monkeypatch.setattr("adslib.adapters.gateways.directories.machines.BUSY_SECONDS", 0.1)
    machines = gateway._machines  # type: ignore[attr-defined]
    with machines.busy("one"), pytest.raises(Conflict, match=r"'one'.*busy"):
        gateway.stop("one")
    assert gateway.stop("one").state is MachineState.STOPPED


# ── templates and snapshots ──────────────────────────────────────────────────────────────────────────


def test_a_machine_has_the_files_of_its_template_and_the_usual_directories(local: Subject, tmp_path: Path) -> None:
    gateway = local.open()
    gateway.upload_template("golden", str(tar(tmp_path / "g.tar", {"srv/hello": "hello"})))
    root = Path(gateway.create(order(image="golden")).reach.root)
    gateway.delete_template("golden")
    assert (root / "srv/hello").read_text() == "hello"
    for part in ("etc/supervisor/conf.d", "opt", "srv", "var/log", "var/lib", "run", "tmp"):
        assert (root / part).is_dir()


def test_nobody_else_reads_what_is_kept_of_a_machine_and_nothing_is_replaced(local: Subject, tmp_path: Path) -> None:
    gateway = local.open()
    gateway.create(order(id="one"))
    (local.home / "machines/one/root/secret").touch(0o600)
    gateway.create_snapshot("one", "then")
    gateway.create_template("one", "golden")
    kept = [*local.home.glob("machines/one/snapshots/*"), *local.home.glob("templates/*")]
    assert {path.name: path.stat().st_mode & 0o777 for path in kept} == {"then.tar": 0o600, "golden.machine": 0o600}
    faster = tar(tmp_path / "other.tar", {"srv/hello": "hello"})
    with pytest.raises(Conflict, match="another instance template 'golden'"):
        Templates(local.home / "templates", "debian-12").capture("golden", faster, "minimal")
    assert {path.name for path in (local.home / "templates").iterdir()} == {"golden.machine"}


def test_going_back_brings_the_files_back_and_starts_the_programs_of_then(
    local: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = local.open()
    root = install(gateway.create(order(id="one")))
    (root / "srv/data").write_text("then")
    (root / "srv/data").chmod(0o640)
    (root / "srv/outside").symlink_to(sys.executable)
    with socket.socket(socket.AF_UNIX) as listening:
        monkeypatch.chdir(root / "run")  # the whole path is too long for a socket
        listening.bind("s")
        gateway.create_snapshot("one", "then")
    (root / "srv/data").write_text("now")
    (root / "srv/new").touch()
    (root / "etc/supervisor/conf.d/worker.conf").unlink()
    gateway.restore_snapshot("one", "then")
    assert (root / "srv/data").read_text() == "then"
    assert (root / "srv/data").stat().st_mode & 0o777 == 0o640
    assert (root / "srv/outside").readlink() == Path(sys.executable)
    assert not (root / "srv/new").exists()
    assert not (root / "run/s").exists()
    assert len(workers(root)) == 1
    assert {path.name for path in root.parent.iterdir()} == {"root", "init", "snapshots", "machine.json"}


def test_snapshots_are_in_order_where_the_clock_of_the_file_system_stands_still(tmp_path: Path) -> None:
    def pack(_root: Path, file: Path) -> None:
        file.touch()
        os.utime(file, ns=(10**18, 10**18))

    machine = Directory(tmp_path)
    machine.snapshots.mkdir()
    for name in ("zero", "one", "two"):
        snapshots.create(machine, name, pack)
    assert [snapshot.name for snapshot in snapshots.of(machine)] == ["zero", "one", "two"]


def test_a_directory_without_write_permission_does_not_keep_a_machine(local: Subject) -> None:
    gateway = local.open()
    root = Path(gateway.create(order(id="one")).reach.root)
    (root / "srv/locked/deep").mkdir(parents=True)
    (root / "srv/locked/deep/file").touch()
    (root / "srv/locked/deep").chmod(0)
    (root / "srv/locked").chmod(0o500)
    gateway.delete("one")
    assert list(gateway.machines()) == []
