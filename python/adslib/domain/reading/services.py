"""Services: what does the work, on what kind of machine, after what, and how it is tested (A5–A7, A12, A16)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from adslib.domain.definition import Need, Requirement, Role, Service, Test
from adslib.domain.reading.components import within_project
from adslib.domain.reading.findings import Part, did_you_mean

SERVICE_KEYS = (
    "component", "roles", "instances", "machine", "requires", "ports", "tests", "sessions", "vars",
)  # fmt: skip
KINDS = ("container", "vm", "metal", "process")
SESSIONS: tuple[Literal["none", "sustained"], ...] = ("none", "sustained")
MEMORY = re.compile(r"(\d+(?:\.\d+)?) ?([MGT])(?:i?B)?")
MEBIBYTES = {"M": 1, "G": 1024, "T": 1024 * 1024}
TEST_KINDS = ("http", "tcp", "command", "tasks")
LONGEST_TRY = 3600
"""Seconds: a test that takes longer is work, which belongs into a role."""
COMPONENT_ROLE = "ads.deploy.component"


def read_services(top: Part) -> Mapping[str, Service]:
    """The services of a document; what is wrong is noted."""
    return {name: read_service(name, part) for name, part in top.children("services")}


def read_service(name: str, part: Part) -> Service:
    """One service."""
    part.findings.name(name, "a service", part.path)
    part.only(SERVICE_KEYS)
    component = part.text("component")
    ports = read_ports(part)
    machine = part.get("machine")
    sessions = part.text("sessions", "none")
    if sessions not in SESSIONS:
        below = (*part.path, "sessions")
        part.findings.add(below, f"'{sessions}' says nothing about sessions", f"use {' or '.join(SESSIONS)}")
    return Service(
        name=name,
        component=component,
        roles=read_roles(part, component),
        instances=part.whole("instances", 1, least=0),
        need=read_need(machine) if machine is not None else Need(),
        requires=tuple(read_requirement(item) for item in part.each("requires") if item.expect(str, dict)),
        ports=ports,
        tests=tuple(read_test(item, ports) for item in part.each("tests") if item.expect(dict)),
        sessions="sustained" if sessions == "sustained" else "none",
        vars=part.vars("vars"),
    )


def read_roles(part: Part, component: str) -> tuple[Role, ...]:
    """The roles given; without any, a component is deployed by our own role."""
    given = part.get("roles")
    if given is None:
        if not component:
            part.wrong("a service needs a component or roles", "say what implements it")
            return ()
        return (Role(COMPONENT_ROLE, ads_root=True),)
    roles = tuple(read_role(item) for item in part.each("roles") if item.expect(str, dict))
    if given.value == [] and not component:
        part.wrong("a service needs a component or roles", "name at least one role")
    return roles


def read_role(item: Part) -> Role:
    """A role by name, or as {role, vars, ads_root}; roles of ``ads.deploy`` keep below ``ads_root``."""
    if isinstance(item.value, str):
        name = item.value
        if not name.strip():
            item.wrong("the name of the role is empty")
        return Role(name, ads_root=name.startswith("ads.deploy."))
    item.only(("role", "vars", "ads_root"))
    name = item.text("role", required=True)
    return Role(name, item.vars("vars"), item.flag("ads_root", default=name.startswith("ads.deploy.")))


def read_need(part: Part) -> Need:
    """What an instance asks of its machine."""
    part.only(("size", "os", "kind", "gateway", "image", "shared", "spread", "cpu", "memory"))
    kind = part.text("kind")
    if kind and kind not in KINDS:
        part.findings.add((*part.path, "kind"), f"there is no kind of machine '{kind}'", did_you_mean(kind, KINDS))
    return Need(
        size=part.text("size"),
        os=part.text("os"),
        kind=kind,
        gateway=part.text("gateway"),
        image=part.text("image"),
        shared=part.flag("shared"),
        spread=part.flag("spread", default=True),
        cpu=float(part.number("cpu", 0.0, least=0)),
        memory=read_memory(part),
    )


def read_memory(part: Part) -> int:
    """MiB as a whole number, or text with a unit (``512M``, ``2G``)."""
    below = part.get("memory")
    if below is None or not below.expect(int, str):
        return 0
    if isinstance(below.value, int):
        return int(below.bounded(0, None))
    match = MEMORY.fullmatch(below.value)
    if not match:
        below.wrong(f"'{below.value}' is no amount of memory", "write MiB as a number, or '512M', '2G'")
        return 0
    return round(float(match[1]) * MEBIBYTES[match[2]])


def read_requirement(item: Part) -> Requirement:
    """A service by name, or {service, ordered}, or {configuration}."""
    if isinstance(item.value, str):
        return Requirement(service=item.value)
    item.only(("service", "configuration", "ordered"))
    service, configuration = item.text("service"), item.text("configuration")
    if bool(service) == bool(configuration):
        item.wrong("a requirement names a service or a configuration", "write {service: …} or {configuration: …}")
    if configuration and item.get("ordered") is not None:
        item.wrong("'ordered' is said of services only")
    return Requirement(service, configuration, item.flag("ordered", default=True))


def read_ports(part: Part) -> Mapping[str, int]:
    """Ports by name; no number twice."""
    ports: dict[str, int] = {}
    for name, entry in part.children("ports"):
        part.findings.name(name, "a port", entry.path)
        if not entry.expect(int):
            continue
        number = int(entry.bounded(1, 65535))
        for other, taken in ports.items():
            if taken == number:
                entry.wrong(f"port {number} is also '{other}'", "an instance opens a port once")
        ports[name] = number
    return ports


def read_test(item: Part, ports: Mapping[str, int]) -> Test:
    """One test: exactly one of http, tcp, command, tasks; the port of a path is filled in."""
    item.only((*TEST_KINDS, "port", "status", "contains", "retries", "delay", "timeout"))
    given = [kind for kind in TEST_KINDS if item.get(kind) is not None]
    if len(given) != 1:
        item.wrong(f"a test has one of {', '.join(TEST_KINDS)}; this has {' and '.join(given) or 'none'}")
    if "http" not in given:
        for key in ("port", "status", "contains"):
            if item.get(key) is not None:
                item.wrong(f"'{key}' is said of http tests only")
    http = item.text("http", required="http" in given)
    return Test(
        http=http,
        tcp=tcp_port(item, ports) if "tcp" in given else "",
        command=item.text("command", required="command" in given),
        tasks=within_project(item, "tasks", required="tasks" in given) if "tasks" in given else "",
        port=http_port(item, http, ports) if http else item.text("port"),
        status=item.whole("status", 200, least=100, most=599),
        contains=item.text("contains"),
        retries=item.whole("retries", 30, least=0),
        delay=float(item.number("delay", 0.5, least=0)),
        timeout=read_timeout(item),
    )


def read_timeout(item: Part) -> float:
    """Seconds that one try of a test may take; tasks take as long as they say themselves."""
    part = item.get("timeout")
    if part is None or not part.expect(int, float):
        return 10.0
    if item.get("tasks") is not None:
        part.wrong("'timeout' is said of http, tcp and command tests only", "give the tasks a timeout of their own")
    if not 0 < part.value <= LONGEST_TRY:
        part.wrong(f"{part.value} is out of bounds", f"use more than 0 and at most {LONGEST_TRY} seconds")
    return float(part.value)


def tcp_port(item: Part, ports: Mapping[str, int]) -> str:
    """A port by name or number, as text."""
    part = item.get("tcp")
    if part is None or not part.expect(int, str):
        return ""
    if isinstance(part.value, int):
        return str(int(part.bounded(1, 65535)))
    return known_port(part, ports)


def known_port(part: Part, ports: Mapping[str, int]) -> str:
    """The name of a port of the service, or a number written as text."""
    text = str(part.value)
    if text not in ports and not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= 65535):
        part.wrong(f"the service has no port '{text}'", did_you_mean(text, ports, "name it under 'ports'"))
    return text


def http_port(item: Part, http: str, ports: Mapping[str, int]) -> str:
    """The port an http test asks: given, else ``http``, else the only one; a full URL needs none."""
    part = item.get("port")
    if http.startswith(("http://", "https://")):
        if part is not None:
            part.wrong("a full URL carries its port itself")
        return ""
    if not http.startswith("/"):
        item.wrong(f"'{http}' is neither a path nor a URL", "begin it with '/' or 'http://'")
    if part is not None:
        if not part.expect(int, str):
            return ""
        return known_port(Part(str(part.value), part.path, part.findings), ports)
    if "http" in ports:
        return "http"
    if len(ports) == 1:
        return next(iter(ports))
    item.wrong("it is not said which port answers", "name it by 'port'" if ports else "give the service a port")
    return ""
