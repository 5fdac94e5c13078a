"""The VMs that a rehearsal builds: those of the wave with names, disks and networks of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from migrate.sites.copies import copy_id
from migrate.sites.definition import Choices

if TYPE_CHECKING:
    from migrate.rehearsals.defined import Defines
    from migrate.sites.ports import NewVM
    from planner.plan import Wave

_NAME_LIMIT = 80
_TAIL = "-rehearsal"
_CHOICES = Choices(attributes=False, tags=False)  # backup jobs and rules of placement go by them


def built_vms(wave: Wave) -> dict[str, NewVM]:
    """Return the VMs that a wave builds, by id."""
    from migrate.run.compose import compose
    from migrate.steps.landing import new_vm

    return {step.subject: new_vm(step) for step in compose(wave).steps if step.kind == "build"}


def copies_of(wave: Wave, networks: Mapping[str, str], key: str, define: Defines) -> dict[str, NewVM]:
    """Return the copies to build, by the id of what each is a copy of; raises Unreachable.

    ``networks``: what is plugged in for each network of the wave. ``define`` says how a VM's source is
    defined.
    """
    return {
        vm: _copied(replace(new, definition=define(vm)), networks, key) for vm, new in built_vms(wave).items()
    }


def _copied(vm: NewVM, networks: Mapping[str, str], key: str) -> NewVM:
    return replace(
        vm,
        id=copy_id(key, vm.id),
        name=vm.name[: _NAME_LIMIT - len(_TAIL)] + _TAIL,
        disks=tuple(replace(disk, volume=copy_id(key, disk.volume)) for disk in vm.disks),
        nics=tuple(replace(nic, network=networks[nic.network], mac="") for nic in vm.nics),
        choices=_CHOICES,
    )
