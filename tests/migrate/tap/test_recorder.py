"""The order of a tap's writes: bounded, never in the way, and whole again after a connection broke."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest

from migrate.journal.writes import Write
from migrate.tap.chunks import Batch, Point
from migrate.tap.recorder import LEAST, ROOM, Mapped, Mode, Recorder
from planner.errors import BadInput, Blocked
from planner.units import KIB, MIB


def streaming(**how: object) -> Recorder:
    recorder = Recorder(LEAST, **how)  # type: ignore[arg-type]
    recorder.begin()
    recorder.finish(Point(0, whole=True))
    recorder.done(recorder.batch(1, 0).upto)
    return recorder


def test_writes_come_in_their_order_and_end_with_a_point() -> None:
    recorder = streaming()
    first = recorder.last
    for number in range(5):
        assert recorder.add(number % 2, number * 512, b"x" * 512, 512) == first + 1 + number
    recorder.add(1, 0, None, 4096)
    asked = Point(7, name="p")
    assert recorder.mark(asked) == first + 7
    recorder.add(0, 0, b"y", 1)
    batch = recorder.batch(MIB, 10)  # does not wait: there is a point
    assert (batch.after, batch.upto, batch.point) == (first, first + 7, asked)
    assert [(write.disk, write.offset, write.length) for write in batch.writes[:2]] == [
        (0, 0, 512),
        (1, 512, 512),
    ]
    assert batch.writes[5].data is None
    recorder.made(first + 7, 99)
    assert asked.made.result(0) == 99
    rest = recorder.batch(MIB, 0)
    assert (rest.after, rest.upto, rest.point) == (first + 7, first + 8, None)
    assert [bytes(write.data or b"") for write in rest.writes] == [b"y"]


def test_writes_that_came_together_keep_their_bytes_wherever_those_lie() -> None:
    rng, recorder = random.Random(4), streaming()
    for _ in range(60):
        received, runs = bytearray(rng.randbytes(rng.choice([0, 28]))), []
        for _ in range(rng.randrange(1, 30)):
            length = rng.choice([1, 512, 4096, 4096, 64 * KIB - 28, 64 * KIB, 100_000])
            runs.append((rng.randrange(MIB), length, len(received)))
            received += rng.randbytes(length) + rng.randbytes(rng.choice([0, 28, 28, 5000]))
        last = recorder.add_all(1, memoryview(received), runs)
        expected = [(1, offset, bytes(received[start : start + length])) for offset, length, start in runs]
        received[:] = bytes(len(received))  # the buffer is used again
        batch = recorder.batch(LEAST, 0)
        assert batch.upto == last
        assert [(write.disk, write.offset, write.data) for write in batch.writes] == expected
        recorder.done(last)
    assert recorder.held_bytes == 0
    assert recorder.add_all(0, memoryview(bytes(LEAST)), [(0, LEAST // 2, 0), (0, LEAST // 2, LEAST // 2)])
    assert (recorder.mode, recorder.dropped, recorder.overflows) == (Mode.MAPPED, 2, 1)


def test_memory_is_given_back_when_it_is_durable_and_not_before() -> None:
    cooled: list[int] = []
    recorder = streaming(cool=cooled.append)
    batches = []
    for count in (6, 4):
        for _ in range(count):
            recorder.add(0, 0, b"x" * 4096, 4096)
        batches.append(recorder.batch(MIB, 0))
    first, second = batches
    assert recorder.held_bytes == 10 * (4096 + ROOM)
    recorder.done(first.upto - 1)
    assert recorder.held_bytes == 10 * (4096 + ROOM), "its memory is in use yet"
    recorder.done(first.upto)
    assert recorder.held_bytes == 4 * (4096 + ROOM)
    recorder.done(second.upto)
    assert recorder.held_bytes == 0
    assert cooled[-3:] == [first.upto - 1, first.upto, second.upto]


def test_all_of_the_memory_can_be_used_again_and_again() -> None:
    recorder = streaming()
    for length in (64 * KIB, 300_000, 3 * MIB, 1, 5000):
        for _ in range(4 * LEAST // length if length > 1 else 5):
            recorder.add(0, 0, b"x" * length, length)
            batch = recorder.batch(1, 0)
            assert [bytes(write.data or b"") for write in batch.writes] == [b"x" * length]
            recorder.done(batch.upto)
    assert (recorder.mode, recorder.held_bytes) == (Mode.STREAMING, 0)


def test_what_was_taken_stays_as_it_is_until_an_era_begins() -> None:
    recorder = streaming()
    recorder.add(0, 0, b"x" * MIB, MIB)
    batch = recorder.batch(MIB, 0)
    recorder.let_go("the line is down")
    assert recorder.held_bytes == MIB + ROOM, "somebody may be sending it"
    assert not recorder.resume(batch.upto)
    recorder.begin()
    assert recorder.held_bytes == 0
    for _ in range(3):
        recorder.put(0, 0, MIB, b"y" * MIB)
    recorder.let_go("the line is down")
    assert recorder.held_bytes == 0, "nobody has seen it"


def test_a_full_buffer_lets_everything_go_and_says_so() -> None:
    recorder = streaming()
    asked = Point(0)
    recorder.mark(asked)
    count = 0
    while recorder.mode is Mode.STREAMING:
        count += 1
        recorder.add(0, 0, None if count % 3 else b"x" * (64 * KIB), 64 * KIB)
        assert recorder.held_bytes <= LEAST
    assert recorder.held_bytes == 0
    assert recorder.overflows == 1
    with pytest.raises(Mapped, match=r"buffer of 4\.0 MiB was full"):
        recorder.batch(1, 0)
    with pytest.raises(Mapped):
        asked.made.result(0)
    with pytest.raises(Blocked):
        recorder.mark(Point(0))
    with pytest.raises(Mapped):
        recorder.put(0, 0, 1, b"x")
    assert recorder.add(0, 0, b"x", 1) == recorder.last


def test_what_was_not_durable_is_sent_again_in_the_same_order() -> None:
    rng = random.Random(4)
    recorder = streaming()
    first = recorder.last
    for number in range(50):
        recorder.add(0, number, b"x" * 100, 100)
    sent: list[Write] = []
    while len(sent) < 30:
        sent += recorder.batch(rng.randint(1, 2000), 0).writes
    assert recorder.resume(first + 17)
    assert not recorder.resume(first + 16)
    again: list[Write] = []
    while len(again) < 33:
        again += recorder.batch(rng.randint(1, 2000), 0).writes
    assert [write.offset for write in again] == list(range(17, 50))
    assert recorder.resume(first + 50)
    assert recorder.held_bytes == 0


def test_while_it_catches_up_nothing_resumes() -> None:
    recorder = Recorder(LEAST)
    assert not recorder.resume(0)
    recorder.begin()
    assert not recorder.resume(recorder.last)


def test_age_is_that_of_the_oldest_write_the_target_lacks() -> None:
    now = [100.0]
    recorder = Recorder(LEAST, clock=lambda: now[0])
    recorder.add(0, 0, b"x", 1)
    assert recorder.age_s() is None  # nobody knows what the target has
    recorder.begin()
    recorder.finish(Point(0, whole=True))
    recorder.done(recorder.batch(1, 0).upto)
    assert recorder.age_s() == 0.0
    recorder.add(0, 0, b"x", 1)
    now[0] += 3
    recorder.add(0, 0, b"x", 1)
    now[0] += 1
    assert recorder.age_s() == 4.0
    recorder.batch(1, 0)
    recorder.done(recorder.last - 1)
    assert recorder.age_s() == 1.0
    recorder.let_go("the line is down")
    now[0] += 5
    assert recorder.age_s() == 6.0  # what is let go stays as old as it is
    recorder.begin()
    recorder.finish(Point(0, whole=True))
    assert recorder.age_s() == 6.0
    recorder.done(recorder.batch(1, 0).upto)
    assert recorder.age_s() == 0.0


def test_a_thread_that_waits_is_woken_by_enough_or_by_a_point() -> None:
    recorder = streaming()
    found: list[Batch] = []
    wakes: tuple[Callable[[], int], ...] = (
        lambda: recorder.add(0, 0, b"x" * 9000, 9000),
        lambda: recorder.mark(Point(0)),
    )
    for wake in wakes:
        thread = threading.Thread(target=lambda: found.append(recorder.batch(9000, 60)))
        thread.start()
        wake()
        thread.join(20)
        assert not thread.is_alive()
    assert [bool(batch.writes) for batch in found] == [True, False]


def test_a_buffer_that_holds_nothing_is_refused() -> None:
    with pytest.raises(BadInput, match="too small"):
        Recorder(LEAST - 1)
