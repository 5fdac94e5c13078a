"""Which disks are attached to a mover's VM, remembered before they are: a death leaves none forgotten.

One file a disk, locked by whoever uses it and holding its name while it is, or may be, attached. A file
with a name that nobody holds locked is of a process that died: its disk is to be detached.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.sites.vsphere.transports.slots import locked
from planner.errors import ProjectBusy
from planner.names import content_id, visible

_NAME_MAX = 4096
_LOOKS, _LOOK_S = 50, 0.1


class Attachments:
    """The record of one mover's VM below a folder."""

    def __init__(self, folder: Path, sleep: Callable[[float], None] = time.sleep) -> None:
        self._folder = folder
        self._sleep = sleep

    @contextmanager
    def abandoned(self) -> Iterator[list[str]]:
        """Yield the disks of dead processes, held while they are detached; forgotten when that went well."""
        held: list[tuple[int, str]] = []
        try:
            for path in sorted(self._folder.glob("*.attached")):
                if (fd := locked(path)) is None:
                    continue
                if name := os.pread(fd, _NAME_MAX, 0).decode("utf-8", "surrogateescape"):
                    held.append((fd, name))
                else:
                    os.close(fd)
            yield [name for _, name in held]
            for fd, _ in held:
                _write(fd, "")
        finally:
            for fd, _ in held:
                os.close(fd)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until no other process of this machine looks for a free place on the mover's VM."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self._folder / "attaching").open("wb") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def hold(self, disk: str) -> Attachment:
        """Take a disk for this process alone; nothing is remembered yet. Raises ProjectBusy."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._folder / f"{content_id('attached', disk)}.attached"
        for _ in range(_LOOKS):  # who cleans up holds it for a moment
            if (fd := locked(path)) is not None:
                return Attachment(fd, disk)
            self._sleep(_LOOK_S)
        raise ProjectBusy(f"disk {visible(disk, 200)} is attached here for somebody else", "try again later")


class Attachment:
    """A disk that is ours until it is let go. One that was never remembered is simply let go."""

    def __init__(self, fd: int, disk: str) -> None:
        self._fd = fd
        self._disk = disk

    def remember(self) -> None:
        """Remember, durably, that the disk may be attached from now on."""
        _write(self._fd, self._disk)

    def forget(self) -> None:
        """The disk certainly is not attached by us: remember nothing and let it go."""
        _write(self._fd, "")
        os.close(self._fd)

    def leave(self) -> None:
        """The disk may still be attached: let it go for whoever cleans up."""
        os.close(self._fd)


def _write(fd: int, name: str) -> None:
    os.ftruncate(fd, 0)
    os.pwrite(fd, name.encode("utf-8", "surrogateescape"), 0)
    os.fsync(fd)
