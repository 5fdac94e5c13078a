"""The sender: brings one frozen content to a receiver, resumes where the receiver says.

Reading, hashing and packing run in a few threads, and blocks leave in ascending order, over one
connection or several. Memory is bounded by a small window of blocks; nothing is kept for resending,
because the source is still there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication import wire
from migrate.replication.adapt import Adaptation
from migrate.replication.channel import Channel
from migrate.replication.extents import checked
from migrate.replication.lane import Lane
from migrate.replication.link import Link
from migrate.replication.messages import Hello, Welcome
from migrate.replication.passes import Mode, PassResult, PassSpec, Progress
from migrate.replication.room import OURS, Room
from migrate.replication.sending import Sending
from migrate.replication.streams import Streams
from migrate.replication.wire import Kind, WireError
from migrate.replication.zeros import GRAIN
from planner.errors import BadInput
from planner.units import MIB

_WINDOW = 10  # blocks in the making for a worker: with three of them one is idle a seventh of its time
_ENDS = 2  # of a pass


def greet(
    channel: Channel,
    hello: Hello,
    *,
    offers: bool = False,
    joined: bool = False,
    fine: bool = False,
    gmac: bool = False,
    here: bool = False,
    tables: bool = False,
) -> tuple[Link, Welcome]:
    """Open a conversation; returns the keyed link and the receiver's answer.

    ``offers``: dedupe if it can. ``joined``: give us a ticket for further connections if it knows that.
    ``fine``: take our second questions, in a comparison; ``gmac``: tell grains apart by it there. ``here``:
    take questions about a place in a stream; ``tables``: and let tags of its writes be over their tables.

    Raises what the receiver refuses with, WireError or ChannelClosed.
    """
    link = Link(channel)
    said = hello.dump()
    link.use_keys(sending=wire.OPENING_KEY, receiving=wire.derive_key("welcome", said))
    flags = (wire.FLAG_OFFERS if offers else 0) | (wire.FLAG_JOINED if joined else 0)
    flags |= (wire.FLAG_FINE if fine else 0) | (wire.FLAG_GMAC if gmac else 0)
    flags |= (wire.FLAG_HERE if here else 0) | (wire.FLAG_TABLES if tables else 0)
    link.send_parts(link.pack(Kind.HELLO, body=said, flags=flags))
    heard = bytes(link.receive(Kind.WELCOME).body)
    link.use_keys(
        sending=wire.derive_key("sender", said, heard), receiving=wire.derive_key("receiver", said, heard)
    )
    welcome = Welcome.load(heard)
    if welcome.dedupe and not (offers and welcome.mode == "seed"):
        raise WireError("the receiver waits for offers that nobody announced")
    if welcome.ticket and not joined:
        raise WireError("the receiver waits for connections that nobody announced")
    if (welcome.fine and not (fine and welcome.mode == "compare")) or (welcome.here and not here):
        raise WireError("the receiver waits for questions that nobody announced")
    if welcome.gmac and not (gmac and welcome.mode == "compare"):
        raise WireError("the receiver tells grains apart in a way that nobody announced")
    if welcome.tables and not tables:
        raise WireError("the receiver expects tags that nobody announced")
    link.grain_key = bytes.fromhex(welcome.dedupe)
    return link, welcome


def send_pass(
    disk: ReadableDisk,
    channel: Channel,
    spec: PassSpec,
    *,
    mode: Mode,
    extents: Iterable[Extent] | None = None,
    level: int = 1,
    adapts: bool = False,
    near: bool = False,
    block_bytes: int = MIB,
    workers: int = 2,
    dedupe: bool = False,
    streams: Streams | None = None,
    room: Room = OURS,
    progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] = lambda: False,
    vouch: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
    random_bytes: Callable[[int], bytes] = os.urandom,
) -> PassResult:
    """Bring the content of ``disk`` to the receiver behind ``channel`` and return how it went.

    ``extents`` are the changed areas of a delta, in bytes. ``level`` is zstd's, 0 for none; one
    that ``adapts`` only begins there and follows whichever binds, line or processor. It begins at 0 in a
    comparison of disks that are ``near``: both ends, on one machine, read and sum everything, and packing
    takes the processors from them.
    ``block_bytes`` is a multiple of 64 KiB up to 1 MiB. ``workers`` 0 does everything in the
    caller's thread. With ``dedupe`` a seed leaves out what the receiver has on any disk, if it
    can tell. ``streams`` are further connections for a receiver that takes them, the caller's to
    throttle and ours to close. ``room`` is what blocks may take up. ``stop`` is asked between blocks;
    a stopped pass is made durable as far as it came. ``vouch`` is asked when everything was read, before
    the pass counts as whole: what it raises goes on from here, and the receiver has a part. The channel
    stays open and is the caller's to close. Raises NoSpace, SiteRefused, ProjectBusy, Corrupt as the
    receiver says, ChannelClosed and WireError, OSError from the disk.
    """
    if block_bytes % GRAIN or not GRAIN <= block_bytes <= MIB:
        raise BadInput(f"{block_bytes} is not a block size", "use a multiple of 64 KiB up to 1 MiB")
    if disk.size_bytes < spec.size_bytes:
        raise BadInput(
            f"the disk is smaller than the {spec.size_bytes} bytes of the pass", "check the volume"
        )
    if mode is Mode.DELTA and extents is None:
        raise BadInput("a delta needs the changed areas", "compare the digests of both sides instead")
    known = checked(extents or (), spec.size_bytes)
    hello = Hello(
        purpose="pass",
        volume=spec.volume,
        size_bytes=spec.size_bytes,
        nonce=random_bytes(16).hex(),
        generation=spec.generation,
        pass_id=spec.pass_id,
        mode=mode.value,
        base=spec.base,
        change=spec.change,
        cycle=spec.cycle,
        consistency=spec.consistency,
    )
    begun = clock()
    offers = dedupe and mode is Mode.SEED
    link, welcome = greet(channel, hello, offers=offers, joined=streams is not None, fine=True, gmac=True)
    if Mode(welcome.mode) is not mode and not (welcome.must_compare and welcome.mode == "compare"):
        raise WireError("the receiver changed the mode of a pass without saying why")

    def join(further: Channel) -> Lane:
        """Open a conversation of the pass over one more channel."""
        said = hello.model_copy(
            update={"purpose": "join", "ticket": welcome.ticket, "nonce": random_bytes(16).hex()}
        )
        joining, answer = greet(further, said)
        joining.grain_key = link.grain_key
        return Lane(joining, answer.ack_bytes)

    raw = adapts and near and Mode(welcome.mode) is Mode.COMPARE
    few = near and len(os.sched_getaffinity(0)) <= _ENDS
    sending = Sending(
        disk,
        link,
        spec,
        welcome,
        Adaptation(0 if raw else level, adapts=adapts, near=near),
        block_bytes,
        known,
        progress,
        stop,
        vouch,
        clock,
        begun,
        room,
        few,
    )
    if streams is not None and welcome.ticket:
        sending.bring(streams, join)
    pool: AbstractContextManager[Executor | None] = (
        ThreadPoolExecutor(workers, "wherry-block") if workers else nullcontext()
    )
    with pool as executor:
        return sending.run(executor, _WINDOW * workers)
