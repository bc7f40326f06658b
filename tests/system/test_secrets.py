"""Secrets reach the machine's own files and nothing else: no store, artifact, log, output or command line holds one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import pytest

from system.home import Home

VAULT = Path(__file__).with_name("projects") / "vault"
HOLDERS = {"srv/store.conf", "srv/note.txt", "var/lib/ads/run/keeper-1"}


@contextmanager
def watched(words: list[str]) -> Iterator[list[str]]:
    """Look at every command line of this host, again and again; gives those that held one of the words."""
    over, caught = threading.Event(), []

    def watch() -> None:
        while not over.wait(0.01):
            for entry in Path("/proc").iterdir():
                if entry.name.isdigit():
                    with suppress(OSError):
                        line = (entry / "cmdline").read_bytes().decode(errors="replace")
                        caught.extend(line for word in words if word in line)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield caught
    finally:
        over.set()
        thread.join()


def holding(folder: Path, words: list[str]) -> set[str]:
    """The files below a folder that hold one of the words."""
    found = set()
    for path in folder.rglob("*"):
        # The store's journals go with whoever closes it last.
        with suppress(FileNotFoundError):
            if path.is_file() and not path.is_symlink():
                content = path.read_bytes()
                found |= {str(path.relative_to(folder)) for word in words if word.encode() in content}
    return found


def seal(home: Home, words: str) -> dict[str, str]:
    """Put a secret into a vaulted file of the project's group_vars; the pin is given by a command."""
    (home.folder / "vault-key").write_text("open sesame")
    variables = home.project / "group_vars" / "all"
    variables.mkdir(parents=True)
    (variables / "vault.yml").write_text(f"ads_secrets: {{words: {words}}}\n")
    environ = {"ANSIBLE_VAULT_PASSWORD_FILE": str(home.folder / "vault-key")}
    vault = Path(sys.executable).with_name("ansible-vault")
    command = [str(vault), "encrypt", str(variables / "vault.yml")]
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, **environ})
    (variables / "plain.yml").write_text(f"ads_secret_command: cat {home.folder}/secrets/{{name}}\n")
    return environ


@pytest.mark.req("A16", "A22")
def test_no_secret_leaves_its_place(home: Home) -> None:
    """From the environment, a vaulted file and a command; as a job, and by hand with diffs and everything told."""
    shutil.copytree(VAULT, home.project, ignore=shutil.ignore_patterns("group_vars"))
    password, words, pin, newer = secrets = [token_hex(12) for _ in range(4)]
    environ = {**seal(home, words), "ADS_SECRET_DB_PASSWORD": password}
    (home.folder / "secrets").mkdir()
    (home.folder / "secrets" / "pin").write_text(f"{pin}\n")
    home.define_file(home.project / "vault.yml")

    with watched(secrets) as caught:
        deployed = home.carry("deploy", "vault", environ=environ)
        assert deployed.code == 0, deployed
        (home.project / "ads.yml").write_text("plugin: ads.deploy.ads\n")
        said = home.play("deploy", "vault", "-i", "ads.yml", "-vvv", "--diff", cwd=home.project, environ=environ)
        assert said.code == 0, said.output
        changed = {**environ, "ADS_SECRET_DB_PASSWORD": newer}
        again = home.play("deploy", "vault", "-i", "ads.yml", "-vvv", "--diff", cwd=home.project, environ=changed)
        assert again.code == 0, again.output
    assert caught == []
    assert said.changed == set()
    assert again.changed == {home.instance("vault", "keeper-1")["machine"]}

    assert home.file("vault", "keeper-1", "/srv/store.conf").read_text() == f"password={newer}\npin={pin}\n"
    assert home.file("vault", "note-1", "/srv/note.txt").read_text() == f"{words} {pin}\n"
    keeper = Path(f"/proc/{home.pid('vault', 'keeper-1')}/environ").read_bytes().split(b"\0")
    assert f"DB_PASSWORD={newer}".encode() in keeper
    for output in (str(deployed), said.output, again.output):
        assert not [secret for secret in secrets if secret in output]
    machines = {str(home.folder_of("vault", id).relative_to(home.home)) for id in ("keeper-1", "note-1")}
    holders = {
        file.partition("/root/")[2] for file in holding(home.home, secrets) if file.split("/root/")[0] in machines
    }
    assert {file for file in holding(home.home, secrets) if "/root/" not in file} == set()
    assert holders == HOLDERS
    assert holding(Path(home.surroundings()["ANSIBLE_HOME"]), secrets) == set()
    for id, path in (("keeper-1", "srv/store.conf"), ("keeper-1", "var/lib/ads/run/keeper-1")):
        assert home.file("vault", id, path).stat().st_mode & 0o077 == 0


@pytest.mark.req("A16")
def test_an_unknown_secret_is_named(home: Home) -> None:
    """Nobody knows it: the instance fails with its name and the places where it might have been."""
    shutil.copytree(VAULT, home.project)
    home.define_file(home.project / "vault.yml")
    failed = home.carry("deploy", "vault", environ={"ADS_SECRET_PIN": "1"})
    assert failed.code != 0
    assert "secret 'db-password' is not known" in home.instance("vault", "keeper-1")["message"]
    assert "ADS_SECRET_DB_PASSWORD" in home.instance("vault", "keeper-1")["message"]
