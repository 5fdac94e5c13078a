"""VMs as objects of a vCenter: read whole, built of a source's definition, renamed, unplugged, unregistered.

    definition(source) ──▸ NewVM ──▸ landing (where) + devices (what) ──▸ CreateVM_Task ──▸ differences

A VM that wherry makes carries whose it is and which call made it, so that a lost answer is asked for and
nothing is built twice. Only such a VM is ever unregistered, and its disks stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from migrate.sites.definition import Definition, Difference
from migrate.sites.ports import NewDisk, NewVM
from migrate.sites.vsphere.attributes import Attributes
from migrate.sites.vsphere.built import built, option
from migrate.sites.vsphere.defining import define
from migrate.sites.vsphere.devices import Laid, device_changes
from migrate.sites.vsphere.differing import differences
from migrate.sites.vsphere.editing import edited
from migrate.sites.vsphere.ids import OP_KEY, VM_KEY, Held, stamps, wherry_settings
from migrate.sites.vsphere.landing import Ground, Landing
from migrate.sites.vsphere.offers import newest_hardware
from migrate.sites.vsphere.part import Part
from migrate.sites.vsphere.plainly import plain_definition
from migrate.sites.vsphere.specifying import config_spec
from migrate.sites.vsphere.tasks import Act
from planner.errors import NotFound, SiteRefused
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.places import entity_name
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import flag, many, text
from planner.volumes import datastore_of

_VM = Kind(
    "virtual machines",
    (),
    {
        "VirtualMachine": (
            *("name", "parent", "config.annotation", "config.extraConfig", "config.hardware.device"),
            "runtime.powerState",
        )
    },
    {"config.extraConfig": wherry_settings},
)
_UNPLUGGED = "wherry.unplugged"  # keys of the adapters that were unplugged before wherry unplugged the rest
_ON = "poweredOn"


class Building(Part):
    """The VMs of a vCenter, built and put away."""

    if TYPE_CHECKING:  # of the part that knows volumes

        @property
        def seats(self) -> Any:
            """Finds where volumes lie."""

        def volume(self, volume: str) -> NewDisk | None:
            """Return a volume as it exists at the site, or None."""

    def definition(self, vm: str) -> Definition | None:
        """Return a VM's whole definition, None when it is certainly not there; raises Unreachable."""
        target = self.ids.find(vm)
        return None if target is None or not self._look(target) else self._defined(target)

    def _defined(self, target: Ref) -> Definition:
        machine = self.connection.managed(target)
        config, host_name = self.connection.ask(
            f"cannot read the definition of {target.id}", lambda _: (machine.config, machine.guest.hostName)
        )
        return define(config, Attributes(self.connection).values(target), host_name=host_name or "")

    def create_vm(self, vm: NewVM, op: str) -> None:
        """Create a VM, powered off; raises SiteRefused when its id is taken or a place is not there."""
        act = self.act("create_vm", vm.id, op)
        there = self._made(vm.id)
        if there is not None and _stamp(there, OP_KEY) != op:
            raise SiteRefused(
                f"VM {visible(vm.id, 80)} is at {self.connection.shown} already", "remove it, then retry"
            )
        target = there.ref if there is not None else self._set_up(act, vm, op)
        if vm.definition is not None and vm.choices.attributes:
            Attributes(self.connection).write(act, target, vm.definition.attributes)

    def _set_up(self, act: Act, vm: NewVM, op: str) -> Ref:
        laid = {disk.key: self._laid(disk.volume) for disk in vm.disks}
        landing = self._landing(vm, laid.values())
        newest = newest_hardware(self.connection, landing.cluster)
        definition = vm.definition or plain_definition(vm, newest)
        version = min(definition.hw_version, newest) if newest else definition.hw_version
        held = [Held(laid[disk.key].identity, disk.volume, disk.key) for disk in vm.disks]
        spec = config_spec(
            replace(vm, name=escaped(vm.name)),
            definition,
            home=landing.datastore,
            version=version,
            devices=device_changes(vm, definition, laid, landing.networks),
            stamps=stamps(vm.id, op, held),
        )
        managed = self.connection.managed
        made = act.run(
            self._folder(act, landing.folder, landing.missing),
            "CreateVM_Task",
            *(spec, managed(landing.pool), managed(landing.host) if landing.host else None),
            done=_after_sending(lambda: self._made_id(vm.id)),
        )
        target = Ref("VirtualMachine", str(made))
        self.ids.made(vm.id, target)
        return target

    def _laid(self, volume: str) -> Laid:
        seat, found = self.seats.find(volume), self.volume(volume)
        if seat is None or found is None:
            raise NotFound(f"volume {visible(volume)} does not exist at the site", "create it first")
        return Laid(str(seat.file), found)

    def _landing(self, vm: NewVM, laid: Iterable[Laid]) -> Landing:
        return Ground(self.connection).landing(
            datastore=vm.datastore,
            datastores=[datastore_of(one.place) or "" for one in laid],
            networks=[nic.network for nic in vm.nics],
            folder=vm.folder,
            pool=vm.pool,
        )

    def _folder(self, act: Act, folder: Ref, missing: Iterable[str]) -> Ref:
        """Return the folder below ``folder``, made where it is missing."""
        for name in missing:
            ask = partial(self._child, folder, name)
            act.run(folder, "CreateFolder", escaped(name), done=ask)
            if (made := ask()) is None:
                raise NotFound(f"folder {visible(name, 80)} is gone again", "look who removes folders there")
            folder = Ref("Folder", made)
        return folder

    def _child(self, folder: Ref, name: str) -> str | None:
        item = self.connection.one(_FOLDER, folder)
        ids = many(item.values.get("childEntity")) if item else []
        children = self.connection.read(_FOLDER, [Ref("Folder", str(one)) for one in ids])
        return next((one.ref.id for one in children if _name(one) == name), None)

    def _made(self, vm: str) -> RawObject | None:
        target = self.ids.find(vm)
        return self._look(target) if target else None

    def _made_id(self, vm: str) -> str | None:
        found = self._made(vm)
        return found.ref.id if found else None

    def _look(self, target: Ref) -> RawObject | None:
        return self.connection.one(_VM, target)

    def _seen(self, vm: str) -> RawObject:
        item = self._look(self.ids.need(vm))
        if item is None:
            raise NotFound(f"VM {visible(vm, 80)} is not at {self.connection.shown}", "check its id")
        return item

    def differences(self, vm: NewVM) -> tuple[Difference, ...]:
        """Return what the VM built for ``vm`` has otherwise than its source; raises NotFound."""
        target = self.ids.need(vm.id)
        return differences(vm, self._defined(target), newest_hardware(self.connection, target))

    def delete_vm(self, vm: str, op: str) -> None:
        """Unregister a VM that is off; its disks stay. One that wherry did not make is refused."""
        act = self.act("delete_vm", vm, op)
        item = self._made(vm)
        if item is None:
            return
        if _stamp(item, VM_KEY) != vm:
            raise SiteRefused(
                f"VM {visible(_name(item), 80)} was not made by wherry", "unregister it by hand if it must go"
            )
        act.run(
            item.ref,
            "UnregisterVM",
            done=lambda: None if self._look(item.ref) else True,
        )

    def rename(self, vm: str, name: str, op: str) -> None:
        """Give a VM another name; raises SiteRefused when it is taken in its folder."""
        target = self._seen(vm).ref
        self.act("rename", vm, op).run(
            target, "Rename_Task", escaped(name), done=lambda: _yes(_name(self._seen(vm)) == name)
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
        before = {key for key in _stamp(item, _UNPLUGGED).split(",") if key in plugs}
        if not connected:
            wanted = dict.fromkeys(plugs, False)
            # What is asked for twice has unplugged some of them by itself.
            kept = before or {key for key, plugged in plugs.items() if not plugged}
        else:
            wanted = {key: key not in before or before == plugs.keys() for key in plugs}
            kept = set()
        changed = [key for key, plugged in plugs.items() if plugged != wanted[key]]

        def edit(device: Any) -> None:
            plug = device.connectable
            plug.startConnected = wanted[str(device.key)]
            plug.connected = wanted[str(device.key)] and runs

        self._reconfigure(
            *("connect_nics", vm, op),
            lambda: _yes(_plugs(self._seen(vm)) == wanted),
            deviceChange=edited(self.connection, item.ref, changed, edit) if changed else [],
            extraConfig=[option(_UNPLUGGED, ",".join(sorted(kept)))],
        )

    def _reconfigure(
        self, call: str, vm: str, op: str, done: Callable[[], bool | None], **fields: Any
    ) -> None:
        target = self._seen(vm).ref
        self.act(call, vm, op).run(
            target, "ReconfigVM_Task", built("VirtualMachineConfigSpec", **fields), done=done
        )


_FOLDER = Kind("folders", (), {"Folder": ("name", "childEntity")})


def escaped(name: str) -> str:
    """Return a name as vSphere stores it: three characters are written as codes."""
    return name.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")


def _after_sending(ask: Callable[[], str | None]) -> Callable[[], str | None]:
    """Return ``ask`` without its first time: a pass over all VMs found nothing just now."""
    first = iter((True,))
    return lambda: None if next(first, False) else ask()


def _name(item: RawObject) -> str:
    return entity_name(text(item.values.get("name")))


def _stamp(item: RawObject, key: str) -> str:
    settings = item.values.get("config.extraConfig")
    return str(settings.get(key, "")) if isinstance(settings, dict) else ""


def _plugs(item: RawObject) -> dict[str, bool]:
    """Return whether each adapter is plugged when its VM starts, by key."""
    return {
        text(one, "key"): flag(one, "connectable", "startConnected") is not False
        for one in many(item.values.get("config.hardware.device"))
        if text(one, "macAddress")
    }


def _yes(so: bool) -> bool | None:
    return True if so else None
