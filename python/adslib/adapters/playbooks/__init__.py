"""Playbooks: the engine's body, run through ansible-runner."""

from adslib.adapters.playbooks.engine import Playbooks, Run

__all__ = ["Playbooks", "Run"]
