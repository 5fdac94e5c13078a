"""Where the receiver puts what arrived: a sink, whose ``commit`` means durable.

``DiskSink`` writes straight to the replica. A failed commit is final: after it nobody can say what
is on the disk, so it is never tried again and the sink refuses everything.
"""

from __future__ import annotations

from typing import ClassVar, Protocol

from migrate.disks.ports import WritableDisk
from planner.errors import StepFailed


class FlushFailed(StepFailed):
    """A flush failed: what was written since the last good one is lost or not, nobody knows."""

    code: ClassVar[str] = "flush-failed"


class Sink(Protocol):
    """Takes writes in order; ``commit`` returns only when all of them are durable."""

    def write(self, offset: int, data: bytes | memoryview) -> None: ...
    def zero(self, offset: int, length: int) -> None: ...
    def commit(self) -> None:
        """Make durable what was written before the call; raises FlushFailed or OSError, once."""
        ...


class DiskSink:
    """A sink that is the replica disk itself."""

    def __init__(self, disk: WritableDisk) -> None:
        self._disk = disk
        self._poisoned = False

    def write(self, offset: int, data: bytes | memoryview) -> None:
        """Write all of ``data``; raises OSError."""
        self._check()
        self._disk.write(data, offset)

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros; raises OSError."""
        self._check()
        self._disk.zero(offset, length)

    def commit(self) -> None:
        """Flush the disk; raises OSError once and FlushFailed ever after."""
        self._check()
        try:
            self._disk.flush()
        except BaseException:
            self._poisoned = True
            raise

    def _check(self) -> None:
        if self._poisoned:
            raise FlushFailed("a flush of this disk failed before", "compare the volume with its source")
