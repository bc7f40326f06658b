"""The hosts of a job: machines with the instances that the job works on, ready for `add_host`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from adslib.app import App
from adslib.domain.hosts import HostViews, connection_variables
from adslib.domain.job import Job, JobKind
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import Machine
from adslib.domain.plan import removals as removals_of
from adslib.usecases.commissioning import addresses_of
from adslib.usecases.reporting import chosen, to_test
from adslib.usecases.roles import located
from adslib.usecases.situation import desired


def hosts_of(app: App, job: Job, machines: Iterable[Machine]) -> list[dict[str, Any]]:
    """Name, groups, variables and stages of every running machine of a job.

    `ads_instances` holds the instances that the job works on; `ads_removals` the ones to remove from the machine.
    """
    running = {m.name: m for m in machines if m.state is MachineState.RUNNING}
    with app.store.reading() as tx:
        environment = tx.environments.get(job.environment)
    project = project_for(app, job.kind, environment.project)
    removals: dict[str, list[dict[str, Any]]] = {}
    for removal in removals_of(job.plan["actions"]):
        if removal.machine in running:
            instance = {"id": removal.instance, "name": removal.instance.rpartition("/")[2], "service": removal.service}
            entry = {"id": removal.id, "instance": instance, "role": removal.role and located(removal.role, project)}
            removals.setdefault(removal.machine, []).append(entry)
    if job.kind is JobKind.UNDEPLOY:
        return [
            {"name": name, "groups": ["ads_machines"], "stages": [], "variables": {
                **connection_variables(machine), "ads_instances": [], "ads_removals": removals.get(name, [])}}
            for name, machine in sorted(running.items())
            if name in removals
        ]  # fmt: skip
    with app.store.reading() as tx:
        wanted = desired(tx.revisions.get(job.environment, int(job.plan["revision"])))
        addresses = addresses_of(tx, job.environment)
    acted = {instance.id for instance in chosen(job, wanted)}
    environment = replace(environment, project=project)
    tested = {instance.id for instance in to_test(job, wanted, environment)}
    result = []
    for host in HostViews(environment, wanted, job.plan["seats"], running, addresses).hosts():
        every = host.variables["ads_instances"]
        entries = [entry for entry in every if entry["id"] in acted and job.kind is JobKind.DEPLOY]
        tests = [test for entry in every if entry["id"] in tested for test in entry["tests"]]
        leaving = removals.pop(host.name, [])
        for entry in entries:
            entry["roles"] = [{**role, "name": located(role["name"], environment.project)} for role in entry["roles"]]
        if entries or leaving or tests:
            variables = {
                **host.variables,
                "ads_instances": entries,
                "ads_removals": leaving,
                "ads_tests": tests,
            }
            stages = sorted({entry["stage"] for entry in entries})
            result.append({"name": host.name, "groups": list(host.groups), "variables": variables, "stages": stages})
    for name, leaving in sorted(removals.items()):
        variables = {**connection_variables(running[name]), "ads_instances": [], "ads_removals": leaving}
        result.append({"name": name, "groups": ["ads_machines"], "variables": variables, "stages": []})
    return result


def project_for(app: App, kind: JobKind, project: str) -> str:
    """The directory of a project that a job needs; one that is gone does not keep an environment from being removed."""
    return app.playbooks.present_project(project) if kind is JobKind.UNDEPLOY else app.playbooks.project(project)


def stage_numbers(app: App, job: Job) -> list[int]:
    """Numbers of the stages in which a job has something to do."""
    with app.store.reading() as tx:
        wanted = desired(tx.revisions.get(job.environment, int(job.plan["revision"])))
    return sorted({wanted.stage_of[instance.service] for instance in chosen(job, wanted)})
