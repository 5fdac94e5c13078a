"""Indexes of whole segments, kept beside them: in memory while somebody uses one, and in files.

    magic | key | frames | disks | (number, runs)... | bytes of pieces of each frame | runs | pieces | digest

A file is a cache and may be lost, torn, stale or another journal's at any moment: it is believed when its
digest fits and its key is that of the frames it is asked for, which their tags make. Else the segment's
tables are read again.
"""

from __future__ import annotations

import contextlib
import struct
import sys
import threading
from array import array
from collections.abc import Sequence
from typing import Final
from weakref import WeakValueDictionary

from blake3 import blake3

from migrate.journal.files import Aside, Files
from migrate.journal.frames import DIGEST_BYTES
from migrate.journal.index import DiskIndex, FramesIndex
from migrate.journal.recovery import Ref

_MAGIC: Final = b"WJX1" + sys.byteorder[:1].encode()  # numbers are as this machine writes them
_HEAD: Final = struct.Struct("<5s16sII")
_DISK: Final = struct.Struct("<II")


class IndexFiles:
    """The indexes of the segments in ``files``. Thread-safe."""

    def __init__(self, files: Files) -> None:
        self._aside = files if isinstance(files, Aside) else None
        self._lock = threading.Lock()
        self._used: WeakValueDictionary[bytes, FramesIndex] = WeakValueDictionary()
        self._there: set[bytes] = set()

    def is_there(self, frames: Sequence[Ref]) -> bool:
        """Tell whether the index of these frames was found or put into a file before, by us."""
        return self._aside is None or _key(frames) in self._there

    def load(self, frames: Sequence[Ref], *, whole: bool) -> FramesIndex | None:
        """Return the index of frames of writes of one segment, None when there is none to believe.

        Only that of a ``whole`` segment is in a file.
        """
        key = _key(frames)
        with self._lock:
            found = self._used.get(key)
            if found is None and whole and self._aside is not None:
                found = _loaded(self._aside.read_aside(frames[0].segment), key, len(frames))
                if found is not None:
                    self._used[key] = found
                    self._there.add(key)
            return found

    def save(self, frames: Sequence[Ref], index: FramesIndex, *, whole: bool) -> None:
        """Keep an index, that of a ``whole`` segment in a file; one that cannot be written is lost."""
        key = _key(frames)
        with self._lock:
            self._used[key] = index
            if whole and self._aside is not None:
                with contextlib.suppress(OSError):
                    self._aside.write_aside(frames[0].segment, _dumped(index, key))
                    self._there.add(key)


def _key(frames: Sequence[Ref]) -> bytes:
    tags = b"".join([ref.header.tag for ref in frames])
    return blake3(tags, derive_key_context="wherry journal 1 index key").digest(DIGEST_BYTES)


def _digest(raw: bytes | memoryview) -> bytes:
    return blake3(raw, derive_key_context="wherry journal 1 index").digest(DIGEST_BYTES)


def _dumped(index: FramesIndex, key: bytes) -> bytes:
    parts = [_HEAD.pack(_MAGIC, key, len(index.pieces), len(index.disks))]
    parts += [_DISK.pack(number, len(runs.starts)) for number, runs in index.disks.items()]
    parts.append(array("I", map(len, index.pieces)).tobytes())
    for runs in index.disks.values():
        parts += [part.tobytes() for part in (runs.starts, runs.ends, runs.frames, runs.ats)]
    raw = b"".join((*parts, *index.pieces))
    return raw + _digest(raw)


def _loaded(raw: bytes, key: bytes, frames: int) -> FramesIndex | None:
    if len(raw) < _HEAD.size + DIGEST_BYTES:
        return None
    view = memoryview(raw)[:-DIGEST_BYTES]
    if _HEAD.unpack_from(view)[:3] != (_MAGIC, key, frames) or _digest(view) != raw[-DIGEST_BYTES:]:
        return None
    at = _HEAD.size
    numbers = []
    for _ in range(_HEAD.unpack_from(view)[3]):
        numbers.append(_DISK.unpack_from(view, at))
        at += _DISK.size

    def taken(kind: str, count: int) -> array[int]:
        nonlocal at
        part: array[int] = array(kind)
        part.frombytes(view[at : at + count * part.itemsize])
        at += count * part.itemsize
        return part

    lengths = taken("I", frames)
    disks = {
        number: DiskIndex(taken("Q", runs), taken("Q", runs), taken("I", runs), taken("I", runs))
        for number, runs in numbers
    }
    told = []
    for length in lengths:
        told.append(raw[at : at + length])
        at += length
    return FramesIndex(disks, told)
