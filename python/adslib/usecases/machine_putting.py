"""Putting machines into the pool: described by hand or imported, all of them or none, with their host keys pinned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

from adslib.adapters import host_keys
from adslib.adapters.gateways import KINDS
from adslib.adapters.gateways.opening import STATIC
from adslib.adapters.host_keys import KnownHosts
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.errors import Conflict, Failed, Invalid, Problem
from adslib.domain.gateway_setting import GatewaySetting
from adslib.domain.machine import Connection, Machine, Reach
from adslib.usecases.log import log
from adslib.usecases.machine_spec import CAPABILITIES, MachineSpec, machine_of, problems_of
from adslib.usecases.viewing import may_see


@dataclass(frozen=True, slots=True)
class Trust:
    """Where the host keys of new machines come from, beside the user's own known_hosts.

    Args:
        given: a public key, or a file with it. first_contact: believe what the machine shows now.
    """

    given: str = ""
    first_contact: bool = False


@dataclass(frozen=True, slots=True)
class Put:
    """What became of one machine. `keys` were pinned now; `unknown_key`: none is known, so ssh will refuse it."""

    before: Machine | None
    after: Machine
    keys: Sequence[str] = ()
    unknown_key: bool = False

    @property
    def changed(self) -> bool:
        """Whether anything is different."""
        return self.before != self.after or bool(self.keys)


def put(app: App, actor: Actor, specs: Sequence[MachineSpec], trust: Trust, *, dry_run: bool) -> list[Put]:
    """Add or change machines, all or none; see `Machines.add`."""
    known = KnownHosts(app.settings.home)
    with app.store.reading() as tx:
        settings = tx.gateways.list()
        found = {spec.name: tx.machines.find(spec.name) for spec in specs}
    problems = [problem for spec in specs for problem in problems_of(spec, app.settings.sizes)]
    problems += [problem for spec in specs for problem in _gateway_problems(spec, found[spec.name], settings)]
    if problems:
        raise Invalid(problems=problems)
    rows = [_row(app, actor, spec, found[spec.name], known) for spec in specs]
    keys = _keys(known, rows, trust, dry_run=dry_run)
    result = [
        Put(before, after, keys.get(after.id, ()), after.id not in keys and _unknown(known, before, after))
        for before, after in rows
    ]
    if not dry_run:
        _store(app, actor, result)
        moved = [each.after.id for each in result if each.before and _moved(each.before, each.after)]
        known.forget(id for id in moved if id not in keys)
        known.pin(keys)
    return result


def _gateway_problems(
    spec: MachineSpec, found: Machine | None, settings: Iterable[GatewaySetting]
) -> Iterable[Problem]:
    place = f"machine '{spec.name}'"
    kinds = {STATIC: STATIC, **{setting.name: setting.kind for setting in settings}}
    gateway = spec.gateway or (found.gateway if found else STATIC)
    if found and found.made:
        said = {field.name for field in fields(spec) if getattr(spec, field.name) is not None}
        if said - {"name", "labels", "gateway"} or gateway != found.gateway:
            yield Problem(f"gateway '{found.gateway}' made it", place, "change its labels only, or make another")
    elif found and gateway == found.gateway:
        pass  # What a refresh found may be described, too.
    elif gateway not in kinds:
        names = ", ".join(sorted(name for name, kind in kinds.items() if kind == STATIC))
        yield Problem(f"there is no gateway '{gateway}' for machines added by hand", place, f"there are: {names}")
    elif kinds[gateway] != STATIC and kinds[gateway] in KINDS:
        remedy = "add it to 'static', or let a deployment make machines there"
        yield Problem(f"gateway '{gateway}' ({kinds[gateway]}) makes its machines itself", place, remedy)
    if found is None and not spec.address and spec.connection != Connection.LOCAL:
        yield Problem("it has no address", place, "give one with --address")


def _row(
    app: App, actor: Actor, spec: MachineSpec, found: Machine | None, known: KnownHosts
) -> tuple[Machine | None, Machine]:
    if found and not may_see(actor, found.tenant):
        raise Conflict(f"the name '{spec.name}' is taken", remedy="choose another one")
    if found and found.made:
        return found, replace(found, labels=dict(found.labels if spec.labels is None else spec.labels))
    local = spec.connection == Connection.LOCAL
    new = Machine(
        id=app.new_id(),
        name=spec.name,
        gateway=STATIC,
        reach=Reach(address="127.0.0.1" if local else ""),
        capabilities=frozenset() if spec.root else CAPABILITIES,
        tenant=actor.tenant,
    )
    return found, machine_of(spec, found, new=replace(new, ref=new.id), sizes=app.settings.sizes, known=known)


def _moved(before: Machine, after: Machine) -> bool:
    return (before.reach.address, before.reach.port) != (after.reach.address, after.reach.port)


def _unknown(known: KnownHosts, before: Machine | None, after: Machine) -> bool:
    if after.made or after.reach.connection is not Connection.SSH:
        return False
    return before is None or _moved(before, after) or not known.pinned(after.id)


def _keys(
    known: KnownHosts, rows: Sequence[tuple[Machine | None, Machine]], trust: Trust, *, dry_run: bool
) -> dict[str, list[str]]:
    """The keys to pin, by machine id."""
    if trust.given:
        keys = host_keys.read_keys(trust.given)
        return {after.id: keys for _, after in rows if known.pinned(after.id) != keys}
    wanted = [after for before, after in rows if _unknown(known, before, after)]
    found = {machine.id: host_keys.trusted_by_user(machine.reach.address, machine.reach.port) for machine in wanted}
    asked = {m.id: (m.reach.address, m.reach.port) for m in wanted if not found[m.id]}
    if trust.first_contact and asked and not dry_run:
        shown = host_keys.shown_by(asked.values())
        found |= {machine_id: shown.get(target, []) for machine_id, target in asked.items()}
        silent = [f"{m.name} ({m.reach.address} port {m.reach.port})" for m in wanted if not found[m.id]]
        if silent:
            raise Failed(
                f"no host key is shown within {host_keys.PATIENCE} s by: {', '.join(silent)}",
                remedy="start sshd there, or give the key with --host-key; nothing was changed",
            )
    return {machine_id: keys for machine_id, keys in found.items() if keys}


def _store(app: App, actor: Actor, result: Sequence[Put]) -> None:
    new = [each.after for each in result if each.before is None]
    changed = [each for each in result if each.before and each.before != each.after]
    names: Mapping[str, str] = {each.after.name: "added" if each.before is None else "changed" for each in result}
    with app.store.transaction() as tx:
        tx.machines.add_many(new)
        tx.machines.update_many([each.after for each in changed])
        at = app.clock()
        for each in result:
            if each.changed:
                text = f"machine '{each.after.name}' {names[each.after.name]}"
                log(tx, at, actor, text, environment=each.after.holder, machine=each.after.name)
