"""VMs as objects of a vCenter: built of a source's definition, compared with it, unregistered.

    definition(source) ──▸ NewVM ──▸ landing (where) + devices (what) ──▸ CreateVM_Task ──▸ differences

A VM that wherry makes carries whose it is and which call made it, so that a lost answer is asked for and
nothing is built twice. Only such a VM is ever unregistered, and its disks stay.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from migrate.sites.copies import original_of
from migrate.sites.definition import Choices, Definition, Difference
from migrate.sites.ports import NewDisk, NewVM
from migrate.sites.vsphere.attributes import Attributes
from migrate.sites.vsphere.describing import escaped, name_of, stamp_of
from migrate.sites.vsphere.devices import Laid, device_changes
from migrate.sites.vsphere.differing import differences
from migrate.sites.vsphere.fencing import Fencing
from migrate.sites.vsphere.foldering import Foldering
from migrate.sites.vsphere.ids import OP_KEY, VM_KEY, Held, stamps
from migrate.sites.vsphere.landing import Ground, Landing
from migrate.sites.vsphere.offers import newest_hardware
from migrate.sites.vsphere.plainly import plain_definition
from migrate.sites.vsphere.policies import profiles, wanted_policies
from migrate.sites.vsphere.specifying import config_spec
from migrate.sites.vsphere.tasks import Act
from planner.errors import NotFound, SiteRefused
from planner.names import visible
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.tags import NoTags
from planner.sources.vcenter.values import text
from planner.volumes import datastore_of

_HOME = Kind("virtual machines", (), {"VirtualMachine": ("config.files.vmPathName",)})


class Building(Fencing, Foldering):
    """The VMs of a vCenter, built and put away."""

    if TYPE_CHECKING:  # of the part that knows volumes

        @property
        def seats(self) -> Any:
            """Finds where volumes lie."""

        def volume(self, volume: str) -> NewDisk | None:
            """Return a volume as it exists at the site, or None."""

        def clear_home(self, act: Act, file: str) -> None:
            """Remove the folder that an unregistered VM's file is in."""

    def create_vm(self, vm: NewVM, op: str) -> None:
        """Create a VM, powered off; raises SiteRefused when its id is taken or a place is not there."""
        act = self.act("create_vm", vm.id, op)
        there = self._made(vm.id)
        if there is not None and not _same_step(stamp_of(there, OP_KEY), op):
            raise SiteRefused(
                f"VM {visible(vm.id, 80)} is at {self.connection.shown} already", "remove it, then retry"
            )
        target = there.ref if there is not None else self._set_up(act, vm, op)
        if vm.definition is not None:
            self._label(act, target, vm.definition, vm.choices)

    def _label(self, act: Act, target: Ref, definition: Definition, choices: Choices) -> None:
        if choices.attributes:
            Attributes(self.connection).write(act, target, definition.attributes)
        if choices.tags:
            with contextlib.suppress(NoTags):  # the comparison afterwards tells
                self.tagging.write(act, target, definition.tags)

    def _set_up(self, act: Act, vm: NewVM, op: str) -> Ref:
        laid = {disk.key: self._laid(disk.volume) for disk in vm.disks}
        landing = self._landing(vm, laid.values())
        newest = newest_hardware(self.connection, landing.cluster)
        definition = vm.definition or plain_definition(vm, newest)
        version = min(definition.hw_version, newest) if newest else definition.hw_version
        policies = profiles(self.connection, wanted_policies(vm))
        held = [Held(laid[disk.key].identity, disk.volume, disk.key) for disk in vm.disks]
        spec = config_spec(
            replace(vm, name=escaped(vm.name)),
            definition,
            home=landing.datastore,
            version=version,
            devices=device_changes(vm, definition, laid, landing.networks, policies),
            stamps=stamps(vm.id, op, held),
            profiles=policies[vm.policy],
        )
        managed = self.connection.managed
        made = act.run(
            self.make_folders(act, landing.folder, landing.missing),
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

    def differences(self, vm: NewVM) -> tuple[Difference, ...]:
        """Return what the VM built for ``vm`` has otherwise than its source; raises NotFound."""
        target = self.ids.need(vm.id)
        return differences(vm, self._defined(target), newest_hardware(self.connection, target))

    def delete_vm(self, vm: str, op: str) -> None:
        """Unregister a VM that is off; its disks stay. One that wherry did not make is refused.

        Of a rehearsal's copy its own files go as well: nobody will want them.
        """
        act = self.act("delete_vm", vm, op)
        item = self._made(vm)
        if item is None:
            return
        if stamp_of(item, VM_KEY) != vm:
            raise SiteRefused(
                f"VM {visible(name_of(item), 80)} was not made by wherry",
                "unregister it by hand if it must go",
            )
        home = self.connection.one(_HOME, item.ref) if original_of(vm) != vm else None
        act.run(
            item.ref,
            "UnregisterVM",
            done=lambda: None if self._look(item.ref) else True,
        )
        if home is not None:
            self.clear_home(act, text(home.values.get("config.files.vmPathName")))


def _after_sending(ask: Callable[[], str | None]) -> Callable[[], str | None]:
    """Return ``ask`` without its first time: a pass over all VMs found nothing just now."""
    first = iter((True,))
    return lambda: None if next(first, False) else ask()


def _same_step(made: str, op: str) -> bool:
    """Return whether this step made a VM: a try before this one may have failed after that."""
    return made.rpartition("/")[0] == op.rpartition("/")[0]
