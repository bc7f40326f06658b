"""What errors of the library mean, and what to do about them."""

from __future__ import annotations

import re
from collections.abc import Mapping

from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError, LibcloudError, MalformedResponseError
from requests.exceptions import ConnectionError as Unconnected
from requests.exceptions import RequestException, SSLError, Timeout

from adslib.domain.errors import AdsError, Failed, Invalid, NotFound

CODE = re.compile(r"([A-Za-z]+)(\.[A-Za-z]+)?: ")
"""How an EC2 begins what it says of an error."""

OPTIONS: Mapping[str, str] = {
    "InvalidAMIID": "images",
    "InvalidBlockDeviceMapping": "disk",
    "InvalidGroup": "security_groups",
    "InvalidGroupId": "security_groups",
    "InvalidInstanceType": "sizes",
    "InvalidKeyPair": "key_name",
    "InvalidSecurityGroupID": "security_groups",
    "InvalidSubnetID": "subnets",
}
"""Codes of EC2, and the option that has what EC2 does not like."""

QUOTAS = {"InstanceLimitExceeded", "MaxSpotInstanceCountExceeded", "VcpuLimitExceeded", "VolumeLimitExceeded"}
FORBIDDEN = {"AccessDenied", "UnauthorizedOperation"}
SCARCE = {"InsufficientInstanceCapacity", "InsufficientFreeAddressesInSubnet", "Unsupported"}
LATER = {
    *("IncorrectInstanceState", "IncorrectState", "InternalError", "InternalFailure", "RequestLimitExceeded"),
    *("ServiceUnavailable", "Throttling", "Unavailable", "VolumeInUse"),
    # The call was heard before, when its answer was lost; the machine will be found by its tags.
    "IdempotentParameterMismatch",
}
"""Codes of what may be otherwise a moment later."""

REMEDIES = {"Could not find specified endpoint": "set the option 'region' to one that the provider's catalogue has"}
"""What the library says itself, and what to do about it."""

LONGEST = 600


def told(provider: str, error: Exception) -> AdsError | None:
    """What an error means; None: it is none of the provider's."""
    if isinstance(error, InvalidCredsError):
        remedy = "set those of a user of this provider; the option 'credentials' says where they lie"
        return Failed(f"{provider} does not take the credentials: {_said(error)}", remedy=remedy)
    if isinstance(error, RequestException | OSError):
        remedy = "look whether it is up, and at the options 'host', 'port', 'secure' and 'timeout'"
        return Failed(f"{provider} {_silence(error)}", remedy=remedy)
    if not isinstance(error, BaseHTTPError | LibcloudError):
        return None
    code, said = code_of(error), f"{provider} said: {_said(error)}"
    if code in OPTIONS:
        return Invalid(said, remedy=f"set the option '{OPTIONS[code]}' to what there is")
    if code in QUOTAS:
        return Failed(said, remedy="delete machines, or have the quota raised")
    if code in FORBIDDEN or status_of(error) == 403:
        return Failed(said, remedy="let this user do that at the provider; docs/gateways.md says what is needed")
    if code in SCARCE:
        return Failed(said, remedy="take another size or location, or try again later")
    if status_of(error) == 404:
        return NotFound(said)
    return Failed(said, remedy=REMEDIES.get(_said(error), ""))


def passing(error: Exception) -> bool:
    """Whether the same call may well succeed a little later."""
    if isinstance(error, RateLimitReachedError):
        return True
    if isinstance(error, Unconnected | Timeout):
        return not isinstance(error, SSLError)
    return code_of(error) in LATER or status_of(error) >= 500


def status_of(error: Exception) -> int:
    """The HTTP status of an answer; 0 where there was none."""
    status = getattr(error, "code", None) or getattr(error, "http_code", None)
    return status if isinstance(status, int) else 0


def code_of(error: Exception) -> str:
    """The code of an EC2's error, without its second part; empty if it has none."""
    found = CODE.match(_said(error))
    return found[1] if found else ""


def _said(error: Exception) -> str:
    """What the provider said, without a full stop."""
    if isinstance(error, MalformedResponseError):
        return "something that is no answer; is there another service at this host and port?"
    text = error.value if isinstance(error, LibcloudError) else error
    return " ".join(str(text).split())[:LONGEST].rstrip(".")


def _silence(error: Exception) -> str:
    """Why nothing was said. Its own text has the address of the call, with what nobody else should read."""
    if isinstance(error, SSLError):
        return "cannot be spoken to: there is no TLS at its port, or its certificate is not trusted here"
    if isinstance(error, Timeout):
        return "did not answer in time"
    return "cannot be reached"
