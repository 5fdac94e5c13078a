"""What a receiver may promise when a conversation begins or ends badly; each was found by simulation."""

from __future__ import annotations

import errno
import threading

from migrate.replication.channel import ChannelClosed
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from planner.errors import SiteRefused, StepFailed, WherryError
from tests.migrate.replication.model import KIB, Crash, MemoryDisk, MemoryLog, PipeChannel, World, pipe

SIZE = 256 * KIB
OLD, NEW = b"old " * (SIZE // 4), b"new!" * (SIZE // 4)


def test_a_generation_with_nothing_to_write_shuts_older_ones_out() -> None:
    world = World(MemoryDisk(SIZE))
    for generation in (1, 2):
        result = world.send(MemoryDisk(OLD), PassSpec("v", "p1", SIZE, generation), Mode.SEED)
        assert isinstance(result, PassResult)
    late = world.send(MemoryDisk(NEW), PassSpec("v", "p2", SIZE, 1), Mode.SEED)
    assert isinstance(late, SiteRefused)
    assert world.disk.durable == OLD


def test_a_connection_may_break_under_the_last_acknowledgement() -> None:
    disk, log = MemoryDisk(SIZE), MemoryLog()
    near, far = pipe()
    last = PipeChannel(far._in, far._out, cut_at=2)  # WELCOME goes out, the acknowledgement half
    ends: list[BaseException] = []

    def serve() -> None:
        try:
            Receiver(lambda _name: disk, lambda name: ProgressLog(log, name)).serve(last)
        except (WherryError, AssertionError) as error:
            ends.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        send_pass(MemoryDisk(OLD), near, PassSpec("v", "p1", SIZE), mode=Mode.SEED, workers=0)
    except ChannelClosed as error:
        ends.append(error)
    thread.join(60)
    assert [type(error) for error in ends] == [ChannelClosed, ChannelClosed]
    done = ProgressLog(log, "v").state.done
    assert done is not None
    assert done.pass_id == "p1"
    assert disk.durable == OLD


def test_a_failed_flush_loses_what_an_earlier_conversation_wrote_too() -> None:
    world = World(MemoryDisk(OLD), ack_bytes=SIZE)
    spec = PassSpec("v", "p1", SIZE)
    world.disk.write_fails_at = (4, errno.EIO)
    assert isinstance(world.send(MemoryDisk(NEW), spec, Mode.SEED), StepFailed)
    assert world.disk.seen[: 192 * KIB] == NEW[: 192 * KIB]  # written, not flushed
    world.disk.write_fails_at = None
    world.disk.flush_fails_at = world.disk.flushes + 1
    world.ack_bytes = 64 * KIB  # of this conversation, one write comes before the flush
    assert isinstance(world.send(MemoryDisk(NEW), spec, Mode.SEED), StepFailed)
    assert world.disk.durable == OLD
    third = world.send(MemoryDisk(NEW), spec, Mode.SEED)
    assert isinstance(third, PassResult)
    assert third.mode is Mode.COMPARE
    assert world.disk.durable == NEW


class _Unsynced(MemoryLog):
    """A log whose process dies between rename and sync."""

    def __init__(self) -> None:
        super().__init__()
        self.durable = b""
        self.dies = False

    def append(self, data: bytes) -> None:
        super().append(data)
        self.durable = self.content

    def replace(self, data: bytes) -> None:
        super().replace(data)
        if self.dies:
            raise Crash
        self.durable = data


def test_what_was_read_from_a_log_is_synced_before_anything_rests_on_it() -> None:
    log = _Unsynced()
    world = World(MemoryDisk(SIZE), log)
    first = PassSpec("v", "p1", SIZE)
    assert isinstance(world.send(MemoryDisk(OLD), first, Mode.SEED), PassResult)
    log.dies = True
    second = PassSpec("v", "p2", SIZE)
    assert isinstance(world.send(MemoryDisk(NEW), second, Mode.SEED), ChannelClosed)
    log.dies = False
    world.disk.write_fails_at = (world.disk.writes + 2, errno.EIO)
    assert isinstance(world.send(MemoryDisk(NEW), second, Mode.SEED), StepFailed)
    world.disk.write_fails_at = None
    world.disk.durable[:] = world.disk.seen  # the write reached the disk before the power went
    log.content = log.durable
    again = world.send(MemoryDisk(OLD), first, Mode.SEED)
    assert isinstance(again, PassResult)
    assert again.sent_bytes > 0
    assert world.disk.durable == OLD
