#!/usr/bin/python3
"""Serves a page and says who serves it: greeter ADDRESS PORT SETTINGS PAGE."""

import getpass
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Greeter(BaseHTTPRequestHandler):
    """Answers every path with all that a test wants to know."""

    def do_GET(self):
        said = {
            "pid": os.getpid(),
            "user": getpass.getuser(),
            "motto": os.environ.get("MOTTO"),
            "settings": json.loads(Path(sys.argv[3]).read_text()),
            "page": Path(sys.argv[4]).read_text(),
        }
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(said).encode())


HTTPServer((sys.argv[1], int(sys.argv[2])), Greeter).serve_forever()
