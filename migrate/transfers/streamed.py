"""Transfers that move bytes: read at the source here, sent to the receiver of the target site.

The sender runs in this process, the receiver in its own; what has arrived is asked of the receiver,
never remembered here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Protocol

from migrate.disks.ports import ReadableDisk
from migrate.replication.channel import Channel, ChannelClosed
from migrate.replication.hashing import ask_hash, hash_disk
from migrate.replication.passes import PassSpec, Progress
from migrate.replication.sender import send_pass
from migrate.replication.streams import Streams
from migrate.replication.throttle import Throttle
from migrate.replication.wire import WireError
from migrate.sites.removals import Frozen
from migrate.sites.ways import GivesWay, ReadsLive
from migrate.transfers.ports import Compared, Copied, Moving, Packing, Wanted
from planner.errors import Paused, StepFailed, Unreachable
from planner.units import show_bytes


class Reads(Protocol):
    """The part of a source site that transfers use."""

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk: ...


class StreamedTransfers:
    """Transfers from a source site to the receiver that ``connect`` reaches.

    ``generation`` is the fencing token of this run: the receiver refuses an older one. ``level``
    is zstd's, where one that ``adapts`` begins. With ``dedupe`` a first copy leaves out what the
    receiver has on any disk. What is sent goes through the ``throttle``. ``streams`` says over how many
    connections a disk travels, asked with the first of them. ``stop`` is asked of a volume between two
    blocks of it.
    """

    def __init__(
        self,
        source: Reads,
        connect: Callable[[], Channel],
        *,
        generation: int,
        level: int,
        block_bytes: int,
        adapts: bool = False,
        dedupe: bool = False,
        throttle: Throttle | None = None,
        streams: Callable[[Channel], int] = lambda _first: 1,
        stop: Callable[[str], bool] = lambda _volume: False,
    ) -> None:
        self._source = source
        self._connect = connect
        self._generation = generation
        self._level = level
        self._adapts = adapts
        self._dedupe = dedupe
        self._throttle = throttle or Throttle()
        self._streams = streams
        self._block_bytes = block_bytes
        self._stop = stop

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        """Send one pass; see the protocol."""

        def told(progress: Progress) -> None:
            report(
                Moving(
                    wanted.volume,
                    progress.done_bytes,
                    progress.total_bytes,
                    progress.wire_bytes,
                    progress.rate_bytes_s,
                    Packing(progress.level, progress.ratio, progress.binds),
                    progress.left,
                    progress.deduped_bytes,
                    progress.streams,
                )
            )

        stop = self._stops(wanted.volume)
        spec = PassSpec(
            wanted.volume,
            wanted.pass_id,
            wanted.size_bytes,
            self._generation,
            wanted.base,
            wanted.change,
            cycle=wanted.cycle,
            consistency=wanted.consistency,
        )
        begun = time.monotonic()
        try:
            with (
                closing(self._open(wanted)) as disk,
                closing(self._connect()) as first,
                closing(self._throttle.through(first, wanted.volume, stop)) as channel,
            ):
                gives_way = disk.is_wanted if isinstance(disk, GivesWay) else _never
                many = self._streams(first)
                _must_have(disk, wanted.size_bytes)
                sent = send_pass(
                    disk,
                    channel,
                    spec,
                    mode=wanted.mode,
                    extents=wanted.extents,
                    level=self._level,
                    adapts=self._adapts,
                    dedupe=self._dedupe,
                    streams=Streams(lambda: self._further(wanted.volume), lambda: many) if many > 1 else None,
                    block_bytes=self._block_bytes,
                    progress=told,
                    stop=lambda: stop() or gives_way(),
                    vouch=lambda: _must_stand(disk),
                )
        except (ChannelClosed, WireError) as error:
            raise Unreachable(
                f"the receiver went away in a transfer: {error}", "run the verb again; it resumes"
            ) from error
        if not sent.complete:
            raise Paused("the transfer was stopped between two blocks", "run the verb again; it resumes")
        return Copied(
            sent.mode,
            sent.sent_bytes,
            sent.wire_bytes,
            time.monotonic() - begun,
            sent.resumed_bytes,
            sent.why,
            sent.deduped_bytes,
            sent.moved,
            sent.areas,
            sent.longest_bytes,
        )

    def _open(self, wanted: Wanted) -> ReadableDisk:
        if wanted.live and isinstance(self._source, ReadsLive):
            return self._source.open_live(wanted.volume)
        return self._source.open_read(wanted.volume, wanted.snapshot)

    def _further(self, volume: str) -> Channel:
        """Return one more connection of a disk, which shares its part of the line."""
        return self._throttle.through(self._connect(), volume, self._stops(volume))

    def _stops(self, volume: str) -> Callable[[], bool]:
        return lambda: self._stop(volume)

    def compare(
        self, volume: str, size_bytes: int, snapshot: str | None, report: Callable[[Moving], None]
    ) -> Compared:
        """Hash both sides at the same time, each where its disk is."""

        def told(done_bytes: int) -> None:
            report(Moving(volume, done_bytes, size_bytes, 0))
            go_on(done_bytes)

        def go_on(_done_bytes: int) -> None:
            if self._stop(volume):
                raise Paused("the comparison was stopped", "run the verb again; it begins anew")

        try:
            with (
                closing(self._source.open_read(volume, snapshot)) as disk,
                closing(self._connect()) as channel,
                ThreadPoolExecutor(1) as pool,
            ):
                _must_have(disk, size_bytes)
                theirs = pool.submit(ask_hash, channel, volume, size_bytes, progress=go_on)
                try:
                    ours = hash_disk(disk, size_bytes=size_bytes, progress=told)
                except Paused:
                    channel.close()  # nobody waits for theirs
                    raise
                there = theirs.result()
                _must_stand(disk)
        except (ChannelClosed, WireError) as error:
            raise Unreachable(
                f"the receiver went away in a comparison: {error}", "run the verb again"
            ) from error
        if not there.tail_zero:
            raise StepFailed(
                "the target disk holds data past the source's end", "wipe the LUN, replicate again"
            )
        return Compared(ours.digest, there.digest)


def _never() -> bool:
    return False


def _must_stand(disk: ReadableDisk) -> None:
    """Raise NotFound when the snapshot that was read is gone; raises WherryError."""
    if isinstance(disk, Frozen):
        disk.must_stand()


def _must_have(disk: ReadableDisk, size_bytes: int) -> None:
    """Raise StepFailed when a source disk grew or shrank: what lies past the planned size would be lost."""
    if disk.size_bytes != size_bytes:
        raise StepFailed(
            f"the source disk has {show_bytes(disk.size_bytes)}, the plan says {show_bytes(size_bytes)}",
            "go back, discover again, plan anew and approve the wave",
        )
