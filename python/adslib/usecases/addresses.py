"""Addresses and names: allocated, released, looked at (I2 to I6)."""

from __future__ import annotations

import builtins
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, TypeVar

from adslib.adapters.store import Crossed, Transaction
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.assignment import AddressRequest, Assignment, problems_of
from adslib.domain.errors import Conflict, Forbidden, Invalid, NotFound, Problem
from adslib.domain.network import Network
from adslib.domain.prefix import Address, read_address
from adslib.usecases import reconciling
from adslib.usecases.allocating import allocate, give_back
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome
from adslib.usecases.viewing import may_see

T = TypeVar("T")
TRIES = 8
"""How often a request begins again because somebody else was faster."""


class Addresses:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def allocate(self, request: AddressRequest, *, dry_run: bool = False) -> Outcome:
        """Give an address, a name, or both, any number of them; all or nothing.

        Networks are tried in the order of the chain (I3): the first of the VLAN, its others, those of the same end
        user, the reserve. `after` of the outcome has `addresses`, a map for each, with the link that served it.

        Raises:
            Invalid: the request is wrong; code `outside-network`: no network of the chain holds a wanted address;
                `no-zone`: no zone for names. NotFound: code `unknown-vlan`, or there is no such network or space.
            Forbidden: code `not-yours`. Blocked: code `chain-full`. Conflict: code `address-taken`, `address-closed`,
                `name-taken`, or `key-reused`: the key came with another request.
        """
        self._actor.must(Permission.ADDRESSES, request.where)
        return self.give(request, dry_run=dry_run)

    def give(self, request: AddressRequest, *, dry_run: bool = False) -> Outcome:
        """Give without asking for the permission: for what an actor may do as a whole, as a deployment."""
        if problems := problems_of(request):
            raise Invalid(problems=problems)
        return self._again(lambda patient: self._allocated(request, patient=patient, dry_run=dry_run))

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

    def list(self, *, limit: int | None = None, **filters: str | None) -> Sequence[Mapping[str, Any]]:
        """Who has which address and name, in order.

        Args:
            limit: this many at most. filters: `network`, `space`, `service`, `environment`, `machine`.
        """
        self._actor.must(Permission.VIEW, "addresses")
        with self._app.store.reading() as tx:
            exact = dict(filters)
            if exact.get("network"):
                exact["network"] = self._visible(tx, str(exact["network"])).id
            if Permission.ADMINISTER not in self._actor.permissions:
                exact["tenant"] = self._actor.tenant
            found = tx.addresses.list(limit=limit, **exact)
            return all_shown(tx, found)

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
            {**each_shown, "released": released, "released_by": by}
            for each_shown, (each, released, by) in zip(data, rows, strict=True)
            if may_see(self._actor, each.tenant)
        ]

    def saw(self, ids: Iterable[str]) -> int:
        """Note that allocations were seen in use just now; returns how many there are."""
        self._actor.must(Permission.ADDRESSES, "addresses")
        with self._app.store.transaction() as tx:
            return tx.addresses.saw(ids, self._app.clock())

    def reconcile(self, *, repair: bool = False) -> Outcome:
        """Find allocations whose machine is gone, and machines whose address is not recorded (I5).

        Args:
            repair: release the former, and record the latter where nobody else has the address.

        Returns:
            `before` has `gone` and `unknown`; an address in `unknown` that somebody has says who, and is left alone.

        Raises:
            Conflict: an address to be recorded is held back in its network; nothing is repaired.
        """
        self._actor.must(Permission.ADDRESSES if repair else Permission.VIEW, "addresses")
        with self._app.store.transaction() if repair else self._app.store.reading() as tx:
            lost, found = reconciling.gone(tx, self._actor), reconciling.strays(tx, self._actor)
            before = {"gone": all_shown(tx, lost), "unknown": [each.shown() for each in found]}
            message = f"{_counted(len(lost), 'allocation')} of machines that are gone"
            if repair:
                recorded = reconciling.repair(tx, self._app, self._actor, lost, found)
                message = f"{message} released, {_counted(recorded, 'unknown address', 'es')} of machines recorded"
                log(tx, self._app.clock(), self._actor, message)
            else:
                message = f"{message}, {_counted(len(found), 'unknown address', 'es')} of machines"
        return Outcome(bool(lost or found), before, message=message)

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

    def _allocated(self, request: AddressRequest, *, patient: bool, dry_run: bool) -> Outcome:
        at = self._app.clock()
        digest = _digest(request) if request.key else ""
        with self._app.store.transaction() as tx:
            if request.key and (kept := self._answered(tx, request, digest)):
                return kept
            given = allocate(tx, self._actor, request, at, self._app.new_id(), patient=patient)
            networks = {network.id: for_host(network) for _, network in given}
            answer = [shown(assignment, networks[assignment.network]) for assignment, _ in given]
            message = _told(answer, "allocated")
            if request.key:
                tx.addresses.answer(self._actor.tenant, request.key, digest, {"addresses": answer}, at)
            if dry_run:
                tx.undo()
            else:
                log(tx, at, self._actor, message, environment=request.environment, machine=request.machine)
        return Outcome(True, after={"addresses": answer}, message=message)

    def _answered(self, tx: Transaction, request: AddressRequest, digest: str) -> Outcome | None:
        kept = tx.addresses.answered(self._actor.tenant, request.key)
        if kept is None:
            return None
        if kept[0] != digest:
            raise Conflict(
                f"the key '{request.key}' came with another request before",
                remedy="use a new key for a new request",
                code="key-reused",
            )
        rows = kept[1]["addresses"]
        return Outcome(False, after=kept[1], message=_told(rows, "allocated before with this key"))

    def _released(self, wanted: builtins.list[str], *, missing_ok: bool, dry_run: bool) -> Outcome:
        at = self._app.clock()
        with self._app.store.transaction() as tx:
            found = tx.addresses.by_ids(wanted)
            gone = [id for id in wanted if id not in found]
            if gone and not missing_ok:
                self._refuse_gone(tx, gone)
            mine = list(found.values())
            if foreign := [each for each in mine if not may_see(self._actor, each.tenant)]:
                raise Forbidden(f"allocation {foreign[0].id} is not yours", remedy="ask its tenant", code="not-yours")
            networks = tx.networks.by_ids({each.network for each in mine})
            before = all_shown(tx, mine)
            message = _told(before, "released") if before else "nothing to release"
            if before and not dry_run:
                give_back(tx, mine, at, self._actor, networks)
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
                problems.append(Problem(f"there is no allocation '{id}'", "", "list them with: ads address list"))
        if ended:
            raise Conflict(problems=problems, code="stale-release")
        raise NotFound(problems=problems)

    def _visible(self, tx: Transaction, name: str) -> Network:
        network = tx.networks.get(name)
        if not may_see(self._actor, network.tenant):
            raise Forbidden(f"network '{name}' is not yours", remedy="ask its tenant", code="not-yours")
        return network


def shown(assignment: Assignment, network: Mapping[str, Any]) -> dict[str, Any]:
    """An assignment as plain data, with what a host needs of its network.

    Args:
        network: what `for_host` says of it; empty: it is gone.
    """
    return {
        "id": assignment.id,
        "address": "" if assignment.number is None else str(Address(assignment.version, assignment.number)),
        "name": assignment.name,
        "space": assignment.space,
        "link": assignment.link,
        "service": assignment.service,
        "environment": assignment.environment,
        "machine": assignment.machine,
        "why": assignment.why,
        "given": assignment.given.isoformat(),
        "by": assignment.actor,
        "seen": assignment.seen.isoformat() if assignment.seen else "",
        **network,
    }


def for_host(network: Network) -> dict[str, Any]:
    """What a host in a network needs to know of it."""
    return {
        "network": network.name,
        "prefix": str(network.prefix),
        "gateway": str(network.gateway) if network.gateway else "",
        "resolvers": [str(resolver) for resolver in network.resolvers],
        "mtu": network.mtu,
        "vlan": network.vlan,
        "vxlan": network.vxlan,
        "lan": network.lan,
        "datacenter": network.datacenter,
    }


def all_shown(tx: Transaction, assignments: Sequence[Assignment]) -> list[dict[str, Any]]:
    """Assignments as plain data, each with its network."""
    ids = {each.network for each in assignments}
    networks = {id: for_host(network) for id, network in tx.networks.by_ids(ids).items()}
    return [shown(each, networks.get(each.network, {"network": ""})) for each in assignments]


def _counted(number: int, what: str, ending: str = "s") -> str:
    return f"{number} {what}{'' if number == 1 else ending}"


def _digest(request: AddressRequest) -> str:
    plain = asdict(replace(request, key=""))
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _told(rows: Sequence[Mapping[str, Any]], verb: str) -> str:
    first = " ".join(part for part in (rows[0]["address"], rows[0]["name"]) if part)
    more = f" and {len(rows) - 1} more" if len(rows) > 1 else ""
    return f"{first}{more} of network '{rows[0]['network']}' {verb}"
