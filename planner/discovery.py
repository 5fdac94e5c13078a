"""Taking an estate into a project: the bare snapshot as it was read, and the one with all evidence.

    read ──▶ (other vCenters of the last snapshot) ──▶ bare snapshot ──▶ evidence ──▶ snapshot

Both are stored in one transaction, or neither is.
"""

from __future__ import annotations

from planner.model import Inventory
from planner.sources.staging import Staged
from planner.store import evidence, inventories
from planner.store.adoption import adopt
from planner.store.inventories import Role, StoredInventory
from planner.store.project import Project


def take_in(
    project: Project, found: Inventory, role: Role = Role.SOURCE, keep_others: bool = False
) -> StoredInventory:
    """Store what was read and return the snapshot that counts from now on.

    ``keep_others`` keeps what the last snapshot holds of other vCenters. A target is stored as it
    was read. Raises BadInput.
    """
    if role is Role.TARGET:
        return inventories.save(project, found, role)
    bare = _beside_others(project, found) if keep_others else found
    complete = evidence.recompose(project, bare)
    with project.write() as db:
        stored = inventories.add(db, bare)
        if complete != bare:
            stored = inventories.add(db, complete, base=stored.id)
    return stored


def take_in_staged(project: Project, staged: Staged, role: Role = Role.SOURCE) -> StoredInventory:
    """Store what a child staged and return the snapshot that counts from now on; raises BadInput.

    While there is no evidence to lay over it, no object of it is built before it is stored.
    """
    if role is Role.SOURCE and evidence.is_held(project):
        return take_in(project, staged.inventory(), role)
    with project.write() as db:
        number, _ = adopt(db, staged, role)
    return inventories.get(project, number)


def _beside_others(project: Project, found: Inventory) -> Inventory:
    from planner.sources.merging import replaced

    if inventories.find_summary(project) is None:
        return found
    return replaced(inventories.latest_bare(project).inventory, found)
