"""The roles that an environment's services name: those that Ansible would not find are told before anything is done."""

from __future__ import annotations

from pathlib import Path

from adslib.app import App
from adslib.domain.definition import Definition
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
        located(role.name, folder): service.name for service in definition.services.values() for role in service.roles
    }
    foreign = [role for role in users if not role.startswith((OURS, "/"))]
    missing = app.playbooks.missing_roles(ran_in, foreign) if foreign else ()
    remedy = f"put it into {folder or 'a project'}/roles, or install its collection"
    return [Problem(f"role '{role}' cannot be found", f"services.{users[role]}.roles", remedy) for role in missing]
