"""The servers that tests need, started by the tests themselves on loopback and gone when they are.

One PostgreSQL serves a whole test session. It is started when the first test asks for it: under pytest-xdist a worker
asks by leaving a file, and the controller, which outlives all workers, starts it and leaves the answer in another.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psycopg

LONGEST = 400.0
"""Seconds until nothing will come any more: a deployment takes over a minute where the host is very busy."""
LONGEST_START = 60.0
FIRST_PORT = 20_000
STARTS = 3
INSTALL = "install it with: apt-get install postgresql (make test does so where it may)"


class ServerMissing(Exception):
    """A server that tests need is not installed, or did not start."""


def postgresql_programs() -> Path:
    """The folder of the newest PostgreSQL server on this machine: Debian keeps them off PATH."""
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "initdb").exists()]
    if found:
        return max(found, key=lambda path: int(path.parent.name))
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    raise ServerMissing(f"PostgreSQL is not on this machine; {INSTALL}")


def free_port() -> int:
    """A loopback port that nobody listens on, and that no other process of tests is given while this one lives.

    It is none of those that the kernel gives away by itself, for connections and to whoever wants any: such a one may
    be somebody else's by the time that a server has started.
    """
    given_away = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = FIRST_PORT + secrets.randbelow(max(1000, given_away - FIRST_PORT))
        with socket.socket() as probe, socket.socket(socket.AF_UNIX) as held:
            try:
                probe.bind(("127.0.0.1", port))
                held.bind(f"\0ads-tests-port-{port}")
            except OSError:
                continue
            held.detach()  # the kernel keeps the name from others until this process ends
            return port


def account_without_root() -> pwd.struct_passwd | None:
    """The account to run servers as that refuse root; None where this process is not root anyway."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


class PostgreSQL:
    """A PostgreSQL of our own in a temporary folder; `url` reaches it as its superuser.

    It ends with this process, however that ends: the kernel interrupts it when its parent dies.

    Args:
        durable: keep what is committed through a power cut, as a server in production does; tests need not.
    """

    def __init__(self, *, durable: bool = False) -> None:
        self.durable = durable
        self.account = account_without_root()
        self.home = session_folder("postgresql")
        self.password = secrets.token_urlsafe(12)
        self.port = 0
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is, without a database."""
        return f"postgresql+psycopg://ads:{self.password}@127.0.0.1:{self.port}"

    def start(self) -> None:
        """Make the cluster and wait until it answers.

        Raises:
            ServerMissing: it is not installed, or did not start; the message holds what its log says.
        """
        programs = postgresql_programs()
        password_file = self.home / "password"
        password_file.write_text(self.password)
        if self.account:
            os.chown(self.home, self.account.pw_uid, self.account.pw_gid)
            os.chown(password_file, self.account.pw_uid, self.account.pw_gid)
        data = self.home / "data"
        made = subprocess.run(
            [
                *self.as_account(),
                *(str(programs / "initdb"), "--pgdata", str(data), "--username=ads", f"--pwfile={password_file}"),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"),
            ],
            capture_output=True,
            text=True,
            cwd="/",
        )
        if made.returncode:
            raise ServerMissing(f"PostgreSQL's initdb failed: {made.stderr.strip()}")
        for _ in range(STARTS):
            # A process that is none of tests may take the free port before the server does.
            self.port = free_port()
            if self.answers(programs, data):
                return
            self.end_process()
        raise ServerMissing(f"PostgreSQL did not start: {(self.home / 'log').read_text()[-2000:]}")

    def answers(self, programs: Path, data: Path) -> bool:
        """Start the server on the chosen port; tell whether it came up."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            **({} if self.durable else dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "off")),
            "max_connections": "200",
            "shared_buffers": "64MB",
            "timezone": "UTC",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.as_account("--pdeathsig", "INT"), str(programs / "postgres"), "-D", str(data), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
            )
        until = time.monotonic() + LONGEST_START
        while time.monotonic() < until and self.process.poll() is None:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    pass
                psycopg.connect(f"{plain(self.url)}/postgres", connect_timeout=5).close()
                return True
            except (OSError, psycopg.OperationalError):
                time.sleep(0.05)
        return False

    def as_account(self, *options: str) -> list[str]:
        """The words before a command that drop root and carry more options of setpriv."""
        if self.account:
            drop = [f"--reuid={self.account.pw_uid}", f"--regid={self.account.pw_gid}", "--clear-groups"]
            return ["setpriv", *drop, *options]
        return ["setpriv", *options] if options else []

    def stop(self) -> None:
        """End it and remove every trace."""
        self.end_process()
        shutil.rmtree(self.home, ignore_errors=True)

    def end_process(self) -> None:
        """End it; its cluster stays."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait()


def plain(url: str) -> str:
    """The URL in the form that psycopg itself takes."""
    return url.replace("postgresql+psycopg://", "postgresql://", 1)


def session_folder(kind: str) -> Path:
    """A new temporary folder of this process; those of processes that were killed before they could go are removed."""
    for folder in Path(tempfile.gettempdir()).glob(f"ads-{kind}-*-*"):
        pid = folder.name.split("-")[2]
        if pid.isdigit() and not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"ads-{kind}-{os.getpid()}-"))


class OnDemand:
    """Starts PostgreSQL for a test session when a test first asks, in whichever process that test runs."""

    def __init__(self, meeting_place: Path) -> None:
        self.wanted = meeting_place / "postgresql-wanted"
        self.answer = meeting_place / "postgresql-answer"
        self.over = threading.Event()
        self.watcher = threading.Thread(target=self.watch, name="postgresql-on-demand", daemon=True)

    def watch(self) -> None:
        """Wait for the first wish and answer it; runs in the process that outlives all tests.

        This thread lives as long as the server: the kernel takes the end of the thread that started it for its
        parent's death.
        """
        while not self.wanted.exists():
            if self.over.wait(0.05):
                return
        server = PostgreSQL()
        try:
            try:
                server.start()
                said = server.url
            except (ServerMissing, OSError) as error:
                said = f"error: {error}"
            draft = self.answer.with_suffix(".draft")
            draft.write_text(said)
            draft.rename(self.answer)
            self.over.wait()
        finally:
            server.stop()

    def ask(self) -> str:
        """The URL of the server, which is up when this returns.

        Raises:
            ServerMissing: it is not installed, or did not start.
        """
        self.wanted.touch()
        # Whoever starts it makes its cluster first, and begins again where another process took its port.
        until = time.monotonic() + (STARTS + 1) * LONGEST_START
        while not self.answer.exists():
            if time.monotonic() > until:
                raise ServerMissing("the test session's controller did not start PostgreSQL")
            time.sleep(0.05)
        said = self.answer.read_text()
        if said.startswith("error: "):
            raise ServerMissing(said.removeprefix("error: "))
        return said

    def end(self) -> None:
        """Stop what was started."""
        self.over.set()
        if self.watcher.is_alive():
            self.watcher.join()
