"""Where machines come from."""

from __future__ import annotations

from adslib.adapters.gateways.opening import Gateways
from adslib.adapters.gateways.registry import KINDS, open_gateway

__all__ = ["KINDS", "Gateways", "open_gateway"]
