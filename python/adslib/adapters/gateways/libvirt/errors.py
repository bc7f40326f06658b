"""What errors of libvirt mean."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import libvirt

from adslib.adapters.gateways.libvirt.hypervisor import Unreachable
from adslib.domain.errors import AdsError, Failed, NotFound

T = TypeVar("T")
REFUSED = frozenset({libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_CANCELLED, libvirt.VIR_ERR_AUTH_UNAVAILABLE})
PASSING = frozenset(
    {
        libvirt.VIR_ERR_SYSTEM_ERROR,
        libvirt.VIR_ERR_RPC,
        libvirt.VIR_ERR_NO_CONNECT,
        libvirt.VIR_ERR_OPERATION_TIMEOUT,
        libvirt.VIR_ERR_RESOURCE_BUSY,
    }
)


def told(error: Exception, place: str, uri: str, pool: str) -> AdsError | None:
    """What to tell of an error; None: it is not libvirt's.

    Args:
        place: the gateway. uri: of the hypervisor. pool: the storage pool that is used.
    """
    if isinstance(error, TimeoutError):
        what = f"{uri} does not answer: it takes too long"
        return Failed(what, place=place, remedy="look whether libvirtd runs there")
    if isinstance(error, Unreachable):
        if code_of(error.__cause__) in REFUSED:
            what = f"{uri} refuses to be used: {error.__cause__}"
            return Failed(what, place=place, remedy="look at libvirt's authentication file, or use another account")
        what = f"{uri} does not answer: {error.__cause__}"
        return Failed(what, place=place, remedy="look whether libvirtd runs there, and correct the option 'uri'")
    code = code_of(error)
    if code is None:
        return None
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return NotFound("there is no such machine any more", place=place)
    if code == libvirt.VIR_ERR_NO_STORAGE_POOL:
        what = f"there is no storage pool '{pool}'"
        return Failed(what, place=place, remedy="make it with virsh pool-define-as, or set the option 'pool'")
    said = " ".join(str(error).split()).rstrip(".")
    return Failed(f"libvirt says: {said}", place=place, remedy="look at the log of libvirtd")


def passing(error: Exception) -> bool:
    """Whether libvirt may do it a little later; a pool is not read while something is written to it."""
    if isinstance(error, Unreachable):
        return code_of(error.__cause__) not in REFUSED
    return code_of(error) in PASSING or "asynchronous jobs" in str(error) or _without_cause(error)


def unless_gone(look: Callable[[], T], gone: int = libvirt.VIR_ERR_NO_DOMAIN) -> T | None:
    """What is looked up or done with something of libvirt; None if there is no such thing, or no longer.

    Args:
        gone: the code by which libvirt says that.
    """
    try:
        return look()
    except libvirt.libvirtError as error:
        if code_of(error) == gone:
            return None
        raise


def code_of(error: BaseException | None) -> int | None:
    """What kind of error of libvirt it is; None: of somebody else."""
    return int(error.get_error_code()) if isinstance(error, libvirt.libvirtError) else None


def _without_cause(error: Exception) -> bool:
    """Whether libvirt failed and does not know why, as it seldom does under load."""
    if not isinstance(error, libvirt.libvirtError):
        return False
    said = (error.get_error_code(), error.get_error_domain())
    return said == (libvirt.VIR_ERR_INTERNAL_ERROR, libvirt.VIR_FROM_NONE)
