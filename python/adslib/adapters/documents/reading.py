"""One file to nodes, by its suffix; refused early if it is too large, not text, or of an unknown kind (A2)."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

from adslib.adapters.documents.limits import FILE_BYTES
from adslib.adapters.documents.nodes import Faults, Node
from adslib.domain.errors import Invalid, NotFound


def read_file_text(path: Path) -> str:
    """The text of a file.

    Raises:
        NotFound: there is no such file. Invalid: too large, not a plain file, not UTF-8, or unreadable.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise NotFound(f"there is no file '{path}'", remedy="check the path") from None
    except OSError as error:
        raise Invalid(
            f"cannot be read: {error.strerror}", place=str(path), remedy="check the path and rights"
        ) from None
    about = os.fstat(descriptor)
    if not stat.S_ISREG(about.st_mode):
        os.close(descriptor)
        raise Invalid("this is no file", place=str(path), remedy="name a YAML, XML or JSON file")
    with os.fdopen(descriptor, "rb") as file:
        data = file.read(FILE_BYTES + 1) if about.st_size <= FILE_BYTES else b""
    if about.st_size > FILE_BYTES or len(data) > FILE_BYTES:
        raise Invalid(
            f"the file has {about.st_size:,} bytes; a definition has at most {FILE_BYTES:,}",
            place=str(path),
            remedy="split it by 'include', and keep data in files of the project",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Invalid("this is not UTF-8 text", place=f"{path}:{line}", remedy="save the file as UTF-8") from None


def yaml_nodes(text: str, file: str, faults: Faults) -> Node:
    """Read YAML."""
    from adslib.adapters.documents.yaml_reading import read_yaml

    return read_yaml(text, file, faults)


def xml_nodes(text: str, file: str, faults: Faults) -> Node:
    """Read XML."""
    from adslib.adapters.documents.xml_reading import read_xml

    return read_xml(text, file, faults)


def json_nodes(text: str, file: str, faults: Faults) -> Node:
    """Read JSON."""
    from adslib.adapters.documents.json_reading import read_json

    return read_json(text, file, faults)


READERS: dict[str, Callable[[str, str, Faults], Node]] = {
    ".yml": yaml_nodes,
    ".yaml": yaml_nodes,
    ".xml": xml_nodes,
    ".json": json_nodes,
}


def read_nodes(path: Path, file: str, faults: Faults) -> Node:
    """Read one file into nodes.

    Args:
        path: the file. file: its name in messages.
        faults: where what is refused is noted, as long as reading can go on.

    Raises:
        NotFound: there is no such file. Invalid: it cannot be read on; the message has file and line.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise Invalid(
            f"'{path.suffix or path.name}' is no kind of definition",
            place=file,
            remedy=f"name the file {', '.join(READERS)}",
        )
    node = reader(read_file_text(path), file, faults)
    if not isinstance(node.value, dict):
        raise Invalid("a definition is a map of keys", place=str(node.place), remedy="begin with 'environment: name'")
    return node
