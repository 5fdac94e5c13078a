"""All journals of one receiver: a folder for each group in its store, and what opens disks through them.

A disk that was registered without a group is a group by itself, called as the disk is.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.journal.group import GroupJournal, Replicas
from migrate.journal.mending import Mended, resync
from migrate.replication.logfile import LogFile, LookedAt
from migrate.replication.progress import WHOLE, ProgressLog, VolumeState
from planner.errors import BadInput, NotFound, ProjectBusy
from planner.names import content_id, visible

FOLDER = "journal"


class Journals:
    """The journals of the groups of ``volumes`` (volume to group). Thread-safe; ``close`` it."""

    def __init__(
        self,
        store: Path,
        volumes: Mapping[str, str],
        replicas: Replicas,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        """Raise BadInput when two groups would be called alike."""
        for volume in {volume for volume, group in volumes.items() if not group} & set(volumes.values()):
            raise BadInput(
                f"{visible(volume, 200)} is a disk without a group, and the group of others",
                "give one of them another name",
            )
        self._store = store
        self._replicas = replicas
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._group_of = {volume: group or volume for volume, group in volumes.items()}
        self._open: dict[str, GroupJournal] = {}
        self._mending: set[str] = set()  # which takes as long as reading them

    def names(self) -> list[str]:
        """Return the groups, in order."""
        return sorted(set(self._group_of.values()))

    def volumes(self, name: str) -> list[str]:
        """Return the disks of a group, whose journal may be broken; none when it is not served here."""
        return [volume for volume, group in self._group_of.items() if group == name]

    def group(self, name: str) -> GroupJournal:
        """Return the journal of a group; raises NotFound, Rotten, JournalCorrupt, OSError."""
        with self._lock:
            return self._opened(name)

    def mend(self, name: str) -> Mended:
        """Go on before the damage of a group's journal; the next pass of each of its disks compares.

        Raises NotFound when nothing is broken, ProjectBusy when it is in use, JournalCorrupt, OSError.
        """
        with self._lock:
            volumes = self.volumes(name)
            group = self._open.get(name)
            self._check_mending(name)
            if group is not None and group.is_in_use:
                raise ProjectBusy(
                    f"the journal of {visible(name, 200)} is in use", "end its passes and close its images"
                )
            if group is not None and group.is_journalled and not group.log.end("it is mended"):
                raise ProjectBusy(
                    f"history of {visible(name, 200)} is being moved on", "try again in a while"
                )
            self._mending.add(name)
            if group is not None:
                self._open.pop(name).close()

        def poison() -> None:
            for volume in volumes:
                ProgressLog(LogFile(self._store, volume), volume).poison(WHOLE)

        try:
            return resync(self._store / FOLDER / content_id(name), name, poison)
        finally:
            with self._lock:
                self._mending.remove(name)

    def open_write(self, volume: str) -> WritableDisk:
        """Open a disk for a pass, through the journal of its group where there is one."""
        return self.group(self._known(volume)).open_write(volume)

    def resynced(self, volume: str, why: str) -> None:
        """Note a break of lineage: what comes is found by comparison, older checkpoints stay."""
        self.group(self._known(volume)).resynced(f"{visible(volume, 200)}: {why}")

    def open_read(self, volume: str) -> ReadableDisk:
        """Open a disk as it is now, beside its writer."""
        return self.group(self._known(volume)).open_read(volume)

    def close(self) -> None:
        """Close every journal; nobody writes any more."""
        with self._lock:
            while self._open:
                self._open.popitem()[1].close()

    def _opened(self, name: str) -> GroupJournal:
        """Return the journal of a group; the lock is held."""
        if name not in self._open:
            self._check_mending(name)
            volumes = self.volumes(name)
            if not volumes:
                raise NotFound(
                    f"group {visible(name, 200)} is not served here", "wherry checkpoints lists them"
                )
            self._open[name] = self._make(name, volumes)
        return self._open[name]

    def _make(self, name: str, volumes: list[str]) -> GroupJournal:
        folder = self._store / FOLDER / content_id(name)
        return GroupJournal(name, folder, volumes, self._replicas, self._state, self._now_ms)

    def _check_mending(self, name: str) -> None:
        if name in self._mending:
            raise ProjectBusy(f"the journal of {visible(name, 200)} is being mended", "wait until it is")

    def _known(self, volume: str) -> str:
        group = self._group_of.get(volume)
        if group is None:
            raise NotFound(f"volume {visible(volume, 200)} is not served here", "register it at the receiver")
        return group

    def _state(self, volume: str) -> VolumeState:
        return ProgressLog(LookedAt(self._store, volume), volume).state
