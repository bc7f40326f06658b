"""The store: SQLite or PostgreSQL behind one set of repositories, a noun each."""

from adslib.adapters.store.connecting import preload
from adslib.adapters.store.jobs import NOT_READ
from adslib.adapters.store.plans import SavedPlan
from adslib.adapters.store.statements import Crossed
from adslib.adapters.store.store import Store, migrate, open_store
from adslib.adapters.store.transaction import Transaction

__all__ = ["NOT_READ", "Crossed", "SavedPlan", "Store", "Transaction", "migrate", "open_store", "preload"]
