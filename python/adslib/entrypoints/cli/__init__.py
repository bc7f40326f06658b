"""The command line: `ads <noun> <verb>`. Parse, call one use case, present."""

from __future__ import annotations

from adslib.entrypoints.cli.application import main

__all__ = ["main"]
