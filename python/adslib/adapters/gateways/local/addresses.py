"""Which addresses local machines may have: Linux answers on all of 127.0.0.0/8 without configuration."""

from __future__ import annotations

import ipaddress

from adslib.domain.errors import Invalid

LOOPBACK = ipaddress.IPv4Network("127.0.0.0/8")


def checked(address: str) -> str:
    """Return a loopback address in its usual form.

    Raises:
        Invalid: it is none.
    """
    try:
        known = ipaddress.IPv4Address(address)
    except ValueError:
        known = ipaddress.IPv4Address(0)
    if known not in LOOPBACK or known.packed[1:] in (b"\0\0\1", b"\0\0\0", b"\xff\xff\xff"):
        raise Invalid(
            f"'{address}' is no address for a local machine", remedy=f"use one of {LOOPBACK} other than 127.0.0.1"
        )
    return str(known)
