# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of the store are data: no ansible-core takes them for templates."""

from __future__ import annotations

from ansible.release import __version__
from ansible.utils.unsafe_proxy import wrap_var

TRUST_IS_GIVEN = tuple(int(part) for part in __version__.split(".")[:2]) >= (2, 19)
"""Since ansible-core 2.19 only what is marked as trusted is a template; before, all is that is not marked unsafe."""


class Untrusted:
    """Marks strings unsafe where ansible-core needs it; what several values share is marked once and stays shared."""

    def __init__(self):
        self._marked = {}

    def __call__(self, value):
        """The same value, its strings and keys marked; on newer cores the value itself."""
        return value if TRUST_IS_GIVEN else self._mark(value)

    def _mark(self, value):
        if isinstance(value, str):
            return wrap_var(value)
        if not isinstance(value, (dict, list, tuple)):
            return value
        known = self._marked.get(id(value))
        if known is None:
            if isinstance(value, dict):
                marked = {self._mark(key): self._mark(item) for key, item in value.items()}
            else:
                marked = [self._mark(item) for item in value]
            # The original is kept too: its id must not be given to another object meanwhile.
            known = self._marked[id(value)] = (value, marked)
        return known[1]
