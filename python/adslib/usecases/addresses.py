"""Addresses and names: allocated, released, looked at (I2 to I6)."""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, TypeVar

from adslib.adapters.store import Crossed, Transaction
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.assignment import MOST, AddressRequest, problems_of
from adslib.domain.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from adslib.domain.network import Network
from adslib.domain.prefix import read_address
from adslib.usecases import reconciling
from adslib.usecases.address_showing import alike_shown, all_shown, for_host, found_by, how_to_find, nobody_has, told
from adslib.usecases.allocating import allocate, held_before, without
from adslib.usecases.filling import fills, next_free
from adslib.usecases.giving_back import give_back
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome, counted
from adslib.usecases.viewing import may_see, refuse_foreign

T = TypeVar("T")
TRIES = 8
"""How often a request begins again because somebody else was faster."""


class Addresses:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def allocate(self, request: AddressRequest, *, keep: bool = False, dry_run: bool = False) -> Outcome:
        """Give an address, a name, or both, any number of them, all or nothing; see `allocate_all`."""
        return self.allocate_all([request], keep=keep, dry_run=dry_run)

    def allocate_all(self, requests: Sequence[AddressRequest], *, keep: bool = False, dry_run: bool = False) -> Outcome:
        """Answer requests for addresses and names, all of them or none.

        Networks are tried in the order of the chain (I3): the first of the VLAN, its others, those of the same end
        user, the reserve. `after` of the outcome has `addresses`, a map for each, with the link that served it.

        Args:
            keep: what the machine of a request has already of what is asked for counts: only what lacks is given.

        Raises:
            Invalid: a request is wrong; code `outside-network`: no network of the chain holds a wanted address;
                `no-zone`: no zone for names. NotFound: code `unknown-vlan`, or there is no such network or space.
            Forbidden: code `not-yours`. Blocked: code `chain-full`. Conflict: code `address-taken`, `address-closed`,
                `name-taken`; `key-reused`: the key came with another request; `key-spent`: what it got was released.
        """
        for request in requests:
            self._actor.must(Permission.ADDRESSES, request.where)
            if request.why in reconciling.OURS:
                # Such allocations are released with their machine, whoever asked for them.
                raise Invalid(f"why: '{request.why}' is what ads writes itself", remedy="say it in other words")
        return self.give(*requests, keep=keep, dry_run=dry_run)

    def give(self, *requests: AddressRequest, keep: bool = False, dry_run: bool = False) -> Outcome:
        """Give without asking for the permission: for what an actor may do as a whole, as a deployment."""
        if problems := [problem for request in requests for problem in problems_of(request, keep=keep)]:
            raise Invalid(problems=problems)
        return self._again(lambda patient: self._allocated(requests, keep=keep, patient=patient, dry_run=dry_run))

    def release(self, ids: Iterable[str], *, missing_ok: bool = False, dry_run: bool = False) -> Outcome:
        """Give allocations back; all or nothing. What they had is free at once, or rests as the network says (I5).

        Args:
            ids: of allocations; an address is not enough, since it may have been given to another meanwhile.
            missing_ok: what was released already is left alone.

        Raises:
            NotFound: there was no such allocation. Conflict: code `stale-release`: it was released before.
            Forbidden: code `not-yours`.
        """
        wanted = list(dict.fromkeys(ids))
        self._actor.must(Permission.ADDRESSES, "addresses")
        return self._again(lambda _: self._released(wanted, missing_ok=missing_ok, dry_run=dry_run))

    def list(
        self,
        *,
        limit: int | None = None,
        unseen_since: datetime | None = None,
        network: str | None = None,
        datacenter: str | None = None,
        vlan: int | None = None,
        owner: str | None = None,
        **filters: str | None,
    ) -> Sequence[Mapping[str, Any]]:
        """Who has which address and name, in order.

        Args:
            limit: this many at most. filters: `space`, `service`, `environment`, `machine`.
            network: those of this one.
            unseen_since: only what was given before this moment and was not seen in use since: merely assigned.
            datacenter, vlan, owner: of networks that are tagged so.
        """
        self._actor.must(Permission.VIEW, "addresses")
        with self._app.store.reading() as tx:
            if Permission.ADMINISTER not in self._actor.permissions:
                filters["tenant"] = self._actor.tenant
            found = tx.addresses.list(
                limit=limit,
                unseen_since=unseen_since,
                network=self._visible(tx, network) if network else None,
                of_networks={"datacenter": datacenter, "vlan": vlan, "owner": owner},
                **filters,
            )
            return all_shown(tx, found)

    def held(self, request: AddressRequest) -> Sequence[Mapping[str, Any]]:
        """What was given where a request asks, to whom it names; what it does not say may be anything."""
        self._actor.must(Permission.VIEW, request.where)
        # The chain locks its networks, which a transaction that only reads may not.
        with self._app.store.transaction() as tx:
            try:
                return all_shown(tx, held_before(tx, self._actor, request, alike=False))
            except NotFound:
                return []

    def by_key(self, key: str) -> Sequence[Mapping[str, Any]]:
        """What the request with a key got, and was not released since."""
        self._actor.must(Permission.VIEW, "addresses")
        with self._app.store.reading() as tx:
            answer = tx.addresses.answered(self._actor.tenant, key)
            found = tx.addresses.by_ids([row["id"] for row in answer[1]["addresses"]] if answer else [])
            return all_shown(tx, [*found.values()])

    def show(self, thing: str, *, space: str = "default") -> Mapping[str, Any]:
        """Who has an address, a name, or an allocation.

        Args:
            thing: an address, a full name, or the id of an allocation. space: that of the address.

        Raises:
            NotFound: nobody has it; it says why, as far as the actor may know. Forbidden: another tenant has it.
        """
        self._actor.must(Permission.VIEW, thing)
        with self._app.store.reading() as tx:
            found = found_by(tx, thing, space)
            if found is None:
                raise nobody_has(tx, self._actor, thing, space, self._app.clock())
            refuse_foreign(self._actor, found.tenant, f"'{thing}'")
            return all_shown(tx, [found])[0]

    def free(self, network: str, *, count: int = 10) -> Mapping[str, Any]:
        """How much is free in a network, and its lowest free `addresses`; nobody takes them by this.

        Args:
            count: addresses to name, at most.

        Raises:
            NotFound, Forbidden: it is not there, or another tenant's. Invalid: the count is no good one.
        """
        self._actor.must(Permission.VIEW, f"network '{network}'")
        if not 0 <= count <= MOST:
            raise Invalid(f"{count} addresses cannot be named", remedy=f"ask for 0 to {MOST}")
        at = self._app.clock()
        with self._app.store.reading() as tx:
            found = self._visible(tx, network)
            names = [str(address) for address in next_free(tx, found, count, at)]
            filled = fills(tx, [found], at)[found.id]
        return {"network": found.name, "space": found.space, "prefix": str(found.prefix), **filled, "addresses": names}

    def history(self, address: str, *, space: str = "default") -> Sequence[Mapping[str, Any]]:
        """Who has and who had an address, the last one first, with when and why (I6).

        Raises:
            Invalid: it is no address. Forbidden: it lies in another tenant's network.
        """
        self._actor.must(Permission.VIEW, f"address {address}")
        place = read_address(address)
        with self._app.store.reading() as tx:
            past = tx.addresses.history(space, place)
            rows = [(each, None, "") for each in tx.addresses.at(space, [place]).values()] + past
            data = all_shown(tx, [each for each, _, _ in rows])
        if rows and not any(may_see(self._actor, each.tenant) for each, _, _ in rows):
            raise Forbidden(f"{address} of space '{space}' is not yours", code="not-yours")
        return [
            {**each_shown, "released": released.isoformat() if released else "", "released_by": by}
            for each_shown, (each, released, by) in zip(data, rows, strict=True)
            if may_see(self._actor, each.tenant)
        ]

    def saw(self, things: Iterable[str], *, space: str = "default") -> Outcome:
        """Note that addresses were seen in use just now, as by a probe of a network (I6).

        Args:
            things: addresses, full names, or ids of allocations. space: that of the addresses.

        Returns:
            `after` has `seen`, the ids of allocations, and `strangers`: what answers though the actor knows nobody who
            has it.
        """
        self._actor.must(Permission.ADDRESSES, "addresses")
        seen: dict[str, str] = {}
        with self._app.store.transaction() as tx:
            for thing in dict.fromkeys(things):
                found = found_by(tx, thing, space)
                seen[thing] = found.id if found and may_see(self._actor, found.tenant) else ""
            ids = [id for id in seen.values() if id]
            tx.addresses.saw(ids, self._app.clock())
        strangers = [thing for thing, id in seen.items() if not id]
        message = f"{counted(len(ids), 'allocation')} seen" + (f"; nobody has {', '.join(strangers)}" * bool(strangers))
        return Outcome(bool(ids), after={"seen": ids, "strangers": strangers}, message=message)

    def reconcile(self, *, repair: bool = False) -> Outcome:
        """Find allocations whose machine is gone, and machines whose address is not recorded (I5).

        Args:
            repair: release the former, and record the latter where somebody may have the address.

        Returns:
            `before` has `gone` and `unknown`; an address in `unknown` that somebody has (`holder` says who) or that
            nobody is given (`closed` says why) is left alone. And `elsewhere`: what was asked for by hand for machines
            that are not in the pool, or for environments that are not there; it is left alone.
        """
        self._actor.must(Permission.ADDRESSES if repair else Permission.VIEW, "addresses")
        at = self._app.clock()
        with self._app.store.transaction() if repair else self._app.store.reading() as tx:
            (lost, elsewhere), found = reconciling.gone(tx, self._actor), reconciling.strays(tx, self._actor, at)
            unknown = [each.shown() for each in found]
            before = {"gone": all_shown(tx, lost), "unknown": unknown, "elsewhere": all_shown(tx, elsewhere)}
            message = f"{counted(len(lost), 'allocation')} of machines that are gone"
            changed = bool(lost or found)
            if repair:
                recorded = reconciling.repair(tx, self._app, self._actor, lost, found)
                left = f", {len(found) - recorded} left alone" if len(found) > recorded else ""
                message = f"{message} released, {counted(recorded, 'unknown address', 'es')} of machines recorded{left}"
                changed = bool(lost or recorded)
                if changed:
                    log(tx, at, self._actor, message)
            else:
                message = f"{message}, {counted(len(found), 'unknown address', 'es')} of machines"
        return Outcome(changed, before, message=message)

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _again(self, work: Callable[[bool], T]) -> T:
        """Do a transaction; if others were faster, do it again, patiently."""
        for number in range(TRIES):
            try:
                return work(number > 0)
            except Crossed:
                if number == TRIES - 1:
                    raise
        raise AssertionError

    def _allocated(self, requests: Sequence[AddressRequest], *, keep: bool, patient: bool, dry_run: bool) -> Outcome:
        at = self._app.clock()
        before: builtins.list[Mapping[str, Any]] = []
        after: builtins.list[Mapping[str, Any]] = []
        sentences: builtins.list[str] = []
        with self._app.store.transaction() as tx:
            for request in requests:
                known = self._known(tx, request, {row["id"] for row in after}, keep=keep)
                new = self._given(tx, request, known, at, patient=patient)
                before += known
                after += [*known, *new]
                sentences.append(told(new, "allocated") if new else told(known, "held already"))
                if new and not dry_run:
                    log(tx, at, self._actor, sentences[-1], environment=request.environment, machine=request.machine)
            if dry_run:
                tx.undo()
        new_ones = len(after) - len(before)
        message = sentences[0] if len(sentences) == 1 else f"{new_ones} allocated, {len(before)} held already"
        return Outcome(bool(new_ones), {"addresses": before}, {"addresses": after}, message=message)

    def _given(
        self,
        tx: Transaction,
        request: AddressRequest,
        known: Sequence[Mapping[str, Any]],
        at: datetime,
        *,
        patient: bool,
    ) -> builtins.list[dict[str, Any]]:
        """What is given anew, beside what is there."""
        lacking = without(request, known)
        if not lacking.count:
            return []
        given = allocate(tx, self._actor, lacking, at, self._app.new_id(), patient=patient)
        rows = [row for network, some in given for row in alike_shown(some, for_host(network))]
        if request.key:
            tx.addresses.answer(self._actor.tenant, request.key, _digest(request), {"addresses": rows}, at)
        return rows

    def _known(
        self, tx: Transaction, request: AddressRequest, counted: set[str], *, keep: bool
    ) -> Sequence[Mapping[str, Any]]:
        """What a request got before, by its key; or what its machine has, besides what counts for another request."""
        if request.key:
            return self._answered(tx, request)
        if not keep:
            return ()
        tx.addresses.lock(request.machine)
        found = held_before(tx, self._actor, request, alike=True)
        return all_shown(tx, [each for each in found if each.id not in counted][: request.count])

    def _answered(self, tx: Transaction, request: AddressRequest) -> Sequence[Mapping[str, Any]]:
        kept = tx.addresses.answered(self._actor.tenant, request.key)
        if kept is None:
            return ()
        if kept[0] != _digest(request):
            raise Conflict(
                f"the key '{request.key}' came with another request before",
                remedy="use a new key for a new request",
                code="key-reused",
            )
        rows: Sequence[Mapping[str, Any]] = kept[1]["addresses"]
        if over := tx.addresses.ended(row["id"] for row in rows):
            # Somebody else may have it by now: an answer that comes late must not be used.
            raise Conflict(
                f"what the request with key '{request.key}' got was released: allocation {min(over)}",
                remedy="use a new key for a new request",
                code="key-spent",
            )
        return rows

    def _released(self, wanted: builtins.list[str], *, missing_ok: bool, dry_run: bool) -> Outcome:
        at = self._app.clock()
        with self._app.store.transaction() as tx:
            found = tx.addresses.by_ids(wanted)
            gone = [id for id in wanted if id not in found]
            if gone and not missing_ok:
                self._refuse_gone(tx, gone)
            mine = list(found.values())
            for each in mine:
                refuse_foreign(self._actor, each.tenant, f"allocation {each.id}")
            before = all_shown(tx, mine)
            message = told(before, "released") if before else "nothing to release"
            if before and not dry_run:
                if len(give_back(tx, mine, at, self._actor)) < len(mine):
                    raise Crossed("somebody else releases the same", remedy="repeat it")
                log(tx, at, self._actor, message, environment=mine[0].environment, machine=mine[0].machine)
        return Outcome(bool(before), before={"addresses": before}, message=message)

    def _refuse_gone(self, tx: Transaction, gone: builtins.list[str]) -> None:
        ended = tx.addresses.ended(gone)
        problems = []
        for id in gone:
            if id in ended:
                when = ended[id].isoformat(timespec="seconds")
                problems.append(
                    Problem(f"allocation {id} was released {when}", "", "leave it: somebody else may have it by now")
                )
            else:
                problems.append(Problem(f"there is no allocation '{id}'", "", how_to_find(id)))
        if ended:
            raise Conflict(problems=problems, code="stale-release")
        raise NotFound(problems=problems)

    def _visible(self, tx: Transaction, name: str) -> Network:
        network = tx.networks.get(name)
        refuse_foreign(self._actor, network.tenant, f"network '{name}'")
        return network


def _digest(request: AddressRequest) -> str:
    plain = asdict(replace(request, key=""))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
