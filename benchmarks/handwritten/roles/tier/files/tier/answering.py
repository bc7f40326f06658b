"""What a server answers."""

from __future__ import annotations

import json


def answer(configuration: dict[str, object], about: str, below: object) -> bytes:
    """The answer as JSON, without addresses: two deployments of the same answer the same."""
    own = {name: configuration[name] for name in ("service", "index", "greeting")}
    return json.dumps({**own, "about": about, "below": below}).encode()
