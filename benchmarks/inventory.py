"""The inventory of ads against a plugin that loads the same hosts, groups and variables from one JSON file.

Usage: inventory.py [hosts …]      (default: 1000 10000)

For each size: `ansible-inventory --list`, a process of its own with everything that Ansible does around a plugin, and
`parse()` alone, the part in the plugin (in a fresh process too). Seconds are those of the processor, which other work
on the machine does not stretch as it does the clock's; runs alternate, and the best counts. All sources are
checked to give the same inventory. The peer is measured twice: written as plugins usually are
(`inventory.set_variable`), and `direct`, with the short cut that ads takes.
"""

from __future__ import annotations

import filecmp
import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from row import Row

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUDGET = 1.1
JUDGED_AT = 10_000
SIZES = (1_000, 10_000)
PEERS = {"peer": "one JSON file", "direct": "one JSON file"}

# Parses one source as InventoryManager does, and prints the seconds in parse() and the memory of the process in MiB.
PARSE = """
import sys, time
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader([])
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
name, source = sys.argv[1:]
plugin = type(inventory_loader.get(name))
spent = []
def timed(self, *args, parse=plugin.parse, **kwargs):
    began = time.process_time()
    parse(self, *args, **kwargs)
    spent.append(time.process_time() - began)
plugin.parse = timed
hosts = len(InventoryManager(loader=DataLoader(), sources=[source]).hosts)
# Not getrusage: its peak is that of the process which forked this one, if that is greater.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(spent[0], int(peak) // 1024, hosts)
"""


@dataclass(frozen=True)
class Figure:
    """What one source costs: CPU seconds of `ansible-inventory --list` and of `parse()`, and MiB at most in parsing."""

    whole: float
    parse: float
    memory: int


def prepare(folder: Path, hosts: int) -> dict[str, Path]:
    """A store with the estate, the same as one JSON file, and an inventory source for each; by the source's name."""
    sys.path.insert(0, str(ROOT / "python"))
    import adslib
    from estate import fill

    url = f"sqlite:///{folder / 'ads.db'}"
    fill(url, hosts)
    with adslib.connect(url) as ads:
        (folder / "hosts.json").write_text(json.dumps(ads.inventory.hosts()))
    peer = f"plugin: one_json_file\nfile: {folder / 'hosts.json'}\n"
    texts = {"ads": f"plugin: ads.deploy.ads\ndatabase: {url}\n", "peer": peer, "direct": f"{peer}direct: true\n"}
    paths = {name: folder / f"{name}.yml" for name in texts}
    for name, text in texts.items():
        paths[name].write_text(text)
    return paths


def environment(folder: Path) -> dict[str, str]:
    """An environment in which Ansible finds this tree's collection and the peer, and nothing of the user's."""
    collections = folder / "collections" / "ansible_collections" / "ads"
    collections.mkdir(parents=True, exist_ok=True)
    if not (collections / "deploy").exists():
        (collections / "deploy").symlink_to(ROOT / "ads_collection")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "ADS_"))}
    return {
        **kept,
        "PYTHONPATH": str(ROOT / "python"),
        "ADS_HOME": str(folder / "home"),
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(folder / "collections"),
        "ANSIBLE_INVENTORY_PLUGINS": str(HERE / "inventory_plugins"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }


def listed(source: str, path: Path, env: Mapping[str, str], said: Path) -> float:
    """Run `ansible-inventory --list` with its output in a file; returns the CPU seconds it took."""
    program = str(Path(sys.executable).with_name("ansible-inventory"))
    own = {**env, "ANSIBLE_INVENTORY_ENABLED": enabled(source)}
    with said.open("wb") as stream:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, "-i", str(path), "--list"], env=own, stdout=stream, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def parsed(source: str, path: Path, env: Mapping[str, str]) -> tuple[float, int]:
    """Parse in a fresh process; returns the CPU seconds in `parse()` and the MiB of the process."""
    done = subprocess.run(
        [sys.executable, "-c", PARSE, enabled(source), str(path)],
        env={**env, "ANSIBLE_INVENTORY_ENABLED": enabled(source)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    seconds, memory, _ = done.stdout.split()
    return float(seconds), int(memory)


def enabled(source: str) -> str:
    """The name of the plugin that reads a source."""
    return "ads.deploy.ads" if source == "ads" else "one_json_file"


def same(one: Path, other: Path) -> bool:
    """Whether two inventories are the same; only the order of hosts in a group and of groups may differ."""
    return filecmp.cmp(one, other, shallow=False) or ordered(one) == ordered(other)


def ordered(said: Path) -> Any:
    """An inventory as `ansible-inventory --list` prints it, its lists of hosts and groups sorted."""
    found = json.loads(said.read_bytes())
    for name, group in found.items():
        if name != "_meta":
            found[name] = {key: sorted(value) for key, value in group.items()}
    return found


def figures_at(hosts: int) -> dict[str, Figure]:
    """Measure every source at one size."""
    with tempfile.TemporaryDirectory(prefix="ads-inventory-") as name:
        folder = Path(name)
        paths = prepare(folder, hosts)
        env = environment(folder)
        whole: dict[str, list[float]] = {source: [] for source in paths}
        parse: dict[str, list[tuple[float, int]]] = {source: [] for source in paths}
        for _ in range(3 if hosts <= 1000 else 2):
            for source, path in paths.items():
                whole[source].append(listed(source, path, env, folder / f"{source}.said"))
                parse[source].append(parsed(source, path, env))
        for source in ("peer", "direct"):
            if not same(folder / "ads.said", folder / f"{source}.said"):
                raise SystemExit(f"{source} does not give the same inventory as ads")
        return {s: Figure(min(whole[s]), min(parse[s])[0], min(parse[s])[1]) for s in paths}


def rows(hosts: int, figures: Mapping[str, Figure]) -> Iterator[Row]:
    """What was measured at one size, ads beside each peer."""
    ads = figures["ads"]
    for source, peer in PEERS.items():
        other = figures[source]
        limit = BUDGET if source == "peer" and hosts >= JUDGED_AT else None
        short = ", the peer with the short cut of ads" if source == "direct" else ""
        yield Row(f"`ansible-inventory --list`{short}", hosts, ads.whole, "s", peer, other.whole, limit, True)
        yield Row(f"`parse()` of the plugin{short}", hosts, ads.parse, "s", peer, other.parse, limit, True)
        yield Row(f"memory after parsing{short}", hosts, ads.memory, "MiB", peer, other.memory)


def measure() -> list[Row]:
    """The rows of RESULTS.md."""
    return [row for hosts in SIZES for row in rows(hosts, figures_at(hosts))]


def main(words: list[str]) -> int:
    """Measure and print; fail if a budget is not kept."""
    found = [row for hosts in map(int, words or SIZES) for row in rows(hosts, figures_at(hosts))]
    for row in found:
        compared = f"{row.peer} {row.peer_figure:.2f}, {row.ratio:.2f} ×"
        print(f"{row.size:>6} {row.what}: {row.figure:.2f} {row.unit}; {compared}")
    return int(any(row.met is False for row in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
