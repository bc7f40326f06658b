"""Host keys: given, known to the user, shown at first contact; pinned, and forgotten with the machine."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adslib.adapters.host_keys import KnownHosts, fingerprint
from adslib.domain.errors import Failed, Invalid
from adslib.usecases.ads import Ads
from adslib.usecases.machine_spec import MachineSpec
from usecases.machines import KEY, OTHER_KEY, WEB1, names

pytestmark = pytest.mark.usefixtures("own_known_hosts")


@pytest.mark.req("A9")
def test_without_a_key_it_is_added_and_said(ads: Ads) -> None:
    outcome = ads.machines.add(WEB1)
    assert "its host key is not known" in outcome.message
    assert ads.machines.show("web1")["host_keys"] == []
    outcome = ads.machines.add(MachineSpec("web1"), host_key=KEY)
    assert outcome.changed is True
    assert ads.machines.show("web1")["host_keys"] == [fingerprint(KEY)]


def test_keys_that_the_user_knows_are_taken_over(refusing: Ads, own_known_hosts: Path) -> None:
    own_known_hosts.write_text(f"10.0.0.5 {KEY}\n[10.0.0.6]:2222 {OTHER_KEY}\n@revoked 10.0.0.5 {OTHER_KEY}\n")
    refusing.machines.add(WEB1)
    refusing.machines.add(MachineSpec("web2", "10.0.0.6", port=2222))
    assert refusing.machines.show("web1")["host_keys"] == [fingerprint(KEY)]
    assert refusing.machines.show("web2")["host_keys"] == [fingerprint(OTHER_KEY)]


def test_a_key_file_or_wrong_words(refusing: Ads, tmp_path: Path) -> None:
    path = tmp_path / "host.pub"
    path.write_text(f"# of web1\n{KEY} root@web1\n")
    refusing.machines.add(WEB1, host_key=str(path))
    assert refusing.machines.show("web1")["host_keys"] == [fingerprint(KEY)]
    path.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    for given, said in ((str(path), "this is a private key"), ("nonsense", "neither a public host key")):
        with pytest.raises(Invalid, match=said):
            refusing.machines.add(MachineSpec("web2", "10.0.0.6"), host_key=given)
    assert names(refusing) == ["web1"]


def test_a_new_address_needs_a_new_key_and_removal_forgets_it(ads: Ads, home: Path) -> None:
    ads.machines.add(WEB1, host_key=KEY)
    ads.machines.add(MachineSpec("web2", "10.0.0.6"), host_key=OTHER_KEY)
    assert "not known" in ads.machines.add(MachineSpec("web1", "10.0.0.9")).message
    assert ads.machines.show("web1")["host_keys"] == []
    assert ads.machines.show("web2")["host_keys"] == [fingerprint(OTHER_KEY)]
    ads.machines.remove("web2")
    assert (home / "known_hosts").read_text() == ""


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


def test_trust_needs_an_answer(refusing: Ads, silent_port: int) -> None:
    with pytest.raises(Failed, match="no host key is shown within"):
        refusing.machines.add(MachineSpec("web1", "127.0.0.1", port=silent_port), trust_first_contact=True)
    assert names(refusing) == []


KEYSCAN = """#!/bin/sh
# What OpenSSH's ssh-keyscan prints for two machines: comments on standard error, then one line a key.
while [ "$1" ] && [ "$1" != -p ]; do shift; done
while read -r host; do
    echo "# $host:$2 SSH-2.0-OpenSSH_9.2p1" >&2
    [ "$2" = 22 ] && echo "$host KEY" || echo "[$host]:$2 KEY"
done
"""


def test_trust_pins_what_each_machine_shows(refusing: Ads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No SSH server runs here, so a script stands in for OpenSSH's program and prints as it does."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "ssh-keyscan").write_text(KEYSCAN.replace("KEY", KEY))
    (programs / "ssh-keyscan").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    assert refusing.machines.add(WEB1, trust_first_contact=True, dry_run=True).changed is True
    outcome = refusing.machines.add(WEB1, trust_first_contact=True)
    assert fingerprint(KEY) in outcome.message
    refusing.machines.add(MachineSpec("web2", "10.0.0.6", port=2222), trust_first_contact=True)
    assert refusing.machines.show("web2")["host_keys"] == [fingerprint(KEY)]
    # Once pinned, nobody is asked again.
    (programs / "ssh-keyscan").write_text("#!/bin/sh\nexit 1\n")
    assert refusing.machines.add(WEB1, trust_first_contact=True).changed is False


def test_known_hosts_of_two_at_once_loses_nothing(tmp_path: Path) -> None:
    known = KnownHosts(tmp_path)
    threads = [threading.Thread(target=known.pin, args=({f"m{n}": [KEY]},)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len((tmp_path / "known_hosts").read_text().splitlines()) == 20
