"""Making machines and templates: by clones, which are found again however far they came."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from math import inf
from pathlib import Path
from threading import Lock
from typing import Any

from proxmoxer import ResourceException

from adslib.adapters.gateways.proxmox.api import is_taken
from adslib.adapters.gateways.proxmox.cluster import Cluster, Guest
from adslib.adapters.gateways.proxmox.forms import Container, Link
from adslib.adapters.gateways.proxmox.notes import MAKING, Note, noted
from adslib.domain.errors import Failed, Invalid
from adslib.domain.gateway import Order
from adslib.domain.machine import Size

NUMBERS = 10
"""How many numbers are tried; others may be faster, one at a time."""
COPIED_FROM = "copied_by_ads"
"""The snapshot that a container is copied from while it runs."""
PAUSE = 0.2


@dataclass(frozen=True, slots=True)
class Choices:
    """What the options say.

    Args:
        name: of the gateway. images: systems and the templates of theirs. sizes: what machines can be.
        locations: the nodes that may be used; empty: all. user, ssh_key: who may log in, by which private key.
        link: where addresses of orders lie; None: they get none. storage: where whole copies go; empty: linked ones.
        pool: what new machines are put into. grace: seconds to shut down in. patience: to wait for another's clone.
    """

    name: str
    images: Mapping[str, str]
    sizes: tuple[Size, ...]
    locations: tuple[str, ...]
    user: str
    ssh_key: Path
    link: Link | None
    storage: str
    pool: str
    grace: int
    patience: float

    def within(self, nodes: Mapping[str, float]) -> Sequence[str]:
        """Those of some nodes that answer and may be used.

        Raises:
            Invalid: the option names one that there is not. Failed: none answers.
        """
        there = ", ".join(sorted(nodes))
        strange = sorted({*self.locations} - nodes.keys())
        if strange:
            what = f"option locations: there is no node '{strange[0]}'"
            raise Invalid(what, place=f"gateway {self.name}", remedy=f"there are: {there}")
        found = [node for node, burden in nodes.items() if burden < inf and node in (self.locations or nodes)]
        if not found:
            remedy = "see what is the matter with them, or let others be used by the option 'locations'"
            raise Failed(f"no node answers of {there}", place=f"gateway {self.name}", remedy=remedy)
        return found

    def fit(self, address: str) -> None:
        """Make sure that a machine may have an address.

        Raises:
            Invalid: it may not.
        """
        network = self.link and self.link.network
        try:
            fits = network and ipaddress.ip_address(address) in network
        except ValueError:
            fits = False
        if not fits:
            raise Invalid(
                f"'{address}' is no address for a machine of gateway '{self.name}'", remedy=f"use one of {network}"
            )

    def public_key(self) -> str:
        """The public key that lets in.

        Raises:
            Failed: it cannot be read.
        """
        path = self.ssh_key.with_name(f"{self.ssh_key.name}.pub")
        try:
            return path.read_text().strip()
        except OSError as error:
            remedy = "the public key lies beside the private key that the option 'ssh_key' names"
            raise Failed(
                f"{path} cannot be read: {error.strerror}", place=f"gateway {self.name}", remedy=remedy
            ) from None


class Cloning:
    """Clones of templates, and templates that are clones.

    Args:
        cluster: where. choices: what the options say.
    """

    def __init__(self, cluster: Cluster, choices: Choices) -> None:
        self._cluster = cluster
        self._api = cluster.api
        self._choices = choices
        # Proxmox VE locks a container while it is copied, and refuses a second copy; virtual machines it does not.
        self._one_at_a_time = isinstance(cluster.form, Container)
        self._turn: AbstractContextManager[Any] = Lock() if self._one_at_a_time else nullcontext()

    def templates(self) -> list[Guest]:
        """All templates."""
        return [guest for guest in self._cluster.guests() if guest.is_template]

    def made_for(self, order: str) -> Guest | None:
        """The machine of an order: it has its tag, or is a clone that has no tag yet."""
        for listed in self._cluster.guests():
            note = Note(listed.vmid, order)
            if note.tag in listed.tags or (note.first_name == listed.name and not listed.is_template):
                guest = self._cluster.guest(listed.vmid)
                if guest and noted(guest.vmid, self._cluster.config(guest) or {}).order == order:
                    return guest
        return None

    def make(self, order: Order) -> Guest:
        """A clone that is set up and not started yet, or one that was begun and is set up now."""
        public_key = self._choices.public_key()
        guest = self._unlocked(self.made_for(order.id) or self._clone_for(order))
        config = self._cluster.config(guest) or {}
        note = noted(guest.vmid, config)
        form, place = self._cluster.form, self._cluster.place(guest)
        if guest.status != "running":
            given = self._choices.link.settings(order.address) if self._choices.link and order.address else {}
            wanted = {form.named: order.name, **form.settings(order.size, self._choices.user, public_key)}
            self._api.put(f"{place}/config", **wanted, **form.net(config, given), tags=f"{note.tag};{MAKING}")
            disk, size = form.disk(config)
            if disk and size < order.size.disk:
                self._api.put(f"{place}/resize", disk=disk, size=f"{order.size.disk}G")
        return self._cluster.guest(guest.vmid) or guest

    def capture(self, guest: Guest, name: str) -> None:
        """Copy a machine as it is now, and make the copy a template; a copy that was begun is used."""
        begun = [each for each in self._cluster.guests() if each.name == name and not each.is_template]
        copies = [each for each in begun if self._note(each).template == name]
        copy = copies[0] if copies else self._copy(guest, name)
        place = self._cluster.place(self._unlocked(copy))
        self._api.put(f"{place}/config", delete="tags")
        self._api.post(f"{place}/template")

    def _copy(self, guest: Guest, name: str) -> Guest:
        os = self._note(guest).os
        words: dict[str, Any] = {"full": 1}
        if not self._one_at_a_time or guest.status != "running":
            return self._clone(guest, name, lambda vmid: Note(vmid, template=name, os=os), words)
        # A container that runs is copied from a snapshot only; one that a killed process left is too old.
        saved = f"{self._cluster.place(guest)}/snapshot"
        if COPIED_FROM in [row["name"] for row in self._api.get(saved)]:
            self._api.delete(f"{saved}/{COPIED_FROM}")
        self._api.post(saved, snapname=COPIED_FROM)
        try:
            words["snapname"] = COPIED_FROM
            return self._clone(guest, name, lambda vmid: Note(vmid, template=name, os=os), words)
        finally:
            self._api.delete(f"{saved}/{COPIED_FROM}")

    def _clone_for(self, order: Order) -> Guest:
        template, node = self._template(order)
        config = self._cluster.config(template) or {}
        if order.address and not self._cluster.form.takes_address(config):
            what = f"machines of template '{template.name}' take no address: {self._cluster.form.lacking}"
            raise Invalid(what, place=f"gateway {self._choices.name}", remedy="use another template")
        os = order.os or noted(template.vmid, config).os
        choices = self._choices
        words: dict[str, Any] = {"full": 1, "storage": choices.storage} if choices.storage else {}
        words |= {"pool": choices.pool} if choices.pool else {}
        words |= {"target": node} if node != template.node else {}

        def note(vmid: int) -> Note:
            return Note(vmid, order.id, "", order.size.name, os, order.image)

        return self._clone(template, note(0).first_name, note, words)

    def _template(self, order: Order) -> tuple[Guest, str]:
        """The template for an order, and the node for its machine: where it was ordered, or the least burdened.

        Raises:
            Invalid: there is no such template.
        """
        nodes = self._cluster.nodes()
        wanted = self._choices.images.get(order.image, order.image)
        templates = [guest for guest in self.templates() if nodes[guest.node] < inf]
        fit = [guest for guest in templates if wanted in (guest.name, str(guest.vmid))]
        if not fit:
            known = ", ".join(sorted({guest.name for guest in templates})) or "none"
            what = f"there is no template '{wanted}' at Proxmox VE for image '{order.image}'"
            raise Invalid(what, place=f"gateway {self._choices.name}", remedy=f"there are: {known}")
        where = [order.location] if order.location else self._choices.within(nodes)
        template = min(fit, key=lambda guest: (guest.node not in where, nodes[guest.node], guest.vmid))
        return template, template.node if template.node in where else where[0]

    def _clone(self, source: Guest, name: str, note: Callable[[int], Note], words: Mapping[str, Any]) -> Guest:
        """Clone something under a number that is free; whoever is slower with one takes the next."""
        place, named = f"{self._cluster.place(source)}/clone", {self._cluster.form.named: name}
        for left in reversed(range(NUMBERS)):
            vmid = int(self._api.get("cluster/nextid"))
            try:
                with self._turn:
                    self._api.post(place, newid=vmid, description=str(note(vmid)), **named, **words)
            except ResourceException as error:
                if not left or not is_taken(error):
                    raise
            else:
                return self._there(vmid)
        raise AssertionError("unreachable")

    def _unlocked(self, guest: Guest) -> Guest:
        """Wait until another process, which may have been killed since, has made its copy.

        Raises:
            Failed: that takes too long.
        """
        deadline = time.monotonic() + self._choices.patience
        while guest.lock:
            if time.monotonic() > deadline:
                what = f"{guest.vmid} is locked ({guest.lock}) since {self._choices.patience:g} s"
                remedy = "see its tasks at Proxmox VE; if none runs, remove it there"
                raise Failed(what, place=f"gateway {self._choices.name}", remedy=remedy)
            time.sleep(PAUSE)
            guest = self._there(guest.vmid)
        return guest

    def _there(self, vmid: int) -> Guest:
        guest = self._cluster.guest(vmid)
        if guest is None:
            raise Failed(f"{vmid} is gone: its copy failed", place=f"gateway {self._choices.name}", remedy="try again")
        return guest

    def _note(self, guest: Guest) -> Note:
        return noted(guest.vmid, self._cluster.config(guest) or {})
