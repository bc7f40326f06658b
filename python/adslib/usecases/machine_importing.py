"""From the hosts of a user's inventory to machines: what Ansible's own variables say, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adslib.adapters.inventories import InventoryHost
from adslib.domain.errors import Invalid, Problem
from adslib.usecases.machine_spec import SECRET, VARIABLE, MachineSpec

CONNECTIONS = {"": "ssh", "ssh": "ssh", "smart": "ssh", "ansible.builtin.ssh": "ssh", "local": "local"}
NAMES: Mapping[str, tuple[str, ...]] = {
    "address": ("ansible_host", "ansible_ssh_host"),
    "port": ("ansible_port", "ansible_ssh_port"),
    "user": ("ansible_user", "ansible_ssh_user"),
    "key": ("ansible_private_key_file", "ansible_ssh_private_key_file"),
    "python": ("ansible_python_interpreter",),
    "connection": ("ansible_connection",),
    "become": ("ansible_become",),
    "become_method": ("ansible_become_method",),
}
MAPPED = frozenset(name for names in NAMES.values() for name in names)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where size, operating system and location of imported machines come from: a variable of each host, or one value.

    Args:
        variables, values: by `size`, `os`, `location`. gateway: whose machines they become.
    """

    variables: Mapping[str, str]
    values: Mapping[str, str]
    gateway: str = "static"


def specs_of(hosts: Sequence[InventoryHost], wanted: Wanted) -> list[MachineSpec]:
    """The machines of an inventory.

    Raises:
        Invalid: with everything that cannot be taken in, secrets first: each by host and variable.
    """
    secrets = [problem for host in hosts for problem in _secrets(host)]
    problems: list[Problem] = []
    specs = [_spec(host, wanted, problems) for host in hosts]
    twice = {spec.name for spec in specs if sum(other.name == spec.name for other in specs) > 1}
    problems += [
        Problem("two hosts differ in case only", f"host '{name}'", "rename one of them") for name in sorted(twice)
    ]
    if secrets or problems:
        raise Invalid(problems=[*secrets, *problems])
    return specs


def _secrets(host: InventoryHost) -> Iterator[Problem]:
    for name, value in host.variables.items():
        if SECRET.fullmatch(name) and not _kept_elsewhere(value):
            yield Problem(
                f"'{name}' is a secret in plain text, which ads never stores",
                f"host '{host.name}'",
                "encrypt it with ansible-vault, where it stays in your project, or use a key file",
            )


def _kept_elsewhere(value: Any) -> bool:
    """Whether a secret is encrypted or looked up: Ansible goes on reading it from the user's own group_vars."""
    return (isinstance(value, Mapping) and "__ansible_vault" in value) or "{{" in str(value)


def _spec(host: InventoryHost, wanted: Wanted, problems: list[Problem]) -> MachineSpec:
    place = f"host '{host.name}'"

    def variable(what: str) -> Any:
        return next((host.variables[name] for name in NAMES[what] if name in host.variables), None)

    def text(what: str) -> str:
        value = variable(what)
        if "{{" in str(value):
            problems.append(Problem(f"{NAMES[what][0]} is an expression: {value}", place, "write the plain value"))
        return "" if value is None else str(value)

    def chosen(what: str) -> str:
        name = wanted.variables.get(what, "")
        value = host.variables.get(name, wanted.values.get(what)) if name else wanted.values.get(what, "")
        if value is None:
            problems.append(
                Problem(f"it has no variable '{name}'", place, f"set it, or give --{what} for those without")
            )
        return "" if value is None else str(value)

    connection = text("connection")
    if connection not in CONNECTIONS:
        remedy = "leave the host out; ads reaches machines by ssh or local"
        problems.append(Problem(f"ads does not connect by '{connection}'", place, remedy))
    port = text("port")
    if port and not port.isdigit():
        problems.append(Problem(f"ansible_port '{port}' is no number", place, "use 1 to 65535"))
    method = text("become_method") or "sudo"
    return MachineSpec(
        name=host.name.lower(),
        address=text("address") or host.name,
        size=chosen("size"),
        os=chosen("os"),
        location=chosen("location"),
        user=text("user"),
        port=int(port) if port.isdigit() else 22,
        key=text("key"),
        become=method if str(variable("become")).lower() in ("true", "yes", "1") else "",
        gateway=wanted.gateway,
        python=text("python").removeprefix("auto_silent").removeprefix("auto"),
        connection=CONNECTIONS.get(connection, "ssh"),
        labels={"groups": ",".join(host.groups)} if host.groups else {},
        variables={
            name: value
            for name, value in host.variables.items()
            if VARIABLE.fullmatch(name) and name not in MAPPED and not SECRET.fullmatch(name)
        },
    )
