"""A group behind a tap, streamed to a receiver in this process: all real but the network and the guests.

Each 4 KiB a guest writes hold the number of the write, so that a content tells which writes are in it.
``prefix`` is the oracle: every checkpoint is what the disks were after some number of writes, all of them.
"""

from __future__ import annotations

import random
import socket
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from migrate.daemons.registered import Register
from migrate.disks.ports import ReadableDisk
from migrate.journal.group import GroupJournal
from migrate.journal.store import Journals
from migrate.replication.channel import Channel, ChannelClosed, SocketChannel
from migrate.replication.leases import Leases
from migrate.replication.logfile import LogFile
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.streaming import Inlet
from migrate.tap.copying import Copying
from migrate.tap.disk import TappedDisk
from migrate.tap.opening import Opened, open_group
from migrate.tap.recorder import LEAST, Recorder
from migrate.tap.streamed import Streamed
from migrate.tap.streaming import Streaming
from planner.errors import WherryError
from planner.units import KIB, MIB

T = TypeVar("T")
BLOCK = 4 * KIB
GROUP = "crm [/]\x1b"
SIZE = 9 * MIB + 12 * KIB  # the last area is short
VOLUMES = ("app/0", "db/0")
_BEFORE = 2**40  # numbers of what was there before the tap


class Writes:
    """What guests wrote, in their order, and what the disks hold by that."""

    def __init__(self, disks: int = len(VOLUMES), size: int = SIZE) -> None:
        self.blocks = size // BLOCK
        self.initial = [array("Q", bytes(8 * self.blocks)) for _ in range(disks)]
        self.history: list[tuple[int, int, int, int]] = []

    def content(self, upto: int | None = None) -> list[array[int]]:
        """Return the numbers on the disks after so many writes."""
        now = [array("Q", one) for one in self.initial]
        for write in self.history[:upto]:
            _apply(now, write)
        return now

    def prefix(self, found: Sequence[array[int]]) -> int | None:
        """Return after how many writes the disks held this, None when they never did."""
        newest = max((number for one in found for number in one if number < _BEFORE), default=0)
        now = [array("Q", one) for one in self.initial]
        for count, write in enumerate([None, *self.history]):
            if write is not None:
                if count > newest and write[3]:
                    return None  # it would be seen
                _apply(now, write)
            if count >= newest and all(a == b for a, b in zip(now, found, strict=True)):
                return count
        return None


def _apply(now: Sequence[array[int]], write: tuple[int, int, int, int]) -> None:
    disk, block, count, number = write
    now[disk][block : block + count] = array("Q", [number]) * count


def filled(numbers: array[int]) -> bytes:
    """Return the bytes of blocks with these numbers."""
    return b"".join(number.to_bytes(8, "little") * (BLOCK // 8) for number in numbers)


def numbers_of(disk: ReadableDisk) -> array[int]:
    """Return the numbers on a disk, every byte of which has to be of one."""
    buffer = bytearray(disk.size_bytes)
    disk.read_into(memoryview(buffer), 0)
    found = array("Q", memoryview(buffer).cast("Q")[:: BLOCK // 8].tolist())
    assert filled(found) == buffer
    return found


class Far:
    """The receiver's end: disks of the group, a store, and whoever is connected."""

    def __init__(self, folder: Path, size: int = SIZE, old: bytes = b"old!") -> None:
        folder.mkdir()
        self.store = folder
        self.paths = {}
        for volume in VOLUMES:
            path = folder / f"{volume.replace('/', '-')}.img"
            path.write_bytes(old * (size // len(old)))
            self.paths[volume] = path
        self.channels: list[SocketChannel] = []
        self.threads: list[threading.Thread] = []
        self.refused: list[str] = []
        self.is_up = True
        self.door = threading.Lock()
        self.start()

    def start(self) -> None:
        self.register = Register((volume, path, GROUP) for volume, path in self.paths.items())
        self.journals = Journals(self.store, self.register.groups(), self.register)
        self.leases = Leases(patience_s=0.3)
        self.inlet = Inlet(self.journals, self.open_log)
        self.receiver = Receiver(
            self.journals.open_write, self.open_log, leases=self.leases, inlet=self.inlet,
            resynced=self.journals.resynced,
        )  # fmt: skip

    def open_log(self, volume: str) -> ProgressLog:
        return ProgressLog(LogFile(self.store, volume), volume)

    @property
    def group(self) -> GroupJournal:
        return self.journals.group(GROUP)

    def connect(self) -> Channel:
        with self.door:
            if not self.is_up:
                raise ChannelClosed("nobody answers")
            near, far = socket.socketpair()
            channel = SocketChannel(far, 30.0)
            thread = threading.Thread(target=self._serve, args=(channel,), daemon=True)
            thread.start()
            self.channels.append(channel)
            self.threads.append(thread)
            return SocketChannel(near, 30.0)

    def _serve(self, channel: SocketChannel) -> None:
        try:
            self.receiver.serve(channel)
        except WherryError as error:
            self.refused.append(error.message)
        finally:
            channel.close()

    def cut(self) -> None:
        """Break every connection there is."""
        with self.door:
            channels, self.channels = self.channels, []
        for channel in channels:
            channel.close()

    def restart(self) -> None:
        """End without a word and begin anew: what was promised is all there is."""
        with self.door:
            was_up, self.is_up = self.is_up, False
        self.end()
        self.start()
        self.is_up = was_up

    def end(self) -> None:
        self.cut()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()
        self.threads = []
        self.journals.close()

    def image_bytes(self, record: int) -> list[bytes]:
        found = []
        for volume in VOLUMES:
            image = self.group.image(record, volume)
            buffer = bytearray(image.size_bytes)
            image.read_into(memoryview(buffer), 0)
            image.close()
            found.append(bytes(buffer))
        return found

    def image(self, record: int) -> list[array[int]]:
        found = []
        for volume in VOLUMES:
            image = self.group.image(record, volume)
            found.append(numbers_of(image))
            image.close()
        return found


class Near:
    """The tap's end: disks, a tap without a network in front, and one guest that writes to all of them."""

    def __init__(
        self, folder: Path, far: Far, rng: random.Random, *, writes: Writes | None = None, **how: Any
    ) -> None:
        self.folder = folder
        self.far = far
        self.rng = rng
        self.how = how
        self.front = threading.RLock()
        self.during_read: Callable[[int, int, int], None] = lambda _disk, _offset, _length: None
        self.writes = writes or Writes()
        if writes is None:
            folder.mkdir()
            for number, volume in enumerate(VOLUMES):
                blocks = self.writes.initial[number]
                for _ in range(40):
                    block = rng.randrange(len(blocks))
                    blocks[block] = _BEFORE + block
                (folder / f"{volume.replace('/', '-')}.img").write_bytes(filled(blocks))
        self.start()

    def start(self) -> None:
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        wanted = [(volume, self.folder / f"{volume.replace('/', '-')}.img") for volume in VOLUMES]
        self.opened: Opened = open_group(state, GROUP, wanted)
        self.recorder = Recorder(self.how.get("limit", LEAST), self.opened.areas.cool)
        self.disks: list[TappedDisk] = self.opened.tapped(self.recorder)
        self.copying = Copying(self.opened.areas, [_Read(self, n) for n in range(len(VOLUMES))],
                               self.recorder, self.in_front)  # fmt: skip
        self.streaming = Streaming(
            Streamed(
                GROUP,
                tuple((volume, SIZE) for volume in VOLUMES),
                self.how.get("tap", self.opened.name),
                self.how.get("generation", 0),
                every_s=self.how.get("every_s", 0.02),
            ),
            self.recorder,
            self.copying,
            lambda: self.far.connect(),
            backoff_s=(0.01, 0.02, 0.05),
        )
        self.streaming.start()

    def in_front(self, call: Callable[[], T]) -> T:
        with self.front:
            return call()

    def kill(self) -> None:
        """End without a word, as a process that was killed: its disks and maps stay as they are."""
        self.streaming.stop()
        self.opened.areas.close(None)
        for disk in self.disks:
            disk.close()

    def write(self, disk: int, block: int, count: int, *, zero: bool = False) -> None:
        """Write as a guest does."""
        with self.front:
            offset, length = block * BLOCK, count * BLOCK
            tapped, areas = self.disks[disk], self.opened.areas
            while not tapped.may_begin(offset, length):
                change = areas.change()
                assert change is not None
                change.write()
                areas.changed(change)
            number = 0 if zero else len(self.writes.history) + 1
            self.writes.history.append((disk, block, count, number))
            if zero:
                tapped.zero(offset, length)
            else:
                tapped.write(number.to_bytes(8, "little") * (length // 8), offset)
            if self.rng.random() < 0.05:
                areas.cool_down(areas.tend(self.recorder.last))

    def burst(self, count: int, most: int = 40) -> None:
        for _ in range(count):
            blocks = min(self.rng.choice((1, 1, 1, 2, 8, most)), self.writes.blocks)
            place = self.rng.randrange(self.writes.blocks - blocks + 1)
            self.write(self.rng.randrange(len(VOLUMES)), place, blocks, zero=self.rng.random() < 0.15)

    def is_as_written(self) -> bool:
        return [numbers_of(disk) for disk in self.opened.disks] == self.writes.content()


class _Read:
    """A disk as it is copied; what happens while it is read can be chosen."""

    def __init__(self, near: Near, number: int) -> None:
        self._near = near
        self._number = number

    @property
    def size_bytes(self) -> int:
        return SIZE

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self._near.opened.disks[self._number].read_into(buffer, offset)
        self._near.during_read(self._number, offset, len(buffer))

    def allocated(self) -> Any:
        return self._near.opened.disks[self._number].allocated()

    def close(self) -> None: ...


def until(holds: Callable[[], bool], patience_s: float = 30.0) -> None:
    """Wait until something holds; fails when it does not come."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
