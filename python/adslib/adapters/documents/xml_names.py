"""What XML and the plain tree call the same things (A2)."""

from __future__ import annotations

import re

NAMESPACE = "urn:ads:definition:1"
NAMED = ("component", "configuration", "service", "parameter", "level")
"""Elements that stand for an entry of a map and carry its key as ``name``."""
ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot carry, even escaped; such text is written in base64."""


def plural_of(kind: str, plural: str | None) -> str:
    """The key of a level in the tree."""
    return plural or f"{kind}s"
