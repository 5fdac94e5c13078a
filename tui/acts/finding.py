"""Find the VM that a person names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from planner.model import VM, Inventory


def vms_by_name(inventory: Inventory) -> dict[str, list[VM]]:
    """Return the VMs of each id and each folded name; an id goes before a name."""
    found: dict[str, list[VM]] = {}
    for vm in inventory.vms:
        found.setdefault(vm.name.casefold(), []).append(vm)
    return found | {vm.id: [vm] for vm in inventory.vms}


def find_vm(inventory: Inventory, text: str, known: dict[str, list[VM]] | None = None) -> VM:
    """Return the one VM of an id or name; raises NotFound, and BadInput when several have the name.

    ``known`` is ``vms_by_name``, for whoever asks often.
    """
    from planner.errors import BadInput, NotFound
    from planner.evidence.nearest import nearest_names

    known = known if known is not None else vms_by_name(inventory)
    found = known.get(text) or known.get(text.casefold(), [])
    if not found:
        near = nearest_names([text], inventory).get(text)
        hint = f"did you mean {near}?" if near else "see 'wherry inventory'"
        raise NotFound(f"VM {text!r} is not in the inventory", hint)
    if len(found) > 1:
        ids = ", ".join(vm.id for vm in found[:5])
        raise BadInput(f"{len(found)} VMs are called {text!r}", f"name one by its id: {ids}")
    return found[0]


def find_vms(inventory: Inventory, text: str) -> frozenset[str]:
    """Return the ids of all VMs of an id or name; raises NotFound."""
    known = vms_by_name(inventory)
    found = known.get(text) or known.get(text.casefold()) or [find_vm(inventory, text, known)]
    return frozenset(vm.id for vm in found)
