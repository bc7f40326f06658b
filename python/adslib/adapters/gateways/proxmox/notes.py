"""What ads notes about a machine in its description at Proxmox VE, and by what it is found in the list."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

NOTE = re.compile(r"^ads((?: \w+=\S*)+)", re.MULTILINE)
MAKING = "ads-making"
"""The tag of a machine that was never started yet."""


@dataclass(frozen=True, slots=True)
class Note:
    """What ads wrote into the description when it made something; it is no longer true of a copy.

    Args:
        vmid: the number of what was made. order: the id of the order. template: the name, if it is to be one.
    """

    vmid: int
    order: str = ""
    template: str = ""
    size: str = ""
    os: str = ""
    image: str = ""

    def __str__(self) -> str:
        facts = {"vmid": self.vmid, "order": self.order, "template": self.template}
        known = {**facts, "size": self.size, "os": self.os, "image": self.image}
        return "ads " + " ".join(f"{key}={value}" for key, value in known.items() if value)

    @property
    def tag(self) -> str:
        """By this tag the machine of an order is found in the list; Proxmox VE keeps no capitals."""
        return f"ads-{self.vmid}-{self.order}".lower()

    @property
    def first_name(self) -> str:
        """What the machine of an order is called until it has its tag; a name has no other characters."""
        return "ads-" + re.sub(r"[^a-z0-9-]", "-", self.order.lower())[:58].strip("-")


def noted(vmid: int, config: Mapping[str, Any]) -> Note:
    """What the description of a machine says about it; an empty note if it says nothing, or was copied."""
    found = NOTE.search(config.get("description") or "")
    facts = dict(part.split("=", 1) for part in found[1].split()) if found else {}
    if facts.pop("vmid", "") != str(vmid):
        return Note(vmid)
    return Note(vmid, **{key: value for key, value in facts.items() if key in Note.__dataclass_fields__})


def tagged(vmid: int, tags: Collection[str]) -> Note:
    """What the tags of a machine say about it, where its description says nothing."""
    start = f"ads-{vmid}-"
    return Note(vmid, next((tag.removeprefix(start) for tag in tags if tag.startswith(start)), ""))


def kept(tags: Collection[str]) -> set[str]:
    """The tags that are not ours."""
    return {tag for tag in tags if tag and not tag.startswith("ads-")}
