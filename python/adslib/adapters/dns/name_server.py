"""A DNS server: changed by RFC 2136, read by AXFR, both signed with TSIG."""

from __future__ import annotations

import base64
import binascii
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import dns.message
import dns.query
import dns.rcode
import dns.rdataset
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

    def put(self, zone: str, sets: Iterable[RecordSet], standing: Iterable[RecordSet] = ()) -> None:
        """Let names have these records and no others of the same types; to say it twice does no harm.

        All goes in one message, and all of it is done or nothing.

        Args:
            zone: the one that they lie in. sets: a set without data takes the records away.
            standing: nothing is done unless exactly this stands there; of a set without data: nothing of its type.

        Raises:
            Failed: see `trouble`; code `dns-taken`: something else stands there.
        """
        message = dns.update.UpdateMessage(f"{zone}.", keyring=self._key)
        for each in standing:
            if each.data:
                message.present(each.name, each.type, *each.data)
            else:
                message.absent(each.name, each.type)
        for each in sets:
            message.delete(each.name, each.type)
            if each.data:
                message.add(each.name, each.ttl, each.type, *each.data)
        with told(self._setting, zone, "change"), self._connected() as connection:
            self._asked(connection, zone, "change", message, [dns.rcode.NOERROR])

    def look(self, zone: str, names: Iterable[str]) -> list[RecordSet]:
        """The records that certain names of a zone have, of the types that ads writes.

        What a wildcard says of a name counts as its own, though nothing stands there.

        Raises:
            Failed: see `trouble`.
        """
        found: list[RecordSet] = []
        with told(self._setting, zone, "query"), self._connected() as connection:
            for key in ((name, type) for name in names for type in types_of(name)):
                question = dns.message.make_query(*key, flags=0)
                question.use_tsig(self._key)
                fine = [dns.rcode.NOERROR, dns.rcode.NXDOMAIN]
                answer = self._asked(connection, zone, "query", question, fine).answer
                # What an alias leads to stands behind it, under a name of its own.
                own = [each for each in answer if (each.name.to_text().lower(), each.rdtype.name) == key]
                found += [_set_of(*key, each) for each in own]
        return found

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
        return sorted(_set_of(name, type, each) for name, type, each in found if type in types_of(name))

    def _asked(
        self, connection: socket.socket, zone: str, doing: str, message: dns.message.Message, fine: Sequence[int]
    ) -> dns.message.Message:
        """The answer to a message, if it is a fine one."""
        connection.setblocking(False)
        answer = dns.query.tcp(message, "", timeout=ANSWER, sock=connection)
        if answer.rcode() not in fine:
            raise refusal(self._setting, zone, doing, answer.rcode())
        if not answer.had_tsig:
            raise ConnectionError("its answer is not signed")
        return answer

    @contextmanager
    def _connected(self) -> Iterator[socket.socket]:
        """A connection to the first address of the server that takes one."""
        with socket.create_connection((self._setting.server, self._setting.port), CONNECT) as connection:
            yield connection


def _set_of(name: str, type: str, found: dns.rdataset.Rdataset) -> RecordSet:
    return RecordSet(name, type, found.ttl, tuple(sorted(_written(type, record.to_text()) for record in found)))


def _written(type: str, data: str) -> str:
    """A record's data in the form in which ads writes it; there are several forms of one IPv6 address."""
    return data.lower() if type == REVERSE else str(read_address(data))
