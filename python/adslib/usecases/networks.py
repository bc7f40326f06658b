"""Networks: added, edited, split, merged, resized, and how full they are (I1, I6, I7)."""

from __future__ import annotations

import builtins
import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import Invalid
from adslib.domain.names import checked_name
from adslib.domain.network import Held, Network, Role, refuse_overlap
from adslib.domain.network_reading import held_text, read_held, read_network, written
from adslib.domain.prefix import read_prefix
from adslib.domain.reshaping import merged, part_of, parts
from adslib.usecases.admitting import admit
from adslib.usecases.all_or_none import do_each, in_any_order
from adslib.usecases.filling import fills, together
from adslib.usecases.log import log
from adslib.usecases.network_telling import absent, changes, counted_once_more, listed, put, shown
from adslib.usecases.outcome import Outcome
from adslib.usecases.reshaping import SHOWN, in_use, reshape
from adslib.usecases.settling import settled
from adslib.usecases.viewing import may_see, refuse_foreign

GROUPS = ("network", "vlan", "owner", "datacenter", "space", "tenant")


class Networks:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def add(self, values: Mapping[str, Any], *, dry_run: bool = False) -> Outcome:
        """Add a network; see `add_all`."""
        outcome = self.add_all([values], dry_run=dry_run)
        return replace(outcome, after=next(iter(outcome.after["networks"])))

    def add_all(self, rows: Sequence[Mapping[str, Any]], *, dry_run: bool = False) -> Outcome:
        """Add networks, all or none.

        Args:
            rows: of each what `read_network` reads: `name` and `prefix`, and what else is to be said. With `within`,
                the name of a container, the prefix is a length, like `/26`: the first that is vacant there.

        Raises:
            Invalid: a description is wrong. Conflict: a name is taken, a prefix overlaps another of its space, or a
                VLAN of a data centre belongs to another space. Forbidden: a space or tenant is another's.
        """
        self._actor.must(Permission.NETWORKS, "networks")
        with self._app.store.transaction() as tx:
            tx.networks.lock()
            new = self._read_all(tx, rows)
            for network in new:
                self._add(tx, network)
            names = ", ".join(f"'{network.name}' ({network.prefix})" for network in new[:SHOWN])
            message = f"network {names} added" if len(new) <= SHOWN else f"{len(new)} networks added"
            self._end(tx, message, dry_run=dry_run)
        return Outcome(bool(new), after={"networks": [shown(network) for network in new]}, message=message)

    def edit(self, name: str, values: Mapping[str, Any], *, dry_run: bool = False) -> Outcome:
        """Change what is said of a network; `prefix` resizes it. What is None stays as it is, what is empty is cleared.

        Raises:
            NotFound, Forbidden: it is not there, or another tenant's. Invalid: a value is wrong.
            Conflict: somebody has an address that it would lose, or it would overlap another.
        """
        self._actor.must(Permission.NETWORKS, f"network '{name}'")
        return self._edited(name, lambda _: values, dry_run=dry_run)

    def put_all(
        self, rows: Sequence[Mapping[str, Any]], *, places: Sequence[str] = (), dry_run: bool = False
    ) -> Outcome:
        """Add the networks that are missing and change those that differ, all or none; one that is left out stays.

        In which order they are said makes no difference: one may take what another leaves.

        `before` and `after` of the outcome have `networks`: those that were there, and all of them as they are.

        Args:
            rows: as for `add_all` and `edit`. places: where each was written, for the messages.

        Raises:
            Invalid, Conflict, Forbidden: as `add_all` and `edit`, with all that is wrong at once.
        """
        self._actor.must(Permission.NETWORKS, "networks")
        with self._app.store.transaction() as tx:
            tx.networks.lock()
            names = [str(row.get("name")) for row in rows]
            known = {network.name: network for network in self._locked(tx, *tx.networks.those(names))}
            after = self._read_all(tx, rows, known, places)
            if twice := sorted(name for name, times in Counter(names).items() if times > 1):
                raise Invalid(f"network '{twice[0]}' is described {names.count(twice[0])} times", remedy="say it once")
            pairs = [(known.get(network.name), network) for network in after]
            in_any_order(pairs, lambda pair: self._put(tx, *pair), places)
            changed, message = any(old != new for old, new in pairs), put(pairs)
            if changed:
                self._end(tx, message, dry_run=dry_run)
        before = [shown(old) for old, _ in pairs if old]
        now = [shown(counted_once_more(old, new)) for old, new in pairs]
        return Outcome(changed, {"networks": before}, {"networks": now}, message=message)

    def hold(self, name: str, places: str, *, why: str = "", dry_run: bool = False) -> Outcome:
        """Hold a range back, like `10.0.0.200-10.0.0.254`: nobody gets its addresses; whoever has one keeps it.

        What is held back already stays so, for another reason if one is said.
        """
        self._actor.must(Permission.NETWORKS, f"network '{name}'")
        held = replace(read_held(places, f"network '{name}'"), why=why)
        nothing = f"network '{name}' holds {places} back already"

        def change(now: Network) -> dict[str, Any]:
            there = any(each.covers(held) and why in ("", each.why) for each in now.held)
            return {} if there else {"held": [*_held_besides(now, held), held_text(held)]}

        return self._edited(name, change, nothing, dry_run=dry_run)

    def unhold(self, name: str, places: str, *, dry_run: bool = False) -> Outcome:
        """Give addresses out again that were held back, also a part of a range."""
        self._actor.must(Permission.NETWORKS, f"network '{name}'")
        held = read_held(places, f"network '{name}'")
        nothing = f"network '{name}' does not hold {places} back"
        return self._edited(name, lambda now: {"held": _held_besides(now, held)}, nothing, dry_run=dry_run)

    def remove(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Remove a network that nobody has an address or a name of; see `remove_all`."""
        outcome = self.remove_all([name], dry_run=dry_run)
        return replace(outcome, before=next(iter(outcome.before["networks"]), {}))

    def remove_all(self, names: Sequence[str], *, dry_run: bool = False) -> Outcome:
        """Remove networks that nobody has an address or a name of, all or none; absent ones are left alone.

        Raises:
            Conflict: code `in-use`; the message says by whom.
        """
        self._actor.must(Permission.NETWORKS, "networks")
        with self._app.store.transaction() as tx:
            tx.networks.lock()
            there = tx.networks.those(names)
            if not there:
                return Outcome(False, {"networks": []}, message=absent(names))
            networks = self._locked(tx, *there)
            do_each(networks, lambda network: _remove(tx, network), ())
            message = f"{'network' if len(there) == 1 else 'networks'} {listed(networks)} removed"
            self._end(tx, message, dry_run=dry_run)
        return Outcome(True, {"networks": [shown(each) for each in networks]}, message=message)

    def split(self, name: str, *, length: int | None = None, at: str = "", dry_run: bool = False) -> Outcome:
        """Split a network into equal parts of a length, or cut one prefix out of it.

        The first part stays the network that it was; the others are called NAME-2, NAME-3 and so on, unless taken.
        """
        self._actor.must(Permission.NETWORKS, f"network '{name}'")
        with self._app.store.transaction() as tx:
            tx.networks.lock()
            before = self._locked(tx, name)[0]
            prefixes = parts(before, length=length, at=read_prefix(at) if at else None)
            names = _free_names(tx, name, len(prefixes) - 1)
            after = [part_of(before, prefixes[0])]
            after += [
                part_of(before, prefix, id=self._app.new_id(), name=each)
                for prefix, each in zip(prefixes[1:], names, strict=True)
            ]
            beside = tx.networks.beside(before.space, before.prefix)
            for part in after:
                refuse_overlap(part, [each for each in beside if each.id != before.id])
            reshape(tx, [before], after, self._app.clock())
            message = f"network '{name}' split into {len(after)}: {listed(after)}"
            self._end(tx, message, dry_run=dry_run)
            after[0] = counted_once_more(before, after[0])
        return Outcome(True, shown(before), {"networks": [shown(each) for each in after]}, message=message)

    def merge(self, names: Sequence[str], *, dry_run: bool = False) -> Outcome:
        """Join adjacent networks of one space into the first named, which keeps its name and tags."""
        self._actor.must(Permission.NETWORKS, "networks")
        if len(set(names)) < 2:
            raise Invalid("there is nothing to merge", remedy="name two networks or more, each once")
        with self._app.store.transaction() as tx:
            tx.networks.lock()
            before = self._locked(tx, *names)
            after = merged(before)
            admit(tx, self._actor, after, besides=before)
            reshape(tx, before, [after], self._app.clock())
            message = f"networks {listed(before)} merged into '{after.name}' ({after.prefix})"
            self._end(tx, message, dry_run=dry_run)
        now = shown(counted_once_more(before[0], after))
        return Outcome(True, {"networks": [shown(each) for each in before]}, now, message=message)

    def list(self, *, tags: Mapping[str, str] | None = None, **filters: Any) -> Sequence[Mapping[str, Any]]:
        """The networks that the actor may see, by space and prefix, with how full they are.

        Args:
            tags: those that it has. filters: `name`, `space`, `datacenter`, `vlan`, `owner`, `role`, `zone`, `tenant`;
                what is None does not filter.
        """
        self._actor.must(Permission.VIEW, "networks")
        with self._app.store.reading() as tx:
            found = [each for each in self._seen(tx, **filters) if (tags or {}).items() <= each.tags.items()]
            filled = fills(tx, found, self._app.clock())
        return [{**shown(each), **filled[each.id]} for each in found]

    def export(self) -> Sequence[Mapping[str, Any]]:
        """The networks that the actor may see as `put_all` takes them."""
        self._actor.must(Permission.VIEW, "networks")
        with self._app.store.reading() as tx:
            return [written(each) for each in self._seen(tx)]

    def show(self, name: str) -> Mapping[str, Any]:
        """One network, with how full it is, what lies within and around it, and what is `vacant` in a container."""
        self._actor.must(Permission.VIEW, f"network '{name}'")
        with self._app.store.reading() as tx:
            network = self._visible(tx, name)
            filled = fills(tx, [network], self._app.clock())[network.id]
            beside = [each for each in tx.networks.beside(network.space, network.prefix) if each.id != network.id]
        parents = sorted(each.name for each in beside if each.prefix.covers(network.prefix))
        within = [each for each in beside if network.prefix.covers(each.prefix)]
        left = network.prefix.vacant([each.prefix for each in within]) if network.role is Role.CONTAINER else ()
        return {
            **shown(network),
            **filled,
            "parents": parents,
            "children": sorted(each.name for each in within),
            "vacant": [str(each) for each in left],
        }

    def usage(self, by: str = "network") -> Sequence[Mapping[str, Any]]:
        """How full networks are, together by network, VLAN, end user, data centre, space or tenant (I6)."""
        if by not in GROUPS:
            raise Invalid(f"networks are not grouped by '{by}'", remedy=f"use one of: {', '.join(GROUPS)}")
        groups: dict[Any, list[Mapping[str, Any]]] = {}
        for row in self.list():
            key = f"{row['datacenter']} {row['vlan'] or ''}".strip() if by == "vlan" else row.get(by, row["name"])
            groups.setdefault(key, []).append(row)
        return [
            # What lies in a container is counted where it is by itself.
            {by: key, "networks": len(rows), **together(rows if by == "network" else _giving(rows))}
            for key, rows in sorted(groups.items())
        ]

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _seen(self, tx: Transaction, **filters: Any) -> builtins.list[Network]:
        """Those that the actor may see, a container before what lies in it."""
        seen = [each for each in tx.networks.list(**filters) if may_see(self._actor, each.tenant)]
        return sorted(seen, key=lambda each: (each.space, each.prefix))

    def _visible(self, tx: Transaction, name: str) -> Network:
        return self._mine(tx.networks.get(name))

    def _locked(self, tx: Transaction, *names: str) -> builtins.list[Network]:
        return [self._mine(network) for network in tx.networks.locked(*names)]

    def _edited(
        self, name: str, change: Callable[[Network], Mapping[str, Any]], nothing: str = "", *, dry_run: bool
    ) -> Outcome:
        """Change a network, knowing how it is.

        Args:
            change: what to say of it. nothing: the message if that changes nothing.
        """
        with self._app.store.transaction() as tx:
            tx.networks.lock()
            before = self._locked(tx, name)[0]
            after = read_network(change(before), before)
            if after == before:
                return Outcome(False, shown(before), shown(after), message=nothing or f"network '{name}' unchanged")
            self._change(tx, before, after)
            message = f"network '{before.name}' changed: {changes(before, after)}"
            self._end(tx, message, dry_run=dry_run)
        return Outcome(True, shown(before), shown(counted_once_more(before, after)), message=message)

    def _read_all(
        self,
        tx: Transaction,
        rows: Sequence[Mapping[str, Any]],
        known: Mapping[str, Network] | None = None,
        places: Sequence[str] = (),
    ) -> builtins.list[Network]:
        """The networks that are described; those that are to lie within others come last, as these may be new, too."""
        read: dict[int, Network] = {}

        def read_one(number: int) -> None:
            old = (known or {}).get(str(rows[number].get("name")))
            row = settled(tx, self._actor, rows[number], old, read.values())
            said = row if old else {**row, "tenant": row.get("tenant") or self._actor.tenant}
            read[number] = read_network(said, old, id=self._app.new_id())

        order = sorted(range(len(rows)), key=lambda number: bool(rows[number].get("within")))
        do_each(order, read_one, [places[number] for number in order] if places else ())
        return [read[number] for number in range(len(rows))]

    def _put(self, tx: Transaction, before: Network | None, after: Network) -> None:
        if before is None:
            self._add(tx, after)
        elif before != after:
            self._change(tx, before, after)

    def _add(self, tx: Transaction, network: Network) -> None:
        admit(tx, self._actor, network)
        tx.networks.add(network)

    def _change(self, tx: Transaction, before: Network, after: Network) -> None:
        anew = _gives(before) != _gives(after)
        if anew or after.tenant != before.tenant:
            _refuse_used(tx, before)
        admit(tx, self._actor, after)
        moved = [after.gateway] if after.gateway and after.gateway != before.gateway else []
        if found := tx.addresses.at(after.space, moved):
            raise in_use(before, list(found.values()))
        if anew:
            _begin_anew(tx, before)
        reshape(tx, [before], [after], self._app.clock())

    def _mine(self, network: Network) -> Network:
        refuse_foreign(self._actor, network.tenant, f"network '{network.name}'")
        return network

    def _end(self, tx: Transaction, message: str, *, dry_run: bool) -> None:
        if dry_run:
            tx.undo()
        else:
            log(tx, self._app.clock(), self._actor, message)


def _remove(tx: Transaction, network: Network) -> None:
    _refuse_used(tx, network)
    _begin_anew(tx, network)
    tx.networks.delete(network)


def _giving(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [row for row in rows if row["role"] != Role.CONTAINER.value]


def _refuse_used(tx: Transaction, network: Network) -> None:
    if found := tx.addresses.list(network=network, limit=SHOWN + 1):
        raise in_use(network, found)


def _gives(network: Network) -> tuple[str, int, bool]:
    """In which space it gives addresses, and of which version, if it does."""
    return network.space, network.prefix.version, network.role is not Role.CONTAINER


def _begin_anew(tx: Transaction, network: Network) -> None:
    """Forget what is known of a network's addresses, of which nobody has any: none of them rests any more, either."""
    tx.blocks.end(network.id)
    tx.addresses.rest_only(network.id)


def _held_besides(network: Network, held: Held) -> builtins.list[str]:
    return [held_text(left) for each in network.held for left in each.besides(held)]


def _free_names(tx: Transaction, name: str, count: int) -> builtins.list[str]:
    taken = tx.networks.names(f"{name}-")
    free = (each for number in itertools.count(2) if (each := f"{name}-{number}") not in taken)
    return [checked_name(each, "a network") for each in itertools.islice(free, count)]
