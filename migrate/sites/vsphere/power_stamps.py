"""Who powered a VM last: the key of the call, kept as a custom attribute of the VM at the vCenter.

An attribute is the vCenter's: neither the VM's configuration nor its files change. It holds the op, the
power event that the call caused, when that was, and whether the guest shut down in order; a power event
after that one is somebody else's, and then the op is not the last any more.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from migrate.sites.vsphere.attributes import Attributes
from migrate.sites.vsphere.reading import Machine, Reading
from migrate.sites.vsphere.refusing import kind_of
from migrate.sites.vsphere.tasks import Act
from planner.model import Power
from planner.sources.vcenter.soap import Ref

ATTRIBUTE = "wherry.power"
_CAUSED = {Power.ON: "VmPoweredOnEvent", Power.OFF: "VmPoweredOffEvent"}
_EVENTS = (*_CAUSED.values(), "VmSuspendedEvent", "VmResettingEvent")
_MARGIN = timedelta(hours=1)  # before the stamp: events are told apart by their numbers, not by clocks
_MOST = 1000  # of one answer
_LOOKS = 10  # for the event of a call, which a vCenter may write a moment after its task


@dataclass(frozen=True, slots=True)
class PowerStamp:
    """The last power operation of ours on a VM."""

    op: str
    clean: bool


class PowerStamps(Reading):
    """Writes and reads the attribute."""

    def last_power_op(self, machine: Machine) -> str:
        """Return the op of the VM's last power operation, "" when it was not ours."""
        stamp = self.power_stamp(machine)
        return stamp.op if stamp else ""

    def power_stamp(self, machine: Machine) -> PowerStamp | None:
        """Return the stamp of the VM's last power operation, None when that was not ours."""
        if not machine.item.values.get("customValue"):
            return None
        said = dict(Attributes(self.connection).values(machine.ref)).get(ATTRIBUTE, "")
        try:
            op, number, at, clean = json.loads(said)
            since = datetime.fromisoformat(at) - _MARGIN
        except (ValueError, TypeError):
            return None  # none, or not of our making
        newest = max(self._events(machine.ref, since), default=0)
        return PowerStamp(str(op), bool(clean)) if newest <= int(number) else None

    def stamp_power(self, act: Act, target: Ref, power: Power, *, clean: bool) -> None:
        """Say of a VM that it was brought into this state under the act's op."""
        now = self.connection.ask("cannot ask the time", lambda _: self._now())
        number, wanted = 0, _CAUSED[power]
        for _ in range(_LOOKS):
            events = self._events(target, now - _MARGIN)
            number = max(events, default=0)
            if events.get(number) == wanted:
                break
            self.connection.sleep(1.0)
        value = json.dumps([act.op, number, now.isoformat(), clean])
        Attributes(self.connection).write(act, target, [(ATTRIBUTE, value)])

    def _now(self) -> datetime:
        now: datetime = self.connection.managed(Ref("ServiceInstance", "ServiceInstance")).CurrentTime()
        return now

    def _events(self, target: Ref, since: datetime) -> dict[int, str]:
        """Return the power events of a VM since then: their types by number."""
        import pyVmomi

        vim: Any = pyVmomi.vim
        spec = vim.event.EventFilterSpec(
            entity=vim.event.EventFilterSpec.ByEntity(
                entity=self.connection.managed(target), recursion="self"
            ),
            time=vim.event.EventFilterSpec.ByTime(beginTime=since),
            eventTypeId=list(_EVENTS),
            maxCount=_MOST,
        )
        events = self.connection.ask(
            "cannot read the events of a VM", lambda content: content.eventManager.QueryEvents(spec)
        )
        return {int(event.key): kind_of(event) for event in events or ()}
