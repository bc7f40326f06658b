"""Services from a rendered tree: what they ask of machines, their tests, and how each mistake is told (A1, A5, A12)."""

from __future__ import annotations

from typing import Any

import pytest

from adslib.domain.reading import read
from domain.documents import told, tree


@pytest.mark.req("A5", "A7")
def test_what_a_service_asks_of_its_machine() -> None:
    machine = {
        "size": "small",
        "os": "debian-12",
        "kind": "vm",
        "shared": True,
        "spread": False,
        "cpu": 0.5,
        "memory": "2G",
    }
    need = read(tree(services={"web": {"component": "web", "machine": machine}})).services["web"].need
    assert (need.size, need.os, need.kind, need.shared, need.spread) == ("small", "debian-12", "vm", True, False)
    assert (need.cpu, need.memory) == (0.5, 2048)


@pytest.mark.req("A5")
@pytest.mark.parametrize(
    ("memory", "mebibytes"), [(512, 512), ("512M", 512), ("1.5 GiB", 1536), ("1T", 1048576), ("2GB", 2048)]
)
def test_memory(memory: Any, mebibytes: int) -> None:
    assert read(tree(services={"web": {"component": "web", "machine": {"memory": memory}}})).services[
        "web"
    ].need.memory == (mebibytes)


SERVICE_MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"component": "", "roles": []}, "services.web: a service needs a component or roles"),
    ({"instances": -1}, "services.web.instances: -1 is out of bounds. At least 0"),
    ({"instances": True}, "services.web.instances: expected a whole number, got true or false"),
    ({"instances": 1.0}, "services.web.instances: expected a whole number, got a number"),
    ({"machine": {"kind": "vmm"}}, "there is no kind of machine 'vmm'. Did you mean 'vm'?"),
    ({"machine": {"memory": "lots"}}, "'lots' is no amount of memory"),
    ({"machine": {"cpu": -1}}, "services.web.machine.cpu: -1 is out of bounds"),
    ({"requires": [{"ordered": True}]}, "a requirement names a service or a configuration"),
    ({"requires": [{"configuration": "c", "ordered": False}]}, "'ordered' is said of services only"),
    ({"ports": {"http": 80, "www": 80}}, "services.web.ports.www: port 80 is also 'http'"),
    ({"ports": {"http": 0}}, "services.web.ports.http: 0 is out of bounds. Use 1 to 65535"),
    ({"ports": {"HTTP": 1}}, "'HTTP' is no name for a port"),
    ({"sessions": "some"}, "services.web.sessions: 'some' says nothing about sessions"),
    ({"sesions": "none"}, "unknown key 'sesions'. Did you mean 'sessions'?"),
    ({"tests": [{}]}, "services.web.tests[0]: a test has one of http, tcp, command, tasks; this has none"),
    ({"tests": [{"http": "/", "tcp": "http"}]}, "this has http and tcp"),
    ({"tests": [{"tcp": "htp"}]}, "services.web.tests[0].tcp: the service has no port 'htp'. Did you mean 'http'?"),
    ({"tests": [{"http": "x"}]}, "'x' is neither a path nor a URL"),
    ({"tests": [{"http": "/", "port": "no"}]}, "the service has no port 'no'"),
    ({"tests": [{"http": "http://a/", "port": "http"}]}, "a full URL carries its port itself"),
    ({"tests": [{"tcp": "http", "status": 200}]}, "'status' is said of http tests only"),
    ({"tests": [{"http": "/", "status": 99}]}, "99 is out of bounds. Use 100 to 599"),
    ({"tests": [{"tcp": 80, "timeout": 0}]}, "services.web.tests[0].timeout: 0 is out of bounds. Use more than 0 and"),
    ({"tests": [{"tcp": 80, "timeout": 3600.5}]}, "3600.5 is out of bounds. Use more than 0 and at most 3600 seconds"),
    ({"tests": [{"tcp": 80, "timeout": float("nan")}]}, "nan is out of bounds"),
    ({"tests": [{"tcp": 80, "timeout": "9"}]}, "services.web.tests[0].timeout: expected a whole number or a number"),
    ({"tests": [{"tasks": "x.yml", "timeout": 9}]}, "'timeout' is said of http, tcp and command tests only"),
    ({"tests": [{"tasks": "../x.yml"}]}, "'../x.yml' leads out of the project"),
    ({"tests": [{"http": "/"}], "ports": {}}, "it is not said which port answers. Give the service a port"),
    ({"vars": {"a": {"secret": 1}}}, "services.web.vars.a: a secret is given by its name"),
]


@pytest.mark.req("A1")
@pytest.mark.parametrize(("change", "message"), SERVICE_MISTAKES)
def test_mistakes_in_a_service(change: dict[str, Any], message: str) -> None:
    service = {"component": "web", "ports": {"http": 80}, **change}
    assert message in told(tree(services={"web": service}, configurations={"c": {}}))


@pytest.mark.req("A1")
def test_the_port_of_a_test_is_filled_in() -> None:
    tests = [
        {"http": "/a"},
        {"http": "/b", "port": "admin"},
        {"tcp": 22},
        {"http": "http://x/"},
        {"http": "/c", "port": 81},
    ]
    service = {"component": "web", "ports": {"admin": 81, "http": 80}, "tests": tests}
    read_tests = read(tree(services={"web": service})).services["web"].tests
    assert [test.port for test in read_tests] == ["http", "admin", "", "", "81"]
    assert read_tests[2].tcp == "22"


@pytest.mark.req("A12")
def test_how_long_one_try_of_a_test_may_take() -> None:
    service = {"component": "web", "tests": [{"tcp": 80}, {"command": "x", "timeout": 90}, {"tcp": 80, "timeout": 0.5}]}
    assert [test.timeout for test in read(tree(services={"web": service})).services["web"].tests] == [10, 90, 0.5]
