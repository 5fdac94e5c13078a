"""A group at its target: replicas, progress logs and a journal on real files, and passes cut into events.

What survives a kill is here; the process that does not is ``group``. A disk of a cycle is full of one byte,
so what an image holds tells which cycle every byte came with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from migrate.disks.ports import WritableDisk
from migrate.journal.group import GroupJournal
from migrate.journal.state import Checkpoint
from migrate.replication.passes import Mode
from migrate.replication.progress import CurrentPass, ProgressLog, VolumeState
from migrate.sites.ports import Consistency, Extent
from tests.migrate.replication.model import MemoryLog

SIZE = 8192
HALF = SIZE // 2


class Replica:
    """A replica in memory."""

    def __init__(self, content: bytearray) -> None:
        self._content = content
        self.size_bytes = len(content)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        buffer[:] = self._content[offset : offset + len(buffer)]

    def allocated(self) -> Iterator[tuple[int, int]]:
        yield 0, self.size_bytes

    def write(self, data: bytes | memoryview, offset: int) -> None:
        self._content[offset : offset + len(data)] = data

    def zero(self, offset: int, length: int) -> None:
        self.write(bytes(length), offset)

    def flush(self) -> None:
        """Memory does not die with the process."""

    def close(self) -> None:
        """Nothing is held."""


class Replicas:
    """The disks of a target; see ``migrate.journal.group.Replicas``."""

    def __init__(self) -> None:
        self._contents: dict[str, bytearray] = {}

    def open_write(self, volume: str) -> Replica:
        return Replica(self._contents.setdefault(volume, bytearray(SIZE)))

    open_read = open_write


class Target:
    """A group of disks at its target."""

    def __init__(self, folder: Path, volumes: Sequence[str], kind: type[GroupJournal] = GroupJournal) -> None:
        self.folder = folder
        self.replicas = Replicas()
        self.logs: dict[str, MemoryLog] = {}
        self.kind = kind
        self.at_ms = 0
        self.asked: Callable[[str], None] = lambda _volume: None  # called when a state is asked for
        self.start(volumes)

    def start(self, volumes: Sequence[str]) -> None:
        """Begin a process."""
        self.volumes = tuple(volumes)
        self.group = self.kind("group", self.folder, volumes, self.replicas, self.state, self._now_ms)

    def kill(self) -> None:
        """End the process where it stands, and begin another."""
        self.group.close()
        self.start(self.volumes)

    def progress(self, volume: str) -> ProgressLog:
        """Return the progress log of a volume."""
        return ProgressLog(self.logs.setdefault(volume, MemoryLog()), volume)

    def state(self, volume: str) -> VolumeState:
        self.asked(volume)
        return self.progress(volume).state

    def run(self, volume: str, cycle: int, worth: Consistency = Consistency.CRASH) -> None:
        """Take in one whole pass."""
        one = Pass(self, volume, cycle, worth=worth)
        one.begin()
        one.end()

    def cycle(self, cycle: int) -> Checkpoint:
        """Take in a pass of every disk and return the checkpoint that comes of it."""
        for volume in self.volumes:
            self.run(volume, cycle)
        return self.group.checkpoints()[-1]

    def content(self, volume: str, cycle: int) -> bytes:
        """Return what the source of a volume held in a cycle."""
        return bytes([16 * self.volumes.index(volume) + cycle]) * SIZE

    def image(self, point: Checkpoint, volume: str) -> bytes:
        """Return a disk as it was at a checkpoint."""
        image = self.group.image(point.record, volume)
        try:
            buffer = bytearray(SIZE)
            image.read_into(memoryview(buffer), 0)
            return bytes(buffer)
        finally:
            image.close()

    def is_whole(self, point: Checkpoint) -> bool:
        """Tell whether a checkpoint holds of every disk what it held in that one cycle."""
        return self.holds(point, int(point.cycle.removeprefix("cycle-")))

    def holds(self, point: Checkpoint, cycle: int) -> bool:
        """Tell whether a checkpoint holds of every disk what it held in that cycle."""
        return all(self.image(point, volume) == self.content(volume, cycle) for volume in self.volumes)

    def _now_ms(self) -> int:
        self.at_ms += 1
        return self.at_ms


class Pass:
    """One pass of a disk as the receiver takes it in: begin, write, finish, close. Cycle 0 has no name."""

    def __init__(
        self,
        target: Target,
        volume: str,
        cycle: int,
        mode: Mode | None = None,
        worth: Consistency = Consistency.CRASH,
    ) -> None:
        self.volume, self.cycle, self._worth = volume, cycle, worth
        self._target = target
        self._mode = mode or (Mode.SEED if cycle == 1 else Mode.DELTA)
        self._data = target.content(volume, cycle)
        self._disk: WritableDisk = target.group.open_write(volume)
        self._progress = target.progress(volume)

    def begin(self) -> None:
        """Note that it begins, as the receiver does before anything is written."""
        name, cycle = f"{self.volume}-{self.cycle}", f"cycle-{self.cycle}" if self.cycle else ""
        begun = CurrentPass(name, self._mode, SIZE, name, False, cycle=cycle, consistency=self._worth)
        self._progress.begin(begun, 1)

    def write(self) -> None:
        """Write the first half."""
        self._disk.write(self._data[:HALF], 0)

    def finish(self) -> None:
        """Write the rest, and complete."""
        self.write()
        self._disk.write(self._data[HALF:], HALF)
        self._disk.flush()
        self._progress.hold([Extent(0, SIZE)])
        self._progress.finish(SIZE, SIZE)

    def close(self) -> None:
        """End the conversation, wherever the pass is."""
        self._disk.close()

    def end(self) -> None:
        """Finish and close."""
        self.finish()
        self.close()

    def lose_a_flush(self) -> None:
        """Break off because a flush failed: what is there is unknown."""
        self._progress.poison([Extent(0, HALF)])
        self._disk.close()
