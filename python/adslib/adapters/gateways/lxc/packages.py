"""A proxy for apt on a bridge: what one container downloaded, the others have from here.

Usage: packages.py bridge address folder.  A program of its own, of the standard library alone; it ends with its bridge.
Packages never change under their address, so they are kept; all else is passed through. This host's own services are
not for containers: nothing is asked of addresses that are only for this host.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import shutil
import socket
import sys
import threading
import time
from collections import defaultdict
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import TCPServer
from urllib.parse import urlsplit

PORT = 3142
LOOK_EVERY = 1.0
SECONDS = 60.0
PASSED_ON = ("If-Modified-Since", "If-Range", "Range", "Accept", "Cache-Control", "User-Agent")
FOLDER = Path()
TURNS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
CHUNK = 1 << 16


class Server(ThreadingHTTPServer):
    """Serves a bridge alone: another may have the same address.

    Args:
        bridge: its name. address: of this host on it.
    """

    daemon_threads = True

    def __init__(self, bridge: str, address: str) -> None:
        self.bridge = bridge
        super().__init__((address, PORT), Handler)

    def server_bind(self) -> None:
        """Bind to the bridge, too; connections that are taken keep to it."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, self.bridge.encode())
        # That of HTTP servers would ask DNS for the name of this host on the bridge first, and wait long for no answer.
        TCPServer.server_bind(self)


class Unfit(Exception):
    """An address that is not asked for containers."""


class Handler(BaseHTTPRequestHandler):
    """Answers apt."""

    protocol_version = "HTTP/1.1"
    begun = False
    """Whether the client has the head of its answer."""

    def do_GET(self) -> None:
        """Give a package from the folder, or whatever it is from where it is."""
        self.begun = False
        try:
            if urlsplit(self.path).path.endswith(".deb"):
                self._give(self._kept())
            else:
                self._pass_through()
        except (OSError, http.client.HTTPException, Unfit) as error:
            self.close_connection = True
            # In the middle of an answer it would be taken for a part of it: apt asks again for what breaks off, and
            # gives up what is not what it should be.
            if not self.begun:
                self.send_error(502, f"{error}"[:200])

    do_HEAD = do_GET  # noqa: N815 – it is called by this name

    def end_headers(self) -> None:
        """Send the head of an answer."""
        self.begun = True
        super().end_headers()

    def _kept(self) -> Path:
        """The file of a package, downloaded if nobody did so before; only one asks for it at a time."""
        place = FOLDER / f"{sha256(self.path.encode()).hexdigest()[:16]}-{Path(urlsplit(self.path).path).name}"
        with TURNS[self.path]:
            if not place.exists():
                half = place.with_name(f".{place.name}.{os.getpid()}")
                answer = ask(self.path, {})
                with answer, half.open("wb") as file:
                    if answer.status != http.client.OK:
                        raise Unfit(f"{self.path}: {answer.status} {answer.reason}")
                    shutil.copyfileobj(answer, file, CHUNK)
                if half.stat().st_size != int(answer.getheader("Content-Length") or half.stat().st_size):
                    raise Unfit(f"{self.path}: it broke off")
                half.rename(place)
        return place

    def _give(self, place: Path) -> None:
        with place.open("rb") as file:
            self.send_response(http.client.OK)
            self.send_header("Content-Type", "application/vnd.debian.binary-package")
            self.send_header("Content-Length", str(place.stat().st_size))
            self.end_headers()
            if self.command == "GET":
                shutil.copyfileobj(file, self.wfile, CHUNK)

    def _pass_through(self) -> None:
        headers = {name: self.headers[name] for name in PASSED_ON if name in self.headers}
        with ask(self.path, headers, self.command) as answer:
            self.send_response(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in ("connection", "transfer-encoding", "keep-alive", "date", "server"):
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.close_connection = True
            self.end_headers()
            shutil.copyfileobj(answer, self.wfile, CHUNK)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: apt says what is wrong."""


def ask(url: str, headers: dict[str, str], verb: str = "GET") -> http.client.HTTPResponse:
    """Ask a server, without following where it points to: apt does that.

    Raises:
        Unfit: the address is not one to be asked.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        raise Unfit(f"'{url}' is nothing that is asked for here")
    port = parts.port or http.client.HTTP_PORT
    address = str(socket.getaddrinfo(parts.hostname, port, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    if not outside(address):
        raise Unfit(f"{parts.hostname} is for this host alone")
    asked = http.client.HTTPConnection(address, port, timeout=SECONDS)
    target = parts._replace(scheme="", netloc="").geturl()
    asked.request(verb, target, headers={"Host": parts.netloc, "Connection": "close", **headers})
    return asked.getresponse()


def outside(address: str) -> bool:
    """Whether an address belongs to another host."""
    known = ipaddress.ip_address(address)
    if known.is_loopback or known.is_unspecified or known.is_link_local or known.is_multicast:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return True
    return False


def end_with(bridge: str) -> None:
    """End this process when its bridge is gone."""
    while Path("/sys/class/net", bridge).exists():
        time.sleep(LOOK_EVERY)
    os._exit(0)


def main() -> None:
    """Serve until the bridge is gone."""
    global FOLDER
    bridge, address, folder = sys.argv[1:]
    FOLDER = Path(folder)
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = Server(bridge, address)
    threading.Thread(target=end_with, args=(bridge,), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
