"""What Redfish services tell of their machines and do with them: power, inventory, and what they boot from."""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests.exceptions
from sushy import BootSource, BootSourceOverrideEnabled, PowerState, ResetType, exceptions
from sushy.exceptions import SushyError

from adslib.adapters.gateways.redfish.service import Service
from adslib.adapters.gateways.remote.calls import came
from adslib.domain.errors import AdsError, Failed
from adslib.domain.gateway import Capability, Offer, Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Size

KIND = "metal"
GIB = 1 << 30
SIDE_BY_SIDE = 16
BOOTS = {"disk": BootSource.HDD, "network": BootSource.PXE, "cd": BootSource.CD}
"""What machines may be told to boot from."""

STATES = {PowerState.ON: MachineState.RUNNING, PowerState.OFF: MachineState.STOPPED}
NOT_TOLD = (
    exceptions.MissingAttributeError,
    exceptions.MalformedAttributeError,
    exceptions.ResourceNotFoundError,
)
ADDRESS = re.compile(r"https?://[^/\s]+")


class RedfishDriver:
    """The machines of some Redfish services. Their refs are `<host of the service>/<id>`.

    Args:
        gateway: its name. services: by host and port. known: lists the machines that the store knows.
        boot: one of BOOTS, which they boot from when they are switched on; empty: what they are set to.
        location: where they stand. grace: seconds to shut down in; then they are switched off.
        patience: seconds until that must have happened.
    """

    kind = "redfish"
    capabilities = frozenset({Capability.START, Capability.STOP, Capability.REBOOT})
    refs = re.compile(r"[^/\s]{1,255}/[^/\s]{1,255}")
    images: Mapping[str, str] = {}

    def __init__(
        self,
        gateway: str,
        services: Mapping[str, Service],
        known: Callable[[], Iterable[Sighting]],
        boot: str,
        location: str,
        grace: float,
        patience: float,
    ) -> None:
        self._gateway = gateway
        self._services = services
        self._known = known
        self._boot = boot
        self._location = location
        self._grace = grace
        self._patience = patience

    # ── errors ───────────────────────────────────────────────────────────────────────────────────────

    def told(self, error: Exception) -> AdsError | None:
        """What an error of sushy means."""
        if not isinstance(error, SushyError):
            return None
        where = ADDRESS.search(str(error))
        place = f"gateway {self._gateway}{f', {where[0]}' if where else ''}"
        if isinstance(error, exceptions.AccessError):
            told = f"the service refuses the account ({error.status_code})"
            return Failed(told, place=place, remedy="check the options 'account' and 'secret', and what it may do")
        if isinstance(error, exceptions.ConnectionError):
            told, remedy = _unconnected(error)
            return Failed(told, place=place, remedy=remedy)
        said = error.detail if isinstance(error, exceptions.HTTPError) and error.detail else error
        return Failed(f"the service says: {said}", place=place, remedy="look at the machine's management controller")

    def passing(self, error: Exception) -> bool:
        """Whether a service that could not be reached, or failed, may answer later."""
        if isinstance(error, exceptions.ConnectionError):
            return not isinstance(error.__context__, (requests.exceptions.SSLError, requests.exceptions.ReadTimeout))
        return isinstance(error, exceptions.ServerSideError)

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def machines(self) -> Sequence[Sighting]:
        """The machines of all services; what a silent service has is as the store knows it, unless all are silent."""
        silent: list[SushyError] = []

        def ask(host: str) -> list[Sighting]:
            try:
                return [self._sighting(host, system) for system in self._services[host].systems()]
            except exceptions.ConnectionError as error:
                silent.append(error)
                return [seen for seen in self._known() if seen.ref.partition("/")[0] == host]

        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            seen = [each for found in pool.map(ask, self._services) for each in found]
        if len(silent) == len(self._services):
            raise silent[0]
        return seen

    def machine(self, ref: str) -> Sighting | None:
        """One machine."""
        system = self._system(ref)
        return None if system is None else self._sighting(ref.partition("/")[0], system)

    def offer(self) -> Offer:
        """Nothing: metal is not made."""
        return Offer(self._gateway, KIND, (), (self._location,) if self._location else ())

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def start(self, ref: str) -> None:
        """Switch a machine on."""
        system = self._system(ref)
        if system is None or system.power_state in (PowerState.ON, PowerState.POWERING_ON):
            return
        if self._boot:
            system.set_system_boot_options(BOOTS[self._boot], BootSourceOverrideEnabled.ONCE)
        system.reset_system(ResetType.ON)

    def stop(self, ref: str) -> None:
        """Ask a machine to shut down; switch it off if it does not."""
        system = self._system(ref)
        if system is None or system.power_state is PowerState.OFF:
            return
        if ResetType.GRACEFUL_SHUTDOWN in system.get_allowed_reset_system_values():
            system.reset_system(ResetType.GRACEFUL_SHUTDOWN)
            if came(lambda: self._is_off(ref), bool, self._grace):
                return
        system.reset_system(ResetType.FORCE_OFF)

    def reboot(self, ref: str) -> None:
        """Stop and start, since nobody can see whether a machine that stays on has rebooted."""
        self.stop(ref)
        if not came(lambda: self._is_off(ref), bool, self._patience):
            raise Failed("it did not go off", place=ref, remedy="look at the machine's management controller")
        self.start(ref)

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _system(self, ref: str) -> Any | None:
        host, _, id = ref.partition("/")
        return self._services[host].system(id) if host in self._services else None

    def _is_off(self, ref: str) -> bool:
        system = self._system(ref)
        return system is None or system.power_state is PowerState.OFF

    def _sighting(self, host: str, system: Any) -> Sighting:
        id = system.path.rpartition("/")[2]
        return Sighting(
            ref=f"{host}/{id}",
            name=system.hostname or system.name or id,
            state=STATES.get(system.power_state, MachineState.UNKNOWN),
            kind=KIND,
            size=_size(system),
            location=self._location,
        )


def _size(system: Any) -> Size:
    """What a machine has; what its service does not tell is 0. Its disk is the largest one."""
    processors = system.json.get("ProcessorSummary") or {}
    cores = next((processors[key] for key in ("CoreCount", "LogicalProcessorCount", "Count") if processors.get(key)), 0)
    memory = system.memory_summary and system.memory_summary.size_gib
    return Size("", cores, int((memory or 0) * 1024), _largest_disk(system) // GIB)


def _largest_disk(system: Any) -> int:
    """In bytes; 0 where the service does not tell."""
    for storage, size in (("storage_expanded", "max_drive_size_bytes"), ("simple_storage_expanded", "max_size_bytes")):
        try:
            if told := getattr(getattr(system, storage), size):
                return int(told)
        except NOT_TOLD:
            continue
    return 0


def _unconnected(error: Exception) -> tuple[str, str]:
    """Why a service could not be asked, and what to do about it."""
    cause: object = error.__context__
    for step in ("args", "reason", "args"):
        # requests holds what urllib3 says, which holds what the system says.
        held = getattr(cause, step, None)
        cause = held[0] if isinstance(held, tuple) and held else held or cause
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {cause.verify_message}", "name its authority with the option 'ca'"
    said = str(cause).rpartition(": ")[2] or str(error)
    return f"it does not answer: {said}", "look whether the service runs, and try again"
