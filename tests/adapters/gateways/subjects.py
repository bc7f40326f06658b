"""The gateways under test, each with a world of its own, and what they are known not to offer."""

from __future__ import annotations

import gc
import ipaddress
import itertools
import os
import signal
import tarfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

from adslib.adapters.gateways import open_gateway
from adslib.adapters.gateways.local import processes
from adslib.adapters.gateways.local.processes import Process
from adslib.adapters.gateways.surroundings import HostKeys, Unpinned
from adslib.adapters.secrets import read_secret
from adslib.domain.gateway import Capability, Gateway, Order, Sighting
from adslib.domain.lifecycle import MachineState
from adslib.domain.machine import DEFAULT_SIZES, Size
from containers import container_options

SMALL, MEDIUM, LARGE = DEFAULT_SIZES
KINDS = ("libcloud", "libvirt", "local", "lxc", "proxmox", "redfish", "sim", "static", "vsphere")
NUMBERS = itertools.count(1)

LITTLE = 40.0
"""Seconds, on a busy host too, for calls to who does not answer, each given up at once: without that they take more."""

LOOPBACK = ipaddress.ip_network("127.64.0.0/10")
"""As many addresses as Linux has process numbers."""

ABSENT: Mapping[tuple[str, Capability], str] = {
    ("libcloud", Capability.ADDRESS): "a cloud's subnet gives its machines their addresses",
    ("libcloud", Capability.NOTIFY): "clouds tell of changes by ways that lead to servers of their own",
    ("libcloud", Capability.UPLOAD): "EC2 takes files by way of another of its services",
    ("local", Capability.NOTIFY): "this host tells nobody when a process ends; machines are looked at",
    ("libvirt", Capability.NOTIFY): "libvirt tells only who stays connected; machines are looked at",
    ("lxc", Capability.NOTIFY): "this host tells nobody when a container ends; machines are looked at",
    ("proxmox", Capability.NOTIFY): "it tells by mail and by hooks to servers that somebody else runs",
    ("proxmox", Capability.UPLOAD): "a template of its is a machine, and no single file",
    ("vsphere", Capability.NOTIFY): "vCenter tells only who stays connected; machines are looked at",
    ("vsphere", Capability.UPLOAD): "a template of its is a machine, and no single file",
    **{
        ("static", capability): "its machines are made and run by somebody else, and there is nobody to ask"
        for capability in Capability
    },
    **{
        ("redfish", capability): "metal is neither made nor copied, and its controller tells nobody what changes"
        for capability in frozenset(Capability) - {Capability.START, Capability.STOP, Capability.REBOOT}
    },
}
"""Every capability that a gateway does not have, with the reason. The contract is skipped for these and no others."""


@dataclass
class Subject:
    """A kind of gateway, with its home and its store.

    Args:
        known: what the store knows of a gateway that nobody can be asked about.
        own_sizes: those of the settings. host_keys: where they are pinned.
        server: what stands for its provider, where the tests run one.
    """

    kind: str
    home: Path
    options: dict[str, Any] = field(default_factory=dict)
    known: list[Sighting] = field(default_factory=list)
    own_sizes: tuple[Size, ...] = DEFAULT_SIZES
    host_keys: HostKeys = Unpinned()
    server: Any = None

    tells_addresses: ClassVar[bool] = True
    """Whether its machines have addresses that nobody gave them."""

    def __post_init__(self) -> None:
        if self.kind == "lxc":
            self.options |= container_options()
        if self.server:
            self.options |= self.server.options

    @cached_property
    def sizes(self) -> Sequence[Size]:
        """What its machines can be, smallest first."""
        return self.open().offer().sizes or DEFAULT_SIZES

    @cached_property
    def images(self) -> Sequence[str]:
        """The instance templates that are built in, by name."""
        return [template.name for template in self.open().templates()]

    @cached_property
    def before(self) -> list[str]:
        """The refs of the machines that nobody ordered."""
        return []

    @property
    def limit(self) -> str:
        """The option that says how many machines there may be."""
        return {"sim": "quota"}.get(self.kind, "limit")

    @property
    def placed(self) -> Mapping[str, Any]:
        """Options that name locations, where those are free."""
        places = {
            "libcloud": ["us-east-1a", "us-east-1b"],
            "proxmox": ["pve1", "pve2"],
            "vsphere": ["DC0_C0", "DC0_C1"],
        }
        return {"locations": self.options.get("locations") or places.get(self.kind, ["us-east", "us-west"])}

    @property
    def locations(self) -> Sequence[str]:
        """Where its machines may be ordered."""
        return self.open(**self.placed).offer().locations

    def count(self) -> Any:
        """What there is at the provider, disks and saved images included."""
        if self.server:
            return self.server.count()
        gateway = self.open()
        places = (place for name in ("machines", "addresses", "templates") for place in self.home.rglob(name))
        kept = sorted(str(path) for place in places for path in place.iterdir() if not path.name.endswith(".lock"))
        return len(gateway.machines()), [template.name for template in gateway.templates()], kept, below(self.home)

    def order(self, **given: Any) -> Order:
        """An order for the smallest machine, with an id that no other has."""
        return order(**{"size": self.sizes[0], **given})

    def open(self, **options: Any) -> Gateway:
        """Open the gateway, as another process would: nothing is shared but home and store."""
        return open_gateway(
            self.kind,
            "here",
            {**self.options, **options},
            home=self.home,
            engine=f"sqlite:///{self.home}/store.db",
            known=partial(list, self.known),
            sizes=self.own_sizes,
            host_keys=self.host_keys,
            secret=read_secret,
        )

    @property
    def fixed(self) -> str:
        """An address that a machine may ask for."""
        if self.kind == "lxc":
            return str(ipaddress.ip_network(self.options["network"])[9])
        # The claims are those of the host: another process of tests has another number.
        local = str(LOOPBACK[os.getpid() % LOOPBACK.num_addresses])
        return {"local": local, "proxmox": "10.98.7.9", "sim": "198.18.7.9", "vsphere": "198.18.65.9"}[self.kind]

    def machine(self, gateway: Gateway) -> Sighting:
        """A machine to look at, made where that can be done."""
        if Capability.CREATE in gateway.capabilities:
            return gateway.create(self.order())
        number = next(NUMBERS)
        sighting = Sighting(f"ref-{number}", f"web{number}", MachineState.RUNNING)
        self.known.append(sighting)
        return sighting

    def clear(self) -> None:
        """Delete all machines, and see that nothing of them is left running."""
        gateway = self.open(down=False) if self.kind == "sim" else self.open()
        try:
            if Capability.DELETE in gateway.capabilities:
                for sighting in gateway.machines():
                    gateway.delete(sighting.ref)
                assert not gateway.machines()
        finally:
            left = below(self.home)
            for process in left:
                process.signal(signal.SIGKILL)
        assert not left, f"processes {left} were left by the machines of {self.home}"


def order(**given: Any) -> Order:
    """An order for a small machine, with an id that no other has."""
    number = next(NUMBERS)
    return Order(**{"id": f"m{number:05d}", "name": f"web{number}", "size": SMALL, **given})


def below(home: Path) -> list[processes.Process]:
    """The processes of all local machines below a directory."""
    marked = processes.marked(processes.running().values())
    return [process for place, found in marked.items() if home in Path(place).parents for process in found]


def tar(path: Path, content: Mapping[str, str]) -> Path:
    """Write a tar file with some files in it."""
    tree = path.with_suffix(".d")
    for name, text in content.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    with tarfile.open(path, "w") as archive:
        archive.add(tree, ".")
    return path


def until(seen: Callable[[], Any], what: str, seconds: float = 60) -> Any:
    """Wait for something to become true, and return it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        value = seen()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError(f"{what} did not happen within {seconds} s")


def killed(act: Callable[[Callable[..., Any]], object]) -> None:
    """Run something in a process of its own, which is killed, as by `kill -9`, where it calls what it is given."""
    child = os.fork()
    if not child:
        # What libraries of the parent hold, such as connections, is not the child's to give back.
        gc.disable()
        try:
            act(lambda *_arguments, **_named: os.kill(os.getpid(), signal.SIGKILL))
        except BaseException:  # noqa: BLE001 – it is shown, and the test fails by it
            traceback.print_exc()
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the process ended before it came to the point of its death"
    assert os.WTERMSIG(status) == signal.SIGKILL


def die_at(owner: object, name: str, *, after: bool) -> Callable[[Callable[..., object]], None]:
    """Arrange for this process to die before or after its next call of a function."""

    def arrange(die: Callable[..., object]) -> None:
        real = getattr(owner, name)

        def replacement(*arguments: object, **named: object) -> object:
            if after:
                real(*arguments, **named)
            return die()

        setattr(owner, name, replacement)

    return arrange


def die_during(subject: Subject, owner: object, name: str, after: bool, act: Callable[[Gateway], object]) -> None:
    """Do something in a process that dies at the given point."""

    def run(die: Callable[..., object]) -> None:
        gateway = subject.open()
        die_at(owner, name, after=after)(die)
        act(gateway)

    killed(run)


def init_of(machine: Sighting) -> Process:
    """The init of a machine."""
    pid, start = (Path(machine.reach.root).parent / "init/pid").read_text().split()
    return Process(int(pid), int(start))
