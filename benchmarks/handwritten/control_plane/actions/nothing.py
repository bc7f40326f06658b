"""The least that a task can do."""

from __future__ import annotations

from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Does nothing."""

    def run(self, tmp=None, task_vars=None):
        """Return at once."""
        return {"changed": False}
