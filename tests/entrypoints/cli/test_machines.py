"""`ads machine`: the pool on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adslib.adapters.gateways import open_gateway
from adslib.domain.gateway import Order
from adslib.domain.machine import DEFAULT_SIZES
from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
WEB1 = (
    "machine",
    "add",
    "web1",
    "--address",
    "10.0.0.5",
    "--size",
    "small",
    "--os",
    "debian-12",
    "--location",
    "us-west",
)


def names(run: Run, *words: str) -> list[str]:
    return [row["name"] for row in run("machine", "list", *words, "--format", "json").data]


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's known_hosts play no part."""
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.req("A9", "A10")
def test_add_show_remove(run: Run) -> None:
    added = run(*WEB1, "--user", "deploy", "--port", "2222", "--become", "sudo", "--label", "rack=7", "--host-key", KEY)
    assert added.out.startswith("machine 'web1' added; host key ssh-ed25519 SHA256:")
    shown = run("machine", "show", "web1", "--format", "json").data
    assert list(shown) == list(FIELDS["machine show"])
    assert (shown["port"], shown["become"], shown["labels"]) == (2222, "sudo", {"rack": "7"})
    table = run("machine", "show", "web1").out
    assert re.search(r"^address +10\.0\.0\.5$", table, re.MULTILINE)
    run(*WEB1)
    assert "unchanged" in run(*WEB1).out
    assert "changed" in run("machine", "add", "web1", "--capability", "none").out
    assert run("machine", "show", "web1", "--format", "json").data["capabilities"] == []
    run("machine", "remove", "web1", "--dry-run")
    assert names(run) == ["web1"]
    run("machine", "remove", "web1")
    assert names(run) == []
    assert "there is no machine 'web1'" in run("machine", "remove", "web1", expect=4).err


@pytest.mark.req("A10")
def test_list_and_summary(run: Run) -> None:
    run(*WEB1)
    run("machine", "add", "db1", "--address", "10.0.0.6", "--size", "large", "--location", "us-east")
    assert names(run) == ["db1", "web1"]
    assert names(run, "--location", "us-west") == ["web1"]
    assert names(run, "--os", "debian") == ["web1"]
    assert names(run, "--free", "--size", "large") == ["db1"]
    assert names(run, "--held") == []
    assert names(run, "--text", "10.0.0.6") == ["db1"]
    row = run("machine", "list", "--format", "json").data[0]
    assert list(row) == list(FIELDS["machine list"])
    assert run("machine", "list").out.splitlines()[1].split()[:3] == ["db1", "running", "available"]
    numbers = run("machine", "summary", "--format", "json").data
    assert list(numbers) == list(FIELDS["machine summary"])
    assert numbers["availability"]["available"] == 2
    assert "large  us-east   1         1     0" in run("machine", "summary").out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["list", "--free", "--held"], 2, "not both free and held"),
        (["list", "--state", "asleep"], 2, "'asleep' is no state of a machine"),
        (["show", "web9"], 4, "there is no machine 'web9'"),
        (["add", "web9"], 2, "it has no address"),
        (["add", "web9", "--address", "10.0.0.9", "--size", "huge"], 2, "no size is called 'huge'"),
        (["add", "web9", "--address", "10.0.0.9", "--label", "rack"], 2, "'rack' is no label"),
        (["add", "web9", "--address", "10.0.0.9", "--var", "ansible_password=x"], 2, "is a secret"),
        (["add", "web9", "--address", "10.0.0.9", "--host-key", "nonsense"], 2, "neither a public host key"),
        (["add", "web9", "--address", "10.0.0.9", "--gateway", "nowhere"], 2, "there is no gateway 'nowhere'"),
        (["import"], 2, "--inventory"),
        (["import", "-i", "/no/where"], 4, "there is no inventory"),
        (["start", "web1"], 2, "does not offer 'start'"),
        (["stop", "web1"], 2, "does not offer 'stop'"),
        (["reboot", "web1"], 2, "does not offer 'reboot'"),
        (["snapshot", "list", "web1"], 2, "does not offer 'snapshots'"),
        (["snapshot", "create", "web1", "x"], 2, "does not offer 'snapshots'"),
        (["start", "web9"], 4, "there is no machine 'web9'"),
    ],
)
def test_wrong_input_changes_nothing(run: Run, words: list[str], code: int, said: str) -> None:
    run(*WEB1)
    before = run("machine", "show", "web1", "--format", "json").data
    result = run("machine", *words, expect=code)
    assert said in result.err
    assert "Traceback" not in result.err
    assert names(run) == ["web1"]
    assert run("machine", "show", "web1", "--format", "json").data == before


@pytest.mark.req("A10")
def test_import(run: Run, tmp_path: Path) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text("web1 ansible_host=10.0.0.5 site=us-west\nweb2 ansible_host=10.0.0.6 site=us-east\n")
    words = (
        "machine",
        "import",
        "-i",
        str(inventory),
        "--location-var",
        "site",
        "--size",
        "small",
        "--os",
        "debian-12",
    )
    tried = run(*words, "--dry-run").out
    assert "web2" in tried
    assert names(run) == []
    assert "2 machines added" in run(*words).out
    assert names(run, "--location", "us-east") == ["web2"]
    inventory.write_text("web3 ansible_password=hunter2\n")
    result = run("machine", "import", "-i", str(inventory), expect=2)
    assert "host 'web3': 'ansible_password' is a secret in plain text" in result.err
    assert "hunter2" not in result.err
    assert names(run) == ["web1", "web2"]


# ── what happens at gateways ─────────────────────────────────────────────────────────────────────────


@pytest.mark.req("A10")
def test_refresh_notify_and_release(run: Run, tmp_path: Path) -> None:
    run("gateway", "add", "cloud", "--kind", "sim")
    url = f"sqlite:///{tmp_path / 'ads-home' / 'ads.db'}"
    there = open_gateway("sim", "cloud", {}, home=tmp_path, engine=url)
    made = there.create(Order("foreign", "old", DEFAULT_SIZES[0]))
    assert run("machine", "refresh", "--dry-run").out == "dry run: 1 appeared\n"
    found = run("machine", "refresh", "--format", "json").data["after"]["gateways"]
    assert found == [{"gateway": "cloud", "appeared": ["old"], "changed": {}, "vanished": [], "failure": ""}]
    assert names(run, "--availability", "on request") == ["old"]
    assert "machine 'old' released: it is running" in run("machine", "release", "old").out
    assert names(run, "--availability", "available") == ["old"]
    there.stop(made.ref)
    assert run("machine", "notify", "cloud", made.ref).out == "1 changed\n"
    run("gateway", "add", "dark", "--kind", "sim", "--option", "down=true")
    silent = run("machine", "refresh", expect=1)
    assert silent.out == "nothing changed; not read: dark\n"
    assert silent.err.startswith("Error: gateway dark: simulated cloud 'dark' does not answer: it is down.")
