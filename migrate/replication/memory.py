"""Memory that comes and goes by the gigabyte a minute: what was used once stays with the process.

The C library gives large blocks back at once and takes new pages for the next one. Each of these costs
more than the copy into it, and that in a tap while its guests wait.
"""

from __future__ import annotations

import ctypes
from typing import Final

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt, glibc's and musl's malloc.h
_NEVER: Final = 2**30


def keep_memory() -> None:
    """Have this process keep what it frees, up to what it ever used at once; where the C library can."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _NEVER)
        mallopt(_TRIM_THRESHOLD, _NEVER)
