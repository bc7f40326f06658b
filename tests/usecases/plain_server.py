"""A DNS server of plain dictionaries, which answers as a real one does and fails where a test wants it to."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from adslib.domain.dns import FORBIDDEN, TAKEN, RecordSet, types_of
from adslib.domain.errors import Failed

Key = tuple[str, str]


class Killed(BaseException):
    """A publisher ends here, as by kill -9."""


class Server:
    """Records by name and type, and which of them others wrote; it refuses as RFC 2136 says.

    Attributes:
        forbidden: the name that nobody may change. blind: the code with which it refuses to be looked at.
        before, after: what happens once, before the next message is read or after it is done; `looked`: after a look.
    """

    def __init__(self) -> None:
        self.has: dict[Key, tuple[str, ...]] = {}
        self.theirs: set[Key] = set()
        self.forbidden = ""
        self.blind = ""
        self.before: Callable[[], object] | None = None
        self.after: Callable[[], object] | None = None
        self.looked: Callable[[], object] | None = None
        self.messages: list[list[str]] = []
        """The names of each message that it took or refused."""

    def put(self, zone: str, sets: Iterable[RecordSet], standing: Iterable[RecordSet] = ()) -> None:
        """What `NameServer.put` does."""
        self._happens("before")
        told = list(sets)
        self.messages.append(list(dict.fromkeys(each.name for each in told)))
        if any(self.has.get((each.name, each.type), ()) != each.data for each in standing):
            raise Failed("YXRRSET", place=f"zone '{zone}'", code=TAKEN)
        if any(each.name == self.forbidden for each in told):
            raise Failed("REFUSED", place=f"zone '{zone}'", code=FORBIDDEN)
        for each in told:
            self.write(each.name, each.type, *each.data)
            self.theirs.discard((each.name, each.type))
        self._happens("after")

    def look(self, zone: str, names: Iterable[str]) -> list[RecordSet]:
        """What `NameServer.look` does."""
        if self.blind:
            raise Failed("it shows nothing", place=f"zone '{zone}'", code=self.blind)
        keys = [(name, type) for name in names for type in types_of(name)]
        found = [RecordSet(*key, 300, self.has[key]) for key in keys if key in self.has]
        self._happens("looked")
        return found

    def write(self, name: str, type: str, *data: str) -> None:
        """Let a name have these records; without data: none."""
        self.has.pop((name, type), None)
        if data:
            self.has[name, type] = data

    def others(self, name: str, type: str, *data: str) -> None:
        """Let a name have these records of somebody else's."""
        self.write(name, type, *data)
        self.theirs.add((name, type))

    def _happens(self, when: str) -> None:
        happens = getattr(self, when)
        setattr(self, when, None)
        if happens:
            happens()
