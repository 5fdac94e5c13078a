"""What the system has of a file in memory, as far as its file system tells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def is_cached(path: Path, offset: int) -> bool:
    """Tell whether a page is in memory; skips where the file system does not say."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.preadv(fd, [bytearray(4096)], offset, os.RWF_NOWAIT)
    except BlockingIOError:
        return False
    except OSError as error:
        pytest.skip(f"not run: this file system does not tell what is in memory ({error.strerror})")
    finally:
        os.close(fd)
    return True


def is_memory(path: Path) -> bool:
    """Tell whether a file lies in memory alone."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text("utf-8").splitlines()]
    inside = [mount for mount in mounts if path.resolve().is_relative_to(mount[1])]
    return max(inside, key=lambda mount: len(mount[1]))[2] in {"tmpfs", "ramfs"}
