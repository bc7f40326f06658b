"""How a command ends: an exit code, and for every error one line that says what to do; never a traceback."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from adslib.domain.errors import AdsError
from adslib.entrypoints.cli.presenting import Format, harmless, show_data
from adslib.entrypoints.cli.session import Choice

PASSWORD = re.compile(r"://[^@/\s]+@")


@contextmanager
def ending(said: Choice) -> Iterator[None]:
    """Turn what a command raises into messages on standard error and an exit code.

    Args:
        said: on the command line, as far as it was read.
    """
    try:
        yield
    except AdsError as error:
        complain(error, said.format)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("Error: interrupted", file=sys.stderr)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our output has seen enough, as in `ads machine list | head`.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
        sys.exit(1)
    except Exception as error:
        if os.environ.get("ADS_DEBUG"):
            raise
        print(f"Error: ads has a defect: {type(error).__name__}: {_one_line(error)}", file=sys.stderr)
        print(_kept(), file=sys.stderr)
        sys.exit(1)


def complain(error: AdsError, format: Format = Format.TABLE) -> None:
    """Print an error: a line for each problem, with its place and remedy; for programs a document with its code."""
    if format is not Format.TABLE:
        told = {"code": error.code, "message": str(error), "problems": [asdict(each) for each in error.problems]}
        show_data(told, format, sys.stderr)
        return
    for problem in error.problems:
        print(f"Error: {harmless(str(problem), lines=True)}", file=sys.stderr)


def _one_line(error: Exception) -> str:
    return _without_passwords(" ".join(str(error).split())[:300])


def _without_passwords(text: str) -> str:
    return PASSWORD.sub("://…@", text)


def _kept() -> str:
    """Write the traceback of the present error into a file; says where it is."""
    with suppress(Exception):
        from adslib.adapters.settings import read_settings

        folder = read_settings().home / "crashes"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}.txt"
        words = " ".join(Path(word).name if index == 0 else word for index, word in enumerate(sys.argv))
        path.write_text(_without_passwords(f"{words}\n\n{traceback.format_exc()}"), encoding="utf-8")
        return f"Please report it with {path}; ADS_DEBUG=1 shows it here."
    return "Please report it; ADS_DEBUG=1 shows where."
