"""Definitions from files and back: YAML, XML, JSON, includes, parameters, git (A2).

``load`` is the way in; what it needs is imported when it is called, so that the rendering child starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from adslib.adapters.documents.loading import (
        Document,
        Draft,
        collect,
        dump_xml,
        dump_yaml,
        load,
        loads_tree,
        read_tree,
        renamed,
        restored,
    )
    from adslib.adapters.documents.nodes import Place

__all__ = [
    "Document",
    "Draft",
    "Place",
    "collect",
    "dump_xml",
    "dump_yaml",
    "load",
    "loads_tree",
    "read_tree",
    "renamed",
    "restored",
]


def __getattr__(name: str) -> object:
    """Import a public name on its first use."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.loading"), name)
