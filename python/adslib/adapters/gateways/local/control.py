"""Starting, asking and ending the init of a local machine.

The init listens on a Unix socket. Its path may not pass 107 bytes, while ADS_HOME may be deep, so the sockets lie in
a short directory of the user's, named by a hash of the machine's directory. It is below /tmp rather than in
XDG_RUNTIME_DIR, which is removed when the user logs out and is not the same for cron jobs: machines outlive a login.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import time
import xmlrpc.client
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from xml.parsers.expat import ExpatError

from adslib.adapters.gateways.directories.directory import Directory
from adslib.adapters.gateways.local import processes
from adslib.adapters.gateways.local.processes import Process
from adslib.domain.errors import Failed, Invalid

LONGEST_SOCKET = 107
START_SECONDS = 60.0
"""Until the init answers: less than a second of processor time, of which a busy host may give it little."""
ANSWER_SECONDS = 2.0
KILL_SECONDS = 30.0
"""Until what was killed has ended: an instant, but where the host is very busy, or its disk."""
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
CONFIGURATION = """\
; Written by ads at every start. Programs of this machine: root/etc/supervisor/conf.d/*.conf
[supervisord]
identifier = {identifier}
nodaemon = true
silent = true
{user}umask = 022
minfds = {files}
minprocs = 1
pidfile = %(here)s/supervisord.pid
childlogdir = %(here)s/log
logfile = %(here)s/supervisord.log
logfile_maxbytes = 1MB
logfile_backups = 2

[unix_http_server]
file = {socket}
chmod = 0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface

[supervisorctl]
serverurl = unix://{socket}

[include]
files = ../root/etc/supervisor/conf.d/*.conf
"""


@dataclass(frozen=True, slots=True)
class Control:
    """The inits of one user's machines.

    Args:
        runtime: the directory for sockets. grace: seconds that programs have to end by themselves.
    """

    runtime: Path
    grace: float

    def socket_of(self, machine: Directory) -> Path:
        """Where a machine's init listens."""
        return self.runtime / f"{sha256(os.fsencode(machine.path)).hexdigest()[:16]}.sock"

    def init_of(self, machine: Directory) -> Process | None:
        """The init of a machine; None if it does not run."""
        try:
            pid, start = (machine.init / "pid").read_text().split()
        except (OSError, ValueError):
            return None
        init = Process(int(pid), int(start))
        return init if init.lives() else None

    def runs(self, machine: Directory) -> bool:
        """Whether its init lives."""
        return self.init_of(machine) is not None

    def answers(self, machine: Directory) -> bool:
        """Whether the init of a machine answers on its socket and is not about to end."""
        state = self._ask(machine, "supervisor.getState")
        return isinstance(state, dict) and state.get("statecode") in (0, 1)

    def start(self, machine: Directory) -> None:
        """Start the init of a machine and wait until it answers.

        Raises:
            Failed: it ended again, with its last words, or it does not answer in time.
        """
        left = processes.end(machine.path, None, KILL_SECONDS)
        if left:
            raise _immortal(machine, left)
        self._prepare(machine)
        with (machine.init / "boot.log").open("w") as log:
            try:
                subprocess.run(
                    [sys.executable, "-I", "-S", _script(), _library(), str(machine.path)],
                    cwd=machine.path,
                    env={"PATH": PATH, "LANG": "C.UTF-8", **processes.marks(machine.path.name, machine.path)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    check=True,
                    timeout=START_SECONDS,
                )
            except (OSError, subprocess.SubprocessError) as error:
                raise _mute(machine, f"its init cannot be started ({error})") from error
        try:
            self._await(machine)
        except Failed:
            processes.end(machine.path, self.init_of(machine), KILL_SECONDS)
            raise

    def stop(self, machine: Directory) -> None:
        """End all processes of a machine, in order where they obey.

        Raises:
            Failed: some are left; the message names them.
        """
        init = self.init_of(machine)
        if init:
            # A signal would do, but an idle supervisord notices it only after a second.
            if not self._ask(machine, "supervisor.shutdown"):
                init.signal(signal.SIGTERM)
            deadline = time.monotonic() + self.grace
            while not init.wait(0.1) and time.monotonic() < deadline:
                # The end of a program may escape it for a second, unless somebody knocks.
                _accepts(str(self.socket_of(machine)))
        left = processes.end(machine.path, init, KILL_SECONDS)
        if left:
            raise _immortal(machine, left)
        (machine.init / "pid").unlink(missing_ok=True)
        self.forget(machine)

    def forget(self, machine: Directory) -> None:
        """Remove what lies outside the machine's directory."""
        self.socket_of(machine).unlink(missing_ok=True)

    def _ask(self, machine: Directory, method: str) -> object:
        """Call a method of a machine's init; None if it does not answer."""
        connection = _Connection(str(self.socket_of(machine)), ANSWER_SECONDS)
        try:
            connection.request("POST", "/RPC2", xmlrpc.client.dumps((), method), {"Content-Type": "text/xml"})
            answer: object = xmlrpc.client.loads(connection.getresponse().read())[0][0]
        except (OSError, ValueError, ExpatError, xmlrpc.client.Error, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return answer

    def _await(self, machine: Directory) -> None:
        address = str(self.socket_of(machine))
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.init_of(machine) is None:
                raise _mute(machine, "its init ended again")
            if _accepts(address) and self.answers(machine):
                return
            time.sleep(0.02)
        raise _mute(machine, f"its init does not answer within {START_SECONDS:.0f} s")

    def _prepare(self, machine: Directory) -> None:
        """Write the configuration, and make sure that the socket's directory is ours alone."""
        own_directory(self.runtime)
        path = self.socket_of(machine)
        # supervisord binds to a name with its process number first.
        if len(os.fsencode(path)) + len(".4194304") > LONGEST_SOCKET:
            raise Invalid(
                f"{path} is too long for a Unix socket", remedy="give the gateway a shorter directory as 'runtime'"
            )
        (machine.init / "log").mkdir(exist_ok=True)
        text = CONFIGURATION.format(
            identifier=machine.path.name,
            socket=path,
            user="user = 0\n" if os.geteuid() == 0 else "",
            files=_open_files(),
        )
        (machine.init / "supervisord.conf").write_text(text, encoding="utf-8")


def own_directory(path: Path) -> None:
    """Make a directory that only we may enter, or make sure that it is one.

    Raises:
        Failed: it belongs to somebody else, or others may enter it.
    """
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        status = path.lstat()
    except OSError as error:
        raise Failed(f"the directory for control sockets cannot be made ({error})", place=str(path)) from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise Failed(
            "the directory for control sockets is not ours alone",
            place=str(path),
            remedy=f"remove it, or make it a directory of user {os.geteuid()} with mode 700",
        )


class _Connection(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__("localhost", timeout=seconds)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _accepts(address: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, suppress(OSError):
        probe.settimeout(ANSWER_SECONDS)
        probe.connect(address)
        return True
    return False


def _open_files() -> int:
    """How many open files supervisord may insist on: what it likes, or what this user may have at most."""
    import resource

    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1024 if hard == resource.RLIM_INFINITY else min(1024, hard)


def _script() -> str:
    return str(Path(__file__).with_name("init.py"))


def _library() -> str:
    """The folder that supervisor is installed in: the init takes it from there and from nowhere else."""
    found = find_spec("supervisor")
    if found is None or found.origin is None:
        raise Failed("local machines need the Python package supervisor", remedy="pip install 'supervisor>=4.3'")
    return str(Path(found.origin).parent.parent)


def _mute(machine: Directory, what: str) -> Failed:
    """A failed start, with the last words of the init."""
    words = ""
    for name in ("boot.log", "supervisord.log"):
        with suppress(OSError):
            lines = (machine.init / name).read_text(errors="replace").strip().splitlines()
            told = [line.strip() for line in lines if not line.startswith("For help, use")]
            words = words or (told[-1] if told else "")
    return Failed(
        f"local machine '{machine.path.name}' does not start: {what}{f': {words}' if words else ''}",
        place=str(machine.init),
        remedy="correct what its log says (often a program in root/etc/supervisor/conf.d), then start it again",
    )


def _immortal(machine: Directory, left: set[Process]) -> Failed:
    numbers = ", ".join(str(process.pid) for process in sorted(left, key=lambda process: process.pid))
    return Failed(
        f"local machine '{machine.path.name}' cannot be stopped: process {numbers} is left",
        place=str(machine.path),
        remedy="end it as its owner or as root, then try again",
    )
