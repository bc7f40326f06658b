"""`ads event`: the log."""

from __future__ import annotations

import pytest

from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run


@pytest.mark.req("A21")
def test_the_log_holds_what_was_done_by_whom(run: Run, shop: str) -> None:
    run("--as", "carol", "environment", "create", shop)
    run("--as", "bob", "machine", "add", "web1", "--address", "10.0.0.5")
    rows = run("event", "list", "--format", "json").data
    assert [(row["actor"], row["environment"], row["machine"]) for row in rows] == [
        ("bob", "", "web1"),
        ("carol", "shop", ""),
    ]
    assert list(rows[0]) == list(FIELDS["event list"])
    table = run("event", "list").out.splitlines()
    assert table[1].endswith("environment 'shop' created: revision 1")
    assert table[2].endswith("machine 'web1' added")


@pytest.mark.req("A21")
@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["--text", "WEB1"], ["bob"]),
        (["--user", "carol"], ["carol"]),
        (["--environment", "shop"], ["carol"]),
        (["--since", "2h"], ["bob", "carol"]),
        (["--until", "2h"], []),
        (["--since", "2h", "--until", "1h"], []),
        (["--since", "2020-01-01", "--level", "info"], ["bob", "carol"]),
        (["--level", "ERROR"], []),
        (["--limit", "1"], ["bob"]),
    ],
)
def test_filters(run: Run, shop: str, words: list[str], found: list[str]) -> None:
    run("--as", "carol", "environment", "create", shop)
    run("--as", "bob", "machine", "add", "web1", "--address", "10.0.0.5")
    assert [row["actor"] for row in run("event", "list", *words, "--format", "json").data] == found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--since", "yesterday"], "--since: 'yesterday' is no time"),
        (["--until", "2026-99-99"], "--until: '2026-99-99' is no time"),
        (["--since", "1h", "--until", "2h"], "the window ends"),
        (["--level", "loud"], "'loud' is no level"),
        (["--limit", "0"], "limit 0 is out of bounds"),
    ],
)
def test_wrong_filters(run: Run, words: list[str], said: str) -> None:
    assert said in run("event", "list", *words, expect=2).err
