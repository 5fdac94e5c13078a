"""The receiver: takes one pass in, and never says "durable" of anything that is not.

    write, write, ... ── flush ── progress record ── ACK        in this order, always

The receiver decides what is possible: it knows the newest generation, what it holds of a pass, whether
a delta has its base, and whether a flush ever failed. What it refuses, the sender raises.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar

from migrate.disks.extent import Extent
from migrate.disks.ports import Cached, WritableDisk
from migrate.replication import wire
from migrate.replication.channel import Channel, ChannelClosed
from migrate.replication.dedupe.answering import Answering
from migrate.replication.dedupe.pools import Pool
from migrate.replication.extents import whole_grains
from migrate.replication.gathering import Gathering, over
from migrate.replication.holdings import Holdings
from migrate.replication.inflow import Inflow
from migrate.replication.intake import Intake
from migrate.replication.leases import Leases
from migrate.replication.link import Link
from migrate.replication.messages import HashReport, Hello, Welcome, refusal_of
from migrate.replication.passes import Mode
from migrate.replication.progress import CurrentPass, ProgressLog, VolumeState
from migrate.replication.sink import DiskSink, Sink
from migrate.replication.sums import sums_of
from migrate.replication.turns import MakeTurns
from migrate.replication.wire import Kind, WireError
from planner.errors import NoSpace, SiteRefused, StepFailed, WherryError
from planner.names import visible
from planner.units import GIB, MIB

if TYPE_CHECKING:
    from migrate.replication.streaming import Inlet

_DISCARD_BYTES = 256 * MIB
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def _thread() -> Executor:
    return ThreadPoolExecutor(1, "wherry-flush")


def _threads() -> Executor:
    return ThreadPoolExecutor(2, "wherry-digest")  # while one waits for the disk the other hashes


class Receiver:
    """Answers connections. One instance serves many threads, one connection each.

    ``open_disk`` opens a volume for writing, ``open_log`` its progress log. ``ack_bytes`` is the data
    between two acknowledgements. With ``overlap`` what ``make_flusher`` makes flushes one stretch while the
    next is written, and what ``make_hasher`` makes reads for a comparison. ``make_answering`` makes what
    answers offers, ``turns`` what threads of one pass wait with for each other. ``resynced`` is told of a
    volume that has to be compared, and why. ``inlet`` takes the streams of taps; without it there are none.
    """

    takes: ClassVar[type[Intake]] = Intake
    gathers: ClassVar[type[Gathering]] = Gathering
    holds: ClassVar[type[Holdings]] = Holdings

    def __init__(
        self,
        open_disk: Callable[[str], WritableDisk],
        open_log: Callable[[str], ProgressLog],
        *,
        leases: Leases | None = None,
        make_sink: Callable[[WritableDisk], Sink] = DiskSink,
        ack_bytes: int = 32 * MIB,
        overlap: bool = True,
        make_flusher: Callable[[], Executor] = _thread,
        make_hasher: Callable[[], Executor] = _threads,
        make_answering: Callable[[Pool, str, int, WritableDisk], Answering] = Answering,
        turns: MakeTurns = threading.Condition,
        resynced: Callable[[str, str], None] = lambda _volume, _why: None,
        inlet: Inlet | None = None,
        random_bytes: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._open_disk = open_disk
        self._open_log = open_log
        self._leases = leases or Leases()
        self._make_sink = make_sink
        self._ack_bytes = ack_bytes
        self._overlap = overlap
        self._make_flusher = make_flusher
        self._make_hasher = make_hasher
        self._make_answering = make_answering
        self._turns = turns
        self._resynced = resynced
        self._inlet = inlet
        self._gatherings: dict[str, Gathering] = {}  # by volume; entered and left under its lease
        self._random_bytes = random_bytes
        # If even the record of a failed flush cannot be written, this process still remembers it.
        self._poisoned: dict[str, tuple[Extent, ...]] = {}
        # What a pass that ended well left in memory is on the medium as well; ADR 25. In this process
        # alone: one that died may have seen a flush fail.
        self._stamps: dict[str, str] = {}

    def serve(
        self,
        channel: Channel,
        admit: Callable[[Hello], None] = lambda _hello: None,
        pool: Callable[[], Pool | None] = lambda: None,
    ) -> None:
        """Hold one conversation to its end; the channel stays the caller's to close.

        ``admit`` raises when this peer may not have what it asks for, before anything is opened or held.
        ``pool`` is asked after that: what this peer may share, None when it is to send everything.
        Raises what ended it early, after telling the peer: ChannelClosed, WireError, NoSpace, ...
        """
        link = Link(channel)
        try:
            opening = link.receive(Kind.HELLO)
            hello_bytes = bytes(opening.body)
            link.use_keys(sending=wire.derive_key("welcome", hello_bytes), receiving=wire.OPENING_KEY)
            hello = Hello.load(hello_bytes)
            admit(hello)
            if hello.purpose == "join":
                self._join(link, channel, hello, hello_bytes)
                return
            if hello.purpose == "stream":
                self._take_stream(link, channel, hello, hello_bytes, opening.flags)
                return
            with self._leases.hold(hello.volume, hello.generation, channel):
                disk = self._open_disk(hello.volume)
                try:
                    if hello.purpose == "hash":
                        self._hash(link, disk, hello, hello_bytes)
                    elif hello.purpose == "tree":
                        self._compare(link, disk, hello, hello_bytes)
                    else:
                        shares = pool() if opening.flags & wire.FLAG_OFFERS else None
                        self._take_pass(link, disk, hello, hello_bytes, shares, opening.flags)
                finally:
                    disk.close()
            link.receive(Kind.BYE)
        except ChannelClosed:
            raise
        except (WherryError, OSError) as error:
            told = _told(error)
            _tell(link, told)
            raise told from error

    def _take_pass(
        self,
        link: Link,
        disk: WritableDisk,
        hello: Hello,
        hello_bytes: bytes,
        pool: Pool | None,
        flags: int,
    ) -> None:
        log = self._open_log(hello.volume)
        if hello.volume in self._poisoned:
            log.poison(self._poisoned[hello.volume])
            del self._poisoned[hello.volume]
        stamp = self._stamps.pop(hello.volume, "")
        if isinstance(disk, Cached):
            disk.trust("" if log.state.unknown else stamp)
        welcome = self._admit(disk, hello, log)
        if welcome.must_compare:
            self._resynced(hello.volume, welcome.why)
        offers: Answering | None = None
        if pool is not None and welcome.mode == "seed" and not welcome.complete:
            offers = self._make_answering(pool, hello.volume, hello.size_bytes, disk)
            welcome = welcome.model_copy(update={"dedupe": pool.table.key.hex()})
        if flags & wire.FLAG_JOINED and not welcome.complete:
            welcome = welcome.model_copy(update={"ticket": self._random_bytes(16).hex()})
        if welcome.mode == "compare":
            asked = {"fine": bool(flags & wire.FLAG_FINE), "gmac": bool(flags & wire.FLAG_GMAC)}
            welcome = welcome.model_copy(update=asked)
        try:
            self._take_in(link, disk, hello, hello_bytes, welcome, log, offers)
        finally:
            if offers is not None:
                offers.close()

    def _take_in(
        self,
        link: Link,
        disk: WritableDisk,
        hello: Hello,
        hello_bytes: bytes,
        welcome: Welcome,
        log: ProgressLog,
        offers: Answering | None,
    ) -> None:
        intake = self.takes(
            disk,
            self._make_sink(disk),
            log,
            welcome,
            hello.size_bytes,
            flusher=self._make_flusher() if self._overlap else None,
            turns=self._turns,
            offers=offers,
        )
        gathering = self.gathers(hello, welcome, intake, self._turns)
        holdings: Holdings | None = None
        if welcome.mode == "compare":
            hasher = self._make_hasher() if self._overlap else None
            sums = sums_of(welcome.nonce, gmac=welcome.gmac)
            holdings = self.holds(disk, log, sums, hello.size_bytes, hasher)
        inflow = Inflow(link, intake, welcome.ack_bytes, overlap=self._overlap, holdings=holdings)
        self._gatherings[hello.volume] = gathering
        try:
            self._say_welcome(link, hello_bytes, welcome)
            if welcome.complete:
                return
            link.grain_key = gathering.grain_key
            try:
                intake.begin()
                gathering.begin()
                partly = inflow.take_all()
                gathering.end()
                inflow.finish(partly=partly, wire_bytes=link.received_bytes + gathering.received_bytes)
                self._stamps[hello.volume] = intake.stamp
            except ChannelClosed:
                gathering.end()
                intake.save()
                raise
        finally:
            if holdings is not None:
                holdings.close()
            gathering.end()
            del self._gatherings[hello.volume]
            intake.close()
            if intake.flush_failed:
                self._poison(hello.volume, log, intake.suspects())

    def _join(self, link: Link, channel: Channel, hello: Hello, hello_bytes: bytes) -> None:
        """Take in what a further connection of a pass carries."""
        gathering = self._gatherings.get(hello.volume)
        if gathering is None:
            raise over(hello)
        with gathering.joined(hello, channel, link):
            nonce = self._random_bytes(16).hex()
            self._say_welcome(link, hello_bytes, Welcome(nonce=nonce, ack_bytes=gathering.ack_bytes))
            link.grain_key = gathering.grain_key
            Inflow(link, gathering.intake, gathering.ack_bytes, overlap=self._overlap).carry()
        link.send(Kind.BYE)

    def _take_stream(
        self, link: Link, channel: Channel, hello: Hello, hello_bytes: bytes, flags: int
    ) -> None:
        """Take in what a tap sends of a group, all of whose disks it holds meanwhile."""
        if self._inlet is None:
            raise SiteRefused("this receiver keeps no journals", "stream to one that does")
        with ExitStack() as held:
            held.enter_context(self._inlet.succeed(hello, channel))
            for volume in sorted(self._inlet.volumes(hello)):
                held.enter_context(self._leases.hold(volume, hello.generation, channel))
            self._inlet.take(
                link, hello, flags, lambda welcome: self._say_welcome(link, hello_bytes, welcome)
            )

    def _poison(self, volume: str, log: ProgressLog, suspects: Iterable[Extent]) -> None:
        runs = tuple(suspects)
        self._poisoned[volume] = runs
        try:
            log.poison(runs)
        except OSError:
            return  # kept in memory, written when the volume is opened next
        del self._poisoned[volume]

    def _admit(self, disk: WritableDisk, hello: Hello, log: ProgressLog) -> Welcome:
        """Decide how a pass goes on, and record durably that it begins."""
        state = log.state
        if hello.generation < state.generation:
            raise SiteRefused(
                f"volume {visible(hello.volume)} was taken over by generation {state.generation}, "
                f"generation {hello.generation} may not write it any more",
                "stop the older run",
            )
        if not hello.pass_id:
            raise WireError("a pass has no id")
        if hello.size_bytes > disk.size_bytes:
            raise SiteRefused(
                f"volume {visible(hello.volume)} has {disk.size_bytes} bytes here, "
                f"{hello.size_bytes} would come",
                "create the target disk at least as large as its source",
            )
        welcome = Welcome(nonce=self._random_bytes(16).hex(), ack_bytes=self._ack_bytes)
        done = state.done
        if done is not None and (done.pass_id, done.size_bytes) == (hello.pass_id, hello.size_bytes):
            log.fence(hello.generation)
            return welcome.model_copy(update={"mode": hello.mode, "complete": True})
        why = _must_compare(state, hello)
        mode = Mode.COMPARE if why else Mode(hello.mode)
        welcome = welcome.model_copy(update={"mode": mode.value, "must_compare": bool(why), "why": why})
        current = state.current
        if current is None or (current.pass_id, current.mode, current.size_bytes, current.change) != (
            hello.pass_id,
            mode,
            hello.size_bytes,
            hello.change,
        ):
            fresh = mode is Mode.SEED and next(iter(disk.allocated()), None) is None
            current = CurrentPass(
                hello.pass_id,
                mode,
                hello.size_bytes,
                hello.change,
                fresh,
                cycle=hello.cycle,
                consistency=hello.consistency,
            )
        # Written anew even when it goes on: what was read may be the last word of a process that died
        # before it was synced, and nothing may be promised on that.
        log.begin(current, hello.generation)
        runs = current.held
        if mode is Mode.COMPARE:  # what differs came in parts of grains, and nobody asks about parts
            runs = tuple(whole_grains(runs, hello.size_bytes))
        held = tuple((extent.offset, extent.length) for extent in runs)
        return welcome.model_copy(update={"fresh": current.fresh, "held": held})

    def _welcome(self, link: Link, hello_bytes: bytes) -> None:
        """Open a conversation in which nothing is written."""
        self._say_welcome(link, hello_bytes, Welcome(nonce=self._random_bytes(16).hex()))

    def _say_welcome(self, link: Link, hello_bytes: bytes, welcome: Welcome) -> None:
        heard = welcome.dump()
        link.send(Kind.WELCOME, heard)
        link.use_keys(
            sending=wire.derive_key("receiver", hello_bytes, heard),
            receiving=wire.derive_key("sender", hello_bytes, heard),
        )

    def _compare(self, link: Link, disk: WritableDisk, hello: Hello, hello_bytes: bytes) -> None:
        from migrate.replication.comparing import answer
        from migrate.replication.trees import DiskTree

        suspects = (*self._open_log(hello.volume).state.suspects, *self._poisoned.get(hello.volume, ()))
        self._welcome(link, hello_bytes)
        answer(link, DiskTree(disk, hello.size_bytes, suspects))

    def _hash(self, link: Link, disk: WritableDisk, hello: Hello, hello_bytes: bytes) -> None:
        from migrate.replication.hashing import hash_disk

        self._welcome(link, hello_bytes)
        told = 0

        def tell(done: int) -> None:
            nonlocal told
            if done - told >= GIB // 4:
                told = done
                link.send(Kind.HASH, HashReport(done_bytes=done).dump())

        result = hash_disk(disk, size_bytes=hello.size_bytes, progress=tell)
        report = HashReport(done_bytes=result.size_bytes, digest=result.digest, tail_zero=result.tail_zero)
        link.send(Kind.HASH, report.dump())


def _must_compare(state: VolumeState, hello: Hello) -> str:
    """Return why only a comparison will do, empty when the pass may go as asked."""
    if state.unknown:
        return "a seed was placed here beforehand, or a flush failed, so the content is unknown"
    if hello.mode == "delta" and (not hello.base or hello.base != state.base):
        return "the receiver does not hold the content this delta stands on"
    current = state.current
    if hello.mode == "delta" and current is not None and current.pass_id != hello.pass_id:
        return "another delta was left half done here, and this one may stand on what that wrote over"
    return ""


def _told(error: WherryError | OSError) -> WherryError:
    if isinstance(error, WherryError):
        return error
    if error.errno in _FULL:
        return NoSpace(
            f"the target is full: {os.strerror(error.errno or 0)}",
            "free space there and run again, what was acknowledged is kept",
        )
    return StepFailed(
        f"the target disk failed: {os.strerror(error.errno) if error.errno else error}",
        "check the target's storage",
    )


def _tell(link: Link, error: WherryError) -> None:
    """Send the peer the reason, and read on for a while so that it is not lost with the connection."""
    try:
        link.send(Kind.ERROR, refusal_of(error).dump())
        link.discard(_DISCARD_BYTES)
    except (ChannelClosed, OSError):
        return
