"""The groups of one wave as lines: from the desk where it is laid out, else from the saved wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from planner.names import visible
from planner.plan import Wave
from planner.sized import AtLeast, diskless, size_of
from tui.text import count, size_cell, spread_minutes
from tui.widgets.column import Column

Groups = Sequence[Mapping[str, Any]]  # as ``hand.groups`` says them; ``needs`` None is not looked at


class GroupLine(NamedTuple):
    """A move group in the table; ``key`` is the id of its first VM, since names may stand twice."""

    key: str
    name: str
    vms: int
    size_bytes: int
    before: tuple[str, str]  # what has to be there first, and the tone of that
    downtime: tuple[float, float] | None
    held: str


COLUMNS = (
    Column(1, "group", 14, flex=True, keep=9),
    Column(2, "VMs", 5, count, right=True, keep=8, kind="number"),
    Column(3, "data", 9, size_cell, right=True, keep=7, kind="size"),
    Column(4, "needs first", 18, lambda pair: pair[0], lambda pair: pair[1], keep=4, kind=""),
    Column(5, "down P50/P95", 20, lambda pair: spread_minutes(*pair) if pair else "?", right=True, keep=3,
           kind=""),
    Column(6, "by hand", 8, lambda said: visible(said) or "–", lambda said: "accent" if said else "dim",
           keep=5),
)  # fmt: skip


def group_lines(groups: Groups) -> tuple[GroupLine, ...]:
    """Return a line for each group."""
    return tuple(
        GroupLine(
            group["vms"][0][0],
            group["name"],
            len(group["vms"]),
            size_of(group["size_bytes"], group["sized"]),
            _before(group["needs"]),
            tuple(group["downtime_min"]) if group["downtime_min"] and group["sized"] else None,
            _held(group["said"]),
        )
        for group in groups
    )


def _before(needs: Sequence[Mapping[str, Any]] | None) -> tuple[str, str]:
    if needs is None:
        return "?", "dim"
    if not needs:
        return "–", "dim"
    first = needs[0]
    more = f" +{len(needs) - 1}" if len(needs) > 1 else ""
    mark, tone = ("✖", "bad") if first["late"] else ("✔", "")
    return f"{mark} {first['wave']} {visible(first['group'])}{more}", tone


def _held(said: str) -> str:
    """Return which edit holds a group: ``● 12`` for edit 12, ``●`` for one that is not saved."""
    if not said:
        return ""
    number = said.removeprefix("edit ").split(" ", 1)[0]
    return f"● {number}" if number.isdigit() else "●"


def saved_groups(wave: Wave, size_bytes: int) -> list[dict[str, Any]]:
    """Return the groups of a saved wave; what only a desk knows is not known.

    Where its size is ``AtLeast``, a group is known whose VMs all have a disk, and each disk a size.
    """
    names = {vm.id: vm.name for vm in wave.vms}
    takes = {take.what: take for take in wave.takes}
    sizes: dict[str, int] = {}
    bare = {item.vm for disk in wave.disks if disk.size_bytes <= 0 for item in disk.attachments}
    bare.update(diskless(wave))
    for disk in wave.disks:
        first = disk.attachments[0].vm
        sizes[first] = sizes.get(first, 0) + disk.size_bytes
    found = []
    for group in sorted(wave.groups, key=lambda group: (group.name.casefold(), group.name)):  # as on a desk
        take = takes.get(group.name) or takes.get(group.vms[0])
        found.append(
            {
                "name": group.name,
                "vms": [(vm, names.get(vm, vm)) for vm in group.vms],
                "size_bytes": sum(sizes.get(vm, 0) for vm in group.vms),
                "sized": not isinstance(size_bytes, AtLeast) or bare.isdisjoint(group.vms),
                "needs": None,
                "downtime_min": (take.downtime_min.p50, take.downtime_min.p95) if take else None,
                "said": "",
            }
        )
    return found
