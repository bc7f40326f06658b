"""Looks for roles as ansible-core does, in a process of its own: prints those it does not find, as JSON."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def missing(names: list[str]) -> list[str]:
    """Those of the roles that are neither in a collection nor on the roles path of this directory."""
    from ansible import constants
    from ansible.utils.collection_loader import AnsibleCollectionConfig
    from ansible.utils.collection_loader._collection_finder import (
        _AnsibleCollectionFinder,
        _get_collection_role_path,
    )

    if not AnsibleCollectionConfig.collection_finder:
        _AnsibleCollectionFinder(constants.COLLECTIONS_PATHS)._install()
    folders = [*map(Path, constants.DEFAULT_ROLES_PATH), Path("roles"), Path()]

    def found(name: str) -> bool:
        if name.count(".") >= 2:
            return _get_collection_role_path(name) is not None
        return any((folder / name).is_dir() for folder in folders)

    return [name for name in names if not found(name)]


if __name__ == "__main__":
    print(json.dumps(missing(sys.argv[1:])))
