"""How tests run `ads`, and what they get back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from servers import LONGEST

SHOP = """
environment: shop
parameters: {count: {type: int, default: 1}, version: {type: str, default: "1.0"}}
components: {web: {version: "{{ version }}"}}
services:
  web: {component: web, instances: "{{ count }}", machine: {size: small}, ports: {http: 8080}}
datacenters: {west: {services: [web]}}
"""


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


Run = Callable[..., Result]


def in_process_of_its_own(*words: str, environ: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command line as users do."""
    return subprocess.run(
        [sys.executable, "-m", "adslib.entrypoints.cli", *words],
        capture_output=True,
        text=True,
        timeout=LONGEST,
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environ or {})},
    )
