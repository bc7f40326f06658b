"""The pool's rules: spare machines are made before somebody needs them, idle ones go (A11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from adslib.adapters.gateways.opening import DEFAULTS
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import Conflict, Invalid
from adslib.domain.pool_planner import PoolAction, PoolPlan, census
from adslib.domain.pool_rule import PoolRule, overlaps, problems_of
from adslib.usecases.log import log
from adslib.usecases.outcome import Outcome
from adslib.usecases.pool_applying import carry_out, planned
from adslib.usecases.situation import offers
from adslib.usecases.viewing import may_see


class Pool:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def add_rule(self, rule: PoolRule, *, dry_run: bool = False) -> Outcome:
        """Take a rule, or give one that is there another content; saying the same again changes nothing (A11).

        Args:
            rule: its tenant, and when it acted, are not the caller's to say.

        Raises:
            Invalid: something of it is wrong. Conflict: another rule counts the same machines, or its name is taken.
        """
        self._actor.must(Permission.MACHINES, f"rule '{rule.name}' of the pool")
        with self._app.store.transaction() as tx:
            names = {*DEFAULTS, *(setting.name for setting in tx.gateways.list())}
            if problems := problems_of(rule, self._app.settings.sizes, names):
                raise Invalid(problems=problems)
            before = tx.pool_rules.find(rule.name)
            if before and not may_see(self._actor, before.tenant):
                raise Conflict(f"the name '{rule.name}' is taken", remedy="choose another one")
            tenant, acted = (before.tenant, before.acted) if before else (self._actor.tenant, None)
            rule = replace(rule, tenant=tenant, acted=acted)
            if rule == before:
                return Outcome(False, _shown(rule), _shown(rule), message=f"rule '{rule.name}' unchanged")
            for other in tx.pool_rules.list(tenant, lock=True):
                if other.name != rule.name and overlaps(rule, other):
                    raise Conflict(
                        f"rule '{other.name}' counts the same machines as rule '{rule.name}' would",
                        remedy="give them different sizes, gateways, locations or operating systems",
                    )
            message = f"rule '{rule.name}' {'changed' if before else 'added'}"
            if not dry_run:
                tx.pool_rules.put(rule)
                log(tx, self._app.clock(), self._actor, f"{message} in the pool")
        return Outcome(True, _shown(before) if before else {}, _shown(rule), message=message)

    def remove_rule(self, name: str, *, dry_run: bool = False) -> Outcome:
        """Forget a rule; an absent one is left alone. Its machines stay in the pool."""
        self._actor.must(Permission.MACHINES, f"rule '{name}' of the pool")
        with self._app.store.transaction() as tx:
            found = tx.pool_rules.find(name)
            if found is None or not may_see(self._actor, found.tenant):
                return Outcome(False, message=f"there is no rule '{name}'")
            message = f"rule '{name}' removed; its machines stay"
            if not dry_run:
                tx.pool_rules.delete(name)
                log(tx, self._app.clock(), self._actor, f"rule '{name}' of the pool removed")
        return Outcome(True, _shown(found), message=message)

    def rules(self) -> Sequence[Mapping[str, Any]]:
        """The rules by name, each with how many machines it counts."""
        self._actor.must(Permission.VIEW, "the pool")
        with self._app.store.reading() as tx:
            rules, machines = tx.pool_rules.list(self._actor.tenant), tx.machines.list(tenant=self._actor.tenant)
        counted = census(rules, machines, self._app.settings.sizes)
        return [
            {
                **_shown(rule),
                "machines": len(counted[rule.name].all),
                "held": counted[rule.name].held,
                "free": len(counted[rule.name].free),
            }
            for rule in rules
        ]

    def plan(self) -> PoolPlan:
        """What the rules would do now, and why."""
        self._actor.must(Permission.VIEW, "the pool")
        offered = offers(self._app)
        with self._app.store.reading() as tx:
            return planned(self._app, self._actor, tx, tx.pool_rules.list(self._actor.tenant), offered)

    def apply(self, *, dry_run: bool = False) -> Outcome:
        """Do what the rules say: delete machines that are idle too long, make spare ones; then end what was begun.

        Everything is written down before it is done, so after a crash the next call goes on from there.

        Returns: `after` is the plan as data, with `failed`: cause by name of what could not be made or deleted.
        """
        self._actor.must(Permission.MACHINES, "the pool")
        plan, failed = (self.plan(), dict[str, str]()) if dry_run else carry_out(self._app, self._actor)
        return Outcome(bool(plan.actions), after={**as_data(plan), "failed": failed}, message=_sentence(plan, failed))


def as_data(plan: PoolPlan) -> dict[str, Any]:
    """A plan as plain data."""
    return {
        "actions": [_action(action) for action in plan.actions],
        "waiting": [{"rule": rule, "reason": reason} for rule, reason in plan.waiting],
        "look_again_at": plan.look_again_at.isoformat() if plan.look_again_at else None,
    }


def _action(action: PoolAction) -> dict[str, Any]:
    return {
        "verb": str(action.verb),
        "machine": action.name,
        "gateway": action.gateway,
        "rule": action.rule,
        "reason": action.reason,
    }


def _sentence(plan: PoolPlan, failed: Mapping[str, str]) -> str:
    parts = []
    for verb, done in (("delete", "deleted"), ("create", "made")):
        count = sum(1 for action in plan.actions if action.verb == verb and action.name not in failed)
        parts += [f"{count} {done}"] if count else []
    parts += [f"{len(failed)} failed"] if failed else []
    waits = [f"rule '{rule}': {reason}" for rule, reason in plan.waiting]
    return "; ".join([", ".join(parts) or "nothing to do", *waits])


def _shown(rule: PoolRule) -> dict[str, Any]:
    return {**asdict(rule), "acted": rule.acted.isoformat() if rule.acted else None}
