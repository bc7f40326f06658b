"""A home of ads of a test's own, with everything that people and programs do to it, and with eyes that ask nobody."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

from supervisor.xmlrpc import SupervisorTransport

import adslib
from adslib.adapters import processes
from adslib.adapters.settings import read_settings
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.usecases.ads import Ads
from containers import read
from servers import LONGEST

ANSIBLE = Path(sys.executable).parent / "ansible-playbook"
CLAIMS = Path("/tmp/ads-loopback")
JOB = """\
import json, sys
import adslib
verb, name, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
with adslib.connect() as ads:
    try:
        outcome = getattr(ads.running, verb)(name, **options)
    except adslib.AdsError as error:
        print(json.dumps({"error": type(error).__name__, "message": str(error)}))
        sys.exit(1)
    print(json.dumps({"changed": outcome.changed, "message": outcome.message, "job": outcome.after.get("job", {})}))
    sys.exit(0 if outcome.after.get("job", {"state": "succeeded"})["state"] == "succeeded" else 1)
"""
LINE = re.compile(r"^(ok|changed|fatal|failed|skipping): \[([\w.-]+)\]")
COUNTED = re.compile(r"^([\w.-]+) +: (.*)$", re.MULTILINE)
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Played:
    """What came of a run of ansible-playbook."""

    code: int
    output: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The numbers of each host in the recap."""
        end = self.output.partition("PLAY RECAP")[2]
        return {
            host: {key: int(number) for key, number in (pair.split("=") for pair in numbers.split())}
            for host, numbers in COUNTED.findall(end)
        }

    @property
    def changed(self) -> set[str]:
        """The hosts on which something changed."""
        return {host for host, numbers in self.recap.items() if numbers["changed"]}

    def looks(self, task: str) -> list[tuple[str, str]]:
        """Host and status of each result of tasks whose name contains a text, as the output shows them."""
        found, heading = [], ""
        for line in self.output.splitlines():
            heading = line if line.startswith("TASK [") else heading
            told = LINE.match(line)
            if told and task in heading:
                found.append((told[2], told[1]))
        return found

    @property
    def text(self) -> str:
        """The output as one line, however it was wrapped and quoted."""
        return " ".join(self.output.replace('\\"', '"').split())


@dataclass(frozen=True)
class Carried:
    """What came of a job: exit code, and what the program was told."""

    code: int
    told: dict[str, Any]
    errors: str

    @property
    def message(self) -> str:
        return str(self.told.get("message", self.errors))


@dataclass
class Home:
    """An ADS_HOME in a folder, the project beside it, and nothing of the user's own settings.

    Args:
        folder: of this home alone. environ: laid over the environment of whatever is started.
    """

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    # ── what people do ───────────────────────────────────────────────────────────────────────────────

    @contextmanager
    def ads(self) -> Iterator[Ads]:
        """The library in this process, on this home."""
        settings = read_settings({"ADS_HOME": str(self.home), "XDG_CONFIG_HOME": str(self.folder)})
        with Ads(App(settings), Actor("tester")) as ads:
            yield ads

    def define(self, text: str, **parameters: Any) -> str:
        """Make an environment what a definition says; it stands in the project under its name. Gives the name."""
        name = re.search(r"^environment: (.*)$", text, re.MULTILINE)[1].strip()
        self.project.mkdir(exist_ok=True)
        (self.project / f"{name}.yml").write_text(text)
        return self.define_file(self.project / f"{name}.yml", **parameters)

    def define_file(self, path: Path, **parameters: Any) -> str:
        """Make an environment what a file says; gives its name."""
        with self.ads() as ads:
            document = adslib.load(str(path), parameters)
            ads.environments.define(document)
        return document.definition.environment

    def surroundings(self, **more: str) -> dict[str, str]:
        """The environment of a process: the tester's, without settings of ads and Ansible, and with this home."""
        outer = {k: v for k, v in os.environ.items() if not k.startswith(("ADS_", "ANSIBLE_"))}
        meeting_place = os.environ["ADS_TEST_MEETING_PLACE"]
        short = Path(meeting_place) / os.environ.get("PYTEST_XDIST_WORKER", "main")
        own = {"ADS_HOME": str(self.home), "ANSIBLE_HOME": str(short), "ANSIBLE_COLLECTIONS_PATH": meeting_place}
        return {**outer, "COLUMNS": "400", **own, **self.environ, **more}

    def begin_playing(
        self, verb: str, name: str, *words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None
    ) -> subprocess.Popen[str]:
        """Start ansible-playbook as a person does, from an empty folder unless another is named."""
        empty = self.folder / "empty"
        empty.mkdir(exist_ok=True)
        return subprocess.Popen(
            [str(ANSIBLE), f"ads.deploy.{verb}", "-e", f"ads_environment={name}", *words],
            cwd=cwd or empty,
            env=self.surroundings(**(environ or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def play(self, verb: str, name: str, *words: str, **more: Any) -> Played:
        """Run ansible-playbook as a person does, to its end."""
        with self.begin_playing(verb, name, *words, **more) as playing:
            output, _ = playing.communicate(timeout=LONGEST)
        return Played(playing.returncode, output)

    def begin_carrying(self, verb: str, name: str, **options: Any) -> subprocess.Popen[str]:
        """Start a job in a program of its own."""
        environ = options.pop("environ", {})
        return subprocess.Popen(
            [sys.executable, "-c", JOB, verb, name, json.dumps(options)],
            cwd=self.folder,
            env=self.surroundings(**environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def carry(self, verb: str, name: str, **options: Any) -> Carried:
        """Run a job in a program of its own, to its end."""
        with self.begin_carrying(verb, name, **options) as carrying:
            output, errors = carrying.communicate(timeout=LONGEST)
        told = output.strip().splitlines()
        return Carried(carrying.returncode, json.loads(told[-1]) if told else {}, errors)

    # ── what there is ────────────────────────────────────────────────────────────────────────────────

    def show(self, name: str) -> Mapping[str, Any]:
        with self.ads() as ads:
            return ads.environments.show(name)

    def state(self, name: str) -> str:
        return str(self.show(name)["state"])

    def job(self, name: str) -> Mapping[str, Any]:
        """The newest job of an environment; empty: there was none."""
        with self.ads() as ads:
            return next(iter(ads.jobs.list(environment=name, limit=1)), {})

    def instance(self, name: str, id: str) -> Mapping[str, Any]:
        return next(i for i in self.show(name)["instances"] if i["instance"] == id)

    def folder_of(self, name: str, id: str) -> Path:
        """The directory of the machine that an instance stands on."""
        wanted = self.instance(name, id)["machine"]
        records = {path: json.loads(path.read_text()) for path in self.home.glob("machines/*/machine.json")}
        return next(path.parent for path, record in records.items() if record["name"] == wanted)

    def file(self, name: str, id: str, path: str) -> Path:
        """Where a file of an instance's machine lies."""
        return self.folder_of(name, id) / "root" / path.lstrip("/")

    def init(self, name: str, id: str, method: str, *arguments: Any) -> Any:
        """Ask the supervisord of an instance's machine, not through our own code."""
        configuration = (self.folder_of(name, id) / "init" / "supervisord.conf").read_text()
        socket = re.search(r"^file = (.*)$", configuration, re.MULTILINE)[1]
        transport = SupervisorTransport("", "", f"unix://{socket}")
        with closing(transport), ServerProxy("http://localhost", transport) as server:
            return getattr(server.supervisor, method)(*arguments)

    def pid(self, name: str, id: str) -> int:
        """The process number of an instance; 0 if it does not run."""
        return int(self.init(name, id, "getProcessInfo", id.rpartition("/")[2])["pid"])

    def get(self, name: str, id: str, path: str) -> tuple[int, str]:
        """Ask an instance over HTTP: status and answer."""
        found = self.instance(name, id)
        return get(f"http://{found['address']}:{found['ports']['http']}{path}")

    def machines(self) -> list[str]:
        """The names of the machines that the store knows."""
        with self.ads() as ads:
            return [str(machine["name"]) for machine in ads.machines.list()]

    def folders(self) -> set[str]:
        """The directories of machines that there are, whole or not."""
        place = self.home / "machines"
        return {path.name for path in place.iterdir() if path.is_dir()} if place.is_dir() else set()

    def living(self) -> dict[int, str]:
        """Processes of machines of this home, by number, with their command line."""
        return with_mark(f"ADS_MACHINE_DIR={self.home}/")

    def claims(self) -> set[str]:
        """The addresses that machines of this home hold."""
        # Those of others are there too, and go while one looks.
        claims = CLAIMS.iterdir() if CLAIMS.is_dir() else ()
        return {path.name for path in claims if not path.name.startswith(".") and f"{self.home}/" in read(path)}

    def snapshot(self) -> dict[str, bytes]:
        """Every file of this home but those that live on by themselves: logs, locks and the store's own journals."""
        left_out = ("-wal", "-shm", ".log", ".lock")
        return {
            str(path.relative_to(self.home)): path.read_bytes()
            for path in sorted(self.home.rglob("*"))
            if path.is_file() and not path.is_symlink() and not path.name.endswith(left_out) and path.suffix != ".db"
        }

    def rows(self) -> dict[str, int]:
        """A digest of every table of the store, but for leases, which whoever is at work renews meanwhile."""
        import sqlite3

        columns = "SELECT name, (SELECT group_concat(name) FROM pragma_table_info(tables.name) WHERE name <> 'lease')"
        with closing(sqlite3.connect(self.home / "ads.db")) as database:
            tables = database.execute(f"{columns} FROM sqlite_master AS tables WHERE type = 'table'").fetchall()
            return {table: hash(tuple(database.execute(f'SELECT {names} FROM "{table}"'))) for table, names in tables}

    # ── the end ──────────────────────────────────────────────────────────────────────────────────────

    def expect_nothing_left(self) -> None:
        """No machine in the store or on the host, no process, no address claim."""
        assert self.machines() == []
        assert self.folders() == set()
        assert self.living() == {}
        assert self.claims() == set()

    def sweep(self) -> None:
        """End and delete whatever a test left, by the gateway itself."""
        if not (self.home / "ads.db").exists():
            return
        with self.ads() as ads:
            for job in ads.jobs.list(state="running"):
                processes.end_marked(str(job["job"]))
            with ads.app.store.reading() as tx:
                settings = tx.gateways.list()
            gateway = ads.app.gateways.open("local", settings)
            for machine in gateway.machines():
                gateway.delete(machine.ref or machine.id)


def get(url: str, **headers: str) -> tuple[int, str]:
    """Ask a server: status and answer; 0 if it does not answer."""
    try:
        with DIRECT.open(urllib.request.Request(url, headers=headers), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def with_mark(mark: str) -> dict[int, str]:
    """Processes whose environment holds a variable that begins so, by number, with their command line."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            with suppress(OSError):
                variables = (entry / "environ").read_bytes().split(b"\0")
                if any(variable.startswith(mark.encode()) for variable in variables):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
    return found


def wait_for(condition: Callable[[], Any], seconds: float = 120) -> Any:
    """Wait until a condition holds, and give what it gave; fail if it does not in time."""
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.05)
    return found


def kill(playing: subprocess.Popen[str]) -> None:
    """End a process that the test started, at once."""
    playing.send_signal(signal.SIGKILL)
    playing.communicate(timeout=LONGEST)
