"""The page on definitions says what the code does: every key is there, every whole example loads (A2)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from adslib.adapters.documents import load
from adslib.adapters.documents.checking import shipped

PAGE = (Path(__file__).parents[3] / "docs" / "definition.md").read_text(encoding="utf-8")
EXAMPLES = [
    (kind, text)
    for kind, text in re.findall(r"```(yaml|xml)\n(.*?)```", PAGE, re.DOTALL)
    if text.startswith(("environment:", "<environment"))
]


@pytest.mark.req("A2")
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_load(tmp_path: Path, number: int) -> None:
    kind, text = EXAMPLES[number]
    path = tmp_path / f"example.{kind}"
    path.write_text(text, encoding="utf-8")
    assert load(path).definition.services


@pytest.mark.req("A3")
def test_the_loop_of_the_page_makes_what_it_says(tmp_path: Path) -> None:
    (text,) = (text for _, text in EXAMPLES if "for_each" in text)
    path = tmp_path / "many.yml"
    path.write_text(text, encoding="utf-8")
    pods = load(path, {"count": 2}).definition.nodes
    assert [pod.name for pod in pods] == ["pod-1", "pod-2"]
    assert [placement.service for placement in pods[1].services] == ["web", "log"]
    assert pods[1].attributes == {"vars": {"number": 2}}


@pytest.mark.req("A2")
def test_every_key_of_the_schema_is_on_the_page() -> None:
    keys: set[str] = set()
    pending: list[Any] = [shipped()]
    while pending:
        here = pending.pop()
        if isinstance(here, dict):
            keys |= set(here["properties"]) if isinstance(here.get("properties"), dict) else set()
            pending.extend(here.values())
        elif isinstance(here, list):
            pending.extend(here)
    assert sorted(key for key in keys if not re.search(rf"\b{key}\b", PAGE)) == []
