"""Tables as CSV files: a line a thing, a column a value; lists and maps within a cell, none of it lost (I7)."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from adslib.domain.errors import Invalid, Problem
from adslib.domain.reading.findings import did_you_mean


def write_table(stream: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV, under a line with the names of the columns."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)


def read_table(path: str, columns: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    """The rows of a CSV file, each with its place, `file:line`.

    Args:
        path: of the file; `-`: standard input. columns: the names that there may be.

    Raises:
        Invalid: it cannot be read, or everything in it that is no such table.
    """
    if path == "-":
        return _read(sys.stdin, "standard input", columns)
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as stream:
            return _read(stream, path, columns)
    except OSError as error:
        raise Invalid(f"'{path}' cannot be read: {error.strerror}", remedy="name a CSV file") from None
    except UnicodeDecodeError:
        raise Invalid(f"'{path}' is no text in UTF-8", remedy="save it as CSV in UTF-8") from None


def _read(stream: TextIO, name: str, columns: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    problems: list[Problem] = []
    rows: list[tuple[str, dict[str, Any]]] = []
    header: list[str] = []
    for line, cells in _records(stream, name):
        place = f"{name}:{line}"
        if not header:
            header = [cell.strip().lower() for cell in cells]
            problems += [
                Problem(f"no column is called '{word}'", place, did_you_mean(word, columns))
                for word in header
                if word not in columns
            ]
            problems += [
                Problem(f"column '{word}' comes twice", place, "name it once")
                for word in sorted({word for word in header if header.count(word) > 1})
            ]
        elif len(cells) != len(header):
            remedy = f"write {len(header)}, as in the first line"
            problems.append(Problem(f"it has {len(cells)} cells", place, remedy))
        else:
            rows.append((place, dict(zip(header, (_value(cell) for cell in cells), strict=True))))
    if problems:
        raise Invalid(problems=problems)
    if not header:
        raise Invalid(f"{name} is empty", remedy="write the names of the columns into its first line")
    return rows


def _records(stream: TextIO, name: str) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not empty, with the number of its first line."""
    reader = csv.reader(stream, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(
            f"it is no CSV: {error}", place=f"{name}:{line}", remedy="quote cells with quotes in them"
        ) from None


def _cell(value: Any) -> str:
    """A value in a cell; lists and maps that commas would tear apart are JSON."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        parts = [f"{key}={each}" for key, each in value.items()]
    elif isinstance(value, list):
        parts = [str(each) for each in value]
    else:
        return str(value)
    plain = ", ".join(parts)
    return json.dumps(value, ensure_ascii=False) if _torn(parts) else plain


def _torn(parts: list[str]) -> bool:
    return any("," in part or part != part.strip() or part[0] in "[{" for part in parts)


def _value(cell: str) -> Any:
    if cell.startswith(("[", "{")):
        try:
            return json.loads(cell)
        except ValueError:
            return cell
    return cell.strip()
