"""What remedies change of a VM at a vCenter: tracking, virtual hardware, disk modes, drives, delta files.

Each change is one reconfiguration; what was asked for is read back before it counts as so, and nothing is
sent for what is so already. Virtual hardware goes up only. Tracking takes effect at the next stun, which a
snapshot or a power-on brings: a disk that is tracked shows a change id.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from migrate.sites.configuration import PERSISTENT, Configuration, Drive
from migrate.sites.vsphere.built import built
from migrate.sites.vsphere.defining import version_number
from migrate.sites.vsphere.editing import edited
from migrate.sites.vsphere.offers import newest_hardware
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.tasks import LIMIT_S
from planner.errors import NotFound, SiteRefused
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import at, flag, many, text, whole

_VM = Kind(
    "virtual machines",
    (),
    {
        "VirtualMachine": (
            *("name", "config.version", "config.changeTrackingEnabled", "config.hardware.device"),
            *("runtime.consolidationNeeded", "runtime.powerState", "snapshot.rootSnapshotList"),
        )
    },
)
_FIRST_TRACKING = 7  # virtual hardware that can track changes
_ON = "poweredOn"
_DRIVES = ("VirtualCdrom", "VirtualFloppy")


class Configuring(Part):
    """The configurations of a vCenter's VMs."""

    # A guest that holds the door of a drive makes the vCenter ask, and the task waits for somebody's answer.
    drives_within_s = 180.0

    def configuration(self, vm: str) -> Configuration | None:
        """Return a VM's configuration, None when it is certainly not there; raises Unreachable."""
        target = self.ids.find(vm)
        item = self.connection.one(_VM, target) if target else None
        return None if item is None else _configuration(item)

    def set_change_tracking(self, vm: str, on: bool, op: str) -> None:
        """Ask for change tracking; raises SiteRefused with old hardware or snapshots, NotFound."""
        target, item = self._configured(vm)
        found = _configuration(item)
        if found.cbt == on:
            return
        if on and found.hw_version < _FIRST_TRACKING:
            raise SiteRefused(
                f"virtual hardware {found.hw_version} of {_named(item)} knows no change tracking",
                "upgrade it first",
            )
        if on and found.snapshots:
            raise SiteRefused(
                f"{_named(item)} has {found.snapshots} snapshots: tracking would begin with wrong answers",
                "remove its snapshots first",
            )
        self._edit_config(
            *("set_change_tracking", vm, op, target, {"changeTrackingEnabled": on}),
            lambda now: now.cbt == on,
        )

    def set_hardware_version(self, vm: str, version: int, op: str) -> None:
        """Upgrade the virtual hardware of a VM that is off; raises SiteRefused, NotFound."""
        target, item = self._configured(vm)
        found = _configuration(item)
        if found.hw_version == version:
            return
        _must_be_off(item)
        if version < found.hw_version:
            raise SiteRefused(
                f"virtual hardware {found.hw_version} of {_named(item)} cannot be lowered to {version}",
                "restore the VM from a backup if it must be older",
            )
        newest = newest_hardware(self.connection, target)
        if newest and version > newest:
            raise SiteRefused(
                f"the host of {_named(item)} runs virtual hardware {newest} at most, not {version}",
                f"ask for {newest}, or move it to a newer host",
            )
        self.act("set_hardware_version", vm, op).run(
            target,
            "UpgradeVM_Task",
            f"vmx-{version:02d}",
            done=lambda: self._is_so(vm, lambda now: now.hw_version == version),
        )
        self._must_be(vm, lambda now: now.hw_version == version, "virtual hardware")

    def set_disk_modes(self, vm: str, modes: tuple[tuple[str, str], ...], op: str) -> None:
        """Change the mode of the named disks of a VM that is off; raises SiteRefused, NotFound."""
        target, item = self._configured(vm)
        found = dict(_configuration(item).modes)
        wanted = {key: mode for key, mode in modes if found.get(key) != mode}
        if not wanted:
            return
        _must_be_off(item)
        _must_have(item, wanted, found, "disk")

        def edit(device: Any) -> None:
            device.backing.diskMode = wanted[str(device.key)]

        self._edit_config(
            *(
                "set_disk_modes",
                vm,
                op,
                target,
                {"deviceChange": edited(self.connection, target, wanted, edit)},
            ),
            lambda now: wanted.items() <= dict(now.modes).items(),
        )

    def set_drives(self, vm: str, drives: tuple[tuple[str, bool, bool], ...], op: str) -> None:
        """Set (key, connected, connected at power-on) of the named drives; raises SiteRefused, NotFound.

        A drive of a VM that is off is connected to nothing, whatever was asked.
        """
        target, item = self._configured(vm)
        runs = text(item.values.get("runtime.powerState")) == _ON
        said = {key: (connected and runs, starts) for key, connected, starts in drives}
        found = _plugs(_configuration(item))
        wanted = {key: state for key, state in said.items() if found.get(key) != state}
        if not wanted:
            return
        _must_have(item, wanted, found, "drive")

        def edit(device: Any) -> None:
            plug = device.connectable
            plug.connected, plug.startConnected = wanted[str(device.key)]

        self._edit_config(
            *("set_drives", vm, op, target, {"deviceChange": edited(self.connection, target, wanted, edit)}),
            lambda now: wanted.items() <= _plugs(now).items(),
            self.drives_within_s,
        )

    def consolidate(self, vm: str, op: str) -> None:
        """Merge delta files that belong to no snapshot; raises SiteRefused while something holds them."""
        target, item = self._configured(vm)
        if _configuration(item).consolidation_needed:
            self.act("consolidate", vm, op).run(
                target,
                "ConsolidateVMDisks_Task",
                done=lambda: self._is_so(vm, lambda now: not now.consolidation_needed),
            )

    def _configured(self, vm: str) -> tuple[Ref, RawObject]:
        target = self.ids.need(vm)
        item = self.connection.one(_VM, target)
        if item is None:
            raise NotFound(f"VM {visible(vm, 80)} is not at {self.connection.shown}", "check its id")
        return target, item

    def _edit_config(
        self,
        call: str,
        vm: str,
        op: str,
        target: Ref,
        fields: Mapping[str, Any],
        wanted: Callable[[Configuration], bool],
        limit_s: float = LIMIT_S,
    ) -> None:
        self.act(call, vm, op).run(
            target,
            "ReconfigVM_Task",
            built("VirtualMachineConfigSpec", **fields),
            done=lambda: self._is_so(vm, wanted),
            limit_s=limit_s,
        )
        self._must_be(vm, wanted, call.removeprefix("set_").replace("_", " "))

    def _is_so(self, vm: str, wanted: Callable[[Configuration], bool]) -> bool | None:
        found = self.configuration(vm)
        return True if found is not None and wanted(found) else None

    def _must_be(self, vm: str, wanted: Callable[[Configuration], bool], what: str) -> None:
        if self._is_so(vm, wanted) is None:
            raise SiteRefused(
                f"the vCenter said it changed {what} of {visible(vm, 80)}, and it is as before",
                "see the VM's tasks in vCenter",
            )


def _configuration(item: RawObject) -> Configuration:
    values = item.values
    devices = sorted(many(values.get("config.hardware.device")), key=lambda one: whole(one, "key") or 0)
    disks = [one for one in devices if text(one, "@") == "VirtualDisk"]
    cbt = flag(values.get("config.changeTrackingEnabled")) or False
    trackable = [disk for disk in disks if _trackable(disk)]
    return Configuration(
        hw_version=version_number(text(values.get("config.version"))),
        cbt=cbt,
        tracking=all(text(disk, "backing", "changeId") for disk in trackable) if trackable else cbt,
        modes=tuple((text(disk, "key"), _mode(disk)) for disk in disks),
        drives=tuple(_drive(one) for one in devices if text(one, "@") in _DRIVES),
        consolidation_needed=flag(values.get("runtime.consolidationNeeded")) or False,
        snapshots=sum(map(_count, many(values.get("snapshot.rootSnapshotList")))),
    )


def _mode(disk: Any) -> str:
    return text(disk, "backing", "diskMode") or PERSISTENT


def _trackable(disk: Any) -> bool:
    physical = text(disk, "backing", "compatibilityMode") == "physicalMode"
    return not physical and not _mode(disk).startswith("independent")


def _drive(device: Any) -> Drive:
    key, backing = text(device, "key"), at(device, "backing")
    return Drive(
        key,
        text(device, "deviceInfo", "label") or f"{text(device, '@')} {key}",
        flag(device, "connectable", "connected") or False,
        flag(device, "connectable", "startConnected") or False,
        text(backing, "fileName") or text(backing, "deviceName"),
    )


def _count(tree: Any) -> int:
    return 1 + sum(map(_count, many(tree, "childSnapshotList")))


def _plugs(found: Configuration) -> dict[str, tuple[bool, bool]]:
    return {drive.key: (drive.connected, drive.starts_connected) for drive in found.drives}


def _named(item: RawObject) -> str:
    return f"VM {visible(text(item.values.get('name')), 80)}"


def _must_be_off(item: RawObject) -> None:
    if text(item.values.get("runtime.powerState")) == _ON:
        raise SiteRefused(f"{_named(item)} is powered on", "power it off first")


def _must_have(item: RawObject, wanted: Iterable[str], found: Iterable[str], what: str) -> None:
    missing = set(wanted) - set(found)
    if missing:
        raise SiteRefused(f"{_named(item)} has no {what} {visible(min(missing))}", "check its key")
