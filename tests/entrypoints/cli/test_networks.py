"""`ads network`: what people type, the tables they see, and CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.entrypoints.cli.fields import FIELDS
from adslib.entrypoints.cli.options import network_names
from entrypoints.cli.commanding import Run

WEST = ("network", "add", "west-1", "10.0.0.0/24", "--vlan", "110", "--datacenter", "west", "--zone", "w.example")


@pytest.mark.req("I7", "I8")
def test_add_edit_show_remove(run: Run) -> None:
    assert "dry run: network 'west-1' (10.0.0.0/24) added" in run(*WEST, "--dry-run").out
    assert run("network", "list", "--format", "json").data == []
    added = run(*WEST, "--resolver", "9.9.9.9", "--resolver", "1.1.1.1", "--tag", "a=b", "--hold", "10.0.0.9 printer")
    assert added.out == "network 'west-1' (10.0.0.0/24) added\n"
    run("network", "edit", "west-1", "--resolver", "", "--vlan", "120", "--mtu", "9000")
    shown = run("network", "show", "west-1", "--format", "json").data
    assert list(shown) == list(FIELDS["network show"])
    assert (shown["vlan"], shown["resolvers"], shown["mtu"]) == (120, [], 9000)
    assert (shown["tags"], shown["held"], shown["zone"]) == ({"a": "b"}, ["10.0.0.9 printer"], "w.example")
    assert "size        253" in run("network", "show", "west-1").out
    assert "unchanged" in run("network", "edit", "west-1", "--mtu", "9000").out
    run("network", "edit", "west-1", "--rename", "west-9")
    assert "there is no network 'west-1'" in run("network", "remove", "west-1", expect=4).err
    run("network", "remove", "west-9")
    assert run("network", "list").err == "There is no such network; add one with: ads network add\n"


@pytest.mark.req("I6", "I7")
def test_lists_and_usage_read_well(run: Run) -> None:
    run(*WEST)
    run("network", "add", "six", "2001:db8::/64", "--space", "blue", "--role", "reserve")
    run("address", "allocate", "--network", "west-1", "--count", "127")
    table = run("network", "list").out.splitlines()
    assert table[0].split() == [
        "NETWORK",
        "PREFIX",
        "SPACE",
        "ROLE",
        "DATA",
        "CENTRE",
        "VLAN",
        "OWNER",
        "ZONE",
        "SIZE",
        "FREE",
        "USED",
    ]
    assert table[1].split() == ["six", "2001:db8::/64", "blue", "reserve", "~2^64", "~2^64", "0", "%"]
    assert table[2].split()[-4:] == ["254", "127", "50", "%"]
    assert [row["name"] for row in run("network", "list", "--vlan", "110", "--format", "json").data] == ["west-1"]
    assert list(run("network", "list", "--format", "json").data[0]) == list(FIELDS["network list"])
    usage = run("network", "usage", "--by", "vlan").out.splitlines()
    assert usage[2].split() == ["west", "110", "1", "254", "127", "0", "127", "50", "%"]
    assert list(run("network", "usage", "--format", "json").data[0]) == list(FIELDS["network usage"])
    assert "networks are not grouped by 'colour'" in run("network", "usage", "--by", "colour", expect=2).err


@pytest.mark.req("I7")
def test_split_merge_resize_hold(run: Run) -> None:
    run(*WEST)
    split = run("network", "split", "west-1", "--length", "26").out
    assert split.startswith("network 'west-1' split into 4: 'west-1' (10.0.0.0/26), 'west-1-2' (10.0.0.64/26)")
    assert "merged into 'west-1' (10.0.0.0/25)" in run("network", "merge", "west-1", "west-1-2").out
    assert "split into 2" in run("network", "split", "west-1-3", "--at", "10.0.0.128/27", "--dry-run").out
    run("network", "resize", "west-1", "10.0.0.0/28")
    run("network", "hold", "west-1", "10.0.0.2-10.0.0.14", "--why", "moved")
    free = run("address", "free", "west-1", "--format", "json").data
    assert list(free) == list(FIELDS["address free"])
    assert (free["free"], free["addresses"]) == (1, ["10.0.0.1"])
    run("network", "unhold", "west-1", "10.0.0.2-10.0.0.14")
    assert "addresses  10.0.0.1, 10.0.0.2\n" in run("address", "free", "west-1", "--count", "2").out
    assert "say how to split, once" in run("network", "split", "west-1", expect=2).err


@pytest.mark.req("I7")
def test_a_table_goes_out_and_comes_back(run: Run, tmp_path: Path) -> None:
    run(*WEST, "--hold", "10.0.0.9 printer", "--tag", "rack=r1, r2", "--owner", "acme")
    run("network", "hold", "west-1", "10.0.0.200-10.0.0.210", "--why", 'for "them", too')
    run("network", "add", "six", "2001:db8::/64", "--space", "blue")
    before = run("network", "list", "--format", "json").data
    path = tmp_path / "networks.csv"
    run("network", "export", str(path))
    assert run("network", "export").out == path.read_text()
    assert run("network", "import", str(path)).out == "0 networks added, 0 changed, 2 as they were\n"
    assert run("network", "list", "--format", "json").data == before
    for name in ("six", "west-1"):
        run("network", "remove", name)
    assert "2 networks added" in run("network", "import", str(path), "--dry-run").out
    assert "2 networks added" in run("network", "import", str(path)).out
    after = run("network", "list", "--format", "json").data
    assert [{**row, "id": ""} for row in after] == [{**row, "id": "", "generation": 0} for row in before]


@pytest.mark.req("I7")
def test_all_that_is_wrong_with_a_table_is_told_by_its_lines(run: Run, tmp_path: Path) -> None:
    run(*WEST)
    path = tmp_path / "n.csv"

    def told(text: str) -> list[str]:
        path.write_text(text)
        return run("network", "import", str(path), expect=2).err.replace(f"{path}", "n.csv").splitlines()

    assert told("name,prefix\nnew,10.1.0.0/24\na,10.2.0.0/33\n\nwest-1,10.0.0.1/24\n") == [
        "Error: n.csv:3 network 'a': prefix: '10.2.0.0/33' is no prefix. Write it like 10.1.0.0/16",
        "Error: n.csv:5 network 'west-1': prefix: '10.0.0.1/24' has host bits. Did you mean 10.0.0.0/24?",
    ]
    assert told("name,prefx,name\nnew,10.1.0.0/24\n") == [
        "Error: n.csv:1: no column is called 'prefx'. Did you mean 'prefix'?",
        "Error: n.csv:1: column 'name' comes twice. Name it once",
        "Error: n.csv:2: it has 2 cells. Write 3, as in the first line",
    ]
    assert told("") == ["Error: n.csv is empty. Write the names of the columns into its first line"]
    assert told('name\n"a"b\n')[0].startswith("Error: n.csv:2: it is no CSV: ")
    assert "cannot be read: No such file" in run("network", "import", "nowhere.csv", expect=2).err
    path.write_bytes(b"name\n\xff\n")
    assert "is no text in UTF-8" in run("network", "import", str(path), expect=2).err
    assert [row["name"] for row in run("network", "list", "--format", "json").data] == ["west-1"]
    assert "cannot be written" in run("network", "export", str(tmp_path / "no" / "n.csv"), expect=1).err


@pytest.mark.req("I8")
def test_names_are_completed(run: Run) -> None:
    import typer

    from adslib.entrypoints.cli.application import app

    run(*WEST)
    assert network_names(typer.Context(typer.main.get_command(app)), "we") == ["west-1"]


@pytest.mark.req("I7")
def test_a_network_moves_with_its_gateway_at_once(run: Run) -> None:
    run(*WEST, "--gateway", "10.0.0.1")
    refused = run("network", "resize", "west-1", "10.0.1.0/24", expect=2).err
    assert "gateway 10.0.0.1 lies outside 10.0.1.0/24" in refused
    moved = run("network", "resize", "west-1", "10.0.1.0/24", "--gateway", "10.0.1.1").out
    assert moved == "network 'west-1' changed: prefix 10.0.0.0/24 → 10.0.1.0/24, gateway 10.0.0.1 → 10.0.1.1\n"
    assert run("address", "free", "west-1", "--format", "json").data["addresses"][0] == "10.0.1.2"


@pytest.mark.req("I7", "I8")
def test_prefixes_are_taken_from_a_container(run: Run, tmp_path: Path) -> None:
    run("network", "add", "labs", "10.40.0.0/16", "--role", "container")
    assert run("network", "add", "lab-1", "/26", "--within", "labs").out == "network 'lab-1' (10.40.0.0/26) added\n"
    tried = run("network", "add", "lab-2", "/24", "--within", "labs", "--dry-run").out
    assert tried == "dry run: network 'lab-2' (10.40.1.0/24) added\n"
    table = tmp_path / "labs.csv"
    table.write_text("name,prefix,within\nlab-1,/26,labs\nlab-3,/26,labs\nspare,10.9.0.0/16,\n")
    assert "2 networks added, 0 changed, 1 as they were" in run("network", "import", str(table)).out
    assert run("network", "show", "lab-3", "--format", "json").data["prefix"] == "10.40.0.64/26"
    assert "vacant      10.40.0.128/25, 10.40.1.0/24" in run("network", "show", "labs").out
    refused = run("network", "add", "lab-4", "/16", "--within", "labs", expect=2).err
    assert "'/16' is no length of a prefix within 'labs' (10.40.0.0/16). Write /17 to /32" in refused
