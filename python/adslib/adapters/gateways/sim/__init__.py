"""A simulated cloud in the store, for tests and for scale: no machine of it exists (A8, A9)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adslib.adapters.gateways.options import Options
from adslib.adapters.gateways.sim.cloud import Cloud, engine_of
from adslib.adapters.gateways.sim.faults import Faults
from adslib.adapters.gateways.sim.gateway import SYSTEMS, SimulatedGateway
from adslib.adapters.gateways.surroundings import Surroundings
from adslib.domain.errors import Invalid
from adslib.domain.gateway import Capability, Gateway

__all__ = ["SimulatedGateway", "connect"]


def connect(name: str, options: Mapping[str, Any], around: Surroundings) -> Gateway:
    """Open a simulated cloud. Options: docs/gateways.md.

    Raises:
        Invalid: an option is wrong, or there is no store to keep it in.
    """
    read = Options(name, options)
    faults = Faults(
        cloud=name,
        seed=read.whole("seed", 0),
        delay=read.number("delay_ms", 0, most=600_000) / 1000,
        create_fails=read.number("create_fails", 0, most=1),
        create_times_out_yet_succeeds=read.number("create_times_out_yet_succeeds", 0, most=1),
        never_boots=read.number("never_boots", 0, most=1),
        power_flaps=read.number("power_flaps", 0, most=1),
        flap=read.number("flap_ms", 1000, least=1, most=86_400_000) / 1000,
        down=read.flag("down"),
    )
    boot = read.number("boot_ms", 0, most=86_400_000) / 1000
    quota = read.whole("quota", 100_000)
    locations = read.names("locations")
    systems = read.names("systems", SYSTEMS)
    lacks = read.chosen("lacks", Capability)
    read.finish()
    if around.engine is None:
        raise Invalid("a simulated cloud needs the store to lie in", place=f"gateway {name}")
    cloud = Cloud(name, engine_of(around.engine))
    return SimulatedGateway(
        cloud, faults, boot=boot, quota=quota, sizes=around.sizes, locations=locations, systems=systems, lacks=lacks
    )
