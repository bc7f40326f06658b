"""ads: describe an environment once; ads deploys it, watches it and moves its users.

```python
import adslib

with adslib.connect() as ads:
    ads.environments.create(adslib.load("telephony.yml"))
    print(ads.environments.plan("telephony"))
```
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from adslib.domain.errors import AdsError

if TYPE_CHECKING:
    from adslib.adapters.documents import Document, Draft
    from adslib.domain.assignment import AddressRequest
    from adslib.domain.pool_rule import PoolRule
    from adslib.usecases.ads import Ads
    from adslib.usecases.machine_spec import MachineSpec

__version__ = "0.1.0"
__all__ = [
    "AdsError",
    "MachineSpec",
    "PoolRule",
    "collect",
    "connect",
    "load",
    "preload",
    "read_request",
    "to_yaml",
]


def connect(database_url: str = "", *, actor: str = "", tenant: str = "default", create: bool = True) -> Ads:
    """Open ads for a program.

    Args:
        database_url: `sqlite:///…` or `postgresql+psycopg://…`; empty: from the settings.
        actor: who acts; empty: the operating-system user, with all permissions.
        create: make an SQLite store that is missing; without, it counts as empty, and nothing is written.

    Raises:
        AdsError: the settings are wrong, or the store cannot be opened.
    """
    import getpass

    from adslib.app import open_app
    from adslib.domain.actor import Actor
    from adslib.usecases.ads import Ads

    return Ads(open_app(database_url, create=create), Actor(actor or getpass.getuser(), tenant))


def load(source: str | Mapping[str, Any], parameters: Mapping[str, Any] | None = None) -> Document:
    """Read and validate a definition.

    Args:
        source: a YAML, XML or JSON file, or the definition itself as plain data.
        parameters: values for the definition's parameters.

    Raises:
        AdsError: all that is wrong with it, each with file, line, path and remedy.
    """
    from adslib.adapters import documents

    return (
        documents.load(source, parameters) if isinstance(source, str) else documents.restored(source, parameters or {})
    )


def collect(source: str | Mapping[str, Any]) -> Draft:
    """Read a definition with its includes, for a template: parts of it may still be open.

    Args:
        source: a YAML, XML or JSON file, or the definition itself as plain data.

    Raises:
        AdsError: a file is missing or is no document.
    """
    from adslib.adapters import documents
    from adslib.domain.environment import Origin

    return documents.collect(source) if isinstance(source, str) else documents.Draft(source, {}, Origin())


def to_yaml(tree: Mapping[str, Any]) -> str:
    """A definition's tree as YAML; reading it gives the same tree."""
    from adslib.adapters import documents

    return documents.dump_yaml(tree)


def read_request(written: Mapping[str, Any]) -> AddressRequest:
    """An ask for addresses and names, as `ads.addresses.allocate` takes it.

    Args:
        written: by the names of `AddressRequest`, as texts, numbers and lists; what is None is not said.

    Raises:
        AdsError: all that is wrong with it.
    """
    from adslib.domain import assignment_reading

    return assignment_reading.read_request(written)


def __getattr__(name: str) -> Any:
    """Import on their first use `MachineSpec`, which `ads.machines.add` takes, and `PoolRule`, for `ads.pool`."""
    from importlib import import_module

    homes = {"MachineSpec": "adslib.usecases.machine_spec", "PoolRule": "adslib.domain.pool_rule"}
    if name not in homes:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(homes[name]), name)


def preload(database_url: str = "") -> None:
    """Import what `connect` needs, so that a process that forks often pays for it once; nothing is opened.

    Raises:
        AdsError: the settings are wrong, or the database's driver is not installed.
    """
    from importlib import import_module

    from adslib.adapters.settings import read_settings
    from adslib.adapters.store import preload as preload_driver

    # The gateway that is there without settings, and the engine, are what a deployment needs at its first step.
    used = ("app", "usecases.ads", "domain.reading", "adapters.gateways.local", "adapters.playbooks")
    for name in used:
        import_module(f"adslib.{name}")
    preload_driver(read_settings(database_url=database_url).database_url)
