"""A disk put together from runs of other disks and runs of zeros, one behind the other.

Runs of zeros cannot be written. Threads may use it as they may use its parts.
"""

from __future__ import annotations

import errno
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from migrate.disks.areas import Area, Kind, data_runs, joined
from migrate.disks.ports import BlockDevice


@dataclass(frozen=True, slots=True)
class Part:
    """A run of a disk from ``skip_bytes`` on; without a disk, zeros."""

    size_bytes: int
    disk: BlockDevice | None
    skip_bytes: int = 0


class JoinedDisk:
    """Parts as one disk, which closes them all."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self._parts = tuple(parts)
        self._starts = [0]
        for part in self._parts:
            self._starts.append(self._starts[-1] + part.size_bytes)

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._starts[-1]

    @property
    def sector_bytes(self) -> int:
        """Largest sector of its parts, at least 512."""
        return max((part.disk.sector_bytes for part in self._parts if part.disk), default=512)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        for part, at, low, high in self._cut(offset, len(buffer)):
            if part.disk is None:
                buffer[low:high] = bytes(high - low)
            else:
                part.disk.read_into(buffer[low:high], at)

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write all of ``data``; raises OSError, and before anything is written for a run of zeros."""
        view = memoryview(data).cast("B")
        cuts = list(self._cut(offset, len(view)))
        self._refuse_zeros([part for part, *_ in cuts])
        for part, at, low, high in cuts:
            if part.disk is not None:
                part.disk.write(view[low:high], at)

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros; raises OSError."""
        for part, at, low, high in self._cut(offset, length):
            if part.disk is not None:
                part.disk.zero(at, high - low)

    def flush(self) -> None:
        """Return only when everything written is durable; a failure is final."""
        for disk in self._disks():
            disk.flush()

    def areas(self) -> Iterator[Area]:
        """Yield what the disk holds from its first byte to its last."""
        return joined(self._areas())

    def _areas(self) -> Iterator[Area]:
        for part, start in zip(self._parts, self._starts, strict=False):
            if part.disk is None:
                yield Area(start, part.size_bytes, Kind.HOLE)
                continue
            low, high = part.skip_bytes, part.skip_bytes + part.size_bytes
            for area in part.disk.areas():
                begin, end = max(area.offset, low), min(area.end, high)
                if begin < end:
                    yield Area(start + begin - low, end - begin, area.kind, area.dirty)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data; the rest reads as zeros."""
        return data_runs(self.areas())

    def close(self) -> None:
        """Close every part, also when closing one fails."""
        with ExitStack() as stack:
            for disk in self._disks():
                stack.callback(disk.close)

    def _disks(self) -> list[BlockDevice]:
        """Return each disk once, however many of its runs are parts."""
        return list({id(part.disk): part.disk for part in self._parts if part.disk}.values())

    def _cut(self, offset: int, length: int) -> Iterator[tuple[Part, int, int, int]]:
        """Yield (part, offset in its disk, low, high) for each part that a run touches."""
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise OSError(errno.EINVAL, f"{offset}+{length} lies outside a disk of {self.size_bytes} bytes")
        index, done = bisect_right(self._starts, offset) - 1, 0
        while done < length:
            part = self._parts[index]
            inside = offset + done - self._starts[index]
            take = min(length - done, part.size_bytes - inside)
            yield part, part.skip_bytes + inside, done, done + take
            index, done = index + 1, done + take

    @staticmethod
    def _refuse_zeros(parts: Sequence[Part]) -> None:
        if any(part.disk is None for part in parts):
            raise OSError(errno.EROFS, "a part of this disk is zeros by its descriptor and cannot be written")
