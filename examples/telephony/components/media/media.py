"""The communication server of a pod unit: takes the calls of its pod's users and refuses all others.

    GET /call?user=<user>   200 {"user", "greeting", "pod", "unit", "version", "instance"}
    (or header X-User)      400 no user named, 403 the user is another pod's, 503 no account database answers
    GET /healthz            200 ok

Whose user it is, the account database of its own unit says.

Usage: media.py CONFIGURATION
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

PATIENCE = 2.0
# The machines of an environment are reached directly, whatever proxy this process inherited.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Unreachable(Exception):
    """No account database of this unit answers."""


def account_of(user: str, databases: list[str]) -> dict[str, str] | None:
    """Ask the account databases, one after another, who a user is.

    Args:
        databases: their URLs.

    Returns:
        The account; None if the databases do not know the user.

    Raises:
        Unreachable: none of them answers; the text holds the last reason.
    """
    reason = "there is none"
    for database in databases:
        try:
            with DIRECT.open(f"{database}/users/{quote(user, safe='')}", timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return None
                reason = f"{database}: {error}"
        except OSError as error:
            reason = f"{database}: {error}"
    raise Unreachable(reason)


class Handler(BaseHTTPRequestHandler):
    """Takes calls for the pod that the server's configuration names."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/healthz":
            self.answer(200, b"ok\n", "text/plain")
        elif url.path == "/call":
            user = parse_qs(url.query).get("user", [self.headers.get("X-User", "")])[0]
            self.answer_json(*self.call(user))
        else:
            self.answer_json(404, {"error": f"there is nothing at {url.path}"})

    def call(self, user: str) -> tuple[int, dict[str, str]]:
        """Take the call of a user: status and answer."""
        about = self.server.about
        if not user:
            return 400, {"error": "who calls? Say it with ?user=… or the header X-User"}
        try:
            account = account_of(user, self.server.databases)
        except Unreachable as reason:
            return 503, {"error": f"no account database of {about['unit']} answers ({reason})"}
        if account is None:
            return 403, {"error": f"{user} is not served by {about['pod']}"}
        return 200, {"user": account["user"], "greeting": f"{self.server.greeting}, {account['user']}", **about}

    def answer_json(self, status: int, data: object) -> None:
        """Answer with a JSON document."""
        self.answer(status, json.dumps(data).encode() + b"\n", "application/json")

    def answer(self, status: int, body: bytes, kind: str) -> None:
        """Answer with a body of known length, so that the connection can stay open."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing of health checks: they come every second."""
        if self.path != "/healthz":
            super().log_request(code, size)


class Server(ThreadingHTTPServer):
    """Takes calls; `about` is what every answer says of where it comes from."""

    daemon_threads = True

    def __init__(self, configuration: dict[str, object]) -> None:
        self.about: dict[str, str] = {key: configuration[key] for key in ("pod", "unit", "version", "instance")}
        self.greeting = str(configuration["greeting"])
        self.databases: list[str] = list(configuration["accounts"])
        super().__init__((configuration["address"], configuration["port"]), Handler)


def main() -> None:
    """Serve until SIGTERM."""
    server = Server(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    # shutdown waits for serve_forever, which this handler interrupts: it needs a thread of its own.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"media {server.about['instance']} at {server.server_address}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
