"""Making machines and templates: by clones, which are found again however far they came."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from math import inf
from threading import Lock
from typing import Any

from proxmoxer import ResourceException

from adslib.adapters.gateways.proxmox.api import is_taken
from adslib.adapters.gateways.proxmox.choices import Choices
from adslib.adapters.gateways.proxmox.cluster import Cluster, Guest
from adslib.adapters.gateways.proxmox.forms import Container, address_settings
from adslib.adapters.gateways.proxmox.notes import MAKING, Note, kept, noted
from adslib.domain.errors import Failed, Invalid
from adslib.domain.gateway import Order

NUMBERS = 10
"""How many numbers are tried; others may be faster, one at a time."""
COPIED_FROM = "copied_by_ads"
"""The snapshot that a container is copied from while it runs."""
PAUSE = 0.2


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
            is_begun = listed.name == note.first_name and not listed.is_template
            if note.tag in listed.tags or (is_begun and self._note(listed).order == order):
                return self._cluster.guest(listed.vmid)
        return None

    def make(self, order: Order) -> Guest:
        """A clone that is set up and not started yet, or one that was begun and is set up now."""
        form, prefix = self._cluster.form, self._choices.prefix
        wanted = {form.named: order.name, **form.settings(order.size, self._choices.user, self._choices.public_key)}
        guest = self._unlocked(self.made_for(order.id) or self._clone_for(order))
        config = self._cluster.config(guest) or {}
        if guest.status != "running":
            place = self._cluster.place(guest)
            given = address_settings(order.address, prefix) if prefix and order.address else {}
            wanted |= form.net(config, given)
            if prefix and given:
                wanted["nameserver"] = " ".join(prefix.resolvers)
            tags = {*kept(guest.tags), Note(guest.vmid, order.id).tag, MAKING}
            self._api.put(f"{place}/config", **wanted, tags=";".join(sorted(tags)))
            disk, size = form.disk(config)
            if disk and size < order.size.disk:
                self._api.put(f"{place}/resize", disk=disk, size=f"{order.size.disk}G")
        return self._there(guest.vmid)

    def capture(self, guest: Guest, name: str) -> None:
        """Copy a machine as it is now, and make the copy a template; what a killed process copied is too old."""
        for begun in self._cluster.guests():
            if begun.name == name and not begun.is_template and self._note(begun).template == name:
                self._cluster.remove(self._unlocked(begun))
        copy = self._copy(guest, name)
        place, tags = self._cluster.place(copy), kept(copy.tags)
        self._api.put(f"{place}/config", **({"tags": ";".join(sorted(tags))} if tags else {"delete": "tags"}))
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
