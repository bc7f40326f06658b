"""Settings: environment variables first, then `ads.toml`, then defaults; one place reads them all."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adslib.domain.errors import Invalid
from adslib.domain.machine import DEFAULT_SIZES, Size, size_order

TEXTS = ("database_url", "broker_url", "home")
KEYS = (*TEXTS, "sizes")


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
        return _read(path.absolute()), str(path.absolute())
    return {}, ""


def _read(path: Path) -> dict[str, Any]:
    text = ""
    try:
        text = path.read_text(encoding="utf-8")
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason, _, where = str(error).rstrip(")").partition(" (at ")
        line = re.match(r"line (\d+)", where)
        number = int(line[1]) if line else len(text.splitlines())
        raise Invalid(f"this is no TOML: {reason}", place=f"{path}:{number}", remedy="mend this line") from None
    except (OSError, UnicodeError) as error:
        raise Invalid(f"it cannot be read: {error}", place=str(path), remedy="mend the file") from None
    for key, value in written.items():
        if key not in KEYS:
            raise Invalid(f"unknown setting '{key}'", place=_place(path, key), remedy=f"known: {', '.join(KEYS)}")
        if key in TEXTS and not isinstance(value, str):
            raise Invalid(f"{key} is a text", place=_place(path, key), remedy=f'write {key} = "…"')
    return written


def _place(path: str | Path, key: str) -> str:
    """The file, with the line on which a setting begins."""
    begins = re.compile(rf"""\s*\[*\s*["']?{re.escape(key)}\b""")
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return next((f"{path}:{number}" for number, line in enumerate(lines, 1) if begins.match(line)), str(path))


def _sizes(written: Any, path: str) -> dict[str, Size]:
    try:
        found = [Size(name, float(v["cpu"]), int(v["memory"]), int(v.get("disk", 0))) for name, v in written.items()]
    except (AttributeError, KeyError, TypeError, ValueError):
        raise Invalid(
            "a size needs cpu (cores) and memory (MiB)",
            place=f"{_place(path, 'sizes')} sizes",
            remedy="write for example: small = {cpu = 1, memory = 1024, disk = 10}",
        ) from None
    return {size.name: size for size in sorted(found, key=size_order)}
