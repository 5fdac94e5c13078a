"""The snapshots of a lab site: one folder each, complete when its ``snapshot.json`` is there."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

from migrate.disks.durable import remove_file, replace_file
from migrate.sites.lab.frozen import FrozenCopy
from migrate.sites.lab.tracked import TrackedVolume
from migrate.sites.ports import ChangeId, Consistency, Snapshot

_COMPLETE = "snapshot.json"


class SnapshotShelf:
    """All snapshots. Control calls are serialised by the caller; ``writes`` pauses all guests."""

    def __init__(
        self,
        folder: Path,
        tracked: Mapping[str, TrackedVolume],
        writes: AbstractContextManager[object],
        trusted: bool,
    ) -> None:
        """Read the shelf; incomplete snapshots, and all when not trusted, are removed."""
        self._folder, self._tracked, self._writes = folder, tracked, writes
        self._all: dict[str, Snapshot] = {}
        for path in folder.iterdir():
            found = self._read(path) if trusted else None
            if found is None:
                shutil.rmtree(path)
            else:
                self._all[found.id] = found

    def _read(self, path: Path) -> Snapshot | None:
        try:
            body = json.loads((path / _COMPLETE).read_text("utf-8"))
            changes = {volume: ChangeId.parse(text) for volume, text in body["changes"].items()}
            found = Snapshot(body["id"], Consistency(body["label"]), changes, body["op"])
            for volume in changes:
                tracked = self._tracked[volume]
                stem, size = tracked.volume.stem, tracked.size_bytes
                tracked.copies[found.id] = FrozenCopy(path, stem, size, create=False)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return found

    def __iter__(self) -> Iterator[Snapshot]:
        return iter(tuple(self._all.values()))

    def folder(self, snapshot: str) -> Path | None:
        """Return the folder of a snapshot, None when it does not exist."""
        return self._folder / snapshot if snapshot in self._all else None

    def find(self, op: str) -> Snapshot | None:
        """Return the snapshot made under ``op`` that still exists."""
        return next((item for item in self._all.values() if item.op == op), None)

    def of_volume(self, volume: str) -> tuple[str, ...]:
        """Return the ids of the snapshots that hold a volume."""
        return tuple(item.id for item in self._all.values() if volume in item.changes)

    def take(self, volumes: tuple[str, ...], label: Callable[[], Consistency], op: str) -> Snapshot:
        """Freeze volumes at one instant; guests stop only while counters move on. Raises OSError."""
        name = uuid.uuid4().hex[:16]
        path = self._folder / name
        path.mkdir()
        copies: dict[str, FrozenCopy] = {}
        try:
            for volume in volumes:
                tracked = self._tracked[volume]
                copies[volume] = FrozenCopy(path, tracked.volume.stem, tracked.size_bytes, create=True)
            changes: dict[str, ChangeId] = {}
            with self._writes:
                for volume, copy in copies.items():
                    changes_map = self._tracked[volume].changes
                    assert changes_map is not None, "only tracked volumes are frozen"
                    changes[volume] = changes_map.end_period()
                    self._tracked[volume].copies[name] = copy
                reached = label()
            body = {
                "id": name,
                "op": op,
                "label": reached.value,
                "changes": {volume: str(change) for volume, change in changes.items()},
            }
            replace_file(path / _COMPLETE, json.dumps(body).encode())
        except BaseException:
            self._let_go(name, volumes)
            for copy in copies.values():
                copy.close()
            shutil.rmtree(path, ignore_errors=True)
            raise
        made = Snapshot(name, reached, changes, op)
        self._all[name] = made
        return made

    def drop(self, snapshot: str) -> None:
        """Remove a snapshot; readers of it fail from now on. One that is gone is not an error."""
        known = self._all.pop(snapshot, None)
        if known is None:
            return
        path = self._folder / snapshot
        remove_file(path / _COMPLETE)
        self._let_go(snapshot, tuple(known.changes))
        shutil.rmtree(path)

    def _let_go(self, snapshot: str, volumes: tuple[str, ...]) -> None:
        with self._writes:
            for volume in volumes:
                copy = self._tracked[volume].copies.pop(snapshot, None)
                if copy is not None:
                    copy.invalidate()
                    copy.close()
