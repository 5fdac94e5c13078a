"""The change map of one volume: which 64 KiB blocks were written since when.

Each block has a u32, the value of the map's counter when it was last written; it is stored before
the data, in a shared mapping that outlives the process. Taking a change id ends a period: later
writes get a higher value. After an unclean restart of the machine the map starts a new epoch,
since data may have reached the disk without its mark.
"""

from __future__ import annotations

import mmap
import os
import struct
import uuid
from pathlib import Path

from migrate.sites.ports import ChangeId, Extent

BLOCK = 64 * 1024
_HEAD = struct.Struct("<8s32sQQ")  # magic, epoch, counter, blocks
_MAGIC = b"WHMAP01\0"
_OFFSET = 4096
_LAST = 2**32 - 2


class ChangeMap:
    """A persistent change map. The caller serialises calls that change it."""

    def __init__(self, path: Path, size_bytes: int, trusted: bool = True) -> None:
        """Open or create the map of a volume; a damaged or distrusted one starts a new epoch."""
        self.path = path
        self._blocks = -(-size_bytes // BLOCK)
        self._size = size_bytes
        length = _OFFSET + 4 * self._blocks
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fits = os.fstat(fd).st_size == length
            os.ftruncate(fd, length)
            self._map = mmap.mmap(fd, length)
        finally:
            os.close(fd)
        self._values = memoryview(self._map)[_OFFSET:].cast("I")
        magic, epoch, counter, blocks = _HEAD.unpack_from(self._map)
        self._epoch, self._counter = epoch.decode("ascii", "replace"), counter
        if not (fits and trusted) or magic != _MAGIC or blocks != self._blocks:
            self.restart()

    def restart(self) -> None:
        """Begin a new epoch: change ids given before can no longer be compared."""
        self._epoch, self._counter = uuid.uuid4().hex, 1
        self._map[:_OFFSET] = bytes(_OFFSET)  # invalid until the head is written last
        self._values[:] = memoryview(bytes(4 * self._blocks)).cast("I")
        self._store()

    def _store(self) -> None:
        _HEAD.pack_into(self._map, 0, _MAGIC, self._epoch.encode(), self._counter, self._blocks)

    def mark(self, offset: int, length: int) -> None:
        """Note that bytes are about to be written; call it before writing them."""
        for block in range(offset // BLOCK, -(-(offset + length) // BLOCK)):
            self._values[block] = self._counter

    def end_period(self) -> ChangeId:
        """Return the change id of this instant; everything written later counts as changed since."""
        now = ChangeId(self._epoch, self._counter)
        if self._counter >= _LAST:
            self.restart()
        else:
            self._counter += 1
            self._store()
        return now

    def changed_since(self, since: ChangeId) -> tuple[Extent, ...] | None:
        """Return the runs of blocks written after ``since``, None when it is of another epoch."""
        if since.epoch != self._epoch or since.counter >= self._counter:
            return None
        runs: list[Extent] = []
        start = -1
        for block, value in enumerate(self._values.tolist()):
            if value > since.counter:
                start = block if start < 0 else start
            elif start >= 0:
                runs.append(self._run(start, block))
                start = -1
        if start >= 0:
            runs.append(self._run(start, self._blocks))
        return tuple(runs)

    def _run(self, start: int, end: int) -> Extent:
        return Extent(start * BLOCK, min(end * BLOCK, self._size) - start * BLOCK)

    def close(self) -> None:
        """Let go of the mapping; what was marked stays."""
        self._values.release()
        self._map.flush()
        self._map.close()
