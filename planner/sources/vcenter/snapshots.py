"""Snapshots of a machine: the tree made flat, oldest first, with what each of them holds.

The size of a snapshot is that of its own files (state and memory) and of the delta files that were
begun when it was taken: those of the states after it that are not its own.
"""

from __future__ import annotations

from typing import Any

from planner.model import Snapshot
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.values import flag, many, moment, text, whole

_MOST = 10_000  # vSphere allows 32 in a chain; a ring would never end


def snapshots(item: RawObject) -> tuple[Snapshot, ...]:
    """Return the snapshots of a machine."""
    layouts = {text(entry, "key"): entry for entry in many(item.values.get("layoutEx.snapshot"))}
    sizes = item.values.get("layoutEx.file")
    now = _files(many(item.values.get("layoutEx.disk")))
    found: list[Snapshot] = []
    waiting = many(item.values.get("snapshot.rootSnapshotList"))
    while waiting and len(found) < _MOST:
        entry = waiting.pop(0)
        children = many(entry, "childSnapshotList")
        after = [_files(many(layouts.get(text(child, "snapshot")), "disk")) for child in children] or [now]
        found.append(
            Snapshot(
                name=text(entry, "name"),
                created=moment(entry, "createTime"),
                size_bytes=_size(layouts.get(text(entry, "snapshot")), after, sizes),
                description=text(entry, "description"),
                quiesced=flag(entry, "quiesced"),
            )
        )
        waiting = [*children, *waiting]
    return tuple(found)


def _files(disks: list[Any]) -> set[str]:
    return {key for disk in disks for link in many(disk, "chain") for key in many(link, "fileKey")}


def _size(layout: Any, after: list[set[str]], sizes: Any) -> int | None:
    if layout is None:
        return None
    own = {text(layout, "dataKey"), text(layout, "memoryKey")} - {"", "-1"}
    begun = set().union(*after) - _files(many(layout, "disk"))
    known = [whole(sizes, key) for key in own | begun]
    return None if None in known else sum(size for size in known if size is not None)
