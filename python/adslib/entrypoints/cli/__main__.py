"""`python -m adslib.entrypoints.cli` is `ads`."""

from __future__ import annotations

from adslib.entrypoints.cli.application import main

if __name__ == "__main__":
    main()
