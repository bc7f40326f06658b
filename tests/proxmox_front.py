"""A simulator of what fakepve has nothing of; it stands before fakepve and passes everything else on as it is.

Simulated are: a node that is down, and an API token (fakepve's program can be told neither); DHCP and the guest agent
of machines that were cloned (its agents are those of its file); larger disks of virtual machines (it answers and
changes nothing). An answer may be lost on its way.
"""

from __future__ import annotations

import http.client
import json
import re
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

TOKEN, TOKEN_SECRET = "tests@pve!ads", "not-a-secret-either"
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB host"
GUEST = re.compile(r"/api2/json/nodes/(?P<node>[^/]+)/(?P<form>qemu|lxc)/(?P<vmid>\d+)/(?P<rest>[^?]+)")


class Front:
    """The simulator; it runs until it is closed.

    Args:
        port: of fakepve. certificate, private: of both.
    """

    def __init__(self, port: int, certificate: Path, private: Path) -> None:
        self._fakepve = port
        self._trust = ssl.create_default_context(cafile=str(certificate))
        self._kept = threading.local()
        self.rest()
        shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        shown.load_cert_chain(certificate, private)
        self._server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"front": self}))
        self._server.socket = shown.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def rest(self) -> None:
        """Let everything go well again."""
        self.lost: Callable[[str, str], bool] = lambda method, path: False
        """Whether the answer to a call is lost, though fakepve heard it."""
        self.agents = True
        """Whether guest agents answer."""
        self.down: set[str] = set()
        """Nodes that are down."""

    def close(self) -> None:
        """Stop it."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Status, reason and body: simulated, else fakepve's."""
        guest = GUEST.fullmatch(path.partition("?")[0])
        if self.down & set(path.split("/")):
            return 595, "No route to host", b'{"data":null}'
        if guest and guest["form"] == "qemu":
            if guest["rest"].startswith("agent/") and self.agents:
                return self._agent(guest, headers)
            if guest["rest"] == "resize" and method == "PUT":
                return self._resize(guest, headers, body)
        status, reason, said = self.ask(method, path, headers, body)
        if guest and guest["rest"] == "interfaces" and status == http.HTTPStatus.OK:
            said = self._lease(guest, said)
        if self.down and path.partition("?")[0] in ("/api2/json/nodes", "/api2/json/cluster/resources"):
            said = self._without(said)
        return status, reason, said

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> tuple[int, str, bytes]:
        """Ask fakepve."""
        if headers.get("Authorization") == f"PVEAPIToken={TOKEN}={TOKEN_SECRET}":
            headers = {**self._ticket(), **{k: v for k, v in headers.items() if k != "Authorization"}}
        connection = self._connection()
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.reason, answer.read()

    def leave(self) -> None:
        """Close the connection of this thread to fakepve."""
        self._connection().close()

    def _connection(self) -> http.client.HTTPSConnection:
        if not hasattr(self._kept, "connection"):
            to = ("127.0.0.1", self._fakepve)
            self._kept.connection = http.client.HTTPSConnection(*to, context=self._trust, timeout=30)
        found: http.client.HTTPSConnection = self._kept.connection
        return found

    def _data(self, guest: re.Match[str], what: str, headers: dict[str, str]) -> Any:
        path = f"/api2/json/nodes/{guest['node']}/{guest['form']}/{guest['vmid']}/{what}"
        return json.loads(self.ask("GET", path, headers)[2])["data"]

    def _agent(self, guest: re.Match[str], headers: dict[str, str]) -> tuple[int, str, bytes]:
        """What the agent of a running machine says."""
        status = self._data(guest, "status/current", headers)
        if not status or status["status"] != "running":
            return 500, "VM is not running", b'{"data":null}'
        if guest["rest"] == "agent/file-read":
            return _told({"content": HOST_KEY, "truncated": False})
        leased = {"ip-address": address(int(guest["vmid"])), "ip-address-type": "ipv4", "prefix": 16}
        home = {"ip-address": "127.0.0.1", "ip-address-type": "ipv4", "prefix": 8}
        cards = [{"name": "lo", "ip-addresses": [home]}, {"name": "eth0", "ip-addresses": [leased]}]
        return _told({"result": cards})

    def _without(self, said: bytes) -> bytes:
        """Say of the nodes that are down, and of their guests, what another node knows."""
        rows = json.loads(said)["data"]
        for row in rows:
            if row["node"] in self.down:
                row["status"] = "unknown" if "vmid" in row else "offline"
        return json.dumps({"data": rows}).encode()

    def _lease(self, guest: re.Match[str], said: bytes) -> bytes:
        """Give the cards of a container that ask DHCP an address."""
        cards = json.loads(said)["data"] or []
        for card in cards:
            card.setdefault("inet", f"{address(int(guest['vmid']))}/16")
        return json.dumps({"data": cards}).encode()

    def _resize(self, guest: re.Match[str], headers: dict[str, str], body: bytes) -> tuple[int, str, bytes]:
        """Write the new size into the configuration of a machine that does not run."""
        wanted = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        drive = self._data(guest, "config", headers)[wanted["disk"]]
        larger = re.sub(r"size=[^,]*", f"size={wanted['size']}", drive)
        path = f"/api2/json/nodes/{guest['node']}/qemu/{guest['vmid']}/config"
        return self.ask("PUT", path, headers, urlencode({wanted["disk"]: larger}).encode())

    def _ticket(self) -> dict[str, str]:
        """A session of fakepve's own user, for the token."""
        from proxmox_ve import PASSWORD

        body = urlencode({"username": "root@pam", "password": PASSWORD}).encode()
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        told = json.loads(self.ask("POST", "/api2/json/access/ticket", form, body)[2])["data"]
        return {"Cookie": f"PVEAuthCookie={told['ticket']}", "CSRFPreventionToken": told["CSRFPreventionToken"]}


class Server(ThreadingHTTPServer):
    """A server whose threads do not keep a process."""

    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing when a client hangs up."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    front: Front

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """The client is gone."""
        self.front.leave()
        super().finish()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kept = ("Authorization", "Cookie", "CSRFPreventionToken", "Content-Type")
        headers = {name: self.headers[name] for name in kept if self.headers[name]}
        status, reason, said = self.front.answer(self.command, self.path, headers, body)
        if self.front.lost(self.command, self.path):
            self.close_connection = True
            return
        self.send_response(status, reason)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815 – so http.server finds them


def address(vmid: int) -> str:
    """What DHCP gives a machine."""
    return f"10.97.{vmid // 250 % 250}.{vmid % 250 + 2}"


def _told(data: object) -> tuple[int, str, bytes]:
    return 200, "OK", json.dumps({"data": data}).encode()
