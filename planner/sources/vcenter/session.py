"""A session with a vCenter: pyvmomi logs in and keeps it, our own connection reads with its cookie.

Both use one TLS context, made by ``tls``. A session that expired is renewed by whoever notices first, also
several times in a row (``RENEWALS``).
What pyvmomi raises leaves here as one of our errors; the password is in none of them. Several threads may
use a session: each has a connection of its own to read by.
"""

from __future__ import annotations

import contextlib
import ssl
import threading
import weakref
from collections.abc import Callable, Iterator
from http.client import HTTPException
from typing import Any, TypeVar
from xml.parsers.expat import ExpatError

from planner.errors import BadInput, Unreachable
from planner.names import visible
from planner.sources.vcenter.address import Login
from planner.sources.vcenter.answers import Fault, document, elements, plain
from planner.sources.vcenter.soap import Ref, envelope
from planner.sources.vcenter.tls import reaching, untrusted, verified_context
from planner.sources.vcenter.wire import NOT_YET, Answer, Dropped, Wire

_PATH = "/sdk"
EXPIRED = "NotAuthenticated"
RENEWALS = 3  # within one call: who ends more sessions than that in a row lets nobody work
Result = TypeVar("Result")


class Session:
    """An open session. Use it as a context manager, so that it is logged out."""

    def __init__(self, login: Login) -> None:
        """Open the session; raises UntrustedCertificate, BadInput for a refused login, Unreachable."""
        self.login = login
        context, self.certificate = verified_context(login)
        self._context = context
        self._own = threading.local()
        self._wires: weakref.WeakSet[Wire] = weakref.WeakSet()
        self._renewing = threading.Lock()
        self._stub = self._adapter(context)
        with self._speaking():
            from pyVmomi import vim

            service: Any = vim.ServiceInstance
            self.content: Any = service("ServiceInstance", self._stub).RetrieveContent()
            self._log_in()

    @property
    def wire(self) -> Wire:
        """This thread's own connection."""
        found: Wire | None = getattr(self._own, "wire", None)
        if found is None:
            address = self.login.address
            found = self._own.wire = Wire(address.host, address.port, self._context, self.login.timeout_s)
            self._wires.add(found)
        return found

    @property
    def key(self) -> str:
        """What the vCenter knows this session by, "" when there is none at the moment."""
        return self._stub.GetSessionId() or ""

    def _adapter(self, context: ssl.SSLContext) -> Any:
        """Return pyvmomi's adapter in the newest version of the API that both sides speak."""
        from pyVmomi import SoapAdapter, VmomiSupport

        adapter: Any = SoapAdapter.SoapStubAdapter
        support: Any = VmomiSupport

        with self._speaking():
            answer = self.wire.request("GET", f"{_PATH}/vimServiceVersions.xml")
            if answer.status in NOT_YET:
                answer.body(1024**2)
                raise Dropped(f"HTTP status {answer.status}")
            offered = {
                version.text or ""
                for space in document(answer.body(1024**2)).iter("namespace")
                if space.findtext("name") == "urn:vim25"
                for version in space.iter("version")
            }
        chosen = next(
            (name for name in support.GetServiceVersions("vim25") if support.versionIdMap[name] in offered),
            None,
        )
        if answer.status != 200 or chosen is None:
            raise Unreachable(
                f"{self.login.address.shown} does not answer as a vCenter", "check host and port"
            )
        return adapter(
            host=self.login.address.host,
            port=self.login.address.port,
            path=_PATH,
            version=chosen,
            sslContext=context,
            httpConnectionTimeout=self.login.timeout_s,
        )

    def _log_in(self) -> None:
        from pyVmomi import vim, vmodl

        # A session that still holds refuses a second login: begin with none.
        self._stub.SetSessionId(None)
        user = self.login.address.user
        try:
            self.content.sessionManager.Login(user, self.login.password)
        except vim.fault.InvalidLogin:
            # Without a cause: a traceback of the call would show its arguments.
            raise BadInput(
                f"{self.login.address.shown} refuses the login of {visible(user, 80)}",
                "check user and password, and whether the account is locked",
            ) from None
        except vim.fault.NoPermission:
            raise BadInput(
                f"{visible(user, 80)} may not log in to {self.login.address.shown}",
                "give the account the read-only role of docs/vcenter.md",
            ) from None
        except vmodl.fault.SystemError as error:  # a vCenter that starts, and its single sign-on does not yet
            said = visible(getattr(error, "reason", "") or "SystemError", 120)
            raise Unreachable(
                f"{self.login.address.shown} lets nobody in at the moment: {said}",
                "wait until all its services have started, then try again",
            ) from None

    @contextlib.contextmanager
    def _hearing(self) -> Iterator[None]:
        shown = self.login.address.shown
        try:
            with reaching(self.login):
                yield
        except (HTTPException, ExpatError, Dropped) as error:
            raise Unreachable(
                f"{shown} broke off: {visible(str(error) or type(error).__name__, 120)}", "try again"
            ) from error

    @contextlib.contextmanager
    def _speaking(self) -> Iterator[None]:
        from pyVmomi import vmodl

        shown = self.login.address.shown
        try:
            with self._hearing():
                yield
        except Fault as error:
            raise BadInput(f"{shown} refuses: {visible(str(error), 160)}", "see docs/vcenter.md") from error
        except vmodl.MethodFault as error:
            said = f"{type(error).__name__.rpartition('.')[2]} {getattr(error, 'msg', '') or ''}".strip()
            raise BadInput(f"{shown} refuses: {visible(said, 160)}", "see docs/vcenter.md") from error

    def ask(self, act: Callable[[Any], Result]) -> Result:
        """Return what ``act`` gets of pyvmomi's service content; an expired session is renewed.

        Raises BadInput for a refusal, Unreachable.
        """
        with self._speaking():
            return self.invoke(act)

    def invoke(self, act: Callable[[Any], Result]) -> Result:
        """Return the same, with faults (``vmodl.MethodFault``) left as pyvmomi raises them.

        Raises Unreachable when no answer comes: nobody knows then whether the call was executed. One
        that an expired session makes is not executed, so it is made again in the renewed one.
        """
        from pyVmomi import vim

        with self._hearing():
            for left in range(RENEWALS, -1, -1):
                key = self.key
                try:
                    return act(self.content)
                except vim.fault.NotAuthenticated as error:
                    if not left:
                        raise Unreachable(
                            f"{self.login.address.shown} ends each session as soon as it has begun",
                            "look who ends sessions there, then try again",
                        ) from error
                self.renew(key)
        raise AssertionError("unreachable")

    def managed(self, target: Ref) -> Any:
        """Return pyvmomi's object for a reference, bound to this session."""
        from pyVmomi import VmomiSupport

        support: Any = VmomiSupport
        return support.GetWsdlType("urn:vim25", target.kind)(target.id, self._stub)

    def beside(self, path: str, version: str) -> Any:
        """Return pyvmomi's adapter of another service of this vCenter: same session, same TLS context."""
        from pyVmomi import SoapAdapter

        adapter: Any = SoapAdapter.SoapStubAdapter
        key = self.key
        return adapter(
            host=self.login.address.host,
            port=self.login.address.port,
            path=path,
            version=version,
            sslContext=self._context,
            httpConnectionTimeout=self.login.timeout_s,
            poolSize=0,  # nothing to close afterwards
            requestContext={"vcSessionCookie": key},
            sessionId=key,
        )

    def renew(self, expired: str | None = None) -> None:
        """Log in once again; raises BadInput, Unreachable.

        With ``expired``, the key of the session that is no more, only where nobody else has done so since.
        """
        with self._renewing:
            if expired is None or self.key in (expired, ""):  # "": somebody tried, and was not let in
                with self._speaking():
                    self._log_in()

    @property
    def collector(self) -> Ref:
        """The session's property collector."""
        return Ref("PropertyCollector", self.content.propertyCollector._GetMoId())

    def send(self, request: bytes) -> Answer:
        """Send a SOAP request over our own connection; raises Dropped, UntrustedCertificate."""
        try:
            answer = self.wire.request(
                "POST",
                _PATH,
                request,
                {
                    "Content-Type": "text/xml; charset=utf-8",
                    "SOAPAction": self._stub.versionId,
                    "Cookie": self._stub.cookie,
                },
            )
        except ssl.SSLCertVerificationError as error:
            raise untrusted(self.login, error) from error
        if answer.status not in (200, 500):
            self.wire.close()
            raise Dropped(f"HTTP status {answer.status}")
        return answer

    def call(self, method: str, this: Ref, body: str = "", name: str = "returnval") -> list[Any]:
        """Return the parsed values of a small call, or of elements ``name`` below its answer.

        An expired session is renewed. Raises Fault, Dropped, UntrustedCertificate.
        """
        for left in range(RENEWALS, -1, -1):
            key = self.key
            try:
                root = self.send_whole(envelope(method, this, body))
                return [plain(item) for item in root.iter("{urn:vim25}" + name)]
            except Fault as fault:
                if fault.kind != EXPIRED or not left:
                    raise
                self.renew(key)
        raise AssertionError("unreachable")

    def send_whole(self, request: bytes) -> Any:
        """Return the root element of a small answer; raises Fault, Dropped, UntrustedCertificate."""
        return document(self.send(request).body())

    def stream(self, request: bytes, *names: str) -> Iterator[Any]:
        """Yield the elements of these names of an answer as it comes; raises Fault, Dropped."""
        yield from elements(self.send(request).chunks, *names)

    def close(self) -> None:
        """Log out and close all connections; what fails then is of no consequence."""
        for wire in tuple(self._wires):
            wire.close()
        with contextlib.suppress(Exception):
            self.content.sessionManager.Logout()
        self._stub.DropConnections()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
