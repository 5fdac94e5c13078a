"""Checks of snapshots at the source. Their age is counted to the time of the inventory."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, rule
from planner.checks.estate import Estate, moment
from planner.model import VM, Severity
from planner.names import visible

RULES: list[Rule] = []
OLD_DAYS = 7
MANY = 3


@rule(
    RULES,
    "snapshots.old",
    Severity.WARNING,
    f"Snapshot older than {OLD_DAYS} days",
    why="It grows with every write and slows the copy, and it does not move: the target gets the present "
    "state only.",
    remedy="delete the snapshot, or tell its owner that it stays behind",
)
def old_snapshots(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: snapshot older than a week."""
    if "snapshots" in estate.gaps:
        yield None
    for snapshot in vm.snapshots:
        created = moment(snapshot.created)
        if created is None or estate.taken_at is None:
            yield None
        elif (days := (estate.taken_at - created).days) > OLD_DAYS:
            named = visible(snapshot.name, 60) or "no name"
            yield f"{visible(vm.name)} has a snapshot of {days} days: {named}"


@rule(
    RULES,
    "snapshots.many",
    Severity.WARNING,
    f"More than {MANY} snapshots",
    why="Every read of the disk searches the whole chain, and removing it takes hours.",
    remedy="delete the snapshots before the first copy",
)
def many_snapshots(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: more than three snapshots."""
    if "snapshots" in estate.gaps:
        yield None
    elif len(vm.snapshots) > MANY:
        yield f"{visible(vm.name)} has {len(vm.snapshots)} snapshots"
