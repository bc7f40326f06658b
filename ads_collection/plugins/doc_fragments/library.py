# Copyright: the ads contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What everything that works on the store has."""

from __future__ import annotations


class ModuleDocFragment:
    """Options that are the same everywhere; of modules also C(ads.deploy.library.module)."""

    DOCUMENTATION = r"""
options:
  database:
    description:
      - URL of the store, C(sqlite:///…) or C(postgresql+psycopg://…).
      - Without it E(ADS_DATABASE_URL) counts, then C(ads.toml), then C(ads.db) in E(ADS_HOME).
    type: str
  actor:
    description: Who acts. Without it the user of the operating system.
    type: str
requirements:
  - adslib, in the version of the collection
"""

    MODULE = r"""
attributes:
  check_mode:
    description: Can run in check mode and say what would change.
  diff_mode:
    description: Shows what differs.
notes:
  - The module runs in the controller's own process, whatever host the task is for.
"""
