"""A DNS server: changed by RFC 2136, read by AXFR, both signed with TSIG."""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import dns.query
import dns.rcode
import dns.tsig
import dns.update
import dns.xfr
import dns.zone

from adslib.adapters.dns.trouble import refusal, told
from adslib.domain.dns import REVERSE, RecordSet, types_of
from adslib.domain.errors import Failed
from adslib.domain.prefix import read_address
from adslib.domain.zone_setting import ZoneSetting

CONNECT = 5.0
ANSWER = 15.0
"""Seconds for the server to answer one message."""
TRANSFER = 120.0
"""Seconds for a whole zone."""
AT_ONCE = 250
"""Sets and records in one message: far below the 64 KiB that it may have."""


class NameServer:
    """The server of one zone and its reverse zones.

    Args:
        setting: where it is, and with which key. secret: of the key, in base64.

    Raises:
        Failed: the secret is no base64; the message never has it.
    """

    def __init__(self, setting: ZoneSetting, secret: str) -> None:
        self._setting = setting
        try:
            base64.b64decode(secret, validate=True)
        except (binascii.Error, ValueError):
            raise Failed(
                f"{setting.secret} holds no secret: it is no base64",
                place=f"zone '{setting.name}'",
                remedy="put the secret of the TSIG key there, in base64 as the server has it",
            ) from None
        self._key = dns.tsig.Key(setting.key_name, secret, setting.algorithm)

    def put(self, zone: str, sets: Iterable[RecordSet]) -> None:
        """Let names have these records and no others of the same types; to say it twice does no harm.

        Args:
            zone: the one that they lie in. sets: a set without data takes the records away.

        Raises:
            Failed: see `trouble`; some of it may have been done.
        """
        for part in _parts(sets):
            with told(self._setting, zone, "change"):
                self._send(zone, part)

    def records(self, zone: str) -> list[RecordSet]:
        """The records of a zone that ads looks at, in order.

        Raises:
            Failed: see `trouble`.
        """
        copy = dns.zone.Zone(f"{zone}.", relativize=False)
        with told(self._setting, zone, "transfer"):
            query, _ = dns.xfr.make_query(copy, serial=None, keyring=self._key)
            with self._connected() as connection:
                where = connection.getpeername()[0]
            dns.query.inbound_xfr(where, copy, query, port=self._setting.port, timeout=ANSWER, lifetime=TRANSFER)
        found = ((name.to_text().lower(), each.rdtype.name, each) for name, node in copy.nodes.items() for each in node)
        return sorted(
            RecordSet(name, type, each.ttl, tuple(sorted(_written(type, record.to_text()) for record in each)))
            for name, type, each in found
            if type in types_of(name)
        )

    def _send(self, zone: str, sets: Sequence[RecordSet]) -> None:
        message = dns.update.UpdateMessage(f"{zone}.", keyring=self._key)
        for each in sets:
            message.delete(each.name, each.type)
            if each.data:
                message.add(each.name, each.ttl, each.type, *each.data)
        with self._connected() as connection:
            connection.setblocking(False)
            answer = dns.query.tcp(message, "", timeout=ANSWER, sock=connection)
        if answer.rcode() != dns.rcode.NOERROR:
            raise refusal(self._setting, zone, "change", answer.rcode())
        if not answer.had_tsig:
            raise ConnectionError("its answer is not signed")

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        """A connection to the first address of the server that takes one."""
        with socket.create_connection((self._setting.server, self._setting.port), CONNECT) as connection:
            yield connection


def _parts(sets: Iterable[RecordSet]) -> Iterator[list[RecordSet]]:
    """The sets in lists that fit into one message."""
    part: list[RecordSet] = []
    size = 0
    for each in sets:
        weight = 1 + len(each.data)
        if part and size + weight > AT_ONCE:
            yield part
            part, size = [], 0
        part.append(each)
        size += weight
    if part:
        yield part


def _written(type: str, data: str) -> str:
    """A record's data in the form in which ads writes it; there are several forms of one IPv6 address."""
    return data.lower() if type == REVERSE else str(read_address(data))
