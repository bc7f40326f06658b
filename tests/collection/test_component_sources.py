"""The role component: archives and git commits, what must not be in them, and a run that was killed."""

from __future__ import annotations

import hashlib
import io
import os
import re
import signal
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from collection.component_stage import Machine, instance, machine, wait_for

pytestmark = pytest.mark.req("A16")


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "project") as made:
        yield made


def deploy(stage: Machine, *arguments: str, **component: Any) -> Any:
    wanted = {"name": "web", "version": "1.0.0", **component}
    return stage.run("component", *arguments, ads_instance=instance(), ads_component=wanted)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tar_of(path: Path, *members: tuple[str, Any]) -> str:
    """Make a tar file of (name, content or TarInfo type and target) and return its SHA-256."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if isinstance(content, bytes):
                member.size, member.mode = len(content), 0o755 if name.endswith(".sh") else 0o644
                tar.addfile(member, io.BytesIO(content))
            else:
                member.type, member.linkname = content
                tar.addfile(member)
    return digest(path)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the URL that it is served at."""
    folder = tmp_path / "served"
    folder.mkdir()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Silent(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *_: object) -> None:
        pass


def test_an_archive_is_fetched_once_kept_and_replaced(stage: Machine, served: tuple[Path, str]) -> None:
    folder, url = served
    link = (tarfile.SYMTYPE, "run.sh")
    first = tar_of(folder / "1.tar.gz", ("web-1/run.sh", b"1"), ("web-1/old", b""), ("web-1/start", link))
    archive = {"url": f"{url}/1.tar.gz", "sha256": first, "directory": "/opt/web", "strip": 1}
    assert deploy(stage, "--check", archive=archive).result["changed"]
    assert not stage.path("/opt/web").exists()
    assert {"file /opt/web/run.sh: new", "file /opt/web/start: new"} <= set(deploy(stage, archive=archive).actions)
    assert os.access(stage.path("/opt/web/start"), os.X_OK)
    (folder / "1.tar.gz").rename(folder / "gone")
    assert deploy(stage, archive=archive).actions == []
    (folder / "gone").rename(folder / "1.tar.gz")
    stage.path("/opt/web/run.sh").write_text("by hand")
    assert deploy(stage, archive=archive).actions == ["file /opt/web/run.sh: content"]
    assert stage.path("/opt/web/run.sh").read_bytes() == b"1"
    second = tar_of(folder / "2.tar.gz", ("web-2/run.sh", b"2"))
    changed = deploy(stage, archive={**archive, "url": f"{url}/2.tar.gz", "sha256": second})
    assert {"file /opt/web/run.sh: content", "file /opt/web/old: remove"} <= set(changed.actions)
    assert [path.name for path in stage.path("/opt/web").iterdir()] == ["run.sh"]
    assert not list(stage.path("/var/lib/ads").glob("staging-*"))


def test_a_zip_archive_of_the_project_is_sent_along(stage: Machine) -> None:
    with zipfile.ZipFile(stage.project / "web.zip", "w") as archive:
        archive.writestr("web/page", os.urandom(700_000))
    wanted = {"url": "web.zip", "sha256": digest(stage.project / "web.zip"), "directory": "/srv/web", "strip": 1}
    assert "file /srv/web/page: new" in deploy(stage, archive=wanted).actions
    assert not deploy(stage, archive=wanted).result["changed"]
    refused = deploy(stage, archive={**wanted, "sha256": "0" * 64})
    assert re.search("archive web.zip has the SHA-256 .* the definition says 000", refused.message)


LEADING_OUT: list[tuple[str, Any, str]] = [
    ("../out", b"", "'../out', which leads out of its directory"),
    ("/etc/passwd", b"", "'/etc/passwd', which leads out of its directory"),
    ("web/link", (tarfile.SYMTYPE, "/etc"), "the link web/link to /etc, which leads out"),
    ("web/link", (tarfile.SYMTYPE, "../../out"), "the link web/link to ../../out, which leads out"),
    ("web/device", (tarfile.BLKTYPE, ""), "web/device, which is a device or a pipe"),
]


def test_an_archive_cannot_reach_out_of_its_directory(stage: Machine) -> None:
    cases = []
    for number, (name, content, _words) in enumerate(LEADING_OUT):
        file = f"bad-{number}.tar.gz"
        found = tar_of(stage.project / file, ("web/good", b""), (name, content))
        archive = {"url": file, "sha256": found, "directory": "/opt/web"}
        wanted = {"name": "web", "version": "1.0.0", "archive": archive}
        cases.append({"ads_instance": instance(), "ads_component": wanted})
    for refused, (_name, _content, words) in zip(stage.run_each("component", cases), LEADING_OUT, strict=True):
        assert words in refused.message
    assert not stage.path("/opt/web").exists()


def test_another_archive_than_the_one_meant_changes_nothing(stage: Machine, served: tuple[Path, str]) -> None:
    folder, url = served
    tar_of(folder / "1.tar.gz", ("run.sh", b"evil"))
    archive = {"url": f"{url}/1.tar.gz", "sha256": "1" * 64, "directory": "/opt/web"}
    assert "the definition says 1111" in deploy(stage, archive=archive).message
    archive["url"] = f"{url}/none"
    assert "cannot be fetched by the machine: HTTP Error 404" in deploy(stage, archive=archive).message
    assert not stage.path("/opt/web").exists()


@pytest.mark.once
def test_a_git_commit_is_exported_and_repaired(stage: Machine, tmp_path: Path) -> None:
    repository = tmp_path / "repository"
    name = ("-c", "user.name=a", "-c", "user.email=a@example.com")

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True, text=True)
        return done.stdout.strip()

    repository.mkdir()
    git("init", "--quiet")
    (repository / "app.py").write_text("1")
    git("add", ".")
    git(*name, "commit", "--quiet", "-m", "one")
    first = git("rev-parse", "HEAD")
    (repository / "app.py").write_text("2")
    git(*name, "commit", "--quiet", "-a", "-m", "two")
    wanted = {"url": f"file://{repository}", "commit": first, "directory": "/opt/app"}
    assert "file /opt/app/app.py: new" in deploy(stage, git=wanted).actions
    assert (stage.path("/opt/app/app.py").read_text(), [p.name for p in stage.path("/opt/app").iterdir()]) == (
        "1",
        ["app.py"],
    )
    assert deploy(stage, git=wanted).actions == []
    stage.path("/opt/app/app.py").unlink()
    assert deploy(stage, git=wanted).actions == ["file /opt/app/app.py: new"]
    wanted["commit"] = git("rev-parse", "HEAD")
    assert "file /opt/app/app.py: content" in deploy(stage, git=wanted).actions
    wanted["commit"] = "0" * 40
    assert "has no commit 0000" in deploy(stage, git=wanted).message
    wanted["commit"] = "main"
    assert "'main' is no full commit: give all 40 digits" in deploy(stage, git=wanted).message


@pytest.mark.req("A12")
@pytest.mark.once
def test_a_run_that_was_killed_is_completed_by_the_next(stage: Machine) -> None:
    (stage.project / "web.py").write_text("import time\ntime.sleep(3600)\n")
    process = {"command": "{{ ads_python }} {{ ads_root }}/opt/web.py"}
    program = {"path": "/opt/web.py", "source": "web.py"}
    deploy(stage, files=[program], process=process)
    pid = stage.pid("web-1")
    # The validation of the second file ends the module itself, after the first file was written.
    killer = stage.path("/opt/killer.sh")
    killer.write_text("#!/bin/sh\nkill -9 $PPID\n")
    killer.chmod(0o755)
    files = [
        program,
        {"path": "/etc/a", "content": "a"},
        {"path": "/etc/b", "content": "b", "validate": f"{killer} %s"},
    ]
    assert deploy(stage, files=files, process=process).code != 0
    assert stage.path("/etc/a").exists()
    assert stage.pid("web-1") == pid
    # The definition goes back: the half-done change goes too, and the process starts anew as it may have read it.
    again = deploy(stage, files=[program], process=process)
    assert {"file /etc/a: remove", "process web-1: restart"} <= set(again.actions)
    assert stage.pid("web-1") not in (0, pid)
    assert not deploy(stage, files=[program], process=process).result["changed"]


@pytest.mark.once
def test_a_process_that_was_killed_is_running_again(stage: Machine) -> None:
    process = {"command": f"{sys.executable} -c 'import time; time.sleep(3600)'"}
    deploy(stage, process=process)
    pid = stage.pid("web-1")
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: stage.pid("web-1") not in (0, pid))
    assert deploy(stage, process=process).code == 0
