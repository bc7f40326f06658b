"""The global user directory: tells for every user which pod serves them.

    GET /users/<user>   200 {"user", "pod"}, or 404 {"error"}
    GET /users          200 {"<user>": "<pod>", …}
    GET /healthz        200 ok

Usage: directory.py CONFIGURATION
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Handler(BaseHTTPRequestHandler):
    """Answers from the map that the server holds."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/healthz":
            self.answer(200, b"ok\n", "text/plain")
        elif path == "/users":
            self.answer_json(200, self.server.pods)
        elif path.startswith("/users/"):
            self.answer_user(unquote(path.removeprefix("/users/")))
        else:
            self.answer_json(404, {"error": f"there is nothing at {path}"})

    def answer_user(self, user: str) -> None:
        """Answer with the pod of a user."""
        pod = self.server.pods.get(user)
        if pod is None:
            self.answer_json(404, {"error": f"{user} is in no pod"})
        else:
            self.answer_json(200, {"user": user, "pod": pod})

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
    """Serves the map of users to pods."""

    daemon_threads = True

    def __init__(self, configuration: dict[str, object]) -> None:
        self.pods: dict[str, str] = dict(configuration["users"])
        super().__init__((configuration["address"], configuration["port"]), Handler)


def main() -> None:
    """Serve until SIGTERM."""
    server = Server(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    # shutdown waits for serve_forever, which this handler interrupts: it needs a thread of its own.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"directory of {len(server.pods)} users at {server.server_address}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
