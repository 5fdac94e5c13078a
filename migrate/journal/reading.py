"""What those who look into a journal read of it: tables, and pieces of data, checked and unpacked.

A few pieces are kept. One reader serves everybody who looks into the same journal.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from blake3 import blake3

from migrate.journal.files import Files
from migrate.journal.frames import DIGEST_BYTES, HEADER_BYTES, JournalCorrupt
from migrate.journal.index_files import IndexFiles
from migrate.journal.recovery import Ref, read_table
from migrate.journal.writes import PIECE_BYTES, place, unpack_piece, unpacking

KEPT: Final = 1024  # pieces of 32 KiB


class _Own(threading.local):
    """What each thread has for itself."""

    def __init__(self) -> None:
        self.unpacker = unpacking()


class FrameReader:
    """Reads frames of one journal. Thread-safe."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._kept: OrderedDict[tuple[int, int, int], bytes | memoryview] = OrderedDict()
        self._lock = threading.Lock()
        self._own = _Own()
        self.index_files = IndexFiles(files)

    def table(self, ref: Ref) -> bytes:
        """Return the table of a frame; raises JournalCorrupt, OSError."""
        return read_table(self._files, ref)

    def read_into(self, buffer: memoryview, ref: Ref, told: bytes, at: int) -> None:
        """Fill ``buffer`` with what is at ``at`` of a frame's data; raises JournalCorrupt, OSError.

        ``told`` is what the frame's table tells of its pieces.
        """
        done, length = 0, len(buffer)
        while done < length:
            number, skip = divmod(at + done, PIECE_BYTES)
            part = self._piece(ref, told, number)[skip : skip + length - done]
            if not len(part):
                raise _broken(ref)
            buffer[done : done + len(part)] = part
            done += len(part)

    def _piece(self, ref: Ref, told: bytes, number: int) -> bytes | memoryview:
        key = (ref.segment, ref.offset, number)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        header = ref.header
        start, end, digest = place(told, number)
        stored = self._files.read(ref.segment, ref.offset + HEADER_BYTES + header.table + start, end - start)
        if blake3(stored).digest(DIGEST_BYTES) != digest:
            raise _broken(ref)
        raw_bytes = min(PIECE_BYTES, header.raw - number * PIECE_BYTES)
        found = unpack_piece(self._own.unpacker, header, stored, raw_bytes)
        with self._lock:
            self._kept[key] = found
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def _broken(ref: Ref) -> JournalCorrupt:
    return JournalCorrupt(
        f"the data of record {ref.header.first} in segment {ref.segment} of a journal is broken",
        "compare the group with its source",
    )
