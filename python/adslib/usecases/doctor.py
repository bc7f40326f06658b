"""Doctor: whether this installation can do its work, and what would mend it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import adslib
from adslib.adapters import installation
from adslib.adapters.installation import numbers
from adslib.adapters.store import migrate, open_store
from adslib.app import App
from adslib.domain.actor import Actor, Permission
from adslib.domain.errors import AdsError

OLDEST_ANSIBLE = (2, 17)
COLLECTION = "ads.deploy"


class Verdict(StrEnum):
    """How a check went: `warn` names what only some environments need."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at: what was found, and what to do about it (empty: nothing)."""

    name: str
    verdict: Verdict
    found: str
    remedy: str = ""


class Doctor:
    """One method a use case; the first line of each checks the actor's permission."""

    def __init__(self, app: App, actor: Actor) -> None:
        self._app = app
        self._actor = actor

    def migrate(self) -> None:
        """Bring the store to the schema of this ads.

        Raises:
            Conflict: it is newer, or another program's. Failed: it does not answer.
        """
        self._actor.must(Permission.ADMINISTER, "the store")
        migrate(self._app.settings.database_url)

    def check(self) -> Sequence[Check]:
        """Look at everything that ads needs."""
        self._actor.must(Permission.VIEW, "this installation")
        return [self._home(), self._store(), *_ansible(), *_programs()]

    def _home(self) -> Check:
        home = self._app.settings.home
        try:
            home.mkdir(parents=True, exist_ok=True, mode=0o700)
            probe = home / f".doctor-{os.getpid()}"
            probe.write_text("", encoding="utf-8")
            probe.unlink()
        except OSError as error:
            return Check("home", Verdict.FAIL, f"{home}: {error.strerror}", "set ADS_HOME to a directory of your own")
        return Check("home", Verdict.OK, str(home))

    def _store(self) -> Check:
        try:
            with open_store(self._app.settings.database_url, check=False) as store:
                have, wanted = store.schema_version()
                where = store.url
        except AdsError as error:
            first = error.problems[0]
            return Check("store", Verdict.FAIL, f"{first.place}: {first.message}".lstrip(": "), first.remedy)
        if have == wanted:
            return Check("store", Verdict.OK, f"{where}, schema {have}")
        if not have and where.startswith("sqlite"):
            return Check("store", Verdict.OK, f"{where}, empty: it is made ready when it is first used")
        if have > wanted:
            return Check(
                "store", Verdict.FAIL, f"{where}, schema {have}, newer than {wanted}", "install the newer adslib"
            )
        found = f"{where}, schema {have or 'missing'}, needed {wanted}"
        return Check("store", Verdict.FAIL, found, "make a backup, then run: ads doctor --migrate")


def _ansible() -> Iterator[Check]:
    core = installation.version_of("ansible-core")
    if not core:
        yield Check("ansible-core", Verdict.FAIL, "not installed", "pip install 'ansible-core>=2.17'")
    elif numbers(core) < OLDEST_ANSIBLE:
        yield Check("ansible-core", Verdict.FAIL, f"{core} is too old", "pip install --upgrade 'ansible-core>=2.17'")
    else:
        yield Check("ansible-core", Verdict.OK, core)
    runner = installation.version_of("ansible-runner")
    verdict = Verdict.OK if runner else Verdict.FAIL
    yield Check("ansible-runner", verdict, runner or "not installed", "" if runner else "pip install ansible-runner")
    if core:
        yield _collection()


def _collection() -> Check:
    folder, version = installation.collection(COLLECTION)
    ours = adslib.__version__
    fitting = f"ansible-galaxy collection install '{COLLECTION}:~={'.'.join(ours.split('.')[:2])}.0'"
    if not folder:
        return Check(
            "collection", Verdict.FAIL, f"{COLLECTION} is not found", f"{fitting}, or set ANSIBLE_COLLECTIONS_PATH"
        )
    found = f"{COLLECTION} {version or 'of unknown version'} in {folder}"
    if numbers(version)[:2] != numbers(ours)[:2]:
        return Check("collection", Verdict.FAIL, f"{found}, but adslib is {ours}", f"{fitting} --force")
    return Check("collection", Verdict.OK, found)


def _programs() -> Iterator[Check]:
    supervisor = installation.version_of("supervisor")
    remedy = "" if supervisor else "pip install supervisor; local machines need it"
    yield Check("supervisor", Verdict.OK if supervisor else Verdict.WARN, supervisor or "not installed", remedy)
    haproxy = installation.haproxy()
    remedy = "" if haproxy else "apt-get install haproxy, or pip install 'adslib[haproxy]'; local balancers need it"
    yield Check("haproxy", Verdict.OK if haproxy else Verdict.WARN, haproxy or "not found", remedy)
    ssh = installation.program("ssh")
    remedy = "" if ssh else "apt-get install openssh-client; machines other than local ones need it"
    yield Check("ssh", Verdict.OK if ssh else Verdict.WARN, ssh or "not found", remedy)
