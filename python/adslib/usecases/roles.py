"""The roles that an environment's services name: those that Ansible would not find are told before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from adslib.app import App
from adslib.domain.definition import Definition
from adslib.domain.environment import Environment
from adslib.domain.errors import Problem

OURS = "ads.deploy."


def located(name: str, project: str) -> str:
    """A role by its path if it lies in the project's folder `roles`: Ansible does not look there from a collection."""
    path = Path(project) / "roles" / name
    return str(path) if project and path.is_dir() else name


def role_problems(app: App, definition: Definition, project: str, *, ran_in: str) -> list[Problem]:
    """The roles that cannot be found (A16).

    Args:
        project: of the environment, a directory or `URL@COMMIT`. ran_in: directory or project in which Ansible runs;
            empty: the current one.
    """
    folder = app.playbooks.project(project)
    users = {
        located(role.name, folder): f"services.{service.name}.roles"
        for service in definition.services.values()
        for role in service.roles
    }
    return _missing(app, users, folder, ran_in)


def wipe_problems(app: App, environment: Environment, *, ran_in: str) -> list[Problem]:
    """The roles that cannot be found though machines of an environment are to be wiped by them (A13); see above."""
    with app.store.reading() as tx:
        wipes = app.gateways.wipes(tx.gateways.list())
        lent = {m.gateway for m in tx.machines.list(holder=environment.name) if not m.made} if wipes else set()
    folder = app.playbooks.present_project(environment.project)
    users = {located(role, folder): f"gateway {name}, option wipe" for name, role in wipes.items() if name in lent}
    return _missing(app, users, folder, ran_in)


def _missing(app: App, users: Mapping[str, str], folder: str, ran_in: str) -> list[Problem]:
    foreign = [role for role in users if not role.startswith((OURS, "/"))]
    missing = app.playbooks.missing_roles(ran_in, foreign) if foreign else ()
    remedy = f"put it into {folder or 'a project'}/roles, or install its collection"
    return [Problem(f"role '{role}' cannot be found", users[role], remedy) for role in missing]
