"""What a user says about a machine that they add by hand, and the row that it makes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from adslib.adapters.host_keys import KnownHosts
from adslib.domain.errors import Problem
from adslib.domain.machine import Connection, Machine, Reach, Size

NAME = re.compile(r"[a-z0-9]([a-z0-9._-]{0,251}[a-z0-9])?")
ADDRESS = re.compile(r"[A-Za-z0-9:][A-Za-z0-9._:%-]*")
WORD = re.compile(r"[A-Za-z0-9_][\w.@/+-]*")
KINDS = ("container", "vm", "metal", "process")
CAPABILITIES = frozenset({"packages", "systemd"})
VARIABLE = re.compile(r"ansible_[a-z0-9_]+")
SECRET = re.compile(r"ansible_\w*(pass|password|passwd|passphrase|secret|private_key|token)")
OURS = ("ansible_ssh_common_args", "ansible_host_key_checking")


@dataclass(frozen=True, slots=True)
class MachineSpec:
    """A machine as a user describes it; None: not said, so it stays as it is, or takes the usual value if it is new.

    Args:
        size: name of a known size. port: TCP. key: path of a private key file. become: a become method, empty: none.
        variables: further `ansible_…` connection variables. capabilities: of `packages`, `systemd`.
        root: directory that is the machine's file system, for local ones.
    """

    name: str
    address: str | None = None
    size: str | None = None
    os: str | None = None
    location: str | None = None
    user: str | None = None
    port: int | None = None
    key: str | None = None
    become: str | None = None
    kind: str | None = None
    gateway: str | None = None
    python: str | None = None
    connection: str | None = None
    root: str | None = None
    labels: Mapping[str, str] | None = None
    variables: Mapping[str, Any] | None = None
    capabilities: frozenset[str] | None = None


def problems_of(spec: MachineSpec, sizes: Mapping[str, Size]) -> Iterator[Problem]:
    """Everything that is wrong with a description, whatever is in the store."""

    def problem(message: str, remedy: str) -> Problem:
        return Problem(message, f"machine '{spec.name}'", remedy)

    if not NAME.fullmatch(spec.name):
        yield problem("this is no name for a machine", "use lower-case letters, digits, '.', '_' and '-', like 'web-1'")
    if spec.address and not ADDRESS.fullmatch(spec.address):
        yield problem(f"'{spec.address}' is no address", "give a host name or an IP address")
    if spec.size and spec.size not in sizes:
        yield problem(f"no size is called '{spec.size}'", f"known sizes: {', '.join(sizes)}")
    if spec.port is not None and not 0 < spec.port < 65536:
        yield problem(f"{spec.port} is no port", "use 1 to 65535")
    if spec.kind and spec.kind not in KINDS:
        yield problem(f"'{spec.kind}' is no kind of machine", f"use {', '.join(KINDS)}")
    if spec.connection and spec.connection not in tuple(Connection):
        yield problem(f"ads does not connect by '{spec.connection}'", f"use {' or '.join(Connection)}")
    if spec.root and not spec.root.startswith("/"):
        yield problem(f"root '{spec.root}' is no absolute path", "begin it with /")
    for what in ("os", "location", "user", "become", "python"):
        value = getattr(spec, what)
        if value and not WORD.fullmatch(value.lstrip("/") if what == "python" else value):
            yield problem(f"{what} '{value}' will not do", "use letters, digits, '.', '_', '-', without blanks")
    yield from (problem(message, remedy) for message, remedy in _more_problems(spec))


def _more_problems(spec: MachineSpec) -> Iterator[tuple[str, str]]:
    unknown = (spec.capabilities or frozenset()) - CAPABILITIES
    if unknown:
        yield f"'{min(unknown)}' is no capability", f"use {', '.join(sorted(CAPABILITIES))}"
    if spec.key and "PRIVATE KEY" in spec.key:
        yield "this is the contents of a private key, which ads never stores", "give the path of its file"
    elif spec.key and not Path(spec.key).expanduser().is_file():
        yield f"there is no key file '{spec.key}'", "give the path of a private key on this host"
    yield from _variable_problems(spec.variables or {})


def _variable_problems(variables: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        if not VARIABLE.fullmatch(name):
            yield (
                f"'{name}' is no connection variable",
                "give ansible_… variables only; keep others in your group_vars or in the definition",
            )
        elif SECRET.fullmatch(name):
            yield (
                f"'{name}' is a secret, which ads never stores",
                "use a key file, or keep it in your own vaulted group_vars or in the environment",
            )
        elif "{{" in str(value) or "{%" in str(value):
            yield f"'{name}' is an expression, which would not be rendered", "give a plain value"
        elif name == "ansible_ssh_args" and "stricthostkeychecking" in str(value).lower():
            # These stand in front of ours, so they would win.
            yield f"'{name}' changes how host keys are checked, which is never off", "leave that option out"


def machine_of(
    spec: MachineSpec, current: Machine | None, *, new: Machine, sizes: Mapping[str, Size], known: KnownHosts
) -> Machine:
    """The row of a described machine.

    Args:
        current: the row that there is. new: the row to begin with if there is none. known: where its keys are pinned.
    """
    start = current or new
    reach = _reach(spec, start, known)
    return replace(
        start,
        gateway=_said(spec.gateway, start.gateway),
        kind=_said(spec.kind, start.kind),
        size=start.size if spec.size is None else sizes[spec.size] if spec.size else Size("", 0, 0),
        os=_said(spec.os, start.os),
        location=_said(spec.location, start.location),
        reach=reach,
        capabilities=start.capabilities if spec.capabilities is None else spec.capabilities,
        labels=dict(start.labels if spec.labels is None else spec.labels),
    )


def _reach(spec: MachineSpec, start: Machine, known: KnownHosts) -> Reach:
    reach = start.reach
    connection = Connection(spec.connection) if spec.connection else reach.connection
    variables = dict(reach.vars if spec.variables is None else spec.variables)
    arguments = known.arguments(start.id)
    if connection is Connection.LOCAL:
        variables = {name: value for name, value in variables.items() if name not in OURS}
    elif arguments not in str(variables.get(OURS[0], "")):
        # ssh takes the first value of an option, so ours stand in front of what the user has.
        variables[OURS[0]] = " ".join(part for part in (arguments, str(variables.get(OURS[0], ""))) if part)
        variables[OURS[1]] = True
    key = reach.key if spec.key is None else str(Path(spec.key).expanduser().absolute()) if spec.key else ""
    return Reach(
        connection=connection,
        address=_said(spec.address, reach.address),
        port=reach.port if spec.port is None else spec.port,
        user=_said(spec.user, reach.user),
        become=_said(spec.become, reach.become),
        key=key,
        root=_said(spec.root, reach.root),
        python=_said(spec.python, reach.python),
        vars=variables,
    )


def _said(value: str | None, otherwise: str) -> str:
    return otherwise if value is None else value
