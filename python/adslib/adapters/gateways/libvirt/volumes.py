"""The volumes of a storage pool: disks of machines, what tells machines who they are, and instance templates."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, BinaryIO

import libvirt

from adslib.adapters.gateways.libvirt import documents
from adslib.adapters.gateways.libvirt.documents import disk_name, seed_name
from adslib.adapters.gateways.libvirt.errors import unless_gone
from adslib.domain.errors import Conflict, Invalid
from adslib.domain.gateway import InstanceTemplate, Order

GIB = 1 << 30
NO_VOLUME = libvirt.VIR_ERR_NO_STORAGE_VOL
TEMPLATE = re.compile(r"([a-z0-9-]{1,63})\.([0-9a-f]{16})\.(raw|qcow2)")
"""What the volume of an instance template is called; nothing else in the pool is ever taken for one."""


@dataclass(frozen=True, slots=True)
class Volumes:
    """The volumes that a gateway uses. Each call takes the connection that it works on.

    Args:
        pool: the name of their storage pool. images: the volumes of operating systems; they are never changed.
    """

    pool: str
    images: Mapping[str, str]

    # ── of machines ──────────────────────────────────────────────────────────────────────────────────

    def fit(self, connection: Any, order: Order) -> Any:
        """The volume of an order's image.

        Raises:
            Invalid: there is none, or it is larger than the disk that was ordered.
        """
        pool = self._pool(connection)
        name = self.images.get(order.image, "")
        image = _find(pool, name) if name else next(iter(_named(pool, order.image)), None)
        if image is None:
            pool.refresh()
            image = _find(pool, name)
        if image is None:
            told = f"storage pool '{self.pool}' has no volume '{name}' for image '{order.image}'"
            raise Invalid(told, remedy="put it there, or correct the option 'images'")
        needed = -(-image.info()[1] // GIB)
        if needed > order.size.disk:
            told = f"image '{order.image}' needs a disk of {needed} GiB, size {order.size.name} has {order.size.disk}"
            raise Invalid(told, remedy="order a larger size")
        return image

    def lay(self, connection: Any, order: Order, image: Any, seed: bytes) -> None:
        """Make the volumes of a machine that does not run. A disk that is there stays; the seed is made anew."""
        pool = self._pool(connection)
        disk = disk_name(order.id)
        if _find(pool, disk) is None:
            pool.createXML(documents.volume(disk, order.size.disk * GIB, "qcow2", image.XMLDesc()))
        _remove(pool, seed_name(order.id))
        _fill(connection, pool.createXML(documents.volume(seed_name(order.id), len(seed))), io.BytesIO(seed))

    def clear(self, connection: Any, order: str) -> None:
        """Remove the volumes of a machine."""
        for name in (disk_name(order), seed_name(order)):
            _remove(self._pool(connection), name)

    # ── instance templates ───────────────────────────────────────────────────────────────────────────

    def templates(self, connection: Any) -> Sequence[InstanceTemplate]:
        """Those that were uploaded or made of machines; sizes are what their files have."""
        sizes = ((name, _size(volume)) for name, volume in _templates(self._pool(connection)))
        return [InstanceTemplate(name, "", size) for name, size in sizes if size is not None]

    def upload(self, connection: Any, name: str, path: str) -> None:
        """Take a disk image of this host."""
        mark, format = _examined(path)
        pool = self._pool(connection)
        for volume in _named(pool, name):
            if f".{mark}." in volume.name():
                return
            raise Conflict(f"there is another instance template '{name}'", remedy="choose another name or delete it")
        with _unfinished(pool, name), Path(path).open("rb") as file:
            size = Path(path).stat().st_size
            # Taken for raw, so that nobody looks into it for other files that it may name.
            _fill(connection, pool.createXML(documents.volume(f"{name}.{mark}.{format}", size)), file)

    def capture(self, connection: Any, name: str, order: str, copy: Callable[[str], None] | None) -> None:
        """Make a template of a machine's disk.

        Args:
            copy: copies the disk of a running machine to a file and waits for it; None where it does not run.
        """
        pool = self._pool(connection)
        disk = pool.storageVolLookupByName(disk_name(order))
        document = documents.volume(f"{name}.{secrets.token_hex(8)}.qcow2", disk.info()[1], "qcow2")
        with _unfinished(pool, name):
            if copy:
                copy(pool.createXML(document).path())
            else:
                pool.createXMLFrom(document, disk)

    def drop(self, connection: Any, name: str) -> None:
        """Remove a template that no machine stands on."""
        pool = self._pool(connection)
        for volume in _named(pool, name):
            path = volume.path()
            upon = [each.name() for each in pool.listAllVolumes() if _stands_on(each, path)]
            if upon:
                told = f"machines stand on instance template '{name}': {', '.join(sorted(upon))}"
                raise Conflict(told, remedy="delete them first")
            volume.delete()

    # ── within ───────────────────────────────────────────────────────────────────────────────────────

    def _pool(self, connection: Any) -> Any:
        return connection.storagePoolLookupByName(self.pool)


def _find(pool: Any, name: str) -> Any | None:
    return unless_gone(lambda: pool.storageVolLookupByName(name), NO_VOLUME)


def _remove(pool: Any, name: str) -> None:
    unless_gone(lambda: pool.storageVolLookupByName(name).delete(), NO_VOLUME)


def _stands_on(volume: Any, path: str) -> bool:
    return unless_gone(lambda: documents.base_of(volume.XMLDesc()), NO_VOLUME) == path


def _size(volume: Any) -> int | None:
    """The bytes of a volume's file; None: it is gone."""
    return unless_gone(lambda: int(volume.infoFlags(libvirt.VIR_STORAGE_VOL_GET_PHYSICAL)[2]), NO_VOLUME)


def _templates(pool: Any) -> list[tuple[str, Any]]:
    """The volumes of templates that are complete, with the names of these."""
    volumes = {volume.name(): volume for volume in pool.listAllVolumes()}
    found = ((TEMPLATE.fullmatch(name), volume) for name, volume in volumes.items())
    return [(read[1], volume) for read, volume in found if read and f"{read[1]}.part" not in volumes]


def _named(pool: Any, name: str) -> list[Any]:
    return [volume for each, volume in _templates(pool) if each == name]


@contextmanager
def _unfinished(pool: Any, name: str) -> Iterator[None]:
    """Have the template of a name marked as incomplete while the block makes it; what was left of it before goes."""
    part = _find(pool, f"{name}.part") or pool.createXML(documents.volume(f"{name}.part", 512))
    _clear(pool, name)
    try:
        yield
    except BaseException:
        with suppress(libvirt.libvirtError):
            _clear(pool, name)
            part.delete()
        raise
    part.delete()


def _clear(pool: Any, name: str) -> None:
    """Remove the volumes of a template, complete or not."""
    for volume in pool.listAllVolumes():
        read = TEMPLATE.fullmatch(volume.name())
        if read and read[1] == name:
            volume.delete()


def _fill(connection: Any, volume: Any, file: BinaryIO) -> None:
    stream = connection.newStream()
    volume.upload(stream, 0, 0)
    stream.sendAll(lambda _stream, size, source: source.read(size), file)
    stream.finish()


def _examined(path: str) -> tuple[str, str]:
    """What tells a disk image from another, and its format.

    Raises:
        Invalid: it cannot be read, or stands on other files, which would be the hypervisor's.
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(104)
            file.seek(0)
            digest = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Invalid(f"it cannot be read: {error.strerror}", place=path) from None
    if not head.startswith(b"QFI\xfb"):
        return digest[:16], "raw"
    version, backing = int.from_bytes(head[4:8], "big"), int.from_bytes(head[8:16], "big")
    outside = version > 2 and int.from_bytes(head[72:80], "big") & 4
    if backing or outside:
        raise Invalid("it stands on another file", place=path, remedy="make it whole with: qemu-img convert -O qcow2")
    return digest[:16], "qcow2"
