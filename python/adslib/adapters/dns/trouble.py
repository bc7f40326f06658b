"""What a DNS server's refusal means, and what would mend it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import dns.exception
import dns.rcode
import dns.tsig
import dns.xfr

from adslib.domain.dns import FORBIDDEN, TAKEN, UNREACHABLE
from adslib.domain.errors import Failed
from adslib.domain.zone_setting import ZoneSetting

REFUSED = "dns-refused"

CLOCKS = "set the clocks of both hosts: they may differ by five minutes"
PEER: dict[type[dns.exception.DNSException], tuple[str, str]] = {
    dns.tsig.PeerBadKey: ("does not know the key (BADKEY)", "set the key's name and algorithm as the server has them"),
    dns.tsig.PeerBadSignature: ("has another secret for the key (BADSIG)", "compare the secret with the server's"),
    dns.tsig.PeerBadTime: ("has another time (BADTIME)", CLOCKS),
    dns.tsig.PeerBadTruncation: ("wants longer signatures (BADTRUNC)", "use the algorithm that the server has"),
}
OTHERS = "look there what stands for the name; it changes, or is shown to others than this key"
CODES = {
    dns.rcode.REFUSED: "let the key do it: allow-update or update-policy, and allow-transfer to check",
    dns.rcode.YXRRSET: OTHERS,
    dns.rcode.NXRRSET: OTHERS,
    dns.rcode.NOTAUTH: "name the server that carries this zone as its primary, or set up the zone there",
    dns.rcode.NOTZONE: "name the zone as the server has it",
    dns.rcode.NOTIMP: "name a server that takes dynamic updates (RFC 2136)",
    dns.rcode.SERVFAIL: "look into the server's log",
}
MEANING = {dns.rcode.REFUSED: FORBIDDEN, dns.rcode.YXRRSET: TAKEN, dns.rcode.NXRRSET: TAKEN}


@contextmanager
def told(setting: ZoneSetting, zone: str, doing: str) -> Iterator[None]:
    """Turn what goes wrong with a server into one message.

    Args:
        zone: which of the setting's. doing: what was tried, such as `change`.

    Raises:
        Failed: code `dns-unreachable`, `dns-forbidden`, `dns-taken` or `dns-refused`; the message names zone,
            server and remedy.
    """
    server = f"server {setting.server} port {setting.port}"
    place = f"zone '{zone}'"
    try:
        yield
    except dns.tsig.PeerError as error:
        said, remedy = PEER.get(type(error), (str(error), "look into the server's log"))
        raise Failed(f"{server} {said} '{setting.key_name}'", place=place, remedy=remedy, code=REFUSED) from error
    except (dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm, dns.tsig.BadTime) as error:
        raise Failed(
            f"the answer of {server} is signed wrongly: {error}",
            place=place,
            remedy="compare key and secret with the server's; if they are right, somebody else answers",
            code=REFUSED,
        ) from error
    except dns.xfr.TransferError as error:
        raise refusal(setting, zone, doing, error.rcode) from error
    except (OSError, EOFError, dns.exception.Timeout) as error:
        reason = "it takes too long" if isinstance(error, TimeoutError | dns.exception.Timeout) else _reason(error)
        raise Failed(
            f"{server} does not answer: {reason}",
            place=place,
            remedy="look whether it runs and can be reached from here; what waits is published the next time",
            code=UNREACHABLE,
        ) from error
    except dns.exception.DNSException as error:
        raise Failed(
            f"the answer of {server} makes no sense: {error}", place=place, remedy="look into its log", code=REFUSED
        ) from error


def refusal(setting: ZoneSetting, zone: str, doing: str, code: dns.rcode.Rcode) -> Failed:
    """What to say of an answer that is no."""
    return Failed(
        f"server {setting.server} port {setting.port} refuses to {doing} it for key '{setting.key_name}' "
        f"({dns.rcode.to_text(code)})",
        place=f"zone '{zone}'",
        remedy=CODES.get(code, "look into the server's log"),
        code=MEANING.get(code, REFUSED),
    )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error) or "it closed the connection"
