"""New machines at gateways: what each can make, as long as it has room (A5, A11)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from math import inf

from adslib.domain.fitting import OWN_SYSTEM, Spec, Wanted, fits, lack
from adslib.domain.gateway import Offer
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine, Size
from adslib.domain.stock import Share
from adslib.domain.topology import Instance


@dataclass(frozen=True, slots=True)
class NewMachine:
    """A machine to be made; it gets its id when it is reserved."""

    name: str
    gateway: str
    kind: str
    size: Size
    os: str
    location: str
    image: str
    capabilities: frozenset[str]

    @property
    def spec(self) -> Spec:
        """Its class."""
        return (self.location, self.os, self.kind, self.gateway, self.size, self.capabilities)

    def intended(self, id: str, *, tenant: str, holder: str = "", labels: Mapping[str, str] | None = None) -> Machine:
        """The record of it before it is made: whoever finds it knows that it may or may not be at its gateway."""
        return Machine(
            id=id,
            name=self.name,
            gateway=self.gateway,
            state=MachineState.CREATING,
            kind=self.kind,
            size=self.size,
            os=self.os,
            location=self.location,
            image=self.image,
            capabilities=self.capabilities - {OWN_SYSTEM},
            labels=labels or {},
            made=True,
            holder=holder,
            tenant=tenant,
        )


class NewMachines:
    """The machines to be made, by name: the environment's and the place's, and a number.

    Args:
        environment: its name; empty: they are for nobody yet. taken: names that none of them may have.
    """

    def __init__(self, environment: str, taken: Iterable[str]) -> None:
        self.by_name: dict[str, NewMachine] = {}
        self._environment = environment
        self._taken = set(taken)
        self._numbers: dict[str, int] = {}

    def add(self, shape: NewMachine, where: str) -> str:
        """Name a machine after the place that it is for: the path of a scope, or a rule of the pool."""
        stem = "-".join(part for part in (self._environment, where.replace("/", "-")) if part)
        number = self._numbers.get(stem, 0) + 1
        while f"{stem}-{number}" in self._taken:
            number += 1
        self._numbers[stem] = number
        name = f"{stem}-{number}"
        self.by_name[name] = replace(shape, name=name)
        return name


class Maker:
    """The machines that one gateway makes, a `Stock`.

    Args:
        offer: what it can make, and how many. new: where they are written down.
        share: how many machines of it whoever they are made for may have; None: any.
    """

    def __init__(self, offer: Offer, new: NewMachines, share: Share | None = None) -> None:
        self.alone: dict[Wanted, dict[str, Instance]] = {}
        self.gateway = offer.gateway
        self.systems = offer.systems
        self._offer = offer
        self._new = new
        self.share = share or Share(offer.gateway)
        self._room = inf if offer.room is None else offer.room
        self._own = offer.capabilities if offer.kind == "process" else offer.capabilities | {OWN_SYSTEM}
        self._shapes: dict[Wanted, NewMachine | None] = {}

    def serves(self, wanted: Wanted) -> bool:
        """Whether it makes machines that will do."""
        return self.shape(wanted) is not None

    def take(self, instance: Instance, wanted: Wanted) -> str:
        """A new machine for an instance; empty if it has no room or makes nothing like it."""
        return self.make(wanted, instance.scope.path)

    def make(self, wanted: Wanted, where: str) -> str:
        """The same, named after a place."""
        shape = self.shape(wanted)
        if shape is None or not self.left or self.share.spent:
            return ""
        self._room -= 1
        self.share.held += 1
        return self._new.add(shape, where)

    def hand_over(self, name: str, instance: Instance, wanted: Wanted) -> str:
        """Make another machine instead of one: as the newcomer wants it."""
        self.give_back(name)
        return self.take(instance, wanted)

    def give_back(self, name: str) -> None:
        """Do not make one after all."""
        del self._new.by_name[name]
        self._room += 1
        self.share.held -= 1

    def why_not(self, wanted: Wanted) -> str:
        """Why it makes no machine for this, or no more of them."""
        offer, lacking = self._offer, wanted.capabilities - self._own
        name = f"gateway {offer.gateway}"
        if lacking:
            return f"{name} has no machines for {lack(lacking)}; allow_host_changes permits it"
        if self.share.spent:
            return str(self.share)
        if not self.left:
            return f"{name} can make no more"
        if not self._has(wanted.need.image):
            return f"{name} has no instance template '{wanted.need.image}'"
        if offer.locations and wanted.location and wanted.location not in offer.locations:
            return f"{name} has no {wanted.location}"
        if not any(size.holds(wanted.size) for size in offer.sizes):
            return f"{name} makes nothing as large"
        if not any(map(wanted.takes, offer.sizes)):
            return f"{name} makes nothing as small"
        return f"{name} makes nothing like it"

    def _has(self, image: str) -> bool:
        return not image or self._offer.images is None or image in self._offer.images

    @property
    def left(self) -> bool:
        """Whether its gateway has room for one more."""
        return self._room > 0

    def match(self, wanted: Wanted) -> tuple[float, float, int, int]:
        """How well the machine that it makes for this will do; the least is the best."""
        shape = self.shape(wanted)
        return self._offer.match(shape.size) if shape else (inf, 0, 0, 0)

    def shape(self, wanted: Wanted) -> NewMachine | None:
        """The machine that it would make, without a name; None if it makes nothing like it."""
        if wanted not in self._shapes:
            self._shapes[wanted] = self._designed(wanted)
        return self._shapes[wanted]

    def _designed(self, wanted: Wanted) -> NewMachine | None:
        offer, need = self._offer, wanted.need
        size = min(filter(wanted.takes, offer.sizes), key=offer.match, default=None)
        # Where nobody asks for a place, the gateway chooses one: it knows where there is most room.
        location = wanted.location
        systems = offer.systems or ((need.os,) if need.os else ("",))
        if (
            not self._has(need.image)
            or size is None
            or (offer.locations and location and location not in offer.locations)
        ):
            return None
        for system in systems:
            if fits((location, system, offer.kind, offer.gateway, size, self._own), wanted):
                return NewMachine("", offer.gateway, offer.kind, size, system, location, need.image, self._own)
        return None
