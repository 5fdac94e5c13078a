"""A receiver's world in memory: a disk with a volatile cache, a log store, and a pipe.

Every operation that touches the world counts; at a chosen one the process dies. What was not flushed
may then be there, gone, or there in part, sector by sector, as a seeded random source decides.
"""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from migrate.replication import wire
from migrate.replication.channel import Buffer, Channel, ChannelClosed
from migrate.replication.dedupe.pools import Pool
from migrate.replication.leases import Leases
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.replication.sink import DiskSink
from migrate.sites.ports import Extent
from planner.errors import WherryError

KIB = 1024
SECTOR = 512


class Crash(BaseException):
    """The process is gone."""


class Clockwork:
    """Counts operations and ends the process at number ``die_at``."""

    def __init__(self, die_at: int | None = None) -> None:
        self.count = 0
        self.die_at = die_at
        self.dead = False

    def tick(self) -> bool:
        """Return True when this operation is the one the process dies in."""
        if self.dead:
            raise Crash
        self.count += 1
        self.dead = self.count == self.die_at
        return self.dead


class MemoryDisk:
    """A disk whose ``seen`` content is what reads return and whose ``durable`` one survives."""

    def __init__(self, content: bytes | int, clockwork: Clockwork | None = None) -> None:
        self.durable = bytearray(content)
        self.seen = bytearray(self.durable)
        self.pending: list[tuple[int, bytes]] = []
        self.clockwork = clockwork or Clockwork()
        self.flush_fails_at: int | None = None
        self.write_fails_at: tuple[int, int] | None = None  # (number, errno)
        self.flushes = self.writes = 0
        self._lock = threading.Lock()

    @property
    def size_bytes(self) -> int:
        return len(self.seen)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        assert 0 <= offset <= offset + len(buffer) <= len(self.seen)
        buffer[:] = self.seen[offset : offset + len(buffer)]

    def allocated(self) -> Iterator[tuple[int, int]]:
        block = 4 * KIB
        for at in range(0, len(self.seen), block):
            piece = self.seen[at : at + block]
            if any(piece):
                yield at, len(piece)

    def write(self, data: bytes | memoryview, offset: int) -> None:
        assert 0 <= offset <= offset + len(data) <= len(self.seen)
        dies = self.clockwork.tick()
        self.writes += 1
        if self.write_fails_at and self.writes >= self.write_fails_at[0]:
            raise OSError(self.write_fails_at[1], "injected")
        with self._lock:
            self.pending.append((offset, bytes(data)))
            self.seen[offset : offset + len(data)] = data
        if dies:
            raise Crash

    def zero(self, offset: int, length: int) -> None:
        self.write(bytes(length), offset)

    def flush(self) -> None:
        due = len(self.pending)  # what is written while a flush runs may wait for the next one
        if self.clockwork.tick():
            raise Crash
        self.flushes += 1
        if self.flushes == self.flush_fails_at:
            self.pending.clear()  # the kernel forgets the pages, yet reads still show them
            raise OSError(errno.EIO, "injected")
        with self._lock:  # writes may come meanwhile, from the thread that receives
            for offset, data in self.pending[:due]:
                self.durable[offset : offset + len(data)] = data
            del self.pending[:due]

    def close(self) -> None:
        pass

    def lose_power(self, rng: random.Random) -> None:
        """Keep a random part of what was not flushed."""
        for offset, data in self.pending:
            fate = rng.random()
            for at in range(0, len(data), SECTOR):
                if fate < 0.4 or (fate < 0.7 and rng.random() < 0.5):
                    piece = data[at : at + SECTOR]
                    self.durable[offset + at : offset + at + len(piece)] = piece
        self.pending.clear()
        self.seen = bytearray(self.durable)


class MemoryLog:
    """A log store; a death inside an append leaves a torn tail, inside a replace the old or the new."""

    def __init__(self) -> None:
        self.content = b""
        self.aside = b""
        self.clockwork = Clockwork()
        self.rng = random.Random(0)
        self.fails = False

    def read(self) -> bytes:
        return self.content

    def append(self, data: bytes) -> None:
        if self.fails:
            raise OSError(errno.EIO, "injected")
        if self.clockwork.tick():
            self.content += data[: self.rng.randrange(len(data) + 1)]
            raise Crash
        self.content += data

    def replace(self, data: bytes) -> None:
        if self.fails:
            raise OSError(errno.EIO, "injected")
        if self.clockwork.tick():
            if self.rng.random() < 0.5:
                self.content = data
            raise Crash
        self.content = data

    def set_aside(self, data: bytes) -> None:
        self.aside = data


class _Stream:
    def __init__(self) -> None:
        self.data = bytearray()
        self.closed = False
        self.changed = threading.Condition()


class PipeChannel:
    """One end of an in-memory pipe. ``cut_at`` breaks it in the middle of the nth send."""

    def __init__(self, incoming: _Stream, outgoing: _Stream, cut_at: int | None = None) -> None:
        self._in, self._out = incoming, outgoing
        self._cut_at = cut_at
        self.sends = 0

    def send(self, parts: Sequence[Buffer]) -> None:
        data = b"".join(bytes(part) for part in parts)
        self.sends += 1
        cut = self.sends == self._cut_at
        with self._out.changed:
            if self._out.closed:
                raise ChannelClosed("the peer closed the connection")
            self._out.data += data[: len(data) // 2] if cut else data
            self._out.changed.notify_all()
        if cut:
            self.close()
            raise ChannelClosed("the connection was cut")

    def recv_into(self, buffer: memoryview) -> None:
        with self._in.changed:
            while len(self._in.data) < len(buffer):
                if self._in.closed:
                    raise ChannelClosed("the peer closed the connection")
                if not self._in.changed.wait(120):
                    raise ChannelClosed("the peer did not answer in time")
            buffer[:] = self._in.data[: len(buffer)]
            del self._in.data[: len(buffer)]

    def close(self) -> None:
        for stream in (self._in, self._out):
            with stream.changed:
                stream.closed = True
                stream.changed.notify_all()


def pipe(cut_sender_at: int | None = None) -> tuple[PipeChannel, PipeChannel]:
    """Return the sender's and the receiver's end."""
    up, down = _Stream(), _Stream()
    return PipeChannel(down, up, cut_sender_at), PipeChannel(up, down)


class Witness:
    """A sender's channel that notes, from the frames alone, which runs were acknowledged as durable."""

    def __init__(self, inner: PipeChannel, ack_bytes: int) -> None:
        self._inner = inner
        self._ack_bytes = ack_bytes
        self._stretches: list[list[Extent]] = [[]]
        self._weight = 0
        self._acks = 0
        self.acknowledged: list[Extent] = []

    def send(self, parts: Sequence[Buffer]) -> None:
        for part in parts:
            if len(part) == wire.HEADER_BYTES and bytes(part[:4]) == wire.MAGIC:
                header = wire.parse_header(part)
                if header.kind in {wire.Kind.DATA, wire.Kind.ZERO, wire.Kind.KEEP, wire.Kind.HELD}:
                    self._stretches[-1].append(Extent(header.offset, header.length))
                    self._weight += wire.weight(header.kind, header.length)
                    if self._weight >= self._ack_bytes:
                        self._weight = 0
                        self._stretches.append([])
        self._inner.send(parts)

    def recv_into(self, buffer: memoryview) -> None:
        self._inner.recv_into(buffer)
        if len(buffer) == wire.HEADER_BYTES and wire.parse_header(buffer).kind is wire.Kind.ACK:
            self.acknowledged += self._stretches[self._acks]
            self._acks += 1

    def close(self) -> None:
        self._inner.close()


@dataclass
class World:
    """A target site: its disk and log survive, its receiver processes come and go."""

    disk: MemoryDisk
    log: MemoryLog = field(default_factory=MemoryLog)
    ack_bytes: int = 128 * KIB
    make_sink: Callable[[MemoryDisk], object] = DiskSink
    overlap: bool = False
    wrap: Callable[[Channel], Channel] = lambda near: near
    pool: Callable[[], Pool | None] = lambda: None
    open_disk: Callable[[MemoryDisk], MemoryDisk] = lambda disk: disk
    acknowledged: list[Extent] = field(default_factory=list)
    operations: int = 0
    sends: int = 0
    leases: Leases = field(default_factory=lambda: Leases(5.0))

    def send(
        self,
        source: MemoryDisk,
        spec: PassSpec,
        mode: Mode,
        *,
        extents: Sequence[Extent] | None = None,
        die_at: int | None = None,
        cut_at: int | None = None,
        rng: random.Random | None = None,
        **options: object,
    ) -> PassResult | WherryError:
        """Run one pass against a new receiver process and return its result, or what it raised."""
        clockwork = Clockwork(die_at)
        self.disk.clockwork = self.log.clockwork = clockwork
        near, far = pipe(cut_at)
        witness = Witness(near, self.ack_bytes)
        receiver = Receiver(
            lambda _volume: self.open_disk(self.disk),
            lambda volume: ProgressLog(self.log, volume),
            leases=self.leases,
            make_sink=self.make_sink,  # type: ignore[arg-type]
            ack_bytes=self.ack_bytes,
            overlap=self.overlap,
        )

        def serve() -> None:
            try:
                receiver.serve(far, pool=self.pool)
            except (Crash, WherryError):
                pass
            finally:
                far.close()

        thread = threading.Thread(target=serve)
        thread.start()
        outcome: PassResult | WherryError
        options.setdefault("workers", 0)
        options.setdefault("block_bytes", 64 * KIB)
        try:
            outcome = send_pass(source, self.wrap(witness), spec, mode=mode, extents=extents, **options)  # type: ignore[arg-type]
        except WherryError as error:
            outcome = error
        finally:  # also when the source fails, which is the caller's
            near.close()
            thread.join(120)
            self.acknowledged = witness.acknowledged
        assert not thread.is_alive()
        self.operations = clockwork.count
        self.sends = near.sends
        if clockwork.dead and rng is not None:
            self.log.rng = rng
            self.disk.lose_power(rng)
        self.disk.clockwork = self.log.clockwork = Clockwork()
        return outcome


def make_content(rng: random.Random, size_bytes: int) -> bytes:
    """Return a disk's content: zeros, text and noise in runs of 4 to 200 KiB."""
    parts: list[bytes] = []
    size = 0
    while size < size_bytes:
        length = rng.randint(1, 50) * 4 * KIB
        kind = rng.random()
        if kind < 0.4:
            part = bytes(length)
        elif kind < 0.7:
            part = (b"row %d;" % rng.randrange(10**6)) * (length // 6 + 1)
        else:
            part = rng.randbytes(length)
        parts.append(part[:length])
        size += length
    return b"".join(parts)[:size_bytes]


def change(rng: random.Random, content: bytes, writes: int = 6) -> tuple[bytes, list[Extent]]:
    """Return the content after some writes, and the areas they touched."""
    changed = bytearray(content)
    areas = []
    for _ in range(writes):
        length = min(rng.randint(1, 40) * SECTOR, len(changed))
        offset = rng.randrange(0, len(changed) - length + 1)
        changed[offset : offset + length] = bytes(length) if rng.random() < 0.3 else rng.randbytes(length)
        areas.append(Extent(offset, length))
    return bytes(changed), areas
