"""`ads gateway`: where machines come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run


@pytest.mark.req("A8", "A9")
def test_add_list_show_remove(run: Run) -> None:
    added = run("gateway", "add", "cloud", "--kind", "sim", "-o", "quota=7").out
    assert added.startswith("gateway 'cloud' added; the default gateway stands aside")
    rows = run("gateway", "list", "--format", "json").data
    assert [row["name"] for row in rows] == ["cloud", "local", "static"]
    assert list(rows[0]) == list(FIELDS["gateway list"])
    assert rows[0]["room"] == 7
    shown = run("gateway", "show", "cloud", "--format", "json").data
    assert list(shown) == list(FIELDS["gateway show"])
    assert shown["options"] == {"quota": "7"}
    assert "capabilities" in run("gateway", "show", "cloud").out
    assert "cloud" in run("gateway", "list").out
    sizes = run("gateway", "sizes", "cloud", "--format", "json").data
    assert list(sizes[0]) == list(FIELDS["gateway sizes"])
    run("gateway", "remove", "cloud", "--dry-run")
    run("gateway", "remove", "cloud")
    assert "there is no gateway 'cloud'" in run("gateway", "remove", "cloud", expect=4).err


def test_one_that_does_not_answer_is_listed_with_the_reason(run: Run) -> None:
    run("gateway", "add", "dead", "--kind", "sim", "-o", "down=true")
    row = run("gateway", "list", "--format", "json").data[0]
    assert (row["reachable"], bool(row["reason"])) == (False, True)


@pytest.mark.req("A9")
def test_a_cloud_is_added_and_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("gateway", "add", "aws", "--kind", "libcloud", "-o", "images=debian-12=ami-1", "-o", "port=1")
    assert "env:AWS_ACCESS_KEY_ID is not set" in run(*words, expect=1).err
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "hidden")
    assert "hidden" not in run(*words, "-o", "secret=hidden", expect=2).err
    run(*words, "-o", "host=127.0.0.1", "-o", "secure=false")
    shown = run("gateway", "show", "aws", "--format", "json")
    assert "EC2 cannot be reached" in shown.data["reason"]
    rows = run("gateway", "list", "--format", "json").data
    assert {row["name"]: row["reachable"] for row in rows} == {"aws": False, "local": True, "static": True}
    assert "hidden" not in shown.out


@pytest.mark.req("A8")
def test_instance_templates(run: Run, tmp_path: Path) -> None:
    run("gateway", "add", "cloud", "--kind", "sim")
    image = tmp_path / "image.tar"
    image.write_bytes(b"image")
    run("gateway", "template", "upload", "cloud", "golden", str(image))
    rows = run("gateway", "template", "list", "cloud", "--format", "json").data
    assert "golden" in {row["name"] for row in rows}
    assert list(rows[0]) == list(FIELDS["gateway template list"])
    run("gateway", "template", "delete", "cloud", "golden")
    assert "has no instance template" in run("gateway", "template", "delete", "cloud", "golden", expect=4).err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["add", "cloud"], 2, "--kind"),
        (["add", "cloud", "--kind", "nebula"], 2, "'nebula' is no kind of gateway"),
        (["add", "cloud", "--kind", "sim", "-o", "quota"], 2, "'quota' is no option"),
        (["add", "cloud", "--kind", "sim", "-o", "quota=x"], 2, "option quota"),
        (["show", "cloud"], 4, "there is no gateway 'cloud'"),
        (["sizes", "cloud"], 4, "there is no gateway 'cloud'"),
        (["template", "list", "static"], 2, "keeps no instance templates"),
        (["template", "create", "ghost", "golden"], 4, "no machine 'ghost'"),
        (["template", "upload", "local", "golden", "/no/where"], None, "/no/where"),
        (["remove", "local"], 2, "always there"),
    ],
)
def test_wrong_input_changes_nothing(run: Run, words: list[str], code: int | None, said: str) -> None:
    result = run("gateway", *words, expect=code)
    assert result.code in (1, 2, 4)
    assert said in result.err
    assert "Traceback" not in result.err
    assert [row["name"] for row in run("gateway", "list", "--format", "json").data] == ["local", "static"]
