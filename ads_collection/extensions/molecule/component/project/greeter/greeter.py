"""Says its greeting and stays."""

from __future__ import annotations

import sys
import time
from pathlib import Path

print(Path(sys.argv[1]).read_text(encoding="utf-8"), flush=True)
while True:
    time.sleep(60)
