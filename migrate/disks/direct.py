"""Writes past the page cache: long aligned runs go from buffers of whole pages to the medium.

A replica is written once and hardly read, so the cache costs processor time and memory and keeps
nothing of use. Where a file system cannot do it, or a run is short or crooked, the usual way is taken.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
from queue import Empty, SimpleQueue
from typing import Final

from planner.units import KIB, MIB

ALIGNED: Final = 4 * KIB  # sectors of 512 bytes and of 4 KiB are both content with it
SHORTEST: Final = 256 * KIB  # below, what the kernel gathers in its cache goes out in fewer pieces


class Direct:
    """A second way into a file that is open for writing. May be used from several threads."""

    def __init__(self, fd: int) -> None:
        """Open the file behind ``fd`` anew; where that cannot be, ``write`` takes nothing."""
        self._fd = -1
        self._refused = False
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        with contextlib.suppress(OSError):
            self._fd = os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_DIRECT | os.O_CLOEXEC)

    def write(self, view: memoryview, offset: int) -> int:
        """Write as much of the beginning of ``view`` as can go this way and return how many bytes went.

        Raises OSError of the medium.
        """
        if self._fd < 0 or self._refused or len(view) < SHORTEST or offset % ALIGNED:
            return 0
        try:
            buffer = self._free.get_nowait()
        except Empty:
            buffer = memoryview(mmap.mmap(-1, MIB))
        done, whole = 0, len(view) - len(view) % ALIGNED
        try:
            while done < whole:
                part = buffer[: min(MIB, whole - done)]
                part[:] = view[done : done + len(part)]
                wrote = os.pwrite(self._fd, part, offset + done)
                done += wrote
                if wrote < len(part):  # the next one says why, in the usual way
                    return done
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            self._refused = True  # larger sectors than ours, or a file system that only pretended
        finally:
            self._free.put(buffer)
        return done

    def close(self) -> None:
        """Close this way; nobody may be writing."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)
