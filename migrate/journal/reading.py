"""Frames read by those who look into a journal: checked, unpacked, and a few of them kept."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from migrate.journal.files import Files
from migrate.journal.frames import JournalCorrupt
from migrate.journal.recovery import Ref, read_stored, read_table
from migrate.journal.writes import Row, is_stored, rows, unpack

KEPT: Final = 128  # frames of 256 KiB


@dataclass(frozen=True, slots=True)
class Unpacked:
    """A frame's rows and its data."""

    rows: list[Row]
    data: bytes

    def part(self, row: int, offset: int, end: int) -> bytes | memoryview | None:
        """Return bytes ``offset`` to ``end`` of a disk out of a row, None for zeros."""
        of = self.rows[row]
        if of.at < 0:
            return None
        low = of.at + offset - of.offset
        return memoryview(self.data)[low : low + end - offset]


class FrameReader:
    """Reads frames of one journal. Thread-safe."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._kept: OrderedDict[tuple[int, int], Unpacked] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, ref: Ref) -> Unpacked:
        """Return a frame of writes; raises JournalCorrupt when it is not what was written, OSError."""
        place = (ref.segment, ref.offset)
        with self._lock:
            found = self._kept.get(place)
            if found is not None:
                self._kept.move_to_end(place)
                return found
        table, stored = read_table(self._files, ref), read_stored(self._files, ref)
        if not is_stored(table, stored):
            raise JournalCorrupt(
                f"the data of record {ref.header.first} in segment {ref.segment} of a journal is broken",
                "compare the group with its source",
            )
        unpacked = Unpacked(rows(ref.header, table), unpack(ref.header, stored))
        with self._lock:
            self._kept[place] = unpacked
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return unpacked

    def rows(self, ref: Ref) -> list[Row]:
        """Return the rows of a frame without its data; raises JournalCorrupt, OSError."""
        return rows(ref.header, read_table(self._files, ref))
