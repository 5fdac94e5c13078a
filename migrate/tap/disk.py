"""One disk behind a tap: each change is made, then recorded, and nothing comes between the two.

So the order of the records is the order on the disk, whatever overlaps. What takes its time, large runs of
zeros, is done by a thread; until it is over, changes that overlap it wait.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Sequence
from typing import Final, Protocol

from migrate.disks.flat import FlatDisk
from migrate.disks.nbd.numbers import Can
from migrate.replication.channel import Buffer
from migrate.tap.areas import Areas
from migrate.tap.chunks import Run
from planner.names import visible
from planner.units import MIB

_log = logging.getLogger(__name__)
AT_ONCE: Final = MIB  # of zeros; more is for a thread


class Records(Protocol):
    """Takes writes in their order. Neither call waits or raises."""

    @property
    def last(self) -> int:
        """The number of the newest record."""
        ...

    def add(self, disk: int, offset: int, data: Buffer | None, length: int) -> int:
        """Take a copy of a write that has reached its disk, None for zeros, and return its number."""
        ...

    def add_all(self, disk: int, view: memoryview, runs: Sequence[Run]) -> int:
        """Take copies of writes, the bytes of each where it says in ``view``; as ``add`` does."""
        ...

    def let_go(self, why: str) -> None:
        """Know that records do not tell everything any more."""
        ...


class TappedDisk:
    """Disk ``number`` of a group, called ``name``. It owns ``disk``; for one thread but where said."""

    has_map: Final = False
    can: Final = Can.HAS_FLAGS | Can.FLUSH | Can.FUA | Can.TRIM | Can.WRITE_ZEROES | Can.MULTI_CONN

    def __init__(self, number: int, name: str, disk: FlatDisk, areas: Areas, records: Records) -> None:
        self.number = number
        self.name = name
        self.size_bytes = disk.size_bytes
        self._disk = disk
        self._areas = areas
        self._records = records
        self._zeroing: list[tuple[int, int]] = []
        self._reads_at_once = True

    def may_begin(self, offset: int, length: int) -> bool:
        """Tell whether a change may begin there; if not, it has to wait for the map or for other changes."""
        if self._zeroing and self.is_zeroed(offset, length):
            return False
        return self._areas.heat(self.number, offset, length)

    def is_zeroed(self, offset: int, length: int) -> bool:
        """Tell whether a thread is making zeros there."""
        return any(start < offset + length and offset < end for start, end in self._zeroing)

    def write(self, data: memoryview | bytes, offset: int) -> None:
        """Write where a change may begin, and record it; raises OSError."""
        length = len(data)
        self._areas.begin(self.number, offset, length)
        try:
            self._disk.write(data, offset)
        except OSError:
            self._record_what_is_there(offset, length)
            raise
        self._records.add(self.number, offset, data, length)

    def write_all(self, view: memoryview, runs: Sequence[Run]) -> dict[int, OSError] | None:
        """Write many in their order and record them; return what failed, by its place among them.

        None, and nothing is done, when they may not all begin at once.
        """
        if self._zeroing or not self._areas.begin_all(self.number, runs):
            return None
        failed, first = {}, 0
        write = self._disk.write
        for at, (offset, length, start) in enumerate(runs):
            try:
                write(view[start : start + length], offset)
            except OSError as error:
                if first < at:
                    self._records.add_all(self.number, view, runs[first:at])
                self._record_what_is_there(offset, length)
                failed[at], first = error, at + 1
        if first < len(runs):
            self._records.add_all(self.number, view, runs[first:] if first else runs)
        return failed

    def zero(self, offset: int, length: int) -> None:
        """Make zeros where a change may begin, and record it; raises OSError."""
        held = self.begin_zero(offset, length)
        try:
            self.zero_there(offset, length)
        except OSError:
            self.end_zero(held, offset, length, done=False)
            raise
        self.end_zero(held, offset, length, done=True)

    def begin_zero(self, offset: int, length: int) -> tuple[int, int, int]:
        """Have other changes wait for ``end_zero``; what is returned belongs to that."""
        self._areas.begin(self.number, offset, length)
        self._zeroing.append((offset, offset + length))
        return self._areas.hold(self.number, offset, length)

    def zero_there(self, offset: int, length: int) -> None:
        """Make zeros, in any thread; raises OSError."""
        self._disk.zero(offset, length)

    def end_zero(self, held: tuple[int, int, int], offset: int, length: int, *, done: bool) -> None:
        """Record the zeros, or what there is instead."""
        self._zeroing.remove((offset, offset + length))
        self._areas.let_go(held)
        if done:
            self._areas.begin(self.number, offset, length)
            self._records.add(self.number, offset, None, length)
        else:
            self._record_what_is_there(offset, length)

    def read_at_once(self, buffer: bytearray, offset: int) -> bool:
        """Fill ``buffer`` if that takes no waiting for the medium, else return False."""
        if not self._reads_at_once:
            return False
        try:
            return os.preadv(self._disk.fileno(), [buffer], offset, os.RWF_NOWAIT) == len(buffer)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in {errno.EOPNOTSUPP, errno.EINVAL}:  # not every file system can tell
                self._reads_at_once = False
            return False

    def read_into(self, buffer: bytearray, offset: int) -> None:
        """Fill ``buffer``, in any thread; raises OSError."""
        self._disk.read_into(memoryview(buffer), offset)

    def flush(self) -> None:
        """Return when everything written is durable, in any thread; a failure is final. Raises OSError."""
        try:
            self._disk.flush()
        except OSError:
            self._reads_at_once = False  # what is cached may be what the medium never got
            raise

    def fileno(self) -> int:
        """Return the file descriptor."""
        return self._disk.fileno()

    def close(self) -> None:
        """Close the disk."""
        self._disk.close()

    def _record_what_is_there(self, offset: int, length: int) -> None:
        """After a change that failed half way the target has to have what the disk has."""
        self._areas.begin(self.number, offset, length)
        buffer = bytearray(min(length, AT_ONCE))
        try:
            if length > AT_ONCE:
                raise OSError(errno.EFBIG, "that is too much to look at")
            self._disk.read_into(memoryview(buffer), offset)
        except OSError:
            why = f"what a failed write left on {visible(self.name, 80)} is not known"
            _log.warning("%s: it is compared later", why)
            self._areas.lose(self.number, offset, length)
            self._records.let_go(why)
            return
        self._records.add(self.number, offset, buffer, length)
