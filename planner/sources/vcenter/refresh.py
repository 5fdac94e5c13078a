"""An inventory kept fresh by ``WaitForUpdatesEx``: the first look reads everything, later ones changes.

The vCenter is asked for whole values at the paths we list, so an update replaces and never patches.
Whenever its account of changes cannot be trusted to be whole (a broken connection, a new session, a
version it no longer knows) everything is read again. The result equals that of a full reading.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from planner.errors import BadInput, Unreachable
from planner.model import VM, Inventory
from planner.sources.vcenter.answers import VIM, Fault
from planner.sources.vcenter.collector import Collector
from planner.sources.vcenter.machines import machine
from planner.sources.vcenter.paths import MACHINES, SURROUNDINGS, Kind
from planner.sources.vcenter.platform import Platform, map_platform
from planner.sources.vcenter.reading import assemble
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.soap import Ref, below_view, envelope, filter_spec, tagged
from planner.sources.vcenter.state import State
from planner.sources.vcenter.wire import Dropped

_KINDS = (*SURROUNDINGS, MACHINES)
_UPDATES = Kind("changes", (), {})
_WHOLE = "<partialUpdates>false</partialUpdates>"


class Refresher:
    """Looks at a vCenter again and again. ``full`` counts how often everything was read."""

    def __init__(self, session: Session, collector: Collector, clock: Callable[[], datetime]) -> None:
        self._session = session
        self._collector = collector
        self._clock = clock
        self._watcher: Ref | None = None  # a property collector of our own
        self._version = ""
        self._state = State()
        self._platform: Platform | None = None
        self._vms: dict[str, VM] = {}
        self.full = 0

    def look(self) -> Inventory:
        """Return the inventory as it is now; raises BadInput, Unreachable."""
        taken = self._clock()
        self._collector.persist(_UPDATES, self._updates)
        services = self._collector.services()
        platform = map_platform(self._collector, self._state.surroundings(), services)
        known = self._platform
        same = known is not None and known.around == platform.around
        if same and known is not None:
            # Machines that stay as they were keep what was odd of them.
            platform.around.oddities.update(known.around.oddities)
        for item in self._state.machines(self._state.touched if same else None):
            self._vms[item.ref.id] = machine(item, platform.around)
        self._state.touched.clear()
        self._platform = platform
        ids = self._state.machine_ids()
        self._vms = {vm: self._vms[vm] for vm in ids}
        return assemble(self._session.login, platform, list(self._vms.values()), self._state.unseen(), taken)

    def _updates(self) -> list[None]:
        """Bring the state up to date. Whatever breaks begins with a full reading the next time."""
        try:
            if self._watcher is None:
                self._open()
            more = True
            while more:
                more = self._wait()
            self._reread()
        except Fault as fault:
            self._forget()
            if fault.kind == "InvalidCollectorVersion":
                raise Dropped("the vCenter lost the thread of changes") from fault
            raise
        except (Dropped, Unreachable):
            self._forget()
            raise
        return []

    def _open(self) -> None:
        self.full += 1
        made = self._session.ask(lambda content: content.propertyCollector.CreatePropertyCollector())
        self._watcher = Ref("PropertyCollector", made._GetMoId())
        self._version = ""
        self._state = State()
        views = [Ref("ContainerView", self._session.ask(_viewing(kind))._GetMoId()) for kind in _KINDS]
        objects = "".join(below_view(view) for view in views)
        while True:
            paths = {name: listed for kind in _KINDS for name, listed in self._collector.wanted(kind).items()}
            spec = filter_spec("spec", paths, objects)
            try:
                self._session.send_whole(envelope("CreateFilter", self._watcher, spec + _WHOLE))
                return
            except Fault as fault:
                # It names a path and no type: every kind that asks for it does without.
                left_out = [kind.name for kind in _KINDS if self._collector.leave_out(kind, fault)]
                if not left_out:
                    raise

    def _wait(self) -> bool:
        """Take in what has changed until now; return whether there is more."""
        assert self._watcher is not None
        options = (
            "<options><maxWaitSeconds>0</maxWaitSeconds><maxObjectUpdates>250</maxObjectUpdates></options>"
        )
        request = envelope("WaitForUpdatesEx", self._watcher, tagged("version", [self._version]) + options)
        version, truncated = self._version, False
        for element in self._session.stream(request, "objectSet", "version", "truncated"):
            if element.tag == VIM + "version":
                version = element.text or ""
            elif element.tag == VIM + "truncated":
                truncated = element.text in ("true", "1")
            else:
                self._state.update(element, self._collector.older)
        self._version = version
        return truncated

    def _reread(self) -> None:
        """Read single objects again whose update went deeper than we follow."""
        by_kind: dict[str, tuple[Kind, list[Ref]]] = {}
        for target, kind in self._state.stale.items():
            by_kind.setdefault(kind.name, (kind, []))[1].append(target)
        for kind, targets in by_kind.values():
            found = self._collector.read_these(kind, targets, lambda item: item)
            for item in found:
                self._state.put(item)
            for gone in set(targets).difference({item.ref for item in found}):
                self._state.drop(gone)

    def _forget(self) -> None:
        self._release()
        self._version = ""
        self._vms.clear()
        self._platform = None

    def _release(self) -> None:
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            # Of a session that ended it is gone already.
            with contextlib.suppress(Fault, Dropped, BadInput, Unreachable):
                self._session.call("DestroyPropertyCollector", watcher)

    def close(self) -> None:
        """Let the vCenter forget what we watch."""
        self._release()


def _viewing(kind: Kind) -> Callable[[Any], Any]:
    from pyVmomi import vim

    types = [getattr(vim, name) for name in kind.view]
    return lambda content: content.viewManager.CreateContainerView(content.rootFolder, types, True)


def with_rates(inventory: Inventory, churn: Callable[[str], int | None]) -> Inventory:
    """Return the inventory with what machines write a day, where it is known; ``churn`` goes by VM id."""
    return replace(
        inventory,
        vms=tuple(
            vm if (said := churn(vm.id)) is None else replace(vm, churn_bytes_day=said)
            for vm in inventory.vms
        ),
    )
