"""A connection to a vCenter that acts: narrow reads and single calls in a planner's session.

    Session (login, pinned TLS, renewal) ◂── Connection ──▸ reads that outlast a restart of the vCenter
                                                       └──▸ calls whose answer may be lost: made once

What only reads is repeated for ``patience_s`` while the vCenter does not answer. A call that changes
something goes through ``tasks``, which asks for the outcome before it is made again. For several threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from migrate.sites.vsphere.refusing import raised
from planner.errors import Unreachable
from planner.sources.vcenter.collector import Collector, RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref

T = TypeVar("T")

PATIENCE_S = 120.0  # a vCenter's services restart within minutes; a run waits longer by itself
_PAUSE_S = 2.0
_HINT = "look at the vCenter and the network, then try again"
_SERVICE = Ref("ServiceInstance", "ServiceInstance")


class Connection:
    """One session. ``clock`` and ``sleep`` are of the waits between attempts."""

    def __init__(
        self,
        session: Session,
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.session = session
        self.clock = clock
        self.sleep = sleep
        self.patience_s = patience_s
        self._away_s: float | None = None  # when it was first seen not to answer

    @property
    def shown(self) -> str:
        """The vCenter's endpoint, fit for a sentence."""
        return self.session.login.address.shown

    @property
    def identity(self) -> str:
        """The vCenter's instance UUID."""
        return str(self.session.content.about.instanceUuid)

    def patiently(self, act: Callable[[], T]) -> T:
        """Return what an act that changes nothing gets, however often it takes; raises as ``act`` does.

        Unreachable leaves here only after ``patience_s`` of it, and says since when that was so.
        """
        begun = self.clock()
        while True:
            try:
                found = act()
            except Unreachable as error:
                if self._away_s is None:
                    self._away_s = self.clock()
                if self.clock() - begun >= self.patience_s:
                    since = datetime.now(UTC) - timedelta(seconds=self.clock() - self._away_s)
                    raise Unreachable(
                        f"{error.message}; no answer since {since:%Y-%m-%d %H:%M} UTC", _HINT
                    ) from error
            else:
                self._away_s = None
                return found
            self.sleep(_PAUSE_S)

    def read(self, kind: Kind, targets: Iterable[Ref]) -> list[RawObject]:
        """Return these objects by the paths of ``kind``; what is gone is left out.

        Raises BadInput for a refusal, Unreachable.
        """
        wanted = list(targets)

        def act() -> list[RawObject]:
            found = self._collector().read_these(kind, wanted, _whole)
            if any(item.missing and not item.values for item in found):
                # To somebody it does not know a vCenter may show objects without their properties.
                self._stay_logged_in()
                found = self._collector().read_these(kind, wanted, _whole)
            return found

        return self.patiently(act)

    def _stay_logged_in(self) -> None:
        self.session.invoke(lambda _: self.managed(_SERVICE).CurrentTime())

    def find(self, kind: Kind, keep: Callable[[RawObject], T | None]) -> list[T]:
        """Return what ``keep`` makes of every object of a kind, None left out; raises as ``read``."""

        def act() -> list[T]:
            self._stay_logged_in()
            return self._collector().read(kind, keep)

        return self.patiently(act)

    def one(self, kind: Kind, target: Ref) -> RawObject | None:
        """Return one object, None when it is certainly not there; raises as ``read``."""
        found = self.read(kind, [target])
        return found[0] if found else None

    def _collector(self) -> Collector:
        return Collector(self.session, sleep=self.sleep)

    def managed(self, target: Ref) -> Any:
        """Return pyvmomi's object of a reference."""
        return self.session.managed(target)

    def ask(self, what: str, act: Callable[[Any], T]) -> T:
        """Return what a call that changes nothing gets of the service content, or of ``managed``.

        ``what`` says what cannot be had when it is declined: ``cannot ask what changed on web-01``.
        Raises Declined, NoSpace, Unreachable.
        """
        from pyVmomi import vmodl

        try:
            return self.patiently(lambda: self.session.invoke(act))
        except vmodl.MethodFault as fault:
            raise raised(what, fault) from fault

    def close(self) -> None:
        """Log out."""
        self.session.close()


def _whole(item: RawObject) -> RawObject:
    return item
