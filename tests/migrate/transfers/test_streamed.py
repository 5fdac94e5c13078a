"""A comparison of whole disks stops when it is asked to, whoever else is still at it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.disks.flat import FlatDisk
from migrate.disks.ports import ReadableDisk
from migrate.replication.channel import SocketChannel
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


@pytest.mark.parametrize("done_bytes", [MIB, SIZE])
def test_a_comparison_stops_though_the_other_side_is_at_work(silent: Any, done_bytes: int) -> None:
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
        stop=lambda volume: volume == "v" and seen[-1] >= done_bytes,
    )
    with pytest.raises(Paused, match="was stopped"):
        transfers.compare("v", SIZE, None, report)
    assert seen[-1] == done_bytes
