"""The way to a vCenter: a session with a time limit, tasks that are waited for, and what its faults mean."""

from __future__ import annotations

import ssl
import weakref
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from typing import Any
from xml.parsers.expat import ExpatError

from pyVim.connect import VimSessionOrientedStub
from pyVmomi import vim, vmodl
from pyVmomi.SoapAdapter import SoapStubAdapter

from adslib.adapters.gateways.remote.calls import came
from adslib.domain.errors import AdsError, Conflict, Failed, Invalid

ANSWER = 30.0
"""Seconds that an answer may take."""
VERSION = "vim.version.version12"
"""How requests are written: as for vSphere 6.7, which all later ones understand."""
BUSY = (vim.fault.TaskInProgress, vim.fault.ConcurrentAccess, vmodl.fault.HostCommunication, vim.fault.NotAuthenticated)
STATE, ENDED = ("info.state", "info.error", "info.result"), ("success", "error")
Collector = vmodl.query.PropertyCollector


class Unreached(Exception):
    """No answer, or none that a vCenter gives; its cause says why."""


class TaskLate(Exception):
    """A task takes too long."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who asks whom.

    Args:
        host: name or address. port: of its API. name: of the user. reference: where the password lies.
        password: reads it. ca: file of the CA that the certificate is checked by, empty: the public ones.
        verify: whether it is checked.
    """

    host: str
    port: int
    name: str
    reference: str
    password: Callable[[], str]
    ca: str
    verify: bool


class Line(SoapStubAdapter):  # type: ignore[misc]
    """The connection. A call that fails on the way is not repeated here, since it may have been heard."""

    def InvokeMethod(self, *words: Any) -> Any:  # noqa: N802 – the library's name
        """Call."""
        try:
            return super().InvokeMethod(*words)
        except (OSError, HTTPException, ExpatError) as error:
            raise Unreached(str(error)) from error


class Access:
    """The API as one account sees it; it is asked for the first time when something is needed.

    Args:
        gateway: its name, for messages. patience: seconds that a task may take.
    """

    def __init__(self, gateway: str, account: Account, patience: float) -> None:
        self._place = f"gateway {gateway}"
        self._account = account
        self._patience = patience

    @cached_property
    def stub(self) -> Any:
        """What managed objects speak by: it logs in at the first call, and again when its session has expired.

        Raises:
            Invalid: there is nothing to check the certificate by.
        """
        who = self._account
        try:
            context = ssl.create_default_context(cafile=who.ca or None)
        except OSError as error:
            what = f"option ca: {who.ca} cannot be used: {error.strerror or error}"
            raise Invalid(what, place=self._place, remedy="name a file of certificates in PEM") from error
        if not who.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        words = {"sslContext": context, "httpConnectionTimeout": ANSWER}
        line = Line(host=who.host, port=who.port, version=VERSION, **words)
        # A vCenter has only so many sessions, and keeps those that were left for half an hour.
        weakref.finalize(self, _leave, line)

        def enter(at: Any) -> None:
            _sessions(at).Login(who.name, who.password(), None)

        return VimSessionOrientedStub(line, enter, retryCount=2)

    @cached_property
    def content(self) -> Any:
        """What the API begins with."""
        return vim.ServiceInstance("ServiceInstance", self.stub).RetrieveContent()

    def machine(self, ref: str) -> Any:
        """The machine of a ref, whether or not there is one."""
        return vim.VirtualMachine(ref, self.stub)

    def read(self, kind: type, paths: Sequence[str], below: Any = None) -> Mapping[Any, Mapping[str, Any]]:
        """Properties of all objects of a kind, as far as they have them.

        Args:
            below: the object that they are in; None: anywhere.
        """
        view = self.content.viewManager.CreateContainerView(below or self.content.rootFolder, [kind], True)
        try:
            way = Collector.TraversalSpec(name="view", path="view", skip=False, type=vim.view.ContainerView)
            return self._collect(Collector.ObjectSpec(obj=view, skip=True, selectSet=[way]), kind, paths)
        finally:
            with suppress(vmodl.MethodFault, Unreached):
                view.DestroyView()

    def look(self, thing: Any, paths: Sequence[str]) -> Mapping[str, Any] | None:
        """Properties of one object; None if there is none."""
        with suppress(vmodl.fault.ManagedObjectNotFound):
            return next(iter(self._collect(Collector.ObjectSpec(obj=thing), type(thing), paths).values()), None)
        return None

    def done(self, task: Any) -> Any:
        """Wait for a task.

        Returns: its result.

        Raises:
            MethodFault: it went wrong. TaskLate: it takes too long.
        """
        told = came(lambda: self.look(task, STATE) or {}, lambda told: told.get(STATE[0]) in ENDED, self._patience)
        if told.get(STATE[0]) not in ENDED:
            raise TaskLate(f"the task {task._moId} did not end within {self._patience:g} s")
        if told[STATE[0]] == "error":
            raise told["info.error"]
        return told.get("info.result")

    def told(self, error: Exception) -> AdsError | None:
        """What an error means; None: it is ours."""
        host, user = self._account.host, self._account.name
        match error:
            case Unreached(__cause__=ssl.SSLCertVerificationError()):
                remedy = f"name the file of its CA by the option 'ca'; https://{host}/certs/download.zip has it"
                return Failed(f"the certificate of {host} is not trusted", place=self._place, remedy=remedy)
            case Unreached():
                remedy = "see that it runs, and that the options 'host' and 'port' are right"
                return Failed(f"{host} does not answer as a vCenter: {error}", place=self._place, remedy=remedy)
            case vim.fault.InvalidLogin():
                remedy = f"see that {self._account.reference} holds the password of this user"
                return Failed(f"{host} does not let {user} in", place=self._place, remedy=remedy)
            case vim.fault.NoPermission():
                remedy = "give it the privilege at vCenter"
                return Failed(f"{user} lacks the privilege {error.privilegeId}", place=self._place, remedy=remedy)
            case vim.fault.DuplicateName():
                remedy = "choose another name, or rename that one"
                return Conflict(f"there is another '{error.name}' at vCenter", place=self._place, remedy=remedy)
            case vmodl.MethodFault():
                said = " ".join((error.msg or "").split()) or type(error).__name__
                return Failed(f"vCenter says: {said}", place=self._place)
            case TaskLate():
                remedy = "see its tasks at vCenter, and try again; the option 'patience' says how long to wait"
                return Failed(str(error), place=self._place, remedy=remedy)
        return None

    def passing(self, error: Exception) -> bool:
        """Whether it may go well a little later."""
        if isinstance(error, Unreached):
            return not isinstance(error.__cause__, ssl.SSLCertVerificationError)
        return isinstance(error, BUSY)

    def _collect(self, where: Any, kind: type, paths: Sequence[str]) -> Mapping[Any, Mapping[str, Any]]:
        wanted = Collector.FilterSpec(
            objectSet=[where], propSet=[Collector.PropertySpec(type=kind, pathSet=list(paths), all=False)]
        )
        collector = self.content.propertyCollector
        found: dict[Any, Mapping[str, Any]] = {}
        part = collector.RetrievePropertiesEx([wanted], Collector.RetrieveOptions())
        while part:
            for each in part.objects:
                if each.missingSet and not each.propSet:
                    raise each.missingSet[0].fault
                found[each.obj] = {told.name: told.val for told in each.propSet}
            part = collector.ContinueRetrievePropertiesEx(part.token) if part.token else None
        return found


def _sessions(stub: Any) -> Any:
    return vim.ServiceInstance("ServiceInstance", stub).content.sessionManager


def _leave(line: Line) -> None:
    with suppress(Unreached, vmodl.MethodFault):
        if line.cookie:
            _sessions(line).Logout()
    line.DropConnections()
