"""Memory for blocks: nobody else's, told apart by its first bytes and by all of them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from migrate.replication.buffers import BUFFER_BYTES, Buffer, lend
from migrate.replication.zeros import GRAIN, ZERO_MIB, is_zero, zero_runs


def test_no_two_have_the_same_memory() -> None:
    with ThreadPoolExecutor(4) as threads:
        lent = list(threads.map(lambda _number: lend(), range(32)))
    for number, buffer in enumerate(lent):
        assert len(buffer.view) == BUFFER_BYTES
        buffer.view[:] = bytes([number]) * BUFFER_BYTES
    assert all(set(buffer.view.tobytes()) == {number} for number, buffer in enumerate(lent))


def test_its_memory_lives_as_long_as_a_view_of_it() -> None:
    view = lend().view
    view[:] = b"x" * BUFFER_BYTES
    again = [lend() for _ in range(8)]
    for buffer in again:
        buffer.view[:] = bytes(BUFFER_BYTES)
    assert view.tobytes() == b"x" * BUFFER_BYTES


def test_a_process_that_is_forked_has_memory_of_its_own() -> None:
    mine = lend()  # another one is spare now, for whoever comes next
    mine.view[:] = b"m" * BUFFER_BYTES
    if (child := os.fork()) == 0:  # pragma: no cover - dies
        for buffer in (mine, lend()):
            buffer.view[:] = b"c" * BUFFER_BYTES
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert mine.view.tobytes() == b"m" * BUFFER_BYTES
    assert lend().view.tobytes() != b"c" * BUFFER_BYTES


@pytest.mark.parametrize("at", [0, 1, GRAIN - 1, GRAIN, 5 * GRAIN + 7, BUFFER_BYTES - 1])
def test_one_byte_that_is_no_zero_is_found_wherever_it_is(at: int) -> None:
    buffer = lend()
    buffer.view[:] = ZERO_MIB
    assert is_zero(buffer, 0, BUFFER_BYTES)
    assert list(zero_runs(buffer, BUFFER_BYTES - 5)) == [(0, BUFFER_BYTES - 5, True)]
    buffer.view[at] = 1
    start = at // GRAIN * GRAIN
    found = [run for run in zero_runs(buffer, BUFFER_BYTES) if not run[2]]
    assert found == [(start, start + GRAIN, False)]
    same = bytearray(buffer.view)
    assert list(zero_runs(buffer, at + 1)) == list(zero_runs(same, at + 1))
    assert buffer.startswith(b"", at, at)


def test_nothing_outside_is_looked_at() -> None:
    buffer = lend()
    for start, end in ((-1, 1), (0, BUFFER_BYTES + 1), (2, 1)):
        with pytest.raises(AssertionError):
            buffer.startswith(bytes(max(end - start, 0)), start, end)
    with pytest.raises(AssertionError):
        Buffer.startswith(buffer, b"123", 0, 2)
