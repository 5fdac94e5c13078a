"""Small files that are whole or absent, whatever dies: write beside, sync, rename, sync the folder."""

from __future__ import annotations

import os
from pathlib import Path


def sync_directory(path: Path) -> None:
    """Make names created, renamed or removed in a folder durable."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Make ``path`` hold exactly ``data``, durably and at once; one writer at a time per path."""
    beside = path.with_name(f"{path.name}.new")
    fd = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)
    beside.rename(path)
    sync_directory(path.parent)


def remove_file(path: Path) -> None:
    """Remove ``path`` durably; one that is gone already is not an error."""
    try:
        path.unlink()
    except FileNotFoundError:
        return
    sync_directory(path.parent)
