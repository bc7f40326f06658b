"""A machine that is a directory, with a real supervisord, and ansible-playbook runs of one role on it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xmlrpc.client import ServerProxy

import yaml
from supervisor.xmlrpc import SupervisorTransport

from servers import LONGEST

CONFIGURATION = """\
[supervisord]
nodaemon = true
logfile = {folder}/supervisord.log
pidfile = {folder}/supervisord.pid
childlogdir = {folder}
{user}
[unix_http_server]
file = {folder}/s
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[include]
files = {root}/etc/supervisor/conf.d/*.conf
"""
PLAY = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {{name: ads.deploy.{role}}}
"""
TREE = ("etc/supervisor/conf.d", "opt", "run", "srv", "tmp", "var/lib", "var/log")


@dataclass
class Run:
    """What came of one ansible-playbook run of one role."""

    code: int
    output: str
    results: list[dict[str, Any]]

    @property
    def result(self) -> dict[str, Any]:
        """The result of the role's own task."""
        found = [
            result
            for result in self.results
            if {"actions", "tests", "msg"} & set(result) and "validate_args_context" not in result
        ]
        assert found, self.output
        return found[0]

    @property
    def actions(self) -> list[str]:
        assert self.code == 0, self.output
        return list(self.result["actions"])

    @property
    def message(self) -> str:
        """Why it failed."""
        assert self.code != 0, self.output
        return str(self.result["msg"])


@dataclass
class Machine:
    """A machine below a folder of its own.

    Args:
        folder: short, as the supervisord's socket lies in it. project: where templates and folders come from.
    """

    folder: Path
    project: Path

    @property
    def root(self) -> Path:
        return self.folder / "m"

    def path(self, name: str) -> Path:
        """Where a path of the machine lies."""
        return self.root / name.lstrip("/")

    def said(self, name: str) -> str:
        """What a program has said as soon as it has said anything: it runs before it is loaded."""
        log = self.path(f"/var/log/{name}.log")
        wait_for(lambda: log.read_text().endswith("\n"))
        return log.read_text()

    def init(self, method: str, *arguments: Any) -> Any:
        """Ask the supervisord itself, not through our own code."""
        transport = SupervisorTransport("", "", f"unix://{self.folder}/s")
        with closing(transport), ServerProxy("http://localhost", transport) as server:
            return getattr(server.supervisor, method)(*arguments)

    def answers(self) -> bool:
        """Whether the supervisord listens; its socket is there an instant before."""
        try:
            return bool(self.init("getState"))
        except OSError:
            return False

    def pid(self, name: str) -> int:
        """The process number of a program; 0 if it does not run."""
        return int(self.init("getProcessInfo", name)["pid"])

    def run(self, role: str, *arguments: str, **variables: Any) -> Run:
        """Run one role with variables that count as those of an inventory plugin: never as templates."""
        return self.run_each(role, [variables], *arguments)[0]

    def run_each(self, role: str, cases: list[dict[str, Any]], *arguments: str) -> list[Run]:
        """Run one role once for each set of variables, all in one playbook run."""
        playbook = self.folder / f"{role}.yml"
        playbook.write_text(PLAY.format(role=role))
        inventory = self.folder / "inventory.yml"
        hosts = {f"m{number}": self._host(variables) for number, variables in enumerate(cases)}
        inventory.write_text(yaml.dump({"all": {"hosts": hosts}}, Dumper=Dumper))
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-v", "-i", str(inventory), str(playbook)]
        done = subprocess.run(
            [*command, *arguments],
            env={**os.environ, "ANSIBLE_PIPELINING": "1"},
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
        output = done.stdout + done.stderr
        if len(cases) == 1:
            return [Run(done.returncode, output, list(results_in(done.stdout, "m0")))]
        failed = {name: f"fatal: [{name}]" in done.stdout for name in hosts}
        return [Run(int(failed[name]), output, list(results_in(done.stdout, name))) for name in hosts]

    def _host(self, variables: Mapping[str, Any]) -> dict[str, Any]:
        ads = {
            "ads_root": str(self.root),
            "ads_address": "127.0.0.1",
            "ads_python": sys.executable,
            "ads_capabilities": [],
            "ads_init_socket": str(self.folder / "s"),
            "ads_project": str(self.project),
            **variables,
        }
        given = unsafe({name: value for name, value in ads.items() if value is not None})
        return {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, **given}


class Unsafe(str):
    """A string that Ansible must not take for a template, as all that comes from the inventory plugin."""


class Dumper(yaml.SafeDumper):
    """Writes plain data, and unsafe strings with Ansible's tag."""

    def ignore_aliases(self, data: Any) -> bool:
        """Repeat what occurs twice."""
        return True


Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text), style='"'))


def unsafe(value: Any) -> Any:
    """The same data with every string marked unsafe."""
    if isinstance(value, Mapping):
        return {key: unsafe(item) for key, item in value.items()}
    if isinstance(value, list):
        return [unsafe(item) for item in value]
    # Where it makes no difference the tag does harm: !unsafe "0640" is read as a number.
    return Unsafe(value) if isinstance(value, str) and "{" in value else value


def results_in(output: str, host: str) -> Iterator[dict[str, Any]]:
    """The results of a host's tasks that the output shows."""
    for line in output.splitlines():
        if line.startswith(
            (f"ok: [{host}] => {{", f"changed: [{host}] => {{", f"fatal: [{host}]: FAILED! => {{")
        ) and line.endswith("}"):
            yield json.loads(line.split("=> ", 1)[1])


@contextmanager
def machine(project: Path) -> Iterator[Machine]:
    """A machine whose supervisord runs; both are gone afterwards, with all that it started."""
    folder = Path(tempfile.mkdtemp(prefix="ads-", dir="/tmp"))
    project.mkdir(exist_ok=True)
    stage = Machine(folder, project)
    for name in TREE:
        stage.path(name).mkdir(parents=True)
    user = "user = 0" if os.geteuid() == 0 else ""
    (folder / "supervisord.conf").write_text(CONFIGURATION.format(folder=folder, root=stage.root, user=user))
    program = str(Path(sys.executable).parent / "supervisord")
    with subprocess.Popen(
        [program, "-c", str(folder / "supervisord.conf")], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as init:
        try:
            wait_for(stage.answers)
            yield stage
        finally:
            init.terminate()
            init.wait(LONGEST)
            shutil.rmtree(folder, ignore_errors=True)


def wait_for(condition: Any, seconds: float = LONGEST) -> None:
    """Wait until a condition holds; fail if it does not in time, which is long for a busy host."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "it did not come about in time"
        time.sleep(0.02)


def instance(name: str = "web-1", service: str = "web", **more: Any) -> Mapping[str, Any]:
    """An instance as the inventory gives it."""
    levels = {"datacenter": "us-west", "pod": "pod-1", "unit": "pod-1/us-west"}
    return {
        "id": f"pod-1/us-west/{name}",
        "name": name,
        "service": service,
        "version": "1.0.0",
        "levels": levels,
        **more,
    }
