"""Rendered trees to read, and what is said of wrong ones."""

from __future__ import annotations

from typing import Any

import pytest

from adslib.domain.errors import Invalid
from adslib.domain.reading import read


def tree(**parts: Any) -> dict[str, Any]:
    """A small right document, with some parts replaced or added."""
    return {
        "environment": "shop",
        "components": {"web": {"version": "1.0", "package": "nginx"}},
        "services": {"web": {"component": "web", "ports": {"http": 80}}},
        **parts,
    }


def told(document: Any) -> str:
    """All problems of a document, as text."""
    with pytest.raises(Invalid) as caught:
        read(document)
    return str(caught.value)
