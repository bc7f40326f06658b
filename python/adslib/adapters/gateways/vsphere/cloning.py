"""Making machines and templates: by clones that say from their first moment what they are for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import ceil
from typing import Any

from pyVmomi import vim

from adslib.adapters.gateways.remote.calls import came
from adslib.adapters.gateways.remote.prefix import Prefix
from adslib.adapters.gateways.vsphere.choices import Choices
from adslib.adapters.gateways.vsphere.guests import ADDRESS, IMAGE, MADE, ORDER, OS, SIZE, Guest, made, noted
from adslib.adapters.gateways.vsphere.inventory import Cluster, Inventory
from adslib.domain.errors import Invalid
from adslib.domain.gateway import Order
from adslib.domain.machine import Size


class Cloning:
    """Clones of templates, and templates that are clones.

    Args:
        inventory: where. choices: what the options say.
    """

    def __init__(self, inventory: Inventory, choices: Choices) -> None:
        self._inventory = inventory
        self._access = inventory.access
        self._choices = choices

    def made_for(self, order: str) -> Guest | None:
        """The machine of an order, however far its making came."""
        return next((guest for guest in self._inventory.guests() if guest.id == order and not guest.is_template), None)

    def make(self, order: Order) -> str:
        """A clone that runs, or one that was begun and runs now; returns its ref."""
        guest = self.made_for(order.id)
        vm = guest.vm if guest else self._clone_for(order)
        try:
            if guest is None or not guest.is_on:
                self._set_up(vm, order)
                with suppress(vim.fault.InvalidPowerState):
                    self._access.done(vm.PowerOnVM_Task())
            ref = str(vm._moId)
            self._access.done(vm.ReconfigVM_Task(noted(made(order.id, ref))))
        except vim.fault.TaskInProgress as error:
            # It is still being copied for a process that was killed. Whoever called tries again when that is done.
            self._access.done(error.task)
            raise
        return ref

    def capture(self, guest: Guest, name: str) -> None:
        """Copy a machine as it is now; the copy is a template when it is there."""
        notes = {ORDER: "", MADE: "", SIZE: "", IMAGE: "", ADDRESS: "", OS: guest.notes.get(OS, "")}
        where = vim.vm.RelocateSpec(datastore=self._inventory.datastore())
        spec = vim.vm.CloneSpec(location=where, powerOn=False, template=True, config=noted(notes))
        self._access.done(guest.vm.CloneVM_Task(folder=self._inventory.folder(), name=name, spec=spec))

    def _clone_for(self, order: Order) -> Any:
        guests = self._inventory.guests()
        template = self._template(order, guests)
        cluster = self._cluster(order, guests)
        notes = {
            ORDER: order.id,
            SIZE: order.size.name,
            OS: order.os or template.notes.get(OS, ""),
            IMAGE: order.image,
            ADDRESS: order.address,
        }
        where = vim.vm.RelocateSpec(
            pool=self._inventory.pool(cluster),
            host=self._inventory.host(cluster),
            datastore=self._inventory.datastore(),
        )
        spec = vim.vm.CloneSpec(location=where, powerOn=False, template=False, config=noted(notes))
        folder = self._inventory.folder()
        try:
            return self._access.done(template.vm.CloneVM_Task(folder=folder, name=order.name, spec=spec))
        except vim.fault.DuplicateName as error:
            return self._begun(error, order)

    def _begun(self, error: Any, order: Order) -> Any:
        """The machine that has the name of an order already, if another process, killed since, began it for that.

        Raises:
            DuplicateName: it is not for that.
        """

        def look() -> Guest | None:
            told = getattr(error, "object", None)
            return self._inventory.guest(str(told._moId)) if told else None

        guest = came(look, lambda seen: seen is None or seen.is_whole, self._choices.patience)
        if guest is None or guest.id != order.id:
            raise error
        return guest.vm

    def _template(self, order: Order, guests: Sequence[Guest]) -> Guest:
        wanted = self._choices.images.get(order.image, order.image)
        templates = {guest.name: guest for guest in guests if guest.is_template}
        if wanted not in templates:
            what = f"there is no template '{wanted}' at vCenter for image '{order.image}'"
            remedy = f"there are: {', '.join(sorted(templates)) or 'none'}"
            raise Invalid(what, place=f"gateway {self._choices.name}", remedy=remedy)
        return templates[wanted]

    def _cluster(self, order: Order, guests: Sequence[Guest]) -> Cluster:
        """Where the machine was ordered, or where least of the memory is given to machines."""
        usable = self._inventory.usable()
        if order.location:
            return usable[order.location]

        def burden(cluster: Cluster) -> tuple[float, str]:
            given = sum(guest.memory for guest in guests if guest.pool in cluster.pools)
            return given / max(cluster.memory, 1), cluster.name

        return min(usable.values(), key=burden)

    def _set_up(self, vm: Any, order: Order) -> None:
        """Give a machine that is off its size, and its address if it has one."""
        devices = (self._access.look(vm, ["config.hardware.device"]) or {}).get("config.hardware.device", ())
        disk = next((each for each in devices if isinstance(each, vim.vm.device.VirtualDisk)), None)
        changes = []
        if disk and disk.capacityInKB < order.size.disk << 20:
            disk.capacityInKB, disk.capacityInBytes = order.size.disk << 20, order.size.disk << 30
            changes = [vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)]
        self._access.done(vm.ReconfigVM_Task(noted({}, deviceChange=changes, **_computing(order.size))))
        if order.address and self._choices.prefix:
            cards = sum(isinstance(each, vim.vm.device.VirtualEthernetCard) for each in devices)
            # Killed before it was switched on, it has been told already.
            with suppress(vim.fault.CustomizationPending):
                self._access.done(vm.CustomizeVM_Task(customized(order, self._choices.prefix, cards)))


def customized(order: Order, prefix: Prefix, cards: int) -> Any:
    """What vCenter tells the guest of a machine with a given address when it first starts.

    Args:
        prefix: where that comes from. cards: how many of the network it has; all but the first ask DHCP.
    """
    words = vim.vm.customization
    if prefix.network.version == 6:
        fixed = words.FixedIpV6(ipAddress=order.address, subnetMask=prefix.network.prefixlen)
        six = words.IPSettings.IpV6AddressSpec(ip=[fixed], gateway=[str(prefix.router)])
        adapter = words.IPSettings(ip=words.DhcpIpGenerator(), ipV6Spec=six)
    else:
        ip = words.FixedIp(ipAddress=order.address)
        mask = str(prefix.network.netmask)
        adapter = words.IPSettings(ip=ip, subnetMask=mask, gateway=[str(prefix.router)])
    name = words.FixedName(name=order.name)
    others = [words.IPSettings(ip=words.DhcpIpGenerator()) for _card in range(cards - 1)]
    return words.Specification(
        identity=words.LinuxPrep(domain="", hostName=name, hwClockUTC=True),
        globalIPSettings=words.GlobalIPSettings(dnsServerList=list(prefix.resolvers)),
        nicSettingMap=[words.AdapterMapping(adapter=each) for each in (adapter, *others)],
    )


def _computing(size: Size) -> dict[str, int]:
    return {"numCPUs": ceil(size.cpu), "numCoresPerSocket": 1, "memoryMB": size.memory}
