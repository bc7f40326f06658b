"""Which instance stands on which machine (A5, A7): fixed by the user, kept where it is, or the best fit of the pool.

Deterministic: the same input gives the same seating. What already stands is not moved without need. Costs grow with
the number of instances; machines that are alike are one class and are compared once per kind of need.

If every instance has a machine to itself, all are seated wherever that is possible beside what is fixed and what
stands: whoever is seated anew gives way, in the pool and at gateways. It may be missed where only moving what stands
would make it possible, and where instances share machines: these are packed in their order, and company never moves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from adslib.domain.desired import Desired
from adslib.domain.fitting import OWN_SYSTEM, Load, Spec, Wanted, fits, lack, spec_of
from adslib.domain.gateway import Offer
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine, Size
from adslib.domain.making import Maker, NewMachine, NewMachines
from adslib.domain.stock import Alike, Share, Stock
from adslib.domain.topology import Instance

USABLE = frozenset({MachineState.RUNNING, MachineState.STOPPED, MachineState.CREATING})


@dataclass(frozen=True, slots=True)
class Shortage:
    """What is missing: which services ask for it, how many machines, and what there is."""

    wanted: str
    services: tuple[str, ...]
    count: int
    there_is: str

    def __str__(self) -> str:
        return f"{' and '.join(self.services)}: {self.count} × {self.wanted} missing ({self.there_is})"


@dataclass(slots=True)
class Seating:
    """The result: instance id → machine name, the machines to make, and what is missing."""

    seats: dict[str, str] = field(default_factory=dict)
    new: list[NewMachine] = field(default_factory=list)
    missing: list[Shortage] = field(default_factory=list)


class Placer:
    """Seats the instances of one environment.

    Args:
        desired: what shall stand.
        current: instance id → name of the machine it stands on.
        held: machines of this environment. free: machines of the pool that nobody holds.
        offers: what gateways can make, in order of preference.
        sizes: known sizes by name. taken: names that new machines may not have.
        shares: how many machines of a gateway the environment may have, where that is limited.
    """

    def __init__(
        self,
        desired: Desired,
        current: Mapping[str, str],
        held: Sequence[Machine],
        free: Sequence[Machine],
        offers: Sequence[Offer],
        sizes: Mapping[str, Size],
        taken: Iterable[str] = (),
        shares: Mapping[str, int] | None = None,
    ) -> None:
        self._desired = desired
        self._current = current
        # What is being made as a spare is not ready yet; a second maker of it would only be in the way.
        ready = (m for m in free if m.state in USABLE - {MachineState.CREATING})
        self._machines = {m.name: m for m in (*(m for m in held if m.state in USABLE), *ready)}
        self._held = {m.name for m in held}
        self._new = NewMachines(desired.definition.environment, (*taken, *(m.name for m in (*held, *free))))
        counts, most = Counter(m.gateway for m in held), shares or {}
        gateways = {*most, *(m.gateway for m in free), *(offer.gateway for offer in offers)}
        self._shares = {name: Share(name, most.get(name), counts[name]) for name in gateways}
        self._makers = [Maker(offer, self._new, self._shares[offer.gateway]) for offer in offers]
        self._matching: dict[Wanted, list[Maker]] = {}
        self._sizes = sizes
        self._loads: dict[str, Load] = {}
        self._wanted: dict[tuple[str, str], Wanted] = {}
        self._shared: dict[str, list[str]] = {}
        self._full: dict[tuple[str, Wanted], int] = {}
        self._classes: dict[tuple[Spec, bool], Alike] = {}
        self._fitting: dict[Wanted, list[Alike]] = {}
        self._stocks: dict[str, Stock] = {}
        self._hopeless: set[tuple[Wanted, bool]] = set()
        self._lacking: dict[Wanted, int] = {}

    def seat(self) -> Seating:
        """Seat every instance: first what the user fixed, then what stands, then the rest in document order."""
        result = Seating()
        rest: list[tuple[Instance, Wanted]] = []
        for instance in sorted(self._desired.topology.instances, key=lambda i: not i.machine):
            wanted = self._want(instance)
            name = instance.machine or self._current.get(instance.id, "")
            if name and self._may_stay(name, wanted, fixed=bool(instance.machine)):
                if self._begins(name):
                    self._shares[self._machines[name].gateway].held += 1
                self._sit(result, instance, wanted, name)
            elif instance.machine:
                result.missing.append(self._fixed_problem(instance, wanted))
            else:
                rest.append((instance, wanted))
        self._sort_free()
        for instance, wanted in rest:
            chosen = self._choose(result, instance, wanted)
            if chosen:
                self._sit(result, instance, wanted, chosen)
            else:
                self._lacking[wanted] = self._lacking.get(wanted, 0) + 1
        result.new = list(self._new.by_name.values())
        result.missing += [self._shortage(wanted, count) for wanted, count in self._lacking.items()]
        return result

    def _want(self, instance: Instance) -> Wanted:
        key = (instance.service, instance.scope.path)
        found = self._wanted.get(key)
        if found is None:
            service = self._desired.topology.service(instance)
            component = self._desired.definition.components.get(service.component)
            asked = {"packages"} if component and component.packages else set()
            if not self._desired.definition.allow_host_changes:
                asked |= {OWN_SYSTEM} if any(not role.ads_root for role in service.roles) else set()
            else:
                asked = set()
            gateway = service.need.gateway or str(instance.scope.attributes.get("gateway", ""))
            need = replace(service.need, gateway=gateway)
            size = self._sizes.get(need.size, Size("", 0, 0))
            if need.shared:
                size = replace(size, cpu=max(size.cpu, need.cpu), memory=max(size.memory, need.memory))
            found = Wanted(service.name, need, size, instance.scope.location, frozenset(asked))
            self._wanted[key] = found
        return found

    def _may_stay(self, name: str, wanted: Wanted, *, fixed: bool) -> bool:
        machine = self._machines.get(name)
        if machine is None or not self._load(name).takes(wanted, machine.size):
            return False
        if self._begins(name) and self._shares[machine.gateway].spent:
            return False
        if fixed:  # The user knows size, system and place better; what a role may change there stays a rule.
            return wanted.capabilities <= spec_of(machine)[5]
        return name in self._held and fits(spec_of(machine), wanted)

    def _begins(self, name: str) -> bool:
        """Whether nobody holds a machine yet, nor is seated on it."""
        return name not in self._held and not self._load(name).services

    def _load(self, name: str) -> Load:
        return self._loads.setdefault(name, Load())

    def _sit(self, result: Seating, instance: Instance, wanted: Wanted, name: str) -> None:
        self._load(name).add(wanted)
        result.seats[instance.id] = name
        if wanted.need.shared:
            tenants = self._shared.setdefault(instance.scope.path, [])
            if not tenants or tenants[-1] != name:
                tenants.append(name)

    def _sort_free(self) -> None:
        """Put idle machines into classes, those already held first, then by name."""
        idle = [m for m in self._machines.values() if not self._load(m.name).services and not m.on_request]
        for machine in sorted(idle, key=lambda m: (m.name not in self._held, m.name)):
            spec, held = spec_of(machine), machine.name in self._held
            if (spec, held) not in self._classes:
                self._classes[spec, held] = Alike(spec, self._shares.get(machine.gateway, Share()), held=held)
            self._classes[spec, held].names.append(machine.name)

    def _choose(self, result: Seating, instance: Instance, wanted: Wanted) -> str:
        if wanted.need.shared:
            tenants, key = self._shared.get(instance.scope.path, []), (instance.scope.path, wanted)
            # Machines only fill up: what had no place for this need once has none later.
            for number in range(self._full.get(key, 0), len(tenants)):
                name = tenants[number]
                if self._takes(name, wanted):
                    self._full[key] = number
                    self._joined(name)
                    return name
            self._full[key] = len(tenants)
        return (
            self._idle(instance, wanted)
            or self._vacated(result, instance, wanted, anywhere=False)
            or next(filter(None, (self._take(maker, instance, wanted) for maker in self._best(wanted))), "")
            or self._vacated(result, instance, wanted, anywhere=True)
        )

    def _best(self, wanted: Wanted) -> list[Maker]:
        """Who makes what will do, the best match first; among equals in order of preference."""
        if wanted not in self._matching:
            serving = (maker for maker in self._makers if maker.serves(wanted))
            self._matching[wanted] = sorted(serving, key=lambda maker: maker.match(wanted))
        return self._matching[wanted]

    def _takes(self, name: str, wanted: Wanted) -> bool:
        """Whether a machine takes one more; a new one that is not made after all takes none."""
        new, machine = self._new.by_name.get(name), self._machines.get(name)
        size = new.size if new else machine.size if machine else None
        if size is None or not self._load(name).takes(wanted, size):
            return False
        return fits(new.spec if new else spec_of(self._machines[name]), wanted)

    def _joined(self, name: str) -> None:
        for alone in self._stocks[name].alone.values() if name in self._stocks else ():
            alone.pop(name, None)

    def _take(self, stock: Stock, instance: Instance, wanted: Wanted) -> str:
        name = stock.take(instance, wanted)
        if name:
            self._settle(stock, name, instance, wanted)
        return name

    def _settle(self, stock: Stock, name: str, instance: Instance, wanted: Wanted) -> None:
        self._stocks[name] = stock
        stock.alone.setdefault(wanted, {})[name] = instance

    def _idle(self, instance: Instance, wanted: Wanted) -> str:
        best = self._fitting.get(wanted)
        if best is None:
            fitting = (alike for alike in self._classes.values() if alike.serves(wanted))
            best = self._fitting[wanted] = sorted(
                fitting, key=lambda a: (not a.held, a.spec[4].cpu, a.spec[4].memory, a.spec[4].disk, a.spec[:4])
            )
        while best and not best[0].left:
            best.pop(0)
        return next(filter(None, (self._take(alike, instance, wanted) for alike in best)), "")

    def _vacated(self, result: Seating, instance: Instance, wanted: Wanted, *, anywhere: bool) -> str:
        """Free a machine by seating whoever is alone there on another that will do: who is less choosy gives way.

        An augmenting path between stocks; who found none once finds none later. Only if `anywhere`, others go to
        machines that are made for them: first the pool is used.
        """
        if (wanted, anywhere) in self._hopeless:
            return ""
        stocks: Sequence[Stock] = [*self._classes.values(), *(self._makers if anywhere else ())]
        found = self._give_way(result, instance, wanted, stocks, set())
        if not found:
            self._hopeless.add((wanted, anywhere))
        return found

    def _give_way(
        self, result: Seating, instance: Instance, wanted: Wanted, stocks: Sequence[Stock], tried: set[Stock]
    ) -> str:
        for stock in stocks:
            if stock in tried or not stock.serves(wanted):
                continue
            tried.add(stock)
            name = self._take(stock, instance, wanted)
            if name:
                return name
            for giver, other, alone in self._givers(stock, tried):
                left, tenant = next(reversed(alone.items()), ("", None))
                elsewhere = self._give_way(result, tenant, other, stocks, tried) if tenant else ""
                if tenant and elsewhere:
                    del alone[left]
                    self._loads[left] = Load()
                    self._sit(result, tenant, other, elsewhere)
                    if giver is not stock:
                        self._vacate(giver, left)
                        return self._take(stock, instance, wanted)
                    name = stock.hand_over(left, instance, wanted)
                    self._settle(stock, name, instance, wanted)
                    return name
        return ""

    def _givers(self, stock: Stock, tried: set[Stock]) -> Iterator[tuple[Stock, Wanted, dict[str, Instance]]]:
        """Who could give way for one of a stock: whoever is on it, and on all of its share if only that is spent."""
        givers: list[Stock] = [stock]
        if stock.left and stock.share.spent:
            others: Iterable[Stock] = (*self._classes.values(), *self._makers)
            givers += [each for each in others if each.share is stock.share]
        for each in givers:
            if each is stock or each not in tried:
                tried.add(each)
                yield from ((each, other, alone) for other, alone in each.alone.items())

    def _vacate(self, stock: Stock, name: str) -> None:
        """Let nobody stand on a machine after all."""
        stock.give_back(name)
        del self._stocks[name]
        for tenants in self._shared.values():
            # The others keep their numbers.
            tenants[:] = ["" if each == name else each for each in tenants]

    def _fixed_problem(self, instance: Instance, wanted: Wanted) -> Shortage:
        machine = self._machines.get(instance.machine)
        lacking = wanted.capabilities - spec_of(machine)[5] if machine else frozenset()
        if machine is None:
            there = "it is not in the pool or does not run, or somebody else holds it"
        elif lacking:
            there = f"{lack(lacking)} are not for it; allow_host_changes permits it"
        elif self._load(machine.name).services:
            there = "another service stands there and they do not share it, or both are too large for it"
        elif self._begins(machine.name) and self._shares[machine.gateway].spent:
            there = str(self._shares[machine.gateway])
        else:
            there = "it is too small" if machine.size.name else "nobody knows its size; give it one"
        return Shortage(f"the machine '{instance.machine}'", (instance.id,), 1, there)

    def _shortage(self, wanted: Wanted, count: int) -> Shortage:
        unknown = self._unknown(wanted)
        if unknown:
            return Shortage(str(wanted), (wanted.service,), count, "; ".join(unknown))
        near = [m for m in self._machines.values() if m.location == wanted.location or not wanted.location]
        unused = [m for m in near if not self._load(m.name).services and not m.on_request]
        beyond = Counter(m.gateway for m in unused if self._beyond(m, wanted))
        there = [f"{count} free there, but {self._shares[name]}" for name, count in sorted(beyond.items())]
        unfit = len(unused) - beyond.total()
        there += [f"{unfit} free there, none of them fits"] if unfit else [] if beyond else ["none free there"]
        there += [maker.why_not(wanted) for maker in self._makers if maker.gateway not in beyond]
        return Shortage(str(wanted), (wanted.service,), count, "; ".join(there))

    def _beyond(self, machine: Machine, wanted: Wanted) -> bool:
        """Whether nothing but the share keeps the environment from an idle machine."""
        spent = self._begins(machine.name) and self._shares[machine.gateway].spent
        return spent and fits(spec_of(machine), wanted)

    def _unknown(self, wanted: Wanted) -> list[str]:
        """What a need names and nobody here has at all: the gateway, the operating system."""
        need, machines = wanted.need, self._machines.values()
        gateways = {machine.gateway for machine in machines} | {maker.gateway for maker in self._makers}
        systems = {machine.os for machine in machines}.union(*(maker.systems for maker in self._makers))
        anything = any(not maker.systems for maker in self._makers)
        unknown = []
        if need.gateway and need.gateway not in gateways:
            unknown.append(
                f"gateway {need.gateway} has no machines and makes none here; ads gateway list shows those there are"
            )
        if need.os and not anything and not any(need.os in (os, os.partition("-")[0]) for os in systems):
            unknown.append(f"nothing here has or makes {need.os}: {', '.join(sorted(filter(None, systems))) or 'none'}")
        return unknown


def unknown_sizes(desired: Desired, sizes: Mapping[str, Size]) -> Iterable[tuple[str, str]]:
    """Pairs of service and size name that no size is known for."""
    for name in desired.topology.standing_services():
        size = desired.definition.services[name].need.size
        if size and size not in sizes:
            yield name, size
