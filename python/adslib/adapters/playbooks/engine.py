"""Running a playbook as a job: in the project's directory, with the project's own configuration and variables (A16).

ansible-runner writes the environment it is given into its artifacts. So it is given only what is not secret; the
rest reaches `ansible-playbook` through a pipe, see `launch`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adslib.adapters.playbooks.projects import present_folder, project_folder
from adslib.domain.errors import Failed
from adslib.domain.job import JOB_MARKER

COLLECTION = "ads.deploy"
FORKS = 5 * (os.cpu_count() or 1)
"""Most of a task is waiting for its host; more would only wait for the processors of this one."""


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended: `rc` None means that it was cut off; `artifacts` is the directory of its output."""

    rc: int | None
    cancelled: bool
    artifacts: str


class Playbooks:
    """Runs playbooks; each job has its own directory below `<home>/jobs`."""

    def __init__(self, home: Path) -> None:
        self._home = home

    def folder(self, job_id: str) -> Path:
        """The directory of a job's artifacts."""
        return self._home / "jobs" / job_id

    def project(self, project: str) -> str:
        """The directory of a project, checked out if it is a git commit; empty stays empty."""
        return str(project_folder(project, self._home)) if project else ""

    def present_project(self, project: str) -> str:
        """The directory of a project if it is there now, else empty; nothing is fetched."""
        return str(present_folder(project, self._home) or "")

    def run(
        self,
        job_id: str,
        playbook: str,
        *,
        project: str,
        variables: Mapping[str, Any],
        environ: Mapping[str, str],
        arguments: Sequence[str] = (),
        on_event: Callable[[Mapping[str, Any]], None] = lambda event: None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Run:
        """Run one playbook to its end.

        Args:
            job_id: marks every process of the run. playbook: name (`deploy` is `ads.deploy.deploy`).
            project: directory to run in, or `URL@COMMIT`; empty: none. variables: extra variables; never secrets.
            environ: environment of the run, secrets included. arguments: further words for ansible-playbook.
            on_event: called with each ansible-runner event. cancelled: asked often; True ends the run.

        Raises:
            Invalid: the project is no directory. Failed: ansible-playbook or a pseudo-terminal cannot be found.
        """
        from ansible_runner import Runner, RunnerConfig

        _expect_terminals()
        folder = self.folder(job_id)
        work = self._prepare(folder, project)
        environ = {**environ, JOB_MARKER: job_id}
        if not _says(work, "forks"):
            environ.setdefault("ANSIBLE_FORKS", str(FORKS))
        if not _says(work, "pipelining"):
            environ.setdefault("ANSIBLE_PIPELINING", "true")
        config = RunnerConfig(
            private_data_dir=str(folder),
            project_dir=str(work),
            playbook=f"{COLLECTION}.{playbook}",
            ident="run",
            inventory=None if _says(work, "inventory") else str(folder / "inventory"),
            cmdline=" ".join(arguments) or None,
            extravars=dict(variables),
            suppress_env_files=True,
            quiet=True,
            settings={"suppress_ansible_output": True},
        )
        config.prepare()
        config.env = {key: value for key, value in config.env.items() if os.environ.get(key) != value}
        # ansible-runner switches host key checking off; ads never does.
        config.env.pop("ANSIBLE_HOST_KEY_CHECKING", None)
        pipe = folder / "environment.pipe"
        config.env |= {JOB_MARKER: job_id, "ADS_ENVIRONMENT_PIPE": str(pipe), "PYTHONPATH": _import_path()}
        config.command = [
            sys.executable,
            "-m",
            "adslib.adapters.playbooks.launch",
            _find_ansible(),
            *config.command[1:],
        ]
        config.cwd = str(work)
        _hand_over(pipe, environ)
        runner = Runner(config, event_handler=_handler(on_event), cancel_callback=cancelled)
        runner.run()
        rc = runner.rc if (folder / "artifacts" / "run" / "rc").exists() else None
        return Run(rc, bool(runner.canceled), str(folder / "artifacts" / "run"))

    def _prepare(self, folder: Path, project: str) -> Path:
        work = project_folder(project, self._home) if project else folder / "project"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True, mode=0o700)
        inventory = folder / "inventory"
        inventory.mkdir()
        local = "localhost ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'\n"
        (inventory / "localhost.ini").write_text(local, encoding="utf-8")
        work.mkdir(exist_ok=True)
        for name in ("group_vars", "host_vars"):
            if (work / name).is_dir():
                (inventory / name).symlink_to(work / name)
        return work

    def missing_roles(self, project: str, names: Sequence[str]) -> list[str]:
        """Those of the roles that ansible-core does not find from the project's directory."""
        if not names:
            return []
        probe = subprocess.run(
            [sys.executable, "-m", "adslib.adapters.playbooks.roles", *names],
            cwd=self.project(project) or None,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": _import_path()},
        )
        if probe.returncode:
            raise Failed("ansible-core cannot look for roles: " + probe.stderr.strip()[-300:], place=project)
        return [str(name) for name in json.loads(probe.stdout)]


def _import_path() -> str:
    """Where this adslib is imported from, in front of what the caller had."""
    own = str(Path(__file__).parents[3])
    return os.pathsep.join(path for path in (own, os.environ.get("PYTHONPATH", "")) if path)


def _find_ansible() -> str:
    beside = Path(sys.executable).with_name("ansible-playbook")
    found = str(beside) if beside.exists() else shutil.which("ansible-playbook")
    if not found:
        raise Failed("ansible-playbook is not installed", remedy="install ansible-core beside adslib")
    return found


def _says(work: Path, option: str) -> bool:
    """Whether the project's own ansible.cfg sets an option, which then stands."""
    import configparser

    parser = configparser.ConfigParser(interpolation=None, strict=False)
    with contextlib.suppress(configparser.Error, UnicodeError):
        parser.read(work / "ansible.cfg", encoding="utf-8")
    return any(parser.has_option(section, option) for section in ("defaults", "connection", "ssh_connection"))


def _handler(on_event: Callable[[Mapping[str, Any]], None]) -> Callable[[Mapping[str, Any]], bool]:
    def handle(event: Mapping[str, Any]) -> bool:
        on_event(event)
        return True

    return handle


def _expect_terminals() -> None:
    """Let pass where ansible-runner can have the pseudo-terminal that it runs ansible-playbook on.

    Raises:
        Failed: there is none to be had, as in a bare chroot.
    """
    try:
        for end in os.openpty():
            os.close(end)
    except OSError as error:
        raise Failed(f"there is no pseudo-terminal: {error}", remedy="is /dev/pts mounted?") from None


def _hand_over(pipe: Path, environ: Mapping[str, str]) -> None:
    """Offer the environment on a pipe that only this user may read; it never lies on a disk."""
    os.mkfifo(pipe, 0o600)

    def write() -> None:
        with contextlib.suppress(OSError), pipe.open("wb") as stream:
            stream.write(b"\0".join(f"{key}={value}".encode() for key, value in environ.items()))

    threading.Thread(target=write, daemon=True).start()
