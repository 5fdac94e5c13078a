"""The highest record of each VM that was acknowledged; survives the death of the hypervisor."""

from __future__ import annotations

import os
from pathlib import Path


class Acks:
    """One 8-byte file a VM, named by its content id."""

    def __init__(self, folder: Path) -> None:
        """Use ``folder``, which exists."""
        self._folder = folder

    def put(self, owner: str, number: int) -> None:
        """Remember that everything up to ``number`` is acknowledged."""
        fd = os.open(self._folder / owner, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.pwrite(fd, number.to_bytes(8, "little"), 0)
        finally:
            os.close(fd)

    def get(self, owner: str) -> int:
        """Return the highest acknowledged record, 0 when none is known."""
        try:
            return int.from_bytes((self._folder / owner).read_bytes()[:8], "little")
        except FileNotFoundError:
            return 0

    def forget(self, owner: str) -> None:
        """Forget a VM whose disks got other content."""
        (self._folder / owner).unlink(missing_ok=True)
