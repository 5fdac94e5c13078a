"""Kept writes of a target: read from its disks, by change map or by comparison with the stopped source.

    change map   ─┐
                  ├─▶ pieces that were written ─▶ a checkpoint of the project
    comparison   ─┘

One that is stopped or dies leaves what was kept before; it begins anew, for nobody writes there any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from typing import Any

from migrate.disks.ports import ReadableDisk
from migrate.kept import Checkpoints, KeptVolume
from migrate.sites.ports import Disks, Extent
from migrate.transfers.ports import Moving, Written
from planner.errors import Paused

_PIECE = 1 << 20
_Looked = Iterator[tuple[Extent, bool]]  # a piece that was looked at, and whether the target wrote it


class KeepsHere:
    """Keeps what a target wrote in this process; see ``Keeps``. ``stop`` is asked between two pieces."""

    def __init__(
        self, source: Disks, target: Disks, checkpoints: Checkpoints, stop: Callable[[], bool]
    ) -> None:
        self._source = source
        self._target = target
        self._checkpoints = checkpoints
        self._stop = stop

    def keep(
        self, name: str, wave: str, volumes: Sequence[Written], report: Callable[[Moving], None]
    ) -> dict[str, Any]:
        """Keep it."""
        with ExitStack() as open_disks:
            kept = []
            for one in volumes:
                disk = open_disks.enter_context(closing(self._target.open_read(one.volume)))
                kept.append(KeptVolume(one.volume, disk, self._written(one, disk, report)))
            return self._checkpoints.keep(name, wave, kept)

    def _written(
        self, one: Written, here: ReadableDisk, report: Callable[[Moving], None]
    ) -> Iterator[Extent]:
        """Yield the pieces that the target wrote, and tell how far the looking is."""
        if one.areas is None:
            total, looked = max(one.size_bytes, here.size_bytes), self._compared(one, here)
        else:
            total, looked = sum(area.length for area in one.areas), self._mapped(one.areas)
        done = 0
        for piece, wrote in looked:
            if wrote:
                yield piece
            done += piece.length
            report(Moving(one.volume, done, total, 0))

    def _mapped(self, areas: Sequence[Extent]) -> _Looked:
        return ((piece, True) for area in areas for piece in self._pieces(area))

    def _compared(self, one: Written, here: ReadableDisk) -> _Looked:
        ours, theirs = bytearray(_PIECE), bytearray(_PIECE)
        with closing(self._source.open_read(one.volume)) as there:
            for piece in self._pieces(Extent(0, one.size_bytes)):
                mine, other = memoryview(ours)[: piece.length], memoryview(theirs)[: piece.length]
                here.read_into(mine, piece.offset)
                there.read_into(other, piece.offset)
                yield piece, mine != other
        if here.size_bytes <= one.size_bytes:
            return
        beyond = Extent(one.size_bytes, here.size_bytes - one.size_bytes)  # of a larger LUN
        for piece in self._pieces(beyond):
            mine = memoryview(ours)[: piece.length]
            here.read_into(mine, piece.offset)
            yield piece, any(mine)

    def _pieces(self, area: Extent) -> Iterator[Extent]:
        for offset in range(area.offset, area.end, _PIECE):
            if self._stop():
                raise Paused(
                    "keeping what the target wrote was stopped", "run the verb again; it begins anew"
                )
            yield Extent(offset, min(_PIECE, area.end - offset))
