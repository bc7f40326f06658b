"""The first process of a run: takes the environment from the pipe and becomes `ansible-playbook`."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> None:
    """Read `KEY=value` pairs, separated by NUL, from the pipe that the engine offers; then exec the given command."""
    pipe = Path(os.environ.pop("ADS_ENVIRONMENT_PIPE"))
    with pipe.open("rb") as stream:
        pairs = (item.partition(b"=") for item in stream.read().split(b"\0") if item)
        handed = {key.decode(): value.decode() for key, _, value in pairs}
    pipe.unlink()
    os.execvpe(sys.argv[1], sys.argv[1:], {**handed, **os.environ})


if __name__ == "__main__":
    main()
