"""One server of a tier: answers for itself, and passes on what its neighbour of the tier below says.

Usage: server.py CONFIGURATION
"""

from __future__ import annotations

import json
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from answering import answer

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Handler(BaseHTTPRequestHandler):
    """Answers GET /healthz and GET /."""

    server: Server

    def do_GET(self) -> None:
        body = b"ok\n" if self.path == "/healthz" else self.server.answer()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *words: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Serves what its configuration says."""

    daemon_threads = True

    def __init__(self, configuration: dict[str, object], about: str) -> None:
        self.configuration = configuration
        self.about = about
        super().__init__((configuration["address"], configuration["port"]), Handler)

    def answer(self) -> bytes:
        """What this server says, with what the one below says."""
        below = self.configuration["below"]
        said = None
        if below:
            with DIRECT.open(below[self.configuration["index"] % len(below)], timeout=10) as reply:
                said = json.load(reply)
        return answer(self.configuration, self.about, said)


if __name__ == "__main__":
    own = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = Path(__file__).with_name("about.txt").read_text(encoding="utf-8")
    Server(own, text.strip()).serve_forever()
