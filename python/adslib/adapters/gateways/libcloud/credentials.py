"""Who asks: found where each provider's own tools look, in the environment or in a file; never in the store."""

from __future__ import annotations

import os
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as BadFile
from pathlib import Path

from adslib.domain.errors import Failed, Invalid

SECRETS = ("key", "password", "private_key", "secret", "secret_key", "token")
"""Names that somebody may give an option with a secret."""


def refuse_secrets(gateway: str, options: Mapping[str, object]) -> None:
    """Refuse options that hold a secret: they would lie in the store for all to read.

    Raises:
        Invalid: there is one; its value is not repeated.
    """
    given = sorted(name for name in options if name.lower() in SECRETS or name.lower().endswith(SECRETS[1:]))
    if given:
        raise Invalid(
            f"option {given[0]} is for a secret, and options are kept in the store",
            place=f"gateway {gateway}",
            remedy="leave it out, and set the provider's environment variables, or name a file: option 'credentials'",
        )


def read_credentials(
    gateway: str, needed: Mapping[str, str], wanted: Mapping[str, str], file: Path | None, profile: str
) -> dict[str, str]:
    """The credentials, by the names of the library's arguments.

    Args:
        needed: argument → environment variable. wanted: the same, of what may be absent.
        file: an INI file with the same names, in any case, as `~/.aws/credentials` has them; it goes before the
            environment. profile: its section.

    Raises:
        Failed: something is missing, or the file cannot be read.
    """
    found = _section(gateway, file, profile) if file else os.environ
    values = {variable: found.get(variable, "") for variable in (*needed.values(), *wanted.values())}
    missing = [variable for variable in needed.values() if not values[variable]]
    if missing:
        place = f"section [{profile}] of {file}" if file else "the environment of ads"
        raise Failed(
            f"there are no credentials: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in {place}",
            place=f"gateway {gateway}",
            remedy="set them there" if file else "set them, or name a file that has them by the option 'credentials'",
        )
    both = {**needed, **wanted}
    return {argument: values[variable] for argument, variable in both.items() if values[variable]}


def _section(gateway: str, file: Path, profile: str) -> Mapping[str, str]:
    reader = ConfigParser(interpolation=None, default_section="")
    try:
        reader.read_string(file.expanduser().read_text())
    except (OSError, UnicodeDecodeError, BadFile) as error:
        # What the parser says may repeat a line, which may hold a secret.
        why = error.strerror if isinstance(error, OSError) else "it is no INI file"
        remedy = "give it sections with lines like AWS_ACCESS_KEY_ID = …, and let only your user read it"
        raise Failed(f"{file} cannot be read: {why}", place=f"gateway {gateway}", remedy=remedy) from None
    if not reader.has_section(profile):
        there = ", ".join(reader.sections()) or "none"
        remedy = f"set the option 'profile' to one of its sections: {there}"
        raise Failed(f"{file} has no section [{profile}]", place=f"gateway {gateway}", remedy=remedy)
    return {name.upper(): value for name, value in reader.items(profile)}
