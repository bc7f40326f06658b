"""`ads template`: definitions with open parts."""

from __future__ import annotations

import pytest

from adslib.entrypoints.cli.fields import FIELDS
from entrypoints.cli.commanding import Run


@pytest.mark.req("A4")
def test_create_list_show_delete(run: Run, shop: str) -> None:
    words = ("template", "create", "golden", shop, "--open", "services/web/instances", "--description", "for shops")
    assert "would" not in run(*words, "--dry-run").err
    assert run("template", "list", "--format", "json").data == []
    assert run(*words).out == "template 'golden' created: open are services/web/instances\n"
    rows = run("template", "list", "--format", "json").data
    assert list(rows[0]) == list(FIELDS["template list"])
    assert "golden" in run("template", "list").out
    shown = run("template", "show", "golden", "--format", "json").data
    assert list(shown) == list(FIELDS["template show"])
    out = run("template", "show", "golden").out
    assert "description  for shops" in out
    assert "environment: shop" in out
    assert "use --replace" in run(*words, expect=3).err
    assert "unchanged" in run(*words, "--replace").out
    run("template", "delete", "golden", "--dry-run")
    run("template", "delete", "golden")
    assert "there is no template 'golden'" in run("template", "delete", "golden", expect=4).err


@pytest.mark.req("A4")
def test_save_an_environment(run: Run, shop: str) -> None:
    run("environment", "create", shop)
    run("template", "create", "saved", "--environment", "shop", "--open", "parameters/**")
    run("environment", "create", "--template", "saved", "--name", "north")
    assert run("template", "show", "saved", "--format", "json").data["used_by"] == ["north"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["create", "golden"], 2, "made of one thing"),
        (["create", "golden", "SHOP", "--environment", "shop", "--open", "x"], 2, "made of one thing"),
        (["create", "golden", "SHOP"], 2, "leaves nothing open"),
        (["create", "golden", "/no/where.yml", "--open", "x"], 4, "there is no file"),
        (["create", "golden", "--environment", "nowhere", "--open", "x"], 4, "there is no environment 'nowhere'"),
        (["create", "Golden!", "SHOP", "--open", "services"], 2, "is no name for a template"),
        (["show", "golden"], 4, "there is no template 'golden'"),
    ],
)
def test_wrong_input_changes_nothing(run: Run, shop: str, words: list[str], code: int, said: str) -> None:
    assert said in run("template", *(shop if word == "SHOP" else word for word in words), expect=code).err
    assert run("template", "list", "--format", "json").data == []
