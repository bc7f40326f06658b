"""The gateways of one store: opened by name, and asked what they can make."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from adslib.adapters.gateways.options import Options, read_common
from adslib.adapters.gateways.registry import open_gateway
from adslib.adapters.gateways.surroundings import HostKeys, Secret
from adslib.domain.errors import AdsError, Invalid, NotFound
from adslib.domain.gateway import Capability, Gateway, Offer, Sighting
from adslib.domain.gateway_setting import GatewaySetting
from adslib.domain.machine import Size

if TYPE_CHECKING:
    from sqlalchemy import Engine

LOCAL = "local"
STATIC = "static"
DEFAULTS: Mapping[str, GatewaySetting] = {name: GatewaySetting(name, name) for name in (LOCAL, STATIC)}
"""Gateways that exist without being added: machines on this host, and machines added by hand."""

SIDE_BY_SIDE = 16


class Offers(tuple[Offer, ...]):
    """What the gateways can make, in order of preference.

    `silent` names the gateways that did not answer, each with the reason; they offer nothing for now.
    """

    silent: Mapping[str, str]

    def __new__(cls, offers: Iterable[Offer] = (), silent: Mapping[str, str] | None = None) -> Offers:
        """Keep the offers; `silent` is empty if everybody answered."""
        made = super().__new__(cls, offers)
        made.silent = silent or {}
        return made


@dataclass(frozen=True, slots=True)
class Gateways:
    """Opens gateways for one home and store.

    Args:
        home: ADS_HOME. engine: the store's engine or URL, for gateways that keep their machines there.
        sizes: what machines of gateways without sizes of their own can be, smallest first.
        known: lists the machines that the store knows of a gateway, by the gateway's name.
        host_keys: where SSH host keys are pinned. secret: reads a secret where it lies.
    """

    home: Path
    engine: Engine | str
    sizes: tuple[Size, ...]
    known: Callable[[str], Iterable[Sighting]]
    host_keys: HostKeys
    secret: Secret

    def setting(self, name: str, settings: Iterable[GatewaySetting]) -> GatewaySetting:
        """The setting of this name: an added one, else a default one.

        Raises:
            NotFound: there is neither.
        """
        chosen = {**DEFAULTS, **{setting.name: setting for setting in settings}}
        if name not in chosen:
            raise NotFound(f"there is no gateway '{name}'", remedy=f"there are: {', '.join(sorted(chosen))}")
        return chosen[name]

    def open(self, name: str, settings: Iterable[GatewaySetting]) -> Gateway:
        """Open a gateway (A8, A9).

        Args:
            settings: the gateways that were added.

        Raises:
            NotFound: there is no such gateway. Invalid: its options are wrong.
        """
        return self.open_setting(self.setting(name, settings))

    def open_setting(self, setting: GatewaySetting) -> Gateway:
        """Open the gateway of a setting, which need not be stored.

        Raises:
            Invalid: there is no such kind, or an option is wrong or unknown.
        """
        return open_gateway(
            setting.kind,
            setting.name,
            setting.options,
            home=self.home,
            engine=self.engine,
            known=partial(self.known, setting.name),
            sizes=self.sizes,
            host_keys=self.host_keys,
            secret=self.secret,
        )

    def interval(self, setting: GatewaySetting) -> int:
        """Seconds between two refreshes of a gateway; 0: only when it is asked for (A10)."""
        return read_common(Options(setting.name, setting.options)).refresh_every

    def wipes(self, settings: Iterable[GatewaySetting]) -> Mapping[str, str]:
        """The roles that wipe machines before they are returned to the pool, by gateway (A13)."""
        said = {setting.name: read_common(Options(setting.name, setting.options)).wipe for setting in settings}
        return {name: role for name, role in said.items() if role}

    def shares(self, settings: Iterable[GatewaySetting]) -> Mapping[str, int]:
        """How many machines of each gateway one environment may have, where that is limited (A11)."""
        said = {
            setting.name: read_common(Options(setting.name, setting.options)).per_environment for setting in settings
        }
        return {name: most for name, most in said.items() if most}

    def offer(self, setting: GatewaySetting, gateway: Gateway) -> Offer:
        """What a gateway offers, on the terms of its setting, whatever the provider tells.

        Raises:
            Invalid: the setting has costs of sizes that there are not.
        """
        offer, said = gateway.offer(), read_common(Options(setting.name, setting.options))
        known = [size.name for size in offer.sizes]
        for name in said.costs:
            if name not in known:
                raise Invalid(
                    f"option costs: there is no size '{name}'",
                    place=f"gateway {setting.name}",
                    remedy=f"there are: {', '.join(known) or 'none'}",
                )
        return replace(offer, costs={**offer.costs, **said.costs})

    def offers(self, settings: Iterable[GatewaySetting], *, with_default: bool, with_images: bool = False) -> Offers:
        """Ask all added gateways that make machines, side by side; in the order of their names.

        Args:
            with_default: ask the default `local` gateway last. It is a trial's: where anything else is known, it
                would fill a shortage with machines on the controller without a word.
            with_images: ask for their instance templates, too.
        """
        asked = sorted(settings, key=lambda setting: setting.name)
        if with_default and LOCAL not in {setting.name for setting in asked}:
            asked.append(DEFAULTS[LOCAL])
        with ThreadPoolExecutor(max_workers=SIDE_BY_SIDE) as pool:
            answers = list(pool.map(partial(self._ask, with_images=with_images), asked))
        silent = {setting.name: said for setting, said in zip(asked, answers, strict=True) if isinstance(said, str)}
        return Offers((said for said in answers if isinstance(said, Offer)), silent)

    def _ask(self, setting: GatewaySetting, *, with_images: bool) -> Offer | str | None:
        """Its offer, why it has none to give, or None if it makes no machines."""
        try:
            gateway = self.open_setting(setting)
            if Capability.CREATE not in gateway.capabilities:
                return None
            offer = self.offer(setting, gateway)
            if with_images and Capability.TEMPLATES in gateway.capabilities:
                offer = replace(offer, images=frozenset(template.name for template in gateway.templates()))
            return offer
        except (AdsError, OSError, ImportError) as error:
            return str(error) or type(error).__name__
