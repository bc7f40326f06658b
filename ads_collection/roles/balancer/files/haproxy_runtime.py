"""Changes a running HAProxy through its socket.

    haproxy_runtime.py DIRECTORY SOCKET swap MAP
        take a map over from its file, at once, without a reload
    haproxy_runtime.py DIRECTORY SOCKET reload STATE CONFIGURATION
        keep what is known of the servers, then take the configuration over

Paths are relative to the directory, because that of a socket may not be long.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import time

# Seconds that HAProxy has for an answer and for a new worker: instants, but where the host is very busy.
PATIENCE = 60.0
# HAProxy reads a command of at most one buffer (16 KiB).
LARGEST_COMMAND = 8000


def ask(path, command):
    """Send one command and return the answer."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        connection.sendall(command.encode() + b"\n")
        pieces = []
        while True:
            piece = connection.recv(65536)
            if not piece:
                return b"".join(pieces).decode("utf-8", "replace")
            pieces.append(piece)


def batches(lines):
    """Put lines together to commands that HAProxy can read."""
    batch, size = [], 0
    for line in lines:
        if batch and size + len(line.encode()) + 1 > LARGEST_COMMAND:
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += len(line.encode()) + 1
    if batch:
        yield batch


def swap(path, place):
    """Take a map over from its file: beside the old one, then all at once."""
    with open(place, encoding="utf-8") as stream:
        lines = [line for line in stream.read().splitlines() if line and not line.startswith("#")]
    answer = ask(path, "prepare map " + place)
    version = re.search(r"created: ([0-9]+)", answer)
    if not version:
        sys.exit("HAProxy does not know the map %s: %s" % (place, answer.strip()))
    number = version.group(1)
    for batch in batches(lines):
        answer = ask(path, "add map @%s %s <<\n%s\n" % (number, place, "\n".join(batch))).strip()
        if answer:
            sys.exit("HAProxy did not take the map %s: %s" % (place, answer))
    answer = ask(path, "commit map @%s %s" % (number, place)).strip()
    if answer:
        sys.exit("HAProxy did not take the map %s: %s" % (place, answer))


def worker(path):
    """Return the process number of the worker that answers; None while there is none."""
    try:
        found = re.search(r"^Pid: ([0-9]+)$", ask(path, "show info"), re.MULTILINE)
    except OSError:
        return None
    return int(found.group(1)) if found else None


def still_true(state, configuration):
    """Return what is known of those servers that stay where they are.

    HAProxy takes the address of a server from here rather than from its configuration.
    """
    places = set()
    backend = ""
    for line in configuration.splitlines():
        words = line.split()
        if words[:1] in (["backend"], ["listen"]):
            backend = words[1]
        elif words[:1] == ["server"]:
            address, _colon, port = words[2].rpartition(":")
            places.add((backend, words[1], address.strip("[]"), port))
    kept = []
    for line in state.splitlines():
        words = line.split()
        if len(words) < 19 or line.startswith("#") or (words[1], words[3], words[4], words[18]) in places:
            kept.append(line)
    return "\n".join(kept) + "\n"


def reload(path, place, configuration):
    """Keep what is known of the servers, then have the master start a new worker."""
    with open(configuration, encoding="utf-8") as stream:
        state = still_true(ask(path, "show servers state"), stream.read())
    with open(place + ".new", "w", encoding="utf-8") as stream:
        stream.write(state)
    os.rename(place + ".new", place)
    old = worker(path)
    with open("/proc/%d/stat" % old, encoding="utf-8") as stream:
        master = int(stream.read().rpartition(")")[2].split()[1])
    os.kill(master, signal.SIGUSR2)
    until = time.monotonic() + PATIENCE
    while worker(path) in (None, old):
        if time.monotonic() > until:
            sys.exit("HAProxy did not take the new configuration over within %g s" % PATIENCE)
        time.sleep(0.05)


if __name__ == "__main__":
    _program, directory, short_path, verb, *arguments = sys.argv
    os.chdir(directory)
    {"swap": swap, "reload": reload}[verb](short_path, *arguments)
