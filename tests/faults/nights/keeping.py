"""What a mover of a night reads to keep what a target wrote, and whether all of that is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from migrate.kept import Checkpoints
from planner.errors import WherryError
from tests.faults.nights.rack import Rack
from tests.migrate.replication.model import MemoryDisk


class Distant:
    """The disks of a site, of which each read is answered by it, over the link if it is ``far``."""

    def __init__(self, rack: Rack, *, far: bool) -> None:
        self._rack, self._far = rack, far

    def open_read(self, volume: str, snapshot: str | None = None) -> MemoryDisk:
        """Return a disk."""
        return _Asked(bytes(self._rack.disks[volume].seen), self._rack, far=self._far)


class _Asked(MemoryDisk):
    def __init__(self, content: bytes, rack: Rack, *, far: bool) -> None:
        super().__init__(content)
        self._rack, self._far = rack, far

    def read_into(self, buffer: memoryview, offset: int) -> None:
        def work() -> None:
            super(_Asked, self).read_into(buffer, offset)

        links = self._rack.links
        links.ask(self._rack.process, f"read at {self._rack.name}", work, far=self._far)


def kept_wrong(folder: Path, began: Mapping[str, bytes], target: Rack) -> Iterator[str]:
    """Yield what of the target's own writes is not kept as it left them; ``began`` is what it began with."""
    checkpoints = Checkpoints(folder)
    manifests: list[Any] = checkpoints.names()
    if len(manifests) != 1:
        yield f"{len(manifests)} checkpoints are kept"
        return
    kept = {part["volume"]: part["bytes"] for part in manifests[0]["parts"]}
    if not any(kept.values()):
        yield "nothing is kept of what the target wrote"
    for volume, before in began.items():
        found = bytearray(before)
        try:
            for offset, data in checkpoints.read(manifests[0]["name"], volume):
                found[offset : offset + len(data)] = data
        except WherryError as error:
            yield f"{volume} is not kept: {error.message}"
        if found != target.disks[volume].seen:
            yield f"{volume} is not kept as the target left it"
