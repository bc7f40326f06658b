"""Deploying 30 instances in three tiers with ads, against a hand-written playbook in the usual style.

Both start from 30 local machines that were made before by the same gateway: making them costs both the same and would
only hide what differs. Both run `ansible-playbook` with the same forks and settings, the same files and programs, one
after another in turns. The second run finds everything as it should be. The answers of all servers must be the same.

The playbook is measured as most people have it, with facts, and without. Processor time is that of `ansible-playbook`
and its children; it leaves out the machines, and the holder that keeps a job of ads alive.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

import adslib
from adslib.adapters.gateways.registry import open_gateway
from adslib.domain.gateway import Gateway, Order, Sighting
from adslib.domain.machine import DEFAULT_SIZES, Machine
from inventory import environment
from row import Row

HAND = Path(__file__).resolve().parent / "handwritten"
TIERS = ("store", "logic", "web")
IN_TIER = 10
RUNS = 2
FORKS = 10
ABOVE = 3.0
HOLDERS_END = 60.0
PLAYED = ("first", "second")
# What is compared, and what distinguishes it in the environment of its run.
CONTENDERS: Mapping[str, Mapping[str, str]] = {
    "ads": {},
    "with facts": {},
    "without facts": {"ANSIBLE_GATHERING": "explicit"},
}
PEER = "hand-written playbook {0}"
RECAP = re.compile(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=(\d+) +failed=(\d+)", re.MULTILINE)
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Answers = dict[str, Any]


@dataclass(frozen=True)
class Spent:
    """Seconds of one run, by the clock and of the processors."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Site:
    """Local machines of one contender in one repetition: a home of its own."""

    folder: Path
    in_tier: int

    @cached_property
    def gateway(self) -> Gateway:
        return open_gateway("local", "local", {}, home=self.folder / "home")

    playbook = "playbook.yml"

    @property
    def surroundings(self) -> Mapping[str, str]:
        """Variables of ansible-playbook, for all contenders."""
        return {}

    def host(self, machine: Sighting) -> dict[str, Any]:
        """The variables of a machine, for the playbook."""
        return {
            "ansible_connection": "local",
            "ansible_python_interpreter": machine.reach.python,
            "root": machine.reach.root,
            "init": machine.reach.vars["ads_init"],
            "supervisorctl": str(Path(sys.executable).with_name("supervisorctl")),
        }

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'home' / 'ads.db'}"

    @contextmanager
    def machines(self) -> Iterator[list[Sighting]]:
        """Make as many machines as there are instances; delete them, with all that runs there, at the end."""
        orders = [Order(f"m{n:03}", f"machine-{n:03}", DEFAULT_SIZES[0]) for n in range(len(TIERS) * self.in_tier)]
        with ThreadPoolExecutor(4) as pool:
            try:
                yield list(pool.map(self.gateway.create, orders))
            finally:
                list(pool.map(self.gateway.delete, [order.id for order in orders]))


def play(words: list[str], env: Mapping[str, str], folder: Path, changes: bool) -> Spent:
    """Run ansible-playbook to its end.

    Args:
        changes: whether every host should change; otherwise none may.

    Raises:
        RuntimeError: it failed, or changed something else.
    """
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([program, *words], env=env, cwd=folder, capture_output=True, text=True, check=False)
    clock, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    counts = [tuple(map(int, row[1:])) for row in RECAP.findall(done.stdout)]
    expected = bool(counts) and all((changed > 0) is changes and not lost + failed for changed, lost, failed in counts)
    if done.returncode or not expected:
        raise RuntimeError(
            f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout[-4000:]}{done.stderr[-2000:]}"
        )
    return Spent(clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def prepare_ads(site: Site, seen: list[Sighting]) -> list[str]:
    """A store that knows the machines as free, and the environment; returns the words for ansible-playbook."""
    with adslib.connect(site.url) as ads:
        with ads.app.store.transaction() as tx:
            tx.machines.add_many(
                Machine(
                    s.id,
                    s.name,
                    site.gateway.name,
                    s.ref,
                    kind=s.kind,
                    size=s.size,
                    os=s.os,
                    reach=s.reach,
                    capabilities=s.capabilities,
                )
                for s in seen
            )
        ads.environments.create(adslib.load(str(HAND / "tiers.yml"), {"count": site.in_tier}))
    return ["ads.deploy.deploy", "-e", "ads_environment=tiers"]


def prepare_peer(site: Site, seen: list[Sighting]) -> list[str]:
    """An inventory of the machines; returns the words for ansible-playbook."""
    groups: dict[str, Any] = {tier: {"hosts": {}} for tier in TIERS}
    for number, machine in enumerate(seen):
        index, tier = divmod(number, len(TIERS))
        groups[TIERS[tier]]["hosts"][f"{TIERS[tier]}-{index + 1}"] = {
            **site.host(machine),
            "ansible_host": machine.reach.address,
            "index": index + 1,
        }
    path = site.folder / "inventory.json"
    path.write_text(json.dumps({"all": {"children": groups}}))
    return ["-i", str(path), str(HAND / site.playbook)]


def await_holders(folder: Path) -> None:
    """Wait for the processes that keep jobs alive: one that opens the store after its folder is gone makes it anew."""
    mark = f"ADS_HOME={folder / 'home'}".encode()
    until = time.monotonic() + HOLDERS_END
    while time.monotonic() < until:
        left = False
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                holds = b"adslib.entrypoints.holder" in (entry / "cmdline").read_bytes().split(b"\0")
                left = left or (holds and mark in (entry / "environ").read_bytes().split(b"\0"))
        if not left:
            return
        time.sleep(0.2)
    raise RuntimeError(f"a holder of a job in {folder} does not end")


def answers(seen: list[Sighting]) -> Answers:
    """What every machine answers, by instance; a web server's answer holds those of the tiers below."""
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda m: json.load(DIRECT.open(f"http://{m.reach.address}:8080/", timeout=20)), seen))
    return {f"{each['service']}-{each['index']}": each for each in said}


def contend(contender: str, site: Site) -> tuple[list[Spent], Answers]:
    """Deploy on new machines and once more; returns what both runs took, and what is served then."""
    folder = site.folder
    with site.machines() as seen:
        words = (prepare_ads if contender == "ads" else prepare_peer)(site, seen)
        env = {**environment(folder), "ANSIBLE_FORKS": str(FORKS), "ADS_DATABASE_URL": site.url}
        env |= {**site.surroundings, **CONTENDERS[contender], "ANSIBLE_NOCOLOR": "1"}
        try:
            spent = [play(words, env, folder, changes=run == "first") for run in PLAYED]
        finally:
            await_holders(folder)
        if contender == "ads":
            with adslib.connect(site.url) as ads:
                state = ads.environments.show("tiers")["state"]
                if state != "live":
                    raise RuntimeError(f"the environment is {state}, not live")
        return spent, answers(seen)


def compare(in_tier: int, runs: int, kind: type[Site] = Site) -> dict[tuple[str, str], list[Spent]]:
    """What each run of each contender took, by contender and run.

    Raises:
        RuntimeError: they do not all serve the same.
    """
    found: dict[tuple[str, str], list[Spent]] = {(name, run): [] for name in CONTENDERS for run in PLAYED}
    said: dict[str, Answers] = {}
    names = list(CONTENDERS)
    for number in range(runs):
        # Another one begins each time, so that none always meets the same moment.
        for name in names[number % len(names) :] + names[: number % len(names)]:
            with tempfile.TemporaryDirectory(prefix="ads-deployment-") as folder:
                spent, said[name] = contend(name, kind(Path(folder), in_tier))
            for run, each in zip(PLAYED, spent, strict=True):
                found[name, run].append(each)
                told = f"{each.clock:.1f} s, processor {each.processor:.1f} s, load {os.getloadavg()[0]:.1f}"
                print(f"  {number + 1} {name}, {run} run: {told}", flush=True)
    served = [len(TIERS) * in_tier] * len(said)
    if [len(each) for each in said.values()] != served or any(each != said["ads"] for each in said.values()):
        raise RuntimeError(f"the deployments do not serve the same: {said}")
    return found


def measure() -> list[Row]:
    """On local machines."""
    return rows(IN_TIER, RUNS, Site)


def rows(in_tier: int, runs: int, kind: type[Site]) -> list[Row]:
    """The medians of some runs in turns."""
    found = compare(in_tier, runs, kind)
    clock = {key: median(each.clock for each in spent) for key, spent in found.items()}
    processor = {key: median(each.processor for each in spent) for key, spent in found.items()}
    result = []
    for run in PLAYED:
        for name in list(CONTENDERS)[1:]:
            peer = PEER.format(name)
            row = Row(f"{run} run", len(TIERS) * in_tier, clock["ads", run], "s", peer, clock[name, run])
            result.append(replace(row, budget=round(clock[name, run] + ABOVE, 1)))
            used = processor["ads", run], processor[name, run]
            result.append(Row(f"{run} run, processor", row.size, used[0], "s", peer, used[1]))
    return result
