"""Snapshots of a machine: the tree made flat, oldest first, with what each of them holds.

The size of a snapshot is that of its own files (state and memory) and, disk by disk, of the delta
files that were begun when it was taken: those of the states after it that its own state lacks.
"""

from __future__ import annotations

from typing import Any

from planner.model import Snapshot
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.values import flag, many, moment, text, whole

_MOST = 10_000  # vSphere allows 32 in a chain; a ring would never end
Files = dict[str, set[str]]  # keys of files, by disk


def snapshots(item: RawObject) -> tuple[Snapshot, ...]:
    """Return the snapshots of a machine."""
    layouts = {text(entry, "key"): entry for entry in many(item.values.get("layoutEx.snapshot"))}
    sizes = item.values.get("layoutEx.file")
    now = _files(many(item.values.get("layoutEx.disk")))
    found: list[Snapshot] = []
    waiting = list(many(item.values.get("snapshot.rootSnapshotList")))
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


def _files(disks: list[Any]) -> Files:
    return {
        text(disk, "key"): {key for link in many(disk, "chain") for key in many(link, "fileKey")}
        for disk in disks
    }


def _size(layout: Any, after: list[Files], sizes: Any) -> int | None:
    if layout is None:
        return None
    held = {text(layout, "dataKey"), text(layout, "memoryKey")} - {"", "-1"}
    for disk, files in _files(many(layout, "disk")).items():
        for state in after:
            held |= state.get(disk, set()) - files
    known = [whole(sizes, key) for key in held]
    return None if None in known else sum(size for size in known if size is not None)
