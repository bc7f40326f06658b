"""What the library's drivers have in common; a provider overrides what is otherwise there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from libcloud.compute.base import Node, NodeImage

from adslib.adapters.gateways.libcloud.choices import Choices
from adslib.domain.gateway import Order


@dataclass(frozen=True, slots=True)
class New:
    """A machine to be made.

    Args:
        tags: by which it is found again. told: for cloud-init.
    """

    order: Order
    tags: Mapping[str, str]
    told: str


class Standard:
    """A provider.

    Args:
        choices: what the user of the gateway chose.
    """

    name = "the provider"
    saves = False
    """Whether images are made of machines, and machines go back to them."""

    def __init__(self, choices: Choices) -> None:
        self.choices = choices

    def build(self, who: Mapping[str, str]) -> Any:
        """A driver of the library."""
        raise NotImplementedError

    # ── making ───────────────────────────────────────────────────────────────────────────────────────

    def locations(self, library: Any) -> Sequence[str]:
        """Where machines can be; empty: there is no choice."""
        return [location.name for location in library.list_locations()]

    def image(self, library: Any, id: str) -> NodeImage:
        """An image."""
        return library.get_image(id)

    def make(self, library: Any, new: New, size: Any, image: NodeImage) -> Node:
        """Begin to make a machine, with its tags."""
        words = {**self.words(library, new), **self.choices.arguments}
        return library.create_node(name=new.order.name, size=size, image=image, **words)

    def words(self, library: Any, new: New) -> Mapping[str, Any]:
        """What the library's driver for this provider wants to be told besides."""
        raise NotImplementedError

    def location(self, library: Any, name: str) -> Any:
        """The location of a name, the first where none is chosen."""
        known = {location.name: location for location in library.list_locations()}
        return known[name] if name else next(iter(known.values()))

    # ── looking ──────────────────────────────────────────────────────────────────────────────────────

    def tags(self, node: Node) -> Mapping[str, str]:
        """The tags of a machine."""
        raise NotImplementedError

    def facts(self, node: Node) -> tuple[str, str, str]:
        """The size, the location and the image of a machine, each by name or id; empty where nobody tells."""
        raise NotImplementedError

    # ── acting ───────────────────────────────────────────────────────────────────────────────────────

    def start(self, library: Any, node: Node) -> None:
        """Switch a machine on."""
        library.start_node(node)

    def stop(self, library: Any, node: Node) -> None:
        """Shut a machine down."""
        library.stop_node(node)

    def save(self, library: Any, node: Node, name: str) -> None:
        """Make an image of a machine."""
        library.create_image(node, name)

    def restore(self, library: Any, node: Node, image: NodeImage) -> None:
        """Give a machine the disk of an image; its name, addresses and tags stay."""
        raise NotImplementedError

    def saved(self, image: NodeImage) -> bool:
        """Whether an image is ready to be used."""
        return True
