"""The account database of one pod unit: knows the subscribers of its pod and nobody else.

    GET /users/<user>   200 {"user", "pod"}, or 404 {"error"}
    GET /healthz        200 ok, once the database answers

Usage: accounts.py CONFIGURATION
"""

from __future__ import annotations

import json
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Accounts:
    """The subscribers, in a SQLite file.

    Args:
        path: the file; it and its folder are made if they are not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)

    def take(self, pod: str, users: list[str]) -> None:
        """Make these users, and no others, the subscribers of the pod."""
        with closing(self._open()) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS subscriber (user TEXT PRIMARY KEY, pod TEXT NOT NULL)")
            database.execute("DELETE FROM subscriber")
            database.executemany("INSERT INTO subscriber VALUES (?, ?)", [(user, pod) for user in users])

    def pod_of(self, user: str) -> str | None:
        """The pod of a subscriber; None for anybody else."""
        with closing(self._open()) as database:
            row = database.execute("SELECT pod FROM subscriber WHERE user = ?", (user,)).fetchone()
        return row[0] if row else None

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=5)


class Handler(BaseHTTPRequestHandler):
    """Answers from the accounts that the server holds."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        path = urlsplit(self.path).path
        if path == "/healthz":
            self.server.accounts.pod_of("")
            self.answer(200, b"ok\n", "text/plain")
        elif path.startswith("/users/"):
            self.answer_user(unquote(path.removeprefix("/users/")))
        else:
            self.answer_json(404, {"error": f"there is nothing at {path}"})

    def answer_user(self, user: str) -> None:
        """Answer with what is known about a user."""
        pod = self.server.accounts.pod_of(user)
        if pod is None:
            self.answer_json(404, {"error": f"{user} has no account in {self.server.pod}"})
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
    """Serves the accounts of one pod."""

    daemon_threads = True

    def __init__(self, configuration: dict[str, object]) -> None:
        self.pod = str(configuration["pod"])
        self.accounts = Accounts(Path(str(configuration["database"])))
        self.accounts.take(self.pod, list(configuration["users"]))
        super().__init__((configuration["address"], configuration["port"]), Handler)


def main() -> None:
    """Serve until SIGTERM."""
    server = Server(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    # shutdown waits for serve_forever, which this handler interrupts: it needs a thread of its own.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(f"accounts of {server.pod} at {server.server_address}", flush=True)
    server.serve_forever(poll_interval=0.1)
    server.server_close()


if __name__ == "__main__":
    main()
