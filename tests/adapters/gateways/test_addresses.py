"""Loopback addresses are held once on a host: by one machine, of whichever user and home (A8, A10)."""

from __future__ import annotations

import ipaddress
import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.gateways.subjects import Subject, order
from adslib.adapters.gateways.directories.addresses import Addresses
from adslib.adapters.gateways.local.addresses import checked
from adslib.domain.errors import Conflict, Failed, Invalid
from adslib.domain.lifecycle import MachineState

pytestmark = pytest.mark.req("A8", "A10")


@pytest.fixture
def addresses(tmp_path: Path) -> Addresses:
    """Claims of a host of the test's own, with room for six machines."""
    return Addresses(tmp_path / "claims", ipaddress.IPv4Network("127.70.0.0/29"), checked)


def machine(tmp_path: Path, name: str) -> Path:
    """The directory of a machine."""
    (tmp_path / name).mkdir(exist_ok=True)
    return tmp_path / name


def test_every_machine_has_its_own(addresses: Addresses, tmp_path: Path) -> None:
    names = [f"m{number}" for number in range(8)]
    taken = [addresses.claim(machine(tmp_path, name), name) for name in names]
    assert sorted(taken) == [str(address) for address in addresses.network]
    with pytest.raises(Failed, match=r"every address of 127\.70\.0\.0/29 is taken"):
        addresses.claim(machine(tmp_path, "late"), "late")
    addresses.release(tmp_path / "m3", taken[3])
    assert addresses.claim(tmp_path / "late", "late") == taken[3]


def test_machines_that_want_one_at_once_get_one_each(addresses: Addresses, tmp_path: Path) -> None:
    wide = Addresses(addresses.directory, ipaddress.IPv4Network("127.70.0.0/24"), checked)
    places = [machine(tmp_path, f"m{number}") for number in range(40)]
    with multiprocessing.get_context("fork").Pool(8) as pool:
        taken = pool.starmap(wide.claim, [(place, place.name) for place in places])
    assert len(set(taken)) == 40


def test_a_held_address_is_refused_by_the_name_of_its_holder(addresses: Addresses, tmp_path: Path) -> None:
    addresses.claim(machine(tmp_path, "first"), "first", "127.70.0.3")
    with pytest.raises(Conflict, match=rf"127\.70\.0\.3 belongs to machine 'first' of user {os.geteuid()} in .*/first"):
        addresses.claim(machine(tmp_path, "second"), "second", "127.70.0.3")
    assert addresses.claim(tmp_path / "first", "first", "127.70.0.3") == "127.70.0.3"


def test_the_claim_of_a_machine_that_is_gone_is_void(addresses: Addresses, tmp_path: Path) -> None:
    first = machine(tmp_path, "first")
    addresses.claim(first, "first", "127.70.0.3")
    making = first.rename(tmp_path / ".making-first")
    with pytest.raises(Conflict):
        addresses.claim(machine(tmp_path, "second"), "second", "127.70.0.3")
    making.rmdir()
    assert addresses.claim(tmp_path / "second", "second", "127.70.0.3") == "127.70.0.3"


def test_a_machine_that_is_completed_while_somebody_looks_keeps_its_address(
    addresses: Addresses, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    making = machine(tmp_path, ".making-first")
    addresses.claim(tmp_path / "first", "first", "127.70.0.3")
    look = Path.lstat

    def complete(path: Path) -> os.stat_result:
        try:
            return look(path)
        finally:
            if making.exists():
                making.rename(tmp_path / "first")

    monkeypatch.setattr(Path, "lstat", complete)
    with pytest.raises(Conflict, match="belongs to machine 'first'"):
        addresses.claim(machine(tmp_path, "second"), "second", "127.70.0.3")


def test_what_cannot_be_read_is_taken_for_held(addresses: Addresses, tmp_path: Path) -> None:
    addresses.claim(machine(tmp_path, "first"), "first", "127.70.0.1")
    (addresses.directory / "127.70.0.2").write_text("scribble")
    (addresses.directory / "127.70.0.3").symlink_to("/etc/hostname")
    (addresses.directory / "127.70.0.4").mkdir()
    os.mkfifo(addresses.directory / "127.70.0.5")
    for number in range(2, 6):
        with pytest.raises(Conflict, match="machine 'unknown'"):
            addresses.claim(machine(tmp_path, "second"), "second", f"127.70.0.{number}")
    taken = {addresses.claim(machine(tmp_path, name), name) for name in ("a", "b", "c")}
    assert taken == {"127.70.0.0", "127.70.0.6", "127.70.0.7"}


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1", "::1", "", "127.1", "127.0.0.0", "127.255.255.255"])
def test_only_loopback_addresses_will_do(local: Subject, addresses: Addresses, tmp_path: Path, address: str) -> None:
    if address:
        with pytest.raises(Invalid, match="is no address for a local machine"):
            addresses.claim(machine(tmp_path, "first"), "first", address)
    with pytest.raises(Invalid, match="option network"):
        local.open(network=f"{address}/30" if address else "everywhere")


@pytest.mark.parametrize("mode", [0o755, 0o777, 0o1775])
def test_a_directory_of_ours_is_put_right(addresses: Addresses, tmp_path: Path, mode: int) -> None:
    addresses.directory.mkdir()
    addresses.directory.chmod(mode)
    addresses.claim(machine(tmp_path, "first"), "first")
    assert addresses.directory.stat().st_mode & 0o7777 == 0o1777


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory to another user")
def test_a_directory_of_another_that_is_not_open_to_all_is_refused(addresses: Addresses, tmp_path: Path) -> None:
    addresses.directory.mkdir(mode=0o700)
    os.chown(addresses.directory, 65534, 65534)
    with pytest.raises(Failed, match="not to be trusted: its mode is 700 instead of 1777"):
        addresses.claim(machine(tmp_path, "first"), "first")


def test_a_directory_that_is_a_link_or_a_file_is_refused(addresses: Addresses, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    addresses.directory.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failed, match="not to be trusted"):
        addresses.claim(machine(tmp_path, "first"), "first")
    addresses.directory.unlink()
    addresses.directory.touch()
    with pytest.raises(Failed, match="claims"):
        addresses.claim(machine(tmp_path, "first"), "first")


def test_a_claim_tells_who_holds_it(addresses: Addresses, tmp_path: Path) -> None:
    addresses.claim(machine(tmp_path, "first"), "first", "127.70.0.3")
    claim = json.loads((addresses.directory / "127.70.0.3").read_text())
    assert claim == {"uid": os.geteuid(), "id": "first", "directory": str(tmp_path / "first")}
    assert (addresses.directory / "127.70.0.3").stat().st_mode & 0o777 == 0o644
    assert len(list(addresses.directory.iterdir())) == 1


def test_claims_that_a_restart_of_the_host_wiped_are_made_anew(
    make_subject: Callable[..., Subject], tmp_path: Path
) -> None:
    options = {"claims": str(tmp_path / "claims")}
    east, west = (make_subject("local", place).open(**options) for place in ("east", "west"))
    first = east.create(order(id="first", address="127.70.0.3"))
    east.stop("first")
    claim = tmp_path / "claims/127.70.0.3"
    claim.unlink()
    assert east.start("first").reach.address == "127.70.0.3"
    assert claim.exists()
    east.stop("first")
    claim.unlink()
    west.create(order(id="second", address="127.70.0.3"))
    with pytest.raises(Conflict, match="belongs to machine 'second'"):
        east.start("first")
    assert east.look("first").state is MachineState.STOPPED
    west.delete("second")
    assert east.start("first") == first


def test_a_copied_home_cannot_run_beside_the_first(make_subject: Callable[..., Subject]) -> None:
    first, copy = make_subject("local", "first"), make_subject("local", "copy")
    gateway = first.open()
    gateway.create(order(id="one"))
    gateway.stop("one")
    shutil.copytree(first.home, copy.home, dirs_exist_ok=True)
    with pytest.raises(Conflict, match=r"belongs to machine 'one' .*/first/machines/one"):
        copy.open().start("one")
    assert gateway.start("one").state is MachineState.RUNNING
