"""A comparison of whole disks stops when it is asked to, whoever else is still at it."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.disks.flat import FlatDisk
from migrate.disks.ports import ReadableDisk
from migrate.replication.channel import SocketChannel
from migrate.transfers import streamed
from migrate.transfers.ports import Moving
from migrate.transfers.streamed import StreamedTransfers
from planner.errors import Paused
from planner.units import MIB

SIZE = 4 * MIB


class Source:
    """A site of one disk."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        return FlatDisk(self.path)


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[tuple[Source, socket.socket, SocketChannel]]:
    """A disk, and a receiver that takes what is asked and never answers."""
    path = tmp_path / "disk"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))
    far, near = socket.socketpair()
    with far:
        yield Source(path), far, SocketChannel(near)


def test_a_comparison_stops_while_this_side_hashes(silent: Any) -> None:
    assert _stopped_at(silent, MIB) == MIB


def test_a_comparison_stops_while_the_other_side_still_hashes(
    silent: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ask(channel: object, volume: str, size_bytes: int, *, progress: Callable[[int], None]) -> None:
        while True:
            progress(0)
            time.sleep(0.001)

    monkeypatch.setattr(streamed, "ask_hash", ask)
    assert _stopped_at(silent, SIZE + 1) == SIZE


def _stopped_at(silent: Any, done_bytes: int) -> int:
    """Return how much this side had hashed when it was stopped, with so much or with all that it has."""
    source, _, channel = silent
    seen: list[int] = []

    def report(moving: Moving) -> None:
        seen.append(moving.done_bytes)

    transfers = StreamedTransfers(
        source,
        lambda: channel,
        generation=1,
        level=0,
        block_bytes=MIB,
        stop=lambda volume: volume == "v" and sum(seen[-1:]) + (len(seen) == SIZE // MIB) >= done_bytes,
    )
    with pytest.raises(Paused, match="was stopped"):
        transfers.compare("v", SIZE, None, report)
    return seen[-1]
