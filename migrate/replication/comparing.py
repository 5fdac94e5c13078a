"""Comparing trees over a connection: one asks for digests, the other makes them of its own disk.

The asker walks the nodes of an area, a few stretches ahead, and asks for the grains of those that
differ. What is told of grains must make up the node that was told before, or the answer is worth
nothing. Memory does not grow with the disk, only with what differs, up to a bound.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

from migrate.disks.extent import Extent
from migrate.replication.channel import Channel
from migrate.replication.coverage import Coverage, Method
from migrate.replication.link import Link
from migrate.replication.messages import HashReport, Hello
from migrate.replication.sender import greet
from migrate.replication.trees import DIGEST_BYTES, NODE, DiskTree, Root, SampleRoot, node_digest
from migrate.replication.wire import Kind, WireError
from migrate.replication.zeros import GRAIN
from planner.errors import StepFailed

STRETCH = 16 * NODE
_AHEAD = 8
_SAMPLES_AHEAD = 64
RUNS_MAX = 65_536


class Level(IntEnum):
    """Which digests are asked for, as the flags of a frame."""

    NODES = 0
    GRAINS = 4
    TAIL = 8  # is everything behind the end zeros; the last question


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a comparison found. The digests are roots of the area, or of the sample.

    ``differing`` is to the grain; ``exact`` is False when there was too much to be told so finely.
    """

    coverage: Coverage
    here: str
    there: str
    differing: tuple[Extent, ...]
    exact: bool
    tail_zero: bool

    @property
    def equal(self) -> bool:
        """True when everything that was looked at is the same on both sides."""
        return self.here == self.there and not self.differing and self.tail_zero


_ASKABLE: dict[int, tuple[int, int]] = {Level.NODES: (NODE, STRETCH), Level.GRAINS: (GRAIN, NODE)}


def answer(link: Link, tree: DiskTree) -> None:
    """Tell a peer the digests it asks for, until it has asked for the tail; raises WireError, OSError."""
    while True:
        frame = link.receive(Kind.ASK_DIGESTS)
        if frame.flags == Level.TAIL:
            _tell_tail(link, tree)
            return
        step, most = _ASKABLE.get(frame.flags, (1, 0))
        end = frame.offset + frame.length
        if (
            not 0 < frame.length <= most
            or frame.offset % step
            or end > tree.size_bytes
            or (end % step and end != tree.size_bytes)
        ):
            raise WireError("a peer asked for digests it may not ask for")
        if frame.flags == Level.NODES:
            body = b"".join(tree.node(offset) for offset in range(frame.offset, end, NODE))
        else:
            body = tree.grains(frame.offset, frame.length)
        link.send_parts(link.pack(Kind.DIGESTS, offset=frame.offset, body=body, flags=frame.flags))


def _tell_tail(link: Link, tree: DiskTree) -> None:
    """Say how the tail is, and before that now and then that we are still reading it."""
    told = 0

    def tell(done: int) -> None:
        nonlocal told
        if done - told >= STRETCH:
            told = done
            link.send(Kind.HASH, HashReport(done_bytes=tree.size_bytes + done).dump())

    tail_zero = tree.tail_is_zero(tell)
    link.send(Kind.HASH, HashReport(done_bytes=tree.size_bytes, tail_zero=tail_zero).dump())


def compare(
    tree: DiskTree,
    channel: Channel,
    volume: str,
    coverage: Coverage,
    *,
    progress: Callable[[int, int], None] | None = None,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> Likeness:
    """Compare our disk with the receiver's; ``progress`` gets the bytes done of all bytes.

    The channel stays the caller's to close. Raises what the receiver refuses with, WireError or
    ChannelClosed, StepFailed when our disk changed meanwhile, OSError from it.
    """
    size = tree.size_bytes
    hello = Hello(purpose="tree", volume=volume, size_bytes=size, nonce=random_bytes(16).hex())
    link, _welcome = greet(channel, hello)
    asking = _Sample(link, tree, coverage) if coverage.method is Method.QUICK else _Area(link, tree, coverage)
    total = coverage.looked_bytes
    for done in asking.run():
        if progress is not None:
            progress(done, total)
    link.send_parts(link.pack(Kind.ASK_DIGESTS, offset=size, length=0, flags=Level.TAIL))
    while (report := HashReport.load(link.receive(Kind.HASH).body)).done_bytes > size:
        pass  # still reading
    if report.done_bytes != size:
        raise WireError("the receiver compared another size than it was asked for")
    link.send(Kind.BYE)
    here, there = asking.roots()
    runs = asking.runs
    return Likeness(coverage, here, there, tuple(runs.extents), runs.exact, report.tail_zero)


class Runs:
    """What differs, ascending. Beyond the bound the last run is stretched over what comes."""

    def __init__(self) -> None:
        self.extents: list[Extent] = []
        self.exact = True

    def add(self, offset: int, length: int) -> None:
        """Take one that lies behind the others."""
        last = self.extents[-1] if self.extents else None
        if last is not None and (last.end == offset or len(self.extents) >= RUNS_MAX):
            self.exact = self.exact and last.end == offset
            self.extents[-1] = Extent(last.offset, offset + length - last.offset)
        else:
            self.extents.append(Extent(offset, length))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question that is under way. ``here`` and ``there`` are our node and theirs, of its grains."""

    level: Level
    offset: int
    length: int
    here: bytes = b""
    there: bytes = b""


class _Asking:
    """Questions and their answers, in order."""

    def __init__(self, link: Link, tree: DiskTree) -> None:
        self._link = link
        self._tree = tree
        self._asked: deque[_Asked] = deque()
        self.runs = Runs()

    def _ask(self, asked: _Asked) -> None:
        self._asked.append(asked)
        parts = self._link.pack(Kind.ASK_DIGESTS, offset=asked.offset, length=asked.length, flags=asked.level)
        self._link.send_parts(parts)

    def _hear(self, asked: _Asked) -> bytes:
        frame = self._link.receive(Kind.DIGESTS)
        step = NODE if asked.level is Level.NODES else GRAIN
        told = -(-asked.length // step) * DIGEST_BYTES
        if (frame.flags, frame.offset, len(frame.body)) != (asked.level, asked.offset, told):
            raise WireError("the receiver answered for digests that were not asked for")
        return bytes(frame.body)

    def _note(self, offset: int, length: int, ours: bytes, theirs: bytes) -> None:
        """Keep the grains of a run that differ."""
        for number, at in enumerate(range(offset, offset + length, GRAIN)):
            if _nth(ours, number) != _nth(theirs, number):
                self.runs.add(at, min(GRAIN, offset + length - at))


class _Area(_Asking):
    """Every node of an area, and the grains of those that differ."""

    def __init__(self, link: Link, tree: DiskTree, coverage: Coverage) -> None:
        super().__init__(link, tree)
        self._area = coverage.area
        self._here, self._there = Root(coverage.area), Root(coverage.area)

    def roots(self) -> tuple[str, str]:
        """Return our root and theirs."""
        return self._here.hexdigest(), self._there.hexdigest()

    def run(self) -> Iterator[int]:
        """Compare, and yield now and then how many bytes are done."""
        for offset in range(self._area.offset, self._area.end, STRETCH):
            while len(self._asked) >= _AHEAD:
                yield from self._take()
            self._ask(_Asked(Level.NODES, offset, min(STRETCH, self._area.end - offset)))
        while self._asked:
            yield from self._take()

    def _take(self) -> Iterator[int]:
        asked = self._asked.popleft()
        if asked.level is Level.GRAINS:
            self._take_grains(asked)
            return
        ours = []
        for offset in range(asked.offset, asked.offset + asked.length, NODE):
            ours.append(self._tree.node(offset))
            yield offset + min(NODE, self._area.end - offset) - self._area.offset
        theirs = self._hear(asked)
        for number, here in enumerate(ours):
            there = _nth(theirs, number)
            self._here.add(here)
            self._there.add(there)
            if here != there:
                offset = asked.offset + number * NODE
                self._ask(_Asked(Level.GRAINS, offset, min(NODE, self._area.end - offset), here, there))

    def _take_grains(self, asked: _Asked) -> None:
        ours = self._tree.grains(asked.offset, asked.length)
        theirs = self._hear(asked)
        if node_digest(theirs) != asked.there:
            raise WireError("the receiver tells grains that do not make up the node it told before")
        if node_digest(ours) != asked.here:
            raise StepFailed(
                "the source disk changed while it was compared", "compare a snapshot or a stopped VM's disk"
            )
        self._note(asked.offset, asked.length, ours, theirs)


class _Sample(_Asking):
    """Chosen grains, those that lie side by side in one question."""

    def __init__(self, link: Link, tree: DiskTree, coverage: Coverage) -> None:
        super().__init__(link, tree)
        self._grains = coverage.grains
        self._here, self._there = SampleRoot(tree.size_bytes), SampleRoot(tree.size_bytes)
        self._done = 0

    def roots(self) -> tuple[str, str]:
        """Return the digest of our sample and of theirs."""
        return self._here.hexdigest(), self._there.hexdigest()

    def run(self) -> Iterator[int]:
        """Compare, and yield now and then how many bytes are done."""
        for first, last in _side_by_side(self._grains):
            while len(self._asked) >= _SAMPLES_AHEAD:
                yield self._take()
            offset = first * GRAIN
            length = min((last + 1) * GRAIN, self._tree.size_bytes) - offset
            self._ask(_Asked(Level.GRAINS, offset, length))
        while self._asked:
            yield self._take()

    def _take(self) -> int:
        asked = self._asked.popleft()
        ours = self._tree.grains(asked.offset, asked.length)
        theirs = self._hear(asked)
        for number in range(len(ours) // DIGEST_BYTES):
            self._here.add(asked.offset // GRAIN + number, _nth(ours, number))
            self._there.add(asked.offset // GRAIN + number, _nth(theirs, number))
        self._note(asked.offset, asked.length, ours, theirs)
        self._done += asked.length
        return self._done


def _nth(digests: bytes, number: int) -> bytes:
    return digests[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]


def _side_by_side(grains: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield (first, last) of grains that follow each other, a node's worth at most."""
    chosen = tuple(grains)
    if not chosen:
        return
    first = chosen[0]
    for grain, following in pairwise(chosen):
        if following != grain + 1 or following - first >= NODE // GRAIN:
            yield first, grain
            first = following
    yield first, chosen[-1]
