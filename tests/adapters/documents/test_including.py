"""``include``: files merged into one tree, and every way in which they may not fit together (A2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from adslib.adapters.documents import collect
from adslib.domain.errors import Invalid


def lay(folder: Path, **files: str) -> Path:
    """Write files (``__`` stands for ``/``, all are YAML); the path of ``top``."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / "top.yml"


def told(path: Path) -> str:
    """Why the files are refused, without their folder."""
    with pytest.raises(Invalid) as caught:
        collect(path)
    return str(caught.value).replace(f"{path.parent}/", "")


@pytest.mark.req("A2")
def test_maps_join_by_key_in_the_order_of_the_files(tmp_path: Path) -> None:
    top = lay(
        tmp_path,
        top="environment: x\ninclude: [parts/*.yml]\nservices: {a: {roles: [r]}}",
        parts__2="services: {c: {roles: [r]}, a: {instances: 2}}",
        parts__1="services: {b: {roles: [r]}}\nproject: p",
    )
    draft = collect(top)
    assert draft.tree == {
        "environment": "x",
        "services": {"a": {"roles": ["r"], "instances": 2}, "b": {"roles": ["r"]}, "c": {"roles": ["r"]}},
        "project": "p",
    }
    assert list(draft.tree["services"]) == ["a", "b", "c"]
    assert str(draft.sources["services", "a", "instances"]) == f"{tmp_path}/parts/2.yml:1"


@pytest.mark.req("A2")
def test_fragments_include_further_and_a_file_is_merged_once(tmp_path: Path) -> None:
    top = lay(
        tmp_path,
        top="environment: x\ninclude: [a/one.yml, b/two.yml]",
        a__one="include: [../c/shared.yml]\nservices: {one: {}}",
        b__two="include: [../c/*.yml]\nservices: {two: {}}",
        c__shared="services: {shared: {}}",
    )
    assert list(collect(top).tree["services"]) == ["one", "shared", "two"]


@pytest.mark.req("A2")
def test_equal_values_agree_and_others_are_refused_with_both_places(tmp_path: Path) -> None:
    top = lay(
        tmp_path,
        top="environment: x\ninclude: [b.yml]\ncommon: {services: [a]}\nservices:\n  a: {instances: 1}\n",
        b="environment: x\ncommon: {services: [b]}\nservices:\n  a:\n    instances: true\n",
    )
    assert told(top).splitlines() == [
        "b.yml:2 common.services: 'common.services' is also given in top.yml:3, and differs. "
        "Keep one of the two; lists are not joined",
        "b.yml:5 services.a.instances: 'services.a.instances' is also given in top.yml:5, and differs. "
        "Keep one of the two; lists are not joined",
    ]


@pytest.mark.req("A2")
def test_a_cycle_is_shown_as_the_path(tmp_path: Path) -> None:
    top = lay(tmp_path, top="include: [a.yml]", a="include: [b.yml]", b="include: [a.yml]")
    assert "b.yml:1 include: files include each other: a.yml → b.yml → a.yml" in told(top)
    assert "top.yml → top.yml" in told(lay(tmp_path, top="include: ['*.yml']"))


@pytest.mark.req("A2")
@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("none/*.yml", "top.yml:1 include: no file matches 'none/*.yml'"),
        ("/etc/*.yml", "'/etc/*.yml' is absolute. Write a pattern relative to this file"),
        ("'{{ a }}.yml'", "a pattern holds no expression"),
        ("1", "a pattern is a text"),
        ("../*.yml", "lies outside the project"),
        ("link.yml", "lies outside the project"),
        ("data.txt", "'.txt' is no kind of definition"),
    ],
)
def test_patterns_refused(tmp_path: Path, pattern: str, message: str) -> None:
    project = tmp_path / "project"
    top = lay(project, top=f"include: [{pattern}]")
    (tmp_path / "outside.yml").write_text("services: {}")
    (project / "data.txt").write_text("x")
    (project / "link.yml").symlink_to(tmp_path / "outside.yml")
    assert message in told(top)


@pytest.mark.req("A2")
def test_the_work_tree_is_the_project_of_a_document_in_git(tmp_path: Path) -> None:
    import subprocess

    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    lay(tmp_path, shared__a="services: {a: {}}")
    top = lay(tmp_path / "envs", top="include: [../shared/*.yml]")
    assert collect(top).tree == {"services": {"a": {}}}


@pytest.mark.req("A2")
def test_mistakes_of_several_fragments_are_told_together(tmp_path: Path) -> None:
    top = lay(tmp_path, top="include: [parts/*.yml]", parts__a="x: [\n", parts__b="- 1", parts__c="a: 1\na: 2")
    text = told(top)
    assert "parts/a.yml:2: this is no YAML" in text
    assert "parts/b.yml:1: a definition is a map of keys" in text
    assert "parts/c.yml:2: the key 'a' is given twice. It already stands in line 1" in text


@pytest.mark.req("A2")
def test_an_alias_that_is_joined_in_one_place_stays_as_it_is_in_the_other(tmp_path: Path) -> None:
    top = lay(tmp_path, top="include: [b.yml]\na: &a {x: 1}\nb: *a", b="b: {y: 2}")
    assert collect(top).tree == {"a": {"x": 1}, "b": {"x": 1, "y": 2}}
