"""Settings: environment variables first, then `ads.toml`, then defaults; one place reads them all."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adslib.domain.errors import Invalid
from adslib.domain.machine import DEFAULT_SIZES, Size

KEYS = ("database_url", "broker_url", "home", "sizes")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a process of ads needs to know before it opens anything.

    Args:
        home: directory of the store, machines, artifacts and known hosts.
        database_url: SQLAlchemy URL. sizes: by name, smallest first.
    """

    home: Path
    database_url: str
    sizes: Mapping[str, Size]


def read_settings(environ: Mapping[str, str] | None = None, database_url: str = "") -> Settings:
    """Read the settings of this process.

    Args:
        environ: environment variables, default the process's own. database_url: wins over everything.

    Raises:
        Invalid: `ads.toml` cannot be read or says something unknown.
    """
    environ = os.environ if environ is None else environ
    written, path = _read_file(environ)
    named = environ.get("ADS_HOME") or str(written.get("home", "")) or _default_home(environ)
    home = Path(named).expanduser().absolute()
    url = database_url or environ.get("ADS_DATABASE_URL") or str(written.get("database_url", ""))
    sizes = _sizes(written["sizes"], path) if "sizes" in written else {size.name: size for size in DEFAULT_SIZES}
    return Settings(home, url or f"sqlite:///{home / 'ads.db'}", sizes)


def _default_home(environ: Mapping[str, str]) -> str:
    data = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return f"{data}/ads"


def _read_file(environ: Mapping[str, str]) -> tuple[dict[str, Any], str]:
    named = environ.get("ADS_CONFIG")
    folder = environ.get("XDG_CONFIG_HOME") or "~/.config"
    for candidate in [named] if named else ["ads.toml", f"{folder}/ads/ads.toml"]:
        path = Path(candidate).expanduser()
        if not path.is_file():
            if named:
                raise Invalid("there is no such file", place=f"ADS_CONFIG={named}", remedy="name one that exists")
            continue
        try:
            written = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
            raise Invalid(f"it cannot be read: {error}", place=str(path), remedy="mend the file") from None
        unknown = [key for key in written if key not in KEYS]
        if unknown:
            raise Invalid(f"unknown setting '{unknown[0]}'", place=str(path), remedy=f"known: {', '.join(KEYS)}")
        return written, str(path)
    return {}, ""


def _sizes(written: Any, path: str) -> dict[str, Size]:
    try:
        found = [Size(name, float(v["cpu"]), int(v["memory"]), int(v.get("disk", 0))) for name, v in written.items()]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Invalid(
            "a size needs cpu (cores) and memory (MiB)",
            place=f"{path} sizes",
            remedy="write for example: small = {cpu = 1, memory = 1024, disk = 10}",
        ) from None
    return {size.name: size for size in sorted(found, key=lambda s: (s.cpu, s.memory, s.disk))}
