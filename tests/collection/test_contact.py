"""What a machine is found to be when it is first reached, and why a task failed on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adslib.adapters.gateways.directories.system import release, system_of
from collection.module_stage import Player, Task


def contact(*systems: str) -> Task:
    """A task that reaches this host for an instance that asks for each of these systems."""
    asking: list[dict[str, Any]] = [{"id": f"web-{number}", "os": asked} for number, asked in enumerate(systems, 1)]
    return {"name": "contact", "ads.deploy.contact": {"timeout": 10}, "vars": {"ads_instances": asking}}


@pytest.mark.req("A24")
def test_another_system_than_is_asked_for_is_refused(tmp_path: Path) -> None:
    """Its family, its release and every release that begins so are what is asked for; nothing else is."""
    here, family = system_of(), release()["ID"]
    results = Player(tmp_path, "")(
        contact(), contact("", here, family), contact(here, "plan9-4"), contact(f"{here}1"), contact(here[:-1])
    )
    assert [result["failed"] for result in results] == [False, False, True, True, True]
    assert results[2]["msg"] == (
        f"localhost runs {here}, but web-2 asks for plan9-4, so nothing is done there: "
        f"say what it is with ads machine add localhost --os {here}, and deploy again"
    )


@pytest.mark.req("A16")
def test_the_first_item_that_failed_is_the_cause(tmp_path: Path) -> None:
    looped: Task = {
        "name": "loop",
        "ansible.builtin.fail": {"msg": "no {{ item }}"},
        "loop": ["bread", "wine", "salt"],
        "when": "item != 'bread'",
    }
    told: Task = {"name": "tell", "ansible.builtin.debug": {"msg": "{{ result_0 | ads.deploy.cause }}"}}
    _, result = Player(tmp_path, "")(looped, told)
    assert result["msg"] == "no wine"
