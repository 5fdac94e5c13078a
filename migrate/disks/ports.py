"""The block-device protocol that replication reads and writes through.

Offsets and lengths are bytes. Implementations are used by one thread at a time unless they say
otherwise; ``read_into`` may be called from several threads at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

from migrate.disks.areas import Area


class ReadableDisk(Protocol):
    """A disk whose content does not change while it is open (a snapshot or a stopped VM's disk)."""

    @property
    def size_bytes(self) -> int: ...
    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        ...

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data; the rest reads as zeros."""
        ...

    def close(self) -> None: ...


class WritableDisk(ReadableDisk, Protocol):
    """A disk that only this holder writes."""

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of ``data``; raises OSError, never writes short silently."""
        ...

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros, as a hole where the disk can."""
        ...

    def flush(self) -> None:
        """Return only when everything written is durable. A failure is final: never retried."""
        ...


@runtime_checkable
class Cached(Protocol):
    """What a disk has that is read through the memory of this machine, which a failed flush makes lie."""

    def trust(self, stamp: str) -> bool:
        """Read from memory what is there if nobody wrote the disk since ``stamp``, else from the medium."""
        ...

    def stamp(self) -> str:
        """Return what tells later that nobody wrote it since, empty when nothing would."""
        ...


class BlockDevice(WritableDisk, Protocol):
    """A disk that also tells how it is cut and what it holds; opened read-only it refuses to write."""

    @property
    def sector_bytes(self) -> int:
        """Smallest run the device itself reads or writes; a file's is 512."""
        ...

    def areas(self) -> Iterator[Area]:
        """Yield what the disk holds from its first byte to its last; raises OSError."""
        ...
