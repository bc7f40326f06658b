"""What errors of libvirt mean."""

from __future__ import annotations

import libvirt

from adslib.domain.errors import AdsError, Failed, NotFound

REFUSED = frozenset({libvirt.VIR_ERR_AUTH_FAILED, libvirt.VIR_ERR_AUTH_CANCELLED, libvirt.VIR_ERR_AUTH_UNAVAILABLE})
SILENT = frozenset({libvirt.VIR_ERR_SYSTEM_ERROR, libvirt.VIR_ERR_RPC, libvirt.VIR_ERR_NO_CONNECT})
BUSY = frozenset({libvirt.VIR_ERR_OPERATION_TIMEOUT, libvirt.VIR_ERR_RESOURCE_BUSY})


def told(error: Exception, place: str, uri: str, pool: str) -> AdsError | None:
    """What to tell of an error; None: it is not libvirt's.

    Args:
        place: the gateway. uri: of the hypervisor. pool: the storage pool that it uses.
    """
    if isinstance(error, TimeoutError):
        what = f"{uri} does not answer: it takes too long"
        return Failed(what, place=place, remedy="look whether libvirtd runs there")
    code = code_of(error)
    if code is None:
        return None
    if code == libvirt.VIR_ERR_NO_DOMAIN:
        return NotFound("there is no such machine any more", place=place)
    if code == libvirt.VIR_ERR_NO_STORAGE_POOL:
        what = f"there is no storage pool '{pool}'"
        return Failed(what, place=place, remedy="make it with virsh pool-define-as, or set the option 'pool'")
    if code in REFUSED:
        what = f"{uri} refuses to be used: {error}"
        return Failed(what, place=place, remedy="look at libvirt's authentication file, or use another account")
    if code in SILENT:
        what = f"{uri} does not answer: {error}"
        return Failed(what, place=place, remedy="look whether libvirtd runs there, and correct the option 'uri'")
    return Failed(f"libvirt says: {error}", place=place, remedy="look at the log of libvirtd")


def passing(error: Exception) -> bool:
    """Whether libvirt may do it a little later; a pool is not read while something is written to it."""
    return code_of(error) in SILENT | BUSY or "asynchronous jobs" in str(error)


def code_of(error: Exception) -> int | None:
    """What kind of error of libvirt it is; None: of somebody else."""
    return int(error.get_error_code()) if isinstance(error, libvirt.libvirtError) else None
