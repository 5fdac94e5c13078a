"""What must hold at every moment, told from outside: from frames, writes and durable bytes alone."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from migrate.replication import wire
from migrate.replication.channel import Buffer
from migrate.replication.passes import PassSpec
from migrate.replication.wire import Kind
from migrate.sites.ports import Extent
from tests.simulation.network import End
from tests.simulation.storage import SimulatedDisk


class Broken(AssertionError):
    """A promise was broken."""


@dataclass
class Ledger:
    """One volume: what each pass is to bring, and what the receiver said of it."""

    disk: SimulatedDisk
    contents: dict[str, bytes] = field(default_factory=dict)  # by pass id
    latest: int = 0  # the newest generation that was let in
    writes: str = ""  # the pass that wrote last
    said: list[Extent] = field(default_factory=list)  # durable, said of that pass
    completed: set[str] = field(default_factory=set)
    checks: int = 0
    probes: int = 0  # digests offered of what came whole
    fine: int = 0  # second questions of comparisons
    spared: int = 0  # times that what was in memory could be trusted

    def write(self, spec: PassSpec) -> None:
        """A conversation is about to change the disk, or to speak about its own content."""
        if spec.generation < self.latest:
            raise Broken(f"generation {spec.generation} writes after {self.latest}")
        if spec.pass_id != self.writes:
            self.writes, self.said = spec.pass_id, []

    def say(self, spec: PassSpec, runs: Sequence[Extent]) -> None:
        """The receiver says that these runs of a pass are durable."""
        self.write(spec)
        self.said += runs
        self.check(runs)

    def check(self, runs: Sequence[Extent] | None = None) -> None:
        """Raise Broken unless everything said (or these runs of it) is durable and right."""
        for run in self.said if runs is None else runs:
            self.checks += 1
            content = self.contents[self.writes]
            if self.disk.durable[run.offset : run.end] != content[run.offset : run.end]:
                raise Broken(f"{run} of {self.writes} was acknowledged and is not durable")

    def complete(self, spec: PassSpec) -> None:
        """The receiver says that a pass is complete: the whole disk is its content, zeros behind it."""
        if spec.pass_id != self.writes:
            raise Broken(f"{spec.pass_id} is called complete after {self.writes} wrote")
        self.checks += 1
        content = self.contents[spec.pass_id]
        if self.disk.durable != content.ljust(self.disk.size_bytes, b"\0"):
            raise Broken(f"{spec.pass_id} is called complete and is not")
        self.completed.add(spec.pass_id)


class Watched:
    """A receiver's end of a connection that tells the ledger what is said through it.

    An acknowledgement is of a stretch: all that came until ``ack_bytes`` were full, and nothing after.
    """

    def __init__(
        self,
        end: End,
        ledger: Ledger,
        spec: PassSpec,
        ack_bytes: int,
        admitted: Callable[[str, str], None] = lambda _ticket, _dedupe: None,
    ) -> None:
        self._admitted = admitted
        self._end = end
        self._ledger = ledger
        self._spec = spec
        self._ack_bytes = ack_bytes
        self._weight = 0
        self._stretches: deque[list[Extent]] = deque([[]])

    def recv_into(self, buffer: memoryview) -> None:
        self._end.recv_into(buffer)
        if len(buffer) == wire.HEADER_BYTES and bytes(buffer[:4]) == wire.MAGIC:
            header = wire.parse_header(buffer)
            self._ledger.probes += header.kind is Kind.OFFER and bool(header.flags & wire.FLAG_PROBE)
            self._ledger.fine += header.kind is Kind.ASK_FINE
            if header.kind in {Kind.DATA, Kind.ZERO, Kind.KEEP, Kind.HELD}:
                self._stretches[-1].append(Extent(header.offset, header.length))
                self._weight += wire.weight(header.kind, header.length)
                if self._weight >= self._ack_bytes:
                    self._weight = 0
                    self._stretches.append([])

    def send(self, parts: Sequence[Buffer]) -> None:
        kind = wire.parse_header(parts[0]).kind
        if kind is Kind.WELCOME:
            self._welcome(json.loads(bytes(parts[1])))
        elif kind is Kind.ACK:
            self._ledger.say(self._spec, self._stretches.popleft())
            if json.loads(bytes(parts[1]))["complete"]:
                self._ledger.complete(self._spec)
        self._end.send(parts)

    def close(self) -> None:
        self._end.close()

    def _welcome(self, said: dict[str, object]) -> None:
        ledger = self._ledger
        ledger.write(self._spec)
        ledger.latest = self._spec.generation
        ledger.say(self._spec, [Extent(*pair) for pair in said["held"]])  # type: ignore[attr-defined]
        if said["complete"]:
            ledger.complete(self._spec)
        if ticket := said.get("ticket"):
            self._admitted(str(ticket), str(said.get("dedupe", "")))


class WatchedDisk:
    """The replica as one conversation opened it. One that is ``doubted`` is read from its medium."""

    def __init__(self, disk: SimulatedDisk, ledger: Ledger, spec: PassSpec) -> None:
        self._disk = disk
        self._ledger = ledger
        self._spec = spec
        self.size_bytes = disk.size_bytes
        self.allocated, self.flush, self.close = disk.allocated, disk.flush, disk.close
        self.doubted = disk.local

    def trust(self, stamp: str) -> bool:
        trusted = self.doubted and stamp == str(self._disk.changes)
        if self.doubted and not trusted:
            self._disk.forget()
        self.doubted = False
        self._ledger.spared += trusted
        return trusted

    def stamp(self) -> str:
        return str(self._disk.changes) if self._disk.local and not self.doubted else ""

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self.trust("")
        self._disk.read_into(buffer, offset)

    def write(self, data: bytes | memoryview, offset: int) -> None:
        self._ledger.write(self._spec)
        self._disk.write(data, offset)
        self._ledger.write(self._spec)  # others ran meanwhile

    def zero(self, offset: int, length: int) -> None:
        self.write(bytes(length), offset)
