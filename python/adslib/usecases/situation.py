"""The situation of an environment, read in one transaction: what planning needs, and what its rows look like."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from adslib.adapters.documents import Document
from adslib.adapters.gateways.opening import STATIC
from adslib.adapters.store import Transaction
from adslib.app import App
from adslib.domain.actor import Actor
from adslib.domain.definition import Definition
from adslib.domain.desired import Desired
from adslib.domain.environment import Environment, Revision
from adslib.domain.errors import NotFound
from adslib.domain.gateway import Offer
from adslib.domain.job import Job
from adslib.domain.lifecycle import ENVIRONMENT, MachineState
from adslib.domain.planner import Actual
from adslib.domain.reading import read
from adslib.usecases.machine_locks import locks
from adslib.usecases.viewing import may_see

DEFAULT_ASIDE = (
    "the default gateway stands aside for machines and gateways of your own: it makes none on this host; "
    "to have both: ads gateway add local --kind local"
)


def mine(tx: Transaction, actor: Actor, name: str) -> Environment:
    """The environment, if it is the actor's tenant's; another tenant's does not exist for the actor (A20).

    Raises:
        NotFound: there is none.
    """
    found = tx.environments.find(name)
    if found is None or not may_see(actor, found.tenant):
        raise NotFound(f"there is no environment '{name}'", remedy="list them with: ads environment list")
    return found


def my_job(tx: Transaction, actor: Actor, job_id: str) -> Job:
    """The job, if it is the actor's tenant's (A20).

    Raises:
        NotFound: there is none.
    """
    job = tx.jobs.get(job_id)
    if not may_see(actor, job.tenant):
        raise NotFound(f"there is no job {job_id}", remedy="list them with: ads job list")
    return job


def default_offers(tx: Transaction) -> bool:
    """Whether the default `local` gateway makes machines: only while nothing of the user's own is known (ADR 4)."""
    return not tx.gateways.list() and not tx.machines.list(gateway=STATIC)


def offers(app: App, wanted: Definition | None = None) -> Sequence[Offer]:
    """What the gateways can make now; asked outside of any transaction.

    Args:
        wanted: what it is asked for; gateways tell their instance templates if it names one.
    """
    images = wanted is not None and any(service.need.image for service in wanted.services.values())
    with app.store.reading() as tx:
        settings = tx.gateways.list()
        with_default = default_offers(tx)
    return app.gateways.offers(settings, with_default=with_default, with_images=images)


def beside_orders(tx: Transaction, offered: Sequence[Offer], environment: str = "") -> Sequence[Offer]:
    """Offers with the room that all orders leave that are recorded, also those that their gateway does not show yet.

    Args:
        environment: its own orders are no others'.
    """
    orders: dict[str, list[str]] = {}
    for machine in tx.machines.list(state=MachineState.CREATING):
        if not machine.holder or machine.holder != environment:
            orders.setdefault(machine.gateway, []).append(machine.id)
    return [offer.beside(orders.get(offer.gateway, ())) for offer in offered]


def actual(app: App, tx: Transaction, environment: Environment, offered: Sequence[Offer]) -> Actual:
    """What stands of an environment, and what there is beside it; what somebody works on is not to be had."""
    locked, settings = locks(app, tx), tx.gateways.list()
    return Actual(
        environment=environment,
        standings=tx.standings.of(environment.name),
        held=tx.machines.list(holder=environment.name),
        free=[m for m in tx.machines.list(free=True, tenant=environment.tenant) if m.id not in locked],
        offers=beside_orders(tx, offered, environment.name),
        taken=tx.machines.names(f"{environment.name}-"),
        sizes=app.settings.sizes,
        wipes=app.gateways.wipes(settings),
        shares=app.gateways.shares(settings),
    )


def project_of(document: Document) -> str:
    """The project of a definition: what it names, else the folder of its file; a relative path starts there."""
    named = document.definition.project
    folder = Path(document.origin.path).parent if document.origin.path else Path()
    if not named:
        return str(folder) if document.origin.path else ""
    return named if "://" in named or named.startswith("git@") else str((folder / named).resolve())


def desired(revision: Revision) -> Desired:
    """What shall stand according to a revision."""
    return Desired(read(revision.rendered))


def shown(environment: Environment) -> dict[str, Any]:
    """An environment as plain data."""
    tests = environment.tests
    return {
        "name": environment.name,
        "state": str(environment.state),
        "revision": environment.revision,
        "deployed_revision": environment.deployed,
        "project": environment.project,
        "tests": {"at": tests.at.isoformat(), "passed": tests.passed, "failures": list(tests.failures)}
        if tests
        else None,
        "live_despite": environment.live_despite,
        "possible": [str(event) for event in ENVIRONMENT.possible(environment.state)],
        "tenant": environment.tenant,
        "created": environment.created.isoformat() if environment.created else None,
        "generation": environment.generation,
    }
