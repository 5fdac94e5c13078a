"""Who each VM of a snapshot is tied to, ready to be looked up. Writes ``inventory_neighbours``.

    dependencies of the snapshot ── build ──▶ four numbers a tie ── load ──▶ Neighbours.of(position)

It is a cache and may be dropped. VMs are known by their position in the snapshot, ends that are not in it
by their id.
"""

from __future__ import annotations

import json
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from planner.made_by import code_digest
from planner.store.column_bodies import little
from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One tie of a VM: ``needs`` tells that the VM needs the other end, else the other end needs it.

    ``position`` is None for an end that is not in the snapshot.
    """

    needs: bool
    position: int | None
    id: str  # of an end that is not in the snapshot, else empty
    port: int | None


class Neighbours:
    """The ties of one snapshot; it never changes."""

    def __init__(self, vms: int, strangers: list[str], numbers: array[int]) -> None:
        self._vms = vms
        self._strangers = strangers
        count = len(numbers) // 3
        self._sources, self._targets = numbers[:count], numbers[count : 2 * count]
        self._ports = numbers[2 * count :]
        self._by_target = array("I", sorted(range(count), key=self._targets.__getitem__))

    def of(self, position: int) -> Iterator[Neighbour]:
        """Yield the ties of the VM at a position: first what it needs, then what needs it."""
        for at in range(bisect_left(self._sources, position), bisect_right(self._sources, position)):
            yield self._tie(True, self._targets[at], at)
        order, key = self._by_target, self._targets.__getitem__
        for at in order[bisect_left(order, position, key=key) : bisect_right(order, position, key=key)]:
            yield self._tie(False, self._sources[at], at)

    def _tie(self, needs: bool, end: int, at: int) -> Neighbour:
        port = self._ports[at] - 1 if self._ports[at] else None
        if end < self._vms:
            return Neighbour(needs, end, "", port)
        return Neighbour(needs, None, self._strangers[end - self._vms], port)


def build(project: Project, inventory: int) -> None:
    """Write the neighbours of a snapshot, unless they are there."""
    if _body(project, inventory) is not None:
        return
    ids = project.stream("SELECT id FROM inventory_vm WHERE inventory = ? ORDER BY position", inventory)
    known = {vm: position for position, (vm,) in enumerate(ids)}
    vms = len(known)
    ties = sorted(
        (
            known.setdefault(source, len(known)),
            at,
            known.setdefault(target, len(known)),
            0 if port is None else 1 + port,
        )
        for at, (source, target, port) in enumerate(_dependencies(project, inventory))
    )
    numbers = array("I")
    for part in (0, 2, 3):
        numbers.extend(tie[part] for tie in ties)
    strangers = json.dumps(list(known)[vms:]).encode("ascii")
    body = zlib.compress(len(strangers).to_bytes(8, "little") + strangers + little(numbers).tobytes(), 1)
    with project.write() as db:
        db.conn.execute("DELETE FROM inventory_neighbours")
        db.conn.execute(
            "INSERT INTO inventory_neighbours (inventory, made_by, vms, body) VALUES (?, ?, ?, ?)",
            (inventory, code_digest(), vms, body),
        )


def load(project: Project, inventory: int) -> Neighbours | None:
    """Return the neighbours of a snapshot, None before they are built."""
    found = _body(project, inventory)
    if found is None:
        return None
    whole = zlib.decompress(found[1])
    end = 8 + int.from_bytes(whole[:8], "little")
    numbers = array("I")
    numbers.frombytes(whole[end:])
    return Neighbours(found[0], json.loads(whole[8:end]), little(numbers))


def _body(project: Project, inventory: int) -> tuple[int, bytes] | None:
    rows = project.rows(
        "SELECT vms, body FROM inventory_neighbours WHERE inventory = ? AND made_by = ?",
        inventory,
        code_digest(),
    )
    return (rows[0]["vms"], rows[0]["body"]) if rows else None


def _dependencies(project: Project, inventory: int) -> Iterator[tuple[str, str, int | None]]:
    """Yield source, target and port of each dependency, without building any of them."""
    from planner.store import contents

    (row,) = project.rows("SELECT estate FROM inventory WHERE id = ?", inventory)
    named = {"dependencies": json.loads(row["estate"]).get("dependencies")}
    for tie in json.loads(contents.parts(project, named).get("dependencies", "[]")):
        yield tie["source"], tie["target"], tie.get("port")
