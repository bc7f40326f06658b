"""Where machines come from."""

from __future__ import annotations

from adslib.adapters.gateways.opening import Gateways
from adslib.adapters.gateways.registry import KINDS, SIMULATED, open_gateway

__all__ = ["KINDS", "SIMULATED", "Gateways", "open_gateway"]
