"""What there is at a vCenter: all VMs by name, those that a project has to do with, datastores."""

from __future__ import annotations

from migrate.sites.addresses import Holder
from migrate.sites.vsphere.ids import VM_KEY, wherry_settings
from migrate.sites.vsphere.part import Part
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.values import flag, many, text, whole

_NAMES = Kind("virtual machines", ("VirtualMachine",), {"VirtualMachine": ("name",)})
_OURS = Kind(
    "virtual machines",
    ("VirtualMachine",),
    {"VirtualMachine": ("config.extraConfig",)},
    {"config.extraConfig": wherry_settings},
)
_HELD = Kind(
    "virtual machines",
    ("VirtualMachine",),
    {"VirtualMachine": ("name", "config.hardware.device", "guest.net", "runtime.powerState")},
)
_STORES = Kind(
    "datastores", ("Datastore",), {"Datastore": ("name", "summary.accessible", "summary.freeSpace")}
)


class Listing(Part):
    """Lists them in one pass each."""

    def datastores(self) -> dict[str, int]:
        """Return the free bytes of each datastore that can be reached, by name."""
        return dict(filter(None, self.connection.find(_STORES, _free)))

    def vms(self) -> tuple[str, ...]:
        """Return the ids of the VMs that are at home here and of those that wherry made here."""
        return tuple(vm for vm in self.connection.find(_OURS, self._ours) if vm)

    def names(self) -> dict[str, str]:
        """Return the name of every VM, by the plan's id where it has one and else by the vCenter's."""
        found = self.connection.find(_NAMES, lambda item: (item.ref, text(item.values.get("name"))))
        return {self.ids.plan_id(ref) or ref.id: entity_name(name) for ref, name in found}

    def address_holders(self) -> tuple[Holder, ...]:
        """Return every VM with the addresses of its adapters, and those that its guest reports."""
        return tuple(self.connection.find(_HELD, self._holder))

    def _holder(self, item: RawObject) -> Holder:
        cards = [one for one in many(item.values.get("config.hardware.device")) if text(one, "macAddress")]
        reports = many(item.values.get("guest.net"))
        silent = text(item.values.get("runtime.powerState")) == "poweredOn" and bool(cards) and not reports
        return Holder(
            self.ids.plan_id(item.ref) or item.ref.id,
            entity_name(text(item.values.get("name"))),
            tuple(text(card, "macAddress").casefold() for card in cards),
            None if silent else tuple(str(one) for report in reports for one in many(report, "ipAddress")),
        )

    def _ours(self, item: RawObject) -> str:
        settings = item.values.get("config.extraConfig")
        made = str(settings.get(VM_KEY, "")) if isinstance(settings, dict) else ""
        return self.ids.plan_id(item.ref) or made


def _free(item: RawObject) -> tuple[str, int] | None:
    if flag(item.values.get("summary.accessible")) is False:
        return None
    name = entity_name(text(item.values.get("name")))
    return name, max(whole(item.values.get("summary.freeSpace")) or 0, 0)
