"""One pass under way at the sender: blocks are made in order and given to whichever connection is free.

Offers, comparisons and what has no data stay on the first connection, which opened the pass and commits
it when the others were answered. Where all are busy it carries blocks as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication import wire
from migrate.replication.adapt import Adaptation
from migrate.replication.asking import Asking
from migrate.replication.blocks import Block, BlockReader, Item
from migrate.replication.channel import Channel, ChannelClosed
from migrate.replication.dedupe.offering import Offering
from migrate.replication.extents import checked
from migrate.replication.keeping import Keeping
from migrate.replication.lane import Lane
from migrate.replication.link import Link
from migrate.replication.messages import Welcome
from migrate.replication.pace import Pace
from migrate.replication.passes import Mode, PassResult, PassSpec, Progress
from migrate.replication.pipeline import batched, ordered_map
from migrate.replication.plan_pass import items, reads
from migrate.replication.refining import Refining
from migrate.replication.room import Room
from migrate.replication.streams import Carriers, Streams
from migrate.replication.sums import sums_of
from migrate.replication.wire import Kind, WireError
from migrate.spans import Tally
from planner.errors import WherryError

_REPORT_S = 0.1
_BATCH = 4  # items that are compared in one go
_BATCHES = 3  # of them under way
_BRINGS = frozenset({Kind.DATA, Kind.HELD})  # zeros of a first copy are no content
_QUIET_S = 20.0  # the first connection says something so often, or its receiver would take it for dead


@dataclass(slots=True)
class _Counts:
    read: int = 0
    sent: int = 0
    zero: int = 0
    deduped: int = 0


class Sending:
    """One pass under way; see ``send_pass``."""

    def __init__(
        self,
        disk: ReadableDisk,
        link: Link,
        spec: PassSpec,
        welcome: Welcome,
        adaptation: Adaptation,
        block_bytes: int,
        extents: tuple[Extent, ...],
        progress: Callable[[Progress], None] | None,
        stop: Callable[[], bool],
        vouch: Callable[[], None],
        clock: Callable[[], float],
        begun: float,
        room: Room,
        few: bool,
    ) -> None:
        self._disk = disk
        self._link = link
        self._spec = spec
        self._welcome = welcome
        self._mode = Mode(welcome.mode)
        self._block_bytes = block_bytes
        self._extents = extents
        self._progress = progress
        self._stop = stop
        self._vouch = vouch
        self._clock = clock
        self._begun = self._reported = begun
        self._room = room
        self._few = few  # processors: one for each end
        self._held = checked((Extent(*pair) for pair in welcome.held), spec.size_bytes)
        zeros = Kind.KEEP if self._mode is Mode.SEED and welcome.fresh else Kind.ZERO
        self._adaptation = adaptation
        self._pace = Pace(begun)
        self._reader = BlockReader(
            disk,
            level=adaptation.level,
            zeros=zeros,
            sums=sums_of(welcome.nonce, gmac=welcome.gmac),
            clock=clock,
            spare=lambda: room.share,
        )
        self._counts = _Counts()
        self._moved = Tally(spec.size_bytes)
        self._brings = _BRINGS | ({Kind.ZERO} if self._mode is not Mode.SEED else frozenset())
        self._stopped = False
        self._lane = Lane(link, welcome.ack_bytes)
        self._keeping = Keeping()
        self._carriers: Carriers | None = None
        self._streams = 1  # at most at once
        self._spoke_s = begun
        self._heard_s = 0.0  # spent waiting for what the receiver says
        self._resumed = self._total = 0
        self._offering = Offering(link, room.ahead) if welcome.dedupe else None
        self._asking = Asking(link, spec.only) if self._mode is Mode.COMPARE else None
        self._refining = Refining(link, spec.size_bytes, room.ahead) if welcome.fine else None

    def bring(self, streams: Streams, join: Callable[[Channel], Lane]) -> None:
        """Have further connections carry as well; ``join`` opens the conversation over one."""
        self._carriers = Carriers(streams, join, self._reader)

    def run(self, executor: Executor | None, window: int) -> PassResult:
        """Send everything, or as much as ``stop`` allows, and wait until it is durable."""
        if not self._welcome.complete:
            try:
                with self._room.taken():
                    self._send_all(executor, window)
            except ChannelClosed:
                self._raise_refusal()
                raise
            finally:
                if self._carriers is not None:
                    self._carriers.end()
        return PassResult(
            self._spec.volume,
            self._spec.pass_id,
            self._mode,
            not self._stopped,
            self._spec.size_bytes,
            self._counts.read,
            self._counts.sent,
            self._counts.zero,
            self._wire_bytes,
            self._resumed,
            self._clock() - self._begun,
            self._welcome.why,
            self._counts.deduped,
            self._streams,
            *(() if self._welcome.complete else self._told_moved()),
        )

    def _told_moved(self) -> tuple[str, int, int]:
        return self._moved.line(), self._moved.areas, self._moved.longest_bytes

    @property
    def _wire_bytes(self) -> int:
        return self._link.sent_bytes + (self._carriers.wire_bytes if self._carriers else 0)

    def _send_all(self, executor: Executor | None, window: int) -> None:
        self._measure()
        plan = items(
            self._reads(),
            mode=self._mode,
            size_bytes=self._spec.size_bytes,
            held=self._held,
            fresh=self._welcome.fresh,
            block_bytes=self._block_bytes,
        )
        work = self._until_stopped(plan)
        if self._asking is not None:
            work = self._asking.compared(work, self._hear)
        asked, heard = self._clock(), self._heard_s
        for block in self._blocks(executor, work, window):
            got = self._clock()
            answers_s = self._heard_s - heard  # digests come while the next block is asked for
            self._send_block(block)
            sent, heard = self._clock(), self._heard_s
            self._adapt(block, link_s=sent - got, packing_s=got - asked - answers_s, answers_s=answers_s)
            asked = sent
            self._report(final=False)
        self._gather()
        if last := self._keeping.last():
            self._lane.send(last)
        if not self._stopped:
            self._vouch()
        flags = wire.FLAG_PART if self._stopped else 0
        self._link.send_parts(self._link.pack(Kind.COMMIT, flags=flags))
        self._lane.expect_last()
        while not self._lane.is_settled:
            self._hear()
        if self._lane.completed is self._stopped:
            raise WireError("the receiver acknowledged a pass as something else")
        self._link.send(Kind.BYE)
        self._report(final=True)

    def _blocks(self, executor: Executor | None, work: Iterable[Item], window: int) -> Iterator[Block]:
        """Yield the blocks in order; what the receiver holds is not packed."""
        if self._refining is not None:
            yield from self._refined(executor, work, lambda: self._room.window(_BATCHES), self._refining)
            return
        if self._offering is None:
            yield from ordered_map(executor, self._reader.read, work, lambda: self._room.window(window))
            return
        key, reader = self._link.grain_key, self._reader

        def half() -> int:
            return self._room.window(window // 2)

        looks = ordered_map(executor, lambda item: reader.look(item, key), work, half)
        packs = executor if reader.level else None  # without packing there is nothing to do
        with closing(looks):
            yield from ordered_map(
                packs, lambda pair: reader.pack(*pair), self._offering.decided(looks, self._hear), half
            )

    def _refined(
        self, executor: Executor | None, work: Iterable[Item], window: Callable[[], int], refining: Refining
    ) -> Iterator[Block]:
        """Yield the blocks of a comparison, of which grains that differ are asked about once more."""
        reader = self._reader
        looks = ordered_map(
            executor,
            lambda batch: [reader.compare(item) for item in batch],
            batched(work, lambda: self._room.batch(_BATCH)),
            window,
            lambda batch: (self._few and reader.is_quick) or not any(item.read for item in batch),
        )
        with closing(looks):
            for block in ordered_map(
                executor,
                lambda pair: reader.settle(*pair),
                refining.decided(chain.from_iterable(looks), self._hear),
                window,
                lambda pair: not (pair[0].doubtful and reader.level),  # raw bytes need hardly any work
            ):
                refining.saw(block)
                yield block

    def _adapt(self, block: Block, *, link_s: float, packing_s: float, answers_s: float) -> None:
        """Let the level follow what was waited for; gaps say nothing about it."""
        data = [piece for piece in block.pieces if piece.kind is Kind.DATA]
        if not data:
            return
        self._adaptation.saw(
            link_s=link_s,
            packing_s=packing_s,
            answers_s=answers_s,
            read_s=block.read_s,
            pack_s=block.pack_s,
            data_bytes=sum(piece.length for piece in data),
            packed_bytes=sum(piece.length for piece in data if piece.flags & wire.FLAG_ZSTD),
            wire_bytes=sum(len(piece.body) for piece in data),
        )
        self._reader.level = self._adaptation.level

    def _reads(self) -> Iterator[Extent]:
        return reads(self._disk, self._mode, self._spec.size_bytes, self._extents)

    def _measure(self) -> None:
        """Count what will be read; a second walk over the map is cheaper than keeping it."""
        whole = self._mode is Mode.COMPARE
        size = self._spec.size_bytes
        plan = items(
            self._reads(),
            mode=self._mode,
            size_bytes=size,
            held=self._held,
            fresh=True,
            block_bytes=size or 1,
        )
        self._total = sum(item.length for item in plan if item.read or whole)
        self._resumed = sum(extent.length for extent in self._held)

    def _until_stopped(self, plan: Iterable[Item]) -> Iterator[Item]:
        for item in plan:
            if self._stop():
                self._stopped = True
                return
            yield item

    def _send_block(self, block: Block) -> None:
        for piece in block.pieces:
            if piece.kind in self._brings:
                self._moved.add(piece.offset, piece.length)
            if piece.kind is Kind.DATA:
                self._counts.sent += piece.length
            elif piece.kind is Kind.ZERO:
                self._counts.zero += piece.length
            elif piece.kind is Kind.HELD:
                self._counts.deduped += piece.length
        if block.item.read or self._mode is Mode.COMPARE:
            self._counts.read += block.item.length
        if self._carriers is None or not self._hand_on(block, self._carriers):
            self._send_here(block)

    def _send_here(self, block: Block) -> None:
        """Send a block over the first connection."""
        if pieces := self._keeping.joined(block.pieces):
            self._lane.send(pieces)
            self._spoke_s = self._clock()
        self._reader.give_back(block)
        while self._lane.is_ahead:
            self._hear()

    def _hand_on(self, block: Block, carriers: Carriers) -> bool:
        """Have another connection carry a block, if one is free; what has no data of it goes here."""
        carriers.invite(self._total // self._block_bytes)
        self._streams = max(self._streams, carriers.count + 1)
        self._send_again(carriers)
        data = tuple(piece for piece in block.pieces if piece.kind is Kind.DATA)
        if not data or self._clock() - self._spoke_s > _QUIET_S:
            return False
        if not carriers.give(replace(block, pieces=data)):
            return False
        if len(data) < len(block.pieces):
            self._send_here(
                replace(
                    block,
                    pieces=tuple(piece for piece in block.pieces if piece.kind is not Kind.DATA),
                    buffer=None,
                )
            )
        return True

    def _send_again(self, carriers: Carriers) -> None:
        """Send here what a connection that broke left open."""
        key = self._link.grain_key
        while (item := carriers.left_over()) is not None:
            if key:
                self._send_here(self._reader.pack(self._reader.look(item, key), frozenset()))
            else:
                self._send_here(self._reader.read(item))

    def _gather(self) -> None:
        """Have every block sent, and nobody else at work, before the pass is committed."""
        carriers = self._carriers
        if carriers is None:
            return
        self._take_back(carriers)
        carriers.finish()
        self._take_back(carriers)  # where all of them broke, some may be left
        self._send_again(carriers)

    def _take_back(self, carriers: Carriers) -> None:
        while (block := carriers.taken_back()) is not None:
            self._send_here(block)

    def _hear(self) -> None:
        """Take one answer: an acknowledgement, or digests asked for ahead."""
        begun = self._clock()
        kinds = [Kind.ACK]
        if self._offering is not None:
            kinds.append(Kind.WANT)
        if self._asking is not None:
            kinds += [Kind.DIGESTS] if self._refining is None else [Kind.DIGESTS, Kind.FINE]
        frame = self._link.receive(*kinds)
        self._heard_s += self._clock() - begun
        if self._offering is not None and frame.kind is Kind.WANT:
            self._offering.heard(frame)
            return
        if self._asking is not None and frame.kind is Kind.DIGESTS:
            self._asking.heard(frame)
            return
        if self._refining is not None and frame.kind is Kind.FINE:
            self._refining.heard(frame)
            return
        self._lane.acknowledged(frame)

    def _raise_refusal(self) -> None:
        """After a broken send, raise the receiver's own word for it if it left one."""
        try:
            while self._link.refused is None:
                self._link.receive(Kind.ACK, Kind.DIGESTS, Kind.FINE, Kind.WANT)
        except WherryError as error:
            if self._link.refused is not None:
                raise self._link.refused from error

    def _report(self, *, final: bool) -> None:
        now = self._clock()
        self._pace.saw(now, self._counts.read)
        if self._progress is None or not (final or now - self._reported >= _REPORT_S):
            return
        self._reported = now
        usual = self._pace.rate_bytes_s
        self._progress(
            Progress(
                self._counts.read,
                self._total,
                self._wire_bytes,
                self._counts.read / max(now - self._begun, 1e-6) if usual is None else usual,
                self._adaptation.level,
                self._adaptation.binds,
                self._counts.sent / max(self._wire_bytes, 1) if self._counts.sent else 1.0,
                self._pace.left(self._total - self._counts.read),
                self._counts.deduped,
                1 + (self._carriers.count if self._carriers else 0),
            )
        )
