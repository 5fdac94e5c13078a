"""Where segments live: numbered files that only grow, and vanish as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable


class Files(Protocol):
    """The segments of one journal. Every call raises OSError; a failed sync is never tried again."""

    @property
    def key(self) -> bytes:
        """Bytes that stay the same and that nobody knows whose data comes here; raises JournalCorrupt."""
        ...

    def numbers(self) -> list[int]:
        """Return the numbers of the segments that are there, ascending."""
        ...

    def size(self, number: int) -> int: ...

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes, fewer only at the end of the segment."""
        ...

    def create(self, number: int) -> None:
        """Make an empty segment, in the place of one that may be there; ``sync_names`` makes it durable."""
        ...

    def append(self, number: int, parts: Sequence[bytes | memoryview]) -> None:
        """Append to a segment; ``sync`` makes it durable."""
        ...

    def sync(self, number: int) -> None:
        """Return only when what was appended is durable."""
        ...

    def sync_names(self) -> None:
        """Return only when it is durable which segments there are."""
        ...

    def settle(self, number: int) -> None:
        """Sync a segment of an earlier process, and read it from the medium from now on."""
        ...

    def delete(self, number: int) -> None: ...


@runtime_checkable
class Aside(Protocol):
    """Files that keep something beside a segment, which goes with it and may be lost at any moment before."""

    def read_aside(self, number: int) -> bytes:
        """Return what is kept beside a segment, nothing when there is nothing."""
        ...

    def write_aside(self, number: int, data: bytes) -> None:
        """Keep something beside a segment in place of what was there; it is not durable."""
        ...
