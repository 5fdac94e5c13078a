"""Transfers that move bytes: read at the source here, sent to the receiver of the target site.

The sender runs in this process, the receiver in its own; what has arrived is asked of the receiver,
never remembered here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from typing import Protocol

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication.channel import Channel, ChannelClosed, is_near
from migrate.replication.hashing import ask_hash, hash_disk
from migrate.replication.passes import Mode, PassSpec, Progress
from migrate.replication.sender import send_pass
from migrate.replication.streams import Streams
from migrate.replication.tail import must_be_zeros, within
from migrate.replication.throttle import Throttle
from migrate.replication.wire import WireError
from migrate.sites.removals import Frozen
from migrate.sites.ways import GivesWay, ReadsLive
from migrate.transfers.ports import Compared, Copied, Moving, Packing, Wanted
from planner.errors import PastEnd, Paused, StepFailed, Unreachable
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
            with ExitStack() as opened:
                disk = opened.enter_context(closing(self._open(wanted)))
                gives_way = disk.is_wanted if isinstance(disk, GivesWay) else _never

                def go_on() -> None:
                    report(Moving(wanted.volume, 0, wanted.size_bytes, 0))
                    if stop() or gives_way():
                        raise _stopped()

                _must_have(disk, wanted.size_bytes, larger=wanted.larger)
                if wanted.larger:  # before we connect: a receiver does not wait long for the first word
                    areas = wanted.extents if wanted.mode is Mode.DELTA else None
                    _prove_tail(disk, wanted.size_bytes, areas, go_on)
                first = opened.enter_context(closing(self._connect()))
                channel = opened.enter_context(closing(self._throttle.through(first, wanted.volume, stop)))
                many = self._streams(first)
                sent = send_pass(
                    disk,
                    channel,
                    spec,
                    mode=wanted.mode,
                    extents=_inside(wanted),
                    level=self._level,
                    adapts=self._adapts,
                    near=is_near(first),
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
            raise _stopped()
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
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
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
                _must_have(disk, size_bytes, larger=larger)
                theirs = pool.submit(ask_hash, channel, volume, size_bytes, progress=go_on)
                try:
                    ours = hash_disk(disk, size_bytes=size_bytes, progress=told)
                except Paused:
                    channel.close()  # nobody waits for theirs
                    raise
                there = theirs.result()
                _must_stand(disk)
                if larger:
                    must_be_zeros(disk, size_bytes, () if ours.tail_zero else None)
        except (ChannelClosed, WireError) as error:
            raise Unreachable(
                f"the receiver went away in a comparison: {error}", "run the verb again"
            ) from error
        if not ours.tail_zero:
            raise StepFailed(
                "the source disk was written to while it was compared", "see who does that, then retry"
            )
        if not there.tail_zero:
            raise StepFailed(
                "the target disk holds data past the source's end", "wipe the LUN, replicate again"
            )
        return Compared(ours.digest, there.digest)


def _never() -> bool:
    return False


def _prove_tail(
    disk: ReadableDisk, size_bytes: int, areas: tuple[Extent, ...] | None, go_on: Callable[[], None]
) -> None:
    """Raise PastEnd unless the tail of a source is zeros, NotFound for one that was read of no one moment."""
    try:
        must_be_zeros(disk, size_bytes, areas, go_on)
    except PastEnd:
        _must_stand(disk)
        raise


def _stopped() -> Paused:
    return Paused("the transfer was stopped between two blocks", "run the verb again; it resumes")


def _inside(wanted: Wanted) -> tuple[Extent, ...] | None:
    """Return the changed areas that travel: those past the end of a larger source were found to be zeros."""
    return within(wanted.extents, wanted.size_bytes) if wanted.larger and wanted.extents else wanted.extents


def _must_stand(disk: ReadableDisk) -> None:
    """Raise NotFound when the snapshot that was read is gone; raises WherryError."""
    if isinstance(disk, Frozen):
        disk.must_stand()


def _must_have(disk: ReadableDisk, size_bytes: int, *, larger: bool) -> None:
    """Raise StepFailed when a source disk grew or shrank: what lies past the planned size would be lost.

    One that may be ``larger`` is looked at past that size by others.
    """
    if disk.size_bytes < size_bytes or (disk.size_bytes > size_bytes and not larger):
        raise StepFailed(
            f"the source disk has {show_bytes(disk.size_bytes)}, the plan says {show_bytes(size_bytes)}",
            "go back, discover again, plan anew and approve the wave",
        )
