"""Products that break one rule each. The simulation must notice every one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.replication import wire
from migrate.replication.channel import Buffer, Channel
from migrate.replication.extents import merge, subtract
from migrate.replication.messages import Hello, Welcome
from migrate.replication.passes import PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from migrate.replication.sink import DiskSink
from migrate.replication.wire import Kind
from migrate.sites.ports import Extent
from tests.simulation.believers import Believing, Beside, Credulous, Elsewhere, Shifted, Sparing, Unread
from tests.simulation.joiners import EarlyWord, Forgetful, Hospitable
from tests.simulation.pair import Product


class _Unflushed(DiskSink):
    """Says durable before it is."""

    def commit(self) -> None:
        return


class _Dropping(DiskSink):
    """Loses the second write of a conversation."""

    def __init__(self, disk: WritableDisk) -> None:
        super().__init__(disk)
        self._writes = 0

    def write(self, offset: int, data: bytes | memoryview) -> None:
        self._writes += 1
        if self._writes != 2:
            super().write(offset, data)


class _Reordering(DiskSink):
    """Lets the last write before a flush wait until after it."""

    def __init__(self, disk: WritableDisk) -> None:
        super().__init__(disk)
        self._kept: tuple[int, bytes] | None = None

    def write(self, offset: int, data: bytes | memoryview) -> None:
        kept, self._kept = self._kept, (offset, bytes(data))
        if kept is not None:
            super().write(*kept)

    def commit(self) -> None:
        super().commit()
        if self._kept is not None:
            kept, self._kept = self._kept, None
            super().write(*kept)


class _Trusting(Receiver):
    """Believes that it holds whatever a delta stands on."""

    def _admit(self, disk: WritableDisk, hello: Hello, log: ProgressLog) -> Welcome:
        log.state = replace(log.state, base=hello.base)
        return super()._admit(disk, hello, log)


class _Unfenced(Receiver):
    """Lets an older generation write."""

    def _admit(self, disk: WritableDisk, hello: Hello, log: ProgressLog) -> Welcome:
        log.state = replace(log.state, generation=0)
        return super()._admit(disk, hello, log)


class _Assuming:
    """A sender that leaves out of a delta what it sent once, instead of asking what arrived."""

    def __init__(self) -> None:
        self._sent: dict[str, list[Extent]] = {}

    def __call__(
        self,
        disk: ReadableDisk,
        channel: Channel,
        spec: PassSpec,
        *,
        extents: Iterable[Extent] | None,
        **options: Any,
    ) -> PassResult:
        sent = self._sent.setdefault(spec.pass_id, [])
        if extents is not None:
            extents = tuple(subtract(merge(extents), merge(sent)))
        return send_pass(disk, _Noting(channel, sent), spec, extents=extents, **options)


class _Noting:
    """A channel that remembers which runs went into it."""

    def __init__(self, inner: Channel, sent: list[Extent]) -> None:
        self._inner = inner
        self._sent = sent
        self.recv_into, self.close = inner.recv_into, inner.close

    def send(self, parts: Sequence[Buffer]) -> None:
        for part in parts:
            if len(part) == wire.HEADER_BYTES and bytes(part[:4]) == wire.MAGIC:
                header = wire.parse_header(part)
                if header.kind in {Kind.DATA, Kind.ZERO}:
                    self._sent.append(Extent(header.offset, header.length))
        self._inner.send(parts)


MUTANTS: dict[str, Callable[[], Product]] = {
    "acknowledged before the flush": lambda: Product(make_sink=_Unflushed),
    "a write dropped": lambda: Product(make_sink=_Dropping),
    "a write moved behind a flush": lambda: Product(make_sink=_Reordering),
    "the base of a delta is trusted": lambda: Product(receiver=_Trusting),
    "an older generation is let in": lambda: Product(receiver=_Unfenced),
    "resumed without asking": lambda: Product(send=_Assuming()),
    "a hint of the dedupe table is believed": lambda: Product(make_answering=Believing),
    "a hint of the dedupe table is taken for the grain": lambda: Product(make_answering=Unread),
    "one grain is hashed and another written": lambda: Product(make_answering=Elsewhere),
    "acknowledged on another connection's flush": lambda: Product(receiver=EarlyWord),
    "joined without the ticket": lambda: Product(receiver=Hospitable),
    "the volume is left before its joiners": lambda: Product(receiver=Forgetful),
    "digests are of the grain behind": lambda: Product(open_disk=Shifted),
    "the cache is trusted after a failed flush": lambda: Product(open_disk=Sparing),
    "digests of 4 KiB are of the grain behind": lambda: Product(receiver=Beside),
    "what a failed flush left is trusted in 4 KiB": lambda: Product(receiver=Credulous),
}
