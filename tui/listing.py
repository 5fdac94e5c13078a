"""The rows of the inventory table: plain tuples from SQL, with place and checks of each VM joined in.

What many VMs share (a cluster, a guest system, a place, a tally) is one object for all of them: an
estate of 100,000 VMs has to fit beside the screens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.store.project import Project

# id, name, cluster, power, guest OS, CPUs, memory and disk bytes, wave, group, its tally or None while it
# is not known how the checks come out. A size or number of 0 is not known.
Tally = tuple[int, int, int]  # blockers, warnings, checks that could not be decided
Row = tuple[str, str, str, str, str, int, int, int, str, str, Tally | None]

_FINE: Tally = (0, 0, 0)
_NOWHERE = ("", "")


def listed(
    project: Project,
    inventory: int,
    placed: Mapping[str, tuple[str, str]],
    tallies: Mapping[str, Tally] | None,
) -> tuple[Row, ...]:
    """Read the rows of a snapshot, in its order."""
    same: dict[str | int, Any] = {}
    once = same.setdefault
    return tuple(
        (
            key, name, once(cluster, cluster), once(power, power), once(guest, guest),
            cpus, once(memory, memory), disk, (place := placed.get(key, _NOWHERE))[0], place[1],
            None if tallies is None else tallies.get(key, _FINE),
        )
        for key, name, cluster, power, guest, cpus, memory, disk in project.stream(
            "SELECT id, name, cluster, power, guest_os, cpus, memory_bytes, disk_bytes FROM inventory_vm"
            " WHERE inventory = ? ORDER BY position",
            inventory,
        )
    )  # fmt: skip


def joined(
    rows: Sequence[Row], placed: Mapping[str, tuple[str, str]], tallies: Mapping[str, Tally] | None
) -> tuple[Row, ...]:
    """Return the rows with other places and tallies."""
    if tallies is None:
        return tuple((*row[:8], *placed.get(row[0], _NOWHERE), None) for row in rows)
    return tuple((*row[:8], *placed.get(row[0], _NOWHERE), tallies.get(row[0], _FINE)) for row in rows)


def summed(tallies: Iterable[Tally]) -> Tally:
    """Return the tally of several VMs."""
    blockers = warnings = undecided = 0
    for one, two, three in tallies:
        blockers += one
        warnings += two
        undecided += three
    return blockers, warnings, undecided


def by_wave(placed: Mapping[str, tuple[str, str]], tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """Return the tally of each wave."""
    found: dict[str, list[Tally]] = {}
    for vm, (wave, _) in placed.items():
        found.setdefault(wave, []).append(tallies.get(vm, _FINE))
    return {wave: summed(parts) for wave, parts in found.items()}
