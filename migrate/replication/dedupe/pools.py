"""Who may share content with whom: a pool for each kind of peer, its own table, its own key.

What a peer is told of a digest depends on what peers with the same rights wrote, and on nothing else:
one limited to a group learns nothing of what other groups hold, not even that somebody does.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blake3 import blake3

from migrate.disks.ports import ReadableDisk
from migrate.replication.dedupe.table import Table, buckets_for
from migrate.replication.dedupe.volumes import Volumes
from planner.errors import NotFound
from planner.names import visible
from planner.units import GIB

_log = logging.getLogger(__name__)

FOLDER: Final = "dedupe"
_POOLS_MAX: Final = 64
_UNKNOWN_BYTES: Final = 64 * GIB  # how much is expected where nobody says


@dataclass(frozen=True, slots=True)
class Pool:
    """What one peer shares with others of the same rights.

    ``open_read`` opens a volume beside its writer; raises NotFound for one that the peer may not write.
    """

    table: Table
    volumes: Volumes
    open_read: Callable[[str], ReadableDisk]


class Pools:
    """The pools of one receiver, in a folder of its store. Thread-safe.

    ``open_read`` opens a volume beside its writer, ``data_bytes`` is how much they may hold in all.
    """

    def __init__(
        self, store: Path, open_read: Callable[[str], ReadableDisk], data_bytes: int = _UNKNOWN_BYTES
    ) -> None:
        self._folder = store / FOLDER
        self._open_read = open_read
        self._buckets = buckets_for(data_bytes)
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ...], tuple[Table, Volumes]] = {}

    def of(
        self,
        project: str = "",
        groups: Iterable[str] = (),
        may_write: Callable[[str], bool] = lambda _volume: True,
    ) -> Pool | None:
        """Return the pool of a peer of a project limited to ``groups``, none = all of them.

        None when there are too many pools, or where the store cannot hold it: dedupe is never a
        reason to refuse a pass.
        """
        kind = (project, *sorted(set(groups)))
        with self._lock:
            if kind not in self._kept:
                if len(self._kept) >= _POOLS_MAX:
                    return None
                try:
                    self._kept[kind] = self._opened(kind)
                except OSError as error:
                    _log.warning("no dedupe: %s", error.strerror)
                    return None
            table, volumes = self._kept[kind]

        def open_read(volume: str) -> ReadableDisk:
            if not may_write(volume):
                raise NotFound(f"volume {visible(volume, 200)} is not this peer's")
            return self._open_read(volume)

        return Pool(table, volumes, open_read)

    def close(self) -> None:
        """Write what is not written yet; nothing is found or learnt after that."""
        with self._lock:
            for table, volumes in self._kept.values():
                table.close()
                volumes.close()

    def _opened(self, kind: tuple[str, ...]) -> tuple[Table, Volumes]:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        state = blake3(derive_key_context="wherry replication 1 pool")
        for part in kind:
            said = part.encode("utf-8", "surrogatepass")
            state.update(len(said).to_bytes(8, "little") + said)
        stem = self._folder / state.hexdigest(16)
        volumes = Volumes(stem.with_suffix(".volumes"))
        try:
            return Table(stem.with_suffix(".table"), self._buckets), volumes
        except BaseException:
            volumes.close()
            raise
