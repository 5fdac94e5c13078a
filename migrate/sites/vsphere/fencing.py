"""A VM that moved away is renamed, unplugged and noted; one that comes home gets all of that back.

Adapters that were unplugged before wherry unplugged the rest are remembered in the VM, and stay so.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from migrate.sites.vsphere.built import built, option
from migrate.sites.vsphere.describing import Describing, escaped, name_of, stamp_of
from migrate.sites.vsphere.editing import edited
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.values import flag, many, text

_UNPLUGGED = "wherry.unplugged"
_ON = "poweredOn"


class Fencing(Describing):
    """Names, notes and plugs of VMs."""

    def rename(self, vm: str, name: str, op: str) -> None:
        """Give a VM another name; raises NameTaken when another in its folder has it."""
        target = self._seen(vm).ref
        self.act("rename", vm, op).run(
            target, "Rename_Task", escaped(name), done=lambda: _yes(name_of(self._seen(vm)) == name)
        )

    def annotate(self, vm: str, note: str, op: str) -> None:
        """Replace a VM's note."""

        def done() -> bool | None:
            return _yes(text(self._seen(vm).values.get("config.annotation")) == note)

        self._reconfigure("annotate", vm, op, done, annotation=note)

    def connect_nics(self, vm: str, connected: bool, op: str) -> None:
        """Unplug all adapters of a VM, or plug those that were plugged before it was unplugged."""
        item = self._seen(vm)
        runs = text(item.values.get("runtime.powerState")) == _ON
        plugs = _plugs(item)
        before = {key for key in stamp_of(item, _UNPLUGGED).split(",") if key in plugs}
        if connected:
            plugged = {key: key not in before or before == plugs.keys() for key in plugs}
            kept: set[str] = set()
        else:
            plugged = dict.fromkeys(plugs, False)
            # Asked for once more, it has unplugged the others itself.
            kept = before or {key for key, states in plugs.items() if not any(states)}
        wanted = {key: (starts, starts and runs) for key, starts in plugged.items()}
        changed = [key for key, states in plugs.items() if states != wanted[key]]

        def edit(device: Any) -> None:
            plug = device.connectable
            plug.startConnected, plug.connected = wanted[str(device.key)]

        self._reconfigure(
            *("connect_nics", vm, op),
            lambda: _yes(_plugs(self._seen(vm)) == wanted),
            deviceChange=edited(self.connection, item.ref, changed, edit) if changed else [],
            extraConfig=[option(_UNPLUGGED, ",".join(sorted(kept)))],
        )

    def _reconfigure(
        self, call: str, vm: str, op: str, done: Callable[[], bool | None], **fields: Any
    ) -> None:
        spec = built("VirtualMachineConfigSpec", **fields)
        self.act(call, vm, op).run(self._seen(vm).ref, "ReconfigVM_Task", spec, done=done)


def _plugs(item: RawObject) -> dict[str, tuple[bool, bool]]:
    """Return of each adapter, by key, whether it is plugged when its VM starts, and whether it is now."""
    runs = text(item.values.get("runtime.powerState")) == _ON
    return {
        text(one, "key"): (
            flag(one, "connectable", "startConnected") is not False,
            runs and flag(one, "connectable", "connected") is not False,
        )
        for one in many(item.values.get("config.hardware.device"))
        if text(one, "macAddress")
    }


def _yes(so: bool) -> bool | None:
    return True if so else None
