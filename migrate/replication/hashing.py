"""Full hashes of disks: blake3 over the logical content, whatever is allocated.

Holes count as zeros without being read, so the hash of a thin copy equals that of a thick one.
Comparing two such hashes is what makes a replica good; nothing less does.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from blake3 import blake3

from migrate.disks.ports import ReadableDisk
from migrate.replication.zeros import ZERO_MIB, is_zero
from planner.errors import BadInput
from planner.units import MIB

if TYPE_CHECKING:
    from migrate.replication.channel import Channel


@dataclass(frozen=True, slots=True)
class DiskHash:
    """The hash of the first ``size_bytes`` of a disk; ``tail_zero`` says the rest of it is zeros."""

    digest: str
    size_bytes: int
    tail_zero: bool = True


def hash_disk(
    disk: ReadableDisk,
    *,
    size_bytes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> DiskHash:
    """Return the hash of a disk, or of its first ``size_bytes`` when it is larger than its twin.

    ``progress`` gets the bytes done. Raises BadInput when the disk is smaller, OSError when it
    cannot be read.
    """
    size = disk.size_bytes if size_bytes is None else size_bytes
    if disk.size_bytes < size:
        raise BadInput(f"a disk of {disk.size_bytes} bytes cannot equal one of {size}", "check its size")
    state = blake3()
    tail_zero = True
    buffer = bytearray(MIB)
    view = memoryview(buffer)
    zeros = memoryview(ZERO_MIB)
    done = 0
    for offset, length, data in _steps(disk, size):
        if data:
            disk.read_into(view[:length], offset)
        if offset >= size:
            tail_zero = tail_zero and (not data or is_zero(buffer, 0, length))
        else:
            state.update(view[:length] if data else zeros[:length])
        done += length
        if progress is not None:
            progress(min(done, size))
    return DiskHash(state.hexdigest(), size, tail_zero)


def _steps(disk: ReadableDisk, size: int) -> Iterator[tuple[int, int, bool]]:
    """Yield (offset, length, may hold data) over the whole disk in steps of at most 1 MiB."""
    at = 0
    for offset, length in disk.allocated():
        yield from _split(at, offset, size, False)
        yield from _split(offset, offset + length, size, True)
        at = offset + length
    yield from _split(at, disk.size_bytes, size, False)


def _split(start: int, end: int, size: int, data: bool) -> Iterator[tuple[int, int, bool]]:
    while start < end:
        if not data and start >= size:
            return
        step = min(MIB, end - start, size - start if start < size else MIB)
        yield start, step, data
        start += step


def ask_hash(
    channel: Channel,
    volume: str,
    size_bytes: int,
    *,
    progress: Callable[[int], None] | None = None,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> DiskHash:
    """Have the receiver hash its volume and return the result.

    Raises what the receiver refuses with, WireError or ChannelClosed.
    """
    from migrate.replication.messages import HashReport, Hello
    from migrate.replication.sender import greet
    from migrate.replication.wire import Kind, WireError

    hello = Hello(purpose="hash", volume=volume, size_bytes=size_bytes, nonce=random_bytes(16).hex())
    link, _welcome = greet(channel, hello)
    while True:
        report = HashReport.load(link.receive(Kind.HASH).body)
        if report.digest:
            break
        if progress is not None:
            progress(report.done_bytes)
    if report.done_bytes != size_bytes:
        raise WireError("the receiver hashed another size than it was asked for")
    link.send(Kind.BYE)
    return DiskHash(report.digest, size_bytes, report.tail_zero)
