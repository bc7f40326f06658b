"""Zones: which DNS server carries them; names are published, compared with the store, exported (I4)."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.dns import TAKEN, Difference, RecordSet, records, zone_file
from adslib.domain.errors import Conflict, Failed, Invalid, NotFound
from adslib.domain.zone import read_zone
from adslib.domain.zone_setting import ZoneSetting, problems_of, read_reverse
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome, counted
from adslib.usecases.publishing import by_zone, compare, publish
from adslib.usecases.sending import Published
from adslib.usecases.viewing import may_see, refuse_foreign
from adslib.usecases.zone_truth import sharing, truth_of


class Zones:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def add(
        self,
        name: str,
        server: str,
        *,
        key_name: str,
        secret: str,
        port: int = 53,
        algorithm: str = "hmac-sha256",
        reverse: Iterable[str] = (),
        ttl: int = 300,
        tenant: str = "",
        dry_run: bool = False,
    ) -> Outcome:
        """Publish the names of a zone from now on, or elsewhere than before; all that are there wait to be published.

        Only administrators may, since ads reads the secret with its own rights, whosever it is.

        Args:
            server, port: what carries it. key_name, algorithm: of the TSIG key.
            secret: where its secret lies: `env:NAME` or `file:/path`. reverse: reverse zones of the same server, as
                prefixes or names. ttl: of the records, in seconds.
            tenant: whose it is; empty: whose it was, or the actor's.

        Raises:
            Invalid: something of this is wrong.
            Conflict: networks of another tenant use it, or its reverse zone is another tenant's.
        """
        self._actor.must(Permission.ADMINISTER, f"zone '{name}'")
        turned = tuple(dict.fromkeys(read_reverse(each) for each in reverse))
        setting = ZoneSetting(
            read_zone(name), server, key_name.removesuffix(".").lower(), secret, port, algorithm, turned, ttl
        )
        if problems := problems_of(setting):
            raise Invalid(problems=problems)
        with self._app.store.transaction() as tx:
            tx.zones.lock()
            before = self._known(tx, setting.name)
            setting = replace(setting, tenant=tenant or (before.tenant if before else self._actor.tenant))
            if before == setting:
                return Outcome(False, shown(setting), shown(setting), message=f"zone '{setting.name}' unchanged")
            _refuse_shared(tx, setting)
            tx.zones.put(setting)
            tx.zones.mark_all(setting, self._app.clock())
            message = f"zone '{setting.name}' {'changed' if before else 'added'}"
            self._end(tx, message, dry_run=dry_run)
        return Outcome(True, shown(before) if before else {}, shown(setting), message=message)

    def remove(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Publish a zone no more; an absent one is left alone. What is at its server stays there."""
        self._actor.must(Permission.NETWORKS, f"zone '{name}'")
        with self._app.store.transaction() as tx:
            tx.zones.lock()
            setting = self._known(tx, read_zone(name))
            if setting is None:
                return Outcome(False, message=f"there is no zone '{name}'")
            tx.zones.delete(setting.name)
            message = f"zone '{setting.name}' removed; its records stay at {setting.server}"
            self._end(tx, message, dry_run=dry_run)
        return Outcome(True, shown(setting), message=message)

    def list(self) -> Sequence[Mapping[str, Any]]:
        """The zones that the actor may see, by name, with how many names wait and why publishing failed, if it did."""
        self._actor.must(Permission.VIEW, "zones")
        with self._app.store.reading() as tx:
            counts, failures = tx.zones.counts(), tx.zones.failures()
            return [
                {**shown(each), "pending": counts.get(each.name, 0), "failure": failures[each.name]}
                for each in self._mine(tx)
            ]

    def publish(self, zone: str = "", *, check: bool = False, repair: bool = False, dry_run: bool = False) -> Outcome:
        """Bring the names that wait to their servers.

        Args:
            zone: empty: every zone that the actor may see.
            check: compare whole zones with the store instead, and change nothing; see `publishing.compare`.
            repair: set right what such a comparison finds, too, whoever wrote it. dry_run: say what would be sent.

        Returns: `after` has `differences` where zones were compared, `records` in a dry run, else `published`.

        Raises:
            NotFound: there is no such zone. Forbidden: it is another tenant's.
            Failed: a server does not answer or refuses (code `dns-unreachable`, `dns-forbidden`, `dns-refused`), or
                somebody else has a name there (`dns-taken`); the others were served, and what was not published waits.
        """
        self._actor.must(Permission.VIEW if check else Permission.NETWORKS, f"zone '{zone}'" if zone else "zones")
        with self._app.store.reading() as tx:
            settings = self._mine(tx, zone)
        found = {each: compare(self._app, each) for each in settings} if check or repair else {}
        if check or (repair and dry_run):
            return self._compared(found)
        if dry_run:
            return self._would_send(settings)
        differing = {setting: {each.wanted.name for each in found.get(setting, ())} for setting in settings}
        for setting in found:
            with self._app.store.transaction() as tx:
                tx.zones.mark(setting.name, differing[setting], self._app.clock())
        results = [publish(self._app, self._actor, setting.name, differing[setting]) for setting in settings]
        return _told(results)

    def export(self, zone: str, *, reverse: str = "") -> str:
        """A zone as a file that DNS servers load, or one of its reverse zones.

        Args:
            reverse: as a prefix or a name.

        Raises:
            NotFound: there is no such zone, or it has no such reverse zone. Forbidden: it is another tenant's.
        """
        self._actor.must(Permission.VIEW, f"zone '{zone}'")
        with self._app.store.reading() as tx:
            setting = self._mine(tx, zone)[0]
            wanted = read_reverse(reverse) if reverse else setting.name
            if wanted not in setting.carried:
                raise NotFound(
                    f"zone '{setting.name}' has no reverse zone '{wanted}'",
                    remedy="see them with: ads network zone list",
                )
            given = tx.zones.given(sharing(tx, setting, wanted))
        serial = int(self._app.clock().timestamp())
        sets = records(wanted, setting.carried, given)
        return zone_file(wanted, sets, ttl=setting.ttl, serial=serial, server=setting.server)

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _mine(self, tx: Transaction, name: str = "") -> builtins.list[ZoneSetting]:
        if not name:
            return [each for each in tx.zones.list() if may_see(self._actor, each.tenant)]
        setting = tx.zones.get(read_zone(name))
        refuse_foreign(self._actor, setting.tenant, f"zone '{setting.name}'")
        return [setting]

    def _known(self, tx: Transaction, name: str) -> ZoneSetting | None:
        setting = tx.zones.find(name)
        if setting:
            refuse_foreign(self._actor, setting.tenant, f"zone '{name}'")
        return setting

    def _end(self, tx: Transaction, message: str, *, dry_run: bool) -> None:
        if dry_run:
            tx.undo()
        else:
            log(tx, self._app.clock(), self._actor, message)

    def _compared(self, found: Mapping[ZoneSetting, Sequence[Difference]]) -> Outcome:
        with self._app.store.reading() as tx:
            waiting = {setting: tx.zones.waiting(setting.name) for setting in found}
        rows = [
            {
                "zone": setting.name,
                "kind": str(each.kind),
                "name": each.wanted.name,
                "type": each.wanted.type,
                "wanted": _data(each.wanted),
                "found": _data(each.found),
                "pending": each.wanted.name in waiting[setting],
            }
            for setting, differing in found.items()
            for each in differing
        ]
        message = f"{counted(len(rows), 'difference')} from the store" if rows else "zones and store agree"
        return Outcome(bool(rows), after={"differences": rows}, message=message)

    def _would_send(self, settings: Iterable[ZoneSetting]) -> Outcome:
        rows: builtins.list[dict[str, Any]] = []
        with self._app.store.reading() as tx:
            for setting in settings:
                for zone, names in by_zone(setting, tx.zones.waiting(setting.name)).items():
                    sets = truth_of(tx, setting, zone, names) if zone else []
                    rows += [
                        {"zone": zone, "name": each.name, "type": each.type, "wanted": _data(each)} for each in sets
                    ]
        names_of = {row["name"] for row in rows}
        return Outcome(
            bool(rows), after={"records": rows}, message=f"{counted(len(names_of), 'name')} would be published"
        )


def _refuse_shared(tx: Transaction, setting: ZoneSetting) -> None:
    """Names of one server's reverse zone stand together: its PTR records, and its file, have those of all zones.

    Raises:
        Conflict: another tenant has a part in the zone, or in a reverse zone.
    """
    others = [("network", each.name, each.tenant, "uses it") for each in tx.networks.list(zone=setting.name)]
    others += [
        ("zone", name, tx.zones.get(name).tenant, f"has reverse zone '{reverse}' at {setting.server}, too")
        for reverse in setting.reverse
        for name in sharing(tx, setting, reverse)
        if name != setting.name
    ]
    for kind, name, tenant, does in others:
        if tenant != setting.tenant:
            raise Conflict(
                f"{kind} '{name}' of tenant '{tenant}' {does}",
                place=f"zone '{setting.name}' of tenant '{setting.tenant}'",
                remedy="say whose the zone is, with tenant, or keep apart what is another's",
            )


def shown(setting: ZoneSetting) -> dict[str, Any]:
    """A zone as plain data."""
    return {**asdict(setting), "reverse": list(setting.reverse)}


def _data(records: RecordSet) -> dict[str, Any]:
    return {"ttl": records.ttl, "data": list(records.data)} if records.data else {}


def _told(results: Sequence[Published]) -> Outcome:
    """What came of publishing.

    Raises:
        Failed: something went wrong.
    """
    failures = [error for result in results for errors in result.failures.values() for error in errors.values()]
    if failures:
        problems = dict.fromkeys(problem for result in results for problem in result.problems)
        # That names are taken says least: whoever repeats it later has to know whether a server was down.
        code = next((error.code for error in failures if error.code != TAKEN), TAKEN)
        raise Failed(problems=problems, code=code)
    names = sorted({name for result in results for name in result.names})
    message = f"{counted(len(names), 'name')} published" if names else "nothing waits to be published"
    return Outcome(bool(names), after={"published": names}, message=message)
