"""VMs that stay, and come along again: entries of ``exclude`` in the settings, one version for all."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.model import VM, Inventory
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Turned:
    """What was done: whether the VMs stay now, and which (ids) that is new for."""

    stay: bool
    vms: tuple[str, ...]


def turn(project: Project, ids: Sequence[str], inventory: Inventory) -> Turned:
    """Let VMs stay; when all of them do already, let them come along again.

    Raises NotFound for an id there is not.
    """
    from planner.store import settings as settings_store
    from tui.acts.finding import find_vm, vms_by_name
    from tui.acts.settling import set_values

    known = vms_by_name(inventory)
    vms = [find_vm(inventory, name, known) for name in ids]
    said = settings_store.load(project).exclude
    staying = [vm for vm in vms if vm.id in said or vm.name in said]
    if len(staying) < len(vms):
        names = Counter(vm.name for vm in inventory.vms)
        fresh = [vm for vm in vms if vm not in staying]
        added = tuple(vm.name if vm.name and names[vm.name] == 1 else vm.id for vm in fresh)
        set_values(project, {"exclude": [*said, *added]})
        return Turned(True, tuple(vm.id for vm in fresh))
    _refuse_namesakes(vms, said, known)
    gone = {word for vm in vms for word in (vm.id, vm.name)}
    set_values(project, {"exclude": [word for word in said if word not in gone]})
    return Turned(False, tuple(vm.id for vm in vms))


def _refuse_namesakes(vms: Sequence[VM], said: Sequence[str], known: dict[str, list[VM]]) -> None:
    """Raise BadInput when an entry is a name that other VMs have as well: they would come along too."""
    from planner.errors import BadInput
    from planner.names import visible

    wanted = {vm.id for vm in vms}
    for vm in vms:
        others = [one for one in known.get(vm.name.casefold(), ()) if one.name == vm.name]
        if vm.name in said and not {one.id for one in others} <= wanted:
            raise BadInput(
                f"{len(others)} VMs are called {visible(vm.name, 60)} and stay by that name",
                "mark all of them, or change exclude by: wherry settings edit",
            )
