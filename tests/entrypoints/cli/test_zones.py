"""`ads network zone` and `ads network publish`: zones, their DNS servers, and what is at them."""

from __future__ import annotations

import pytest

import adslib
from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run
from name_servers import KEY, Bind
from usecases.naming import Zone, new_zone

pytestmark = pytest.mark.req("I4")

ADD = ["network", "zone", "add", "west.example", "--server", "192.0.2.53", "--key", "k", "--secret", "env:K"]


@pytest.fixture
def zone(run: Run, bind: Bind, monkeypatch: pytest.MonkeyPatch) -> Zone:
    """A zone that BIND carries and ads publishes, and one name of it that waits."""
    monkeypatch.setenv("ADS_TEST_DNS_KEY", bind.secret)
    with adslib.connect() as ads:
        made = new_zone(ads, bind).carried().with_network()
        made.give()
    key = ["--key", KEY, "--secret", "env:ADS_TEST_DNS_KEY", "--reverse", made.prefix]
    said = run("network", "zone", "add", made.name, "--server", "127.0.0.1", "--port", str(bind.port), *key).out
    assert said == f"zone '{made.name}' added\n"
    return made


def test_publish_check_repair_export(run: Run, zone: Zone) -> None:
    name, pointer, address = f"web-1.{zone.name}.", f"1.0.{zone.reverse}.", f"10.{zone.number}.0.1"
    (row,) = run("network", "zone", "list", "--format", "json").data
    assert list(row) == list(FIELDS["network zone list"])
    assert (row["pending"], row["reverse"]) == (2, [zone.reverse])
    assert f"{address} (300 s)" in run("network", "publish", "--dry-run").out
    assert "missing" in run("network", "publish", "--check", expect=1).out
    published = run("network", "publish", zone.name, "--format", "json").data
    assert published["after"]["published"] == [pointer, name]
    assert zone.records("web-1") == [address]
    assert run("network", "publish", "--check").out == "zones and store agree\n"
    zone.bind.write(zone.name, name, "A", "192.0.2.9")
    checked = run("network", "publish", "--check", expect=1)
    assert f"{address} (300 s)" in checked.out
    assert "192.0.2.9 (300 s)" in checked.out
    assert checked.err == "1 difference from the store\n"
    (difference,) = run("network", "publish", "--check", "--format", "json", expect=1).data["after"]["differences"]
    assert all(key in FIELDS["network publish"]["differences"] for key in difference)
    assert run("network", "publish", "--all").out == "1 name published\n"
    assert zone.records("web-1") == [address]
    assert f"{name} 300 IN A {address}\n" in run("network", "zone", "export", zone.name).out
    reverse = run("network", "zone", "export", zone.name, "--reverse", zone.reverse).out
    assert f"{pointer} 300 IN PTR {name}\n" in reverse


def test_a_server_that_is_down_is_told_in_one_line(run: Run, zone: Zone) -> None:
    zone.bind.stop()
    try:
        failed = run("network", "publish", expect=1)
    finally:
        zone.bind.start()
    assert failed.err.startswith(f"Error: zone '{zone.name}': server 127.0.0.1 port {zone.bind.port} does not answer: ")
    assert failed.err.count("\n") == 1
    assert "does not answer" in run("network", "zone", "list").out
    assert run("network", "publish").out == "2 names published\n"


def test_remove(run: Run, zone: Zone) -> None:
    assert run("network", "zone", "remove", zone.name, "--dry-run").out.startswith("dry run: zone")
    assert "its records stay" in run("network", "zone", "remove", zone.name).out
    assert f"there is no zone '{zone.name}'" in run("network", "zone", "remove", zone.name, expect=4).err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["zone", "add", "west.example", "--server", "192.0.2.53", "--key", "k"], 2, "--secret"),
        (
            ["zone", "add", "west.example", "--server", "192.0.2.53", "--key", "k", "--secret", "s3cret"],
            2,
            "env:NAME or file:",
        ),
        (["zone", "add", "no zone", "--server", "192.0.2.53", "--key", "k", "--secret", "env:K"], 2, "is no zone"),
        ([*ADD[1:], "--reverse", "10.0.0.0/9"], 2, "has no reverse zone of its own"),
        (["zone", "export", "west.example"], 4, "there is no zone 'west.example'"),
        (["publish", "west.example"], 4, "there is no zone 'west.example'"),
    ],
)
def test_mistakes(run: Run, words: list[str], code: int, said: str) -> None:
    failed = run("network", *words, expect=code)
    assert said in failed.err
    assert "s3cret" not in failed.err
