"""What can be seen at a vCenter without changing anything: VMs, networks, room."""

from __future__ import annotations

from typing import Any

from migrate.sites.ports import VMState
from migrate.sites.vsphere.ids import OP_KEY
from migrate.sites.vsphere.power_stamps import PowerStamps
from migrate.sites.vsphere.reading import Machine
from planner.model import Power
from planner.sources.vcenter.adapters import is_adapter
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.networks import is_uplink
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.values import flag, text, whole

_NETWORKS = Kind(
    "networks",
    ("Network",),
    {"Network": ("name",), "DistributedVirtualPortgroup": ("name", "config.uplink", "tag")},
)
_STORES = Kind(
    "datastores", ("Datastore",), {"Datastore": ("name", "summary.accessible", "summary.freeSpace")}
)


class Observing(PowerStamps):
    """Looks, and waits for a vCenter that does not answer."""

    def observe(self, vm: str) -> VMState | None:
        """Return the VM's state, None when it is certainly not registered; raises Unreachable."""
        found = self.machine(vm)
        if found is None:
            return None
        return VMState(
            vm,
            found.name,
            found.power,
            tuple(one.state for one in self.attached(found)),
            _plugged(found),
            found.settings.get(OP_KEY, ""),
            self.last_power_op(found),
            text(found.item.values.get("config.annotation")),
        )

    def networks(self) -> frozenset[str] | None:
        """Return the names of networks that NICs can be plugged into; raises Unreachable."""
        return frozenset(self.connection.find(_NETWORKS, _network))

    def free_bytes(self) -> int:
        """Bytes that new disks may take, on all datastores that can be reached; raises Unreachable."""
        return sum(self.connection.find(_STORES, _free))


def _plugged(machine: Machine) -> bool:
    """Whether any NIC is plugged, or will be when the VM starts; a VM without one has nothing to unplug."""
    when = "connected" if machine.power is Power.ON else "startConnected"
    cards: list[Any] = [device for device in machine.devices if is_adapter(device)]
    return not cards or any(flag(card, "connectable", when) is not False for card in cards)


def _network(item: RawObject) -> str | None:
    if is_uplink(item.values):
        return None
    return entity_name(text(item.values.get("name"))) or None


def _free(item: RawObject) -> int:
    if flag(item.values.get("summary.accessible")) is False:
        return 0
    return max(whole(item.values.get("summary.freeSpace")) or 0, 0)
