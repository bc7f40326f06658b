"""What errors of libvirt mean."""

from __future__ import annotations

import libvirt

from adslib.adapters.gateways.libvirt.hypervisor import Unreachable
from adslib.domain.errors import AdsError, Failed, NotFound

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
    return code_of(error) in PASSING or "asynchronous jobs" in str(error)


def code_of(error: BaseException | None) -> int | None:
    """What kind of error of libvirt it is; None: of somebody else."""
    return int(error.get_error_code()) if isinstance(error, libvirt.libvirtError) else None
