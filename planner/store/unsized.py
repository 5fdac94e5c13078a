"""How many VMs of a planned wave have disks that nobody knows, by the snapshot the plan was made on.

Only VMs without a disk in the plan are read from it; a plan whose snapshot is not here knows less.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

    from planner.model import VM
    from planner.plan import Wave


def count_unsized(connection: sqlite3.Connection, inventory: str, wave: Wave) -> int:
    """Return the VMs of a wave whose disks are not all known; ``inventory`` is a fingerprint."""
    from planner.sized import diskless, unsized

    number, gaps = _snapshot(connection, inventory)
    asked = () if "disks" in gaps else diskless(wave)
    return len(unsized(wave, _seen(connection, number, asked), gaps))


def _snapshot(connection: sqlite3.Connection, fingerprint: str) -> tuple[int, frozenset[str]]:
    """Return the id of a snapshot and what its source had no word on."""
    found = connection.execute(
        "SELECT id, json_extract(estate, '$.gaps') FROM inventory WHERE fingerprint = ?"
        " ORDER BY id DESC LIMIT 1",
        (fingerprint,),
    ).fetchone()
    if found is None or not found[1]:
        return (found[0] if found else 0), frozenset()
    # A snapshot of the first schema holds the list in place, later ones its digest.
    body = found[1]
    if not body.startswith("["):
        (body,) = connection.execute("SELECT body FROM content WHERE digest = ?", (body,)).fetchone()
    return found[0], frozenset(json.loads(body))


def _seen(connection: sqlite3.Connection, number: int, ids: Iterable[str]) -> dict[str, VM]:
    """Return these VMs as a snapshot has them, by id."""
    wanted = json.dumps(list(ids))
    if wanted == "[]":
        return {}
    from planner.codec import decode
    from planner.model import VM

    rows = connection.execute(
        "SELECT id, body FROM inventory_vm JOIN content USING (digest)"
        " WHERE inventory = ? AND id IN (SELECT value FROM json_each(?))",
        (number, wanted),
    )
    return {vm: decode(body, VM) for vm, body in rows}
