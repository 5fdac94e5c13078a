"""Movers of a night: children of the engine over a pipe, or a fleet under leases. Each is a process.

They carry with the product's own transfers. What is left out of ``migrate.movers.pool`` and
``migrate.engine.fleet`` is what needs an operating system or a database; who stops whom, and when, is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from migrate.disks.ports import ReadableDisk
from migrate.engine.leases import MARGIN_S, TERM_S
from migrate.kept import Checkpoints
from migrate.movers.task import Task
from migrate.replication.passes import Mode, PassSpec
from migrate.replication.throttle import Throttle
from migrate.sites.ports import Disks
from migrate.transfers.keeping import KeepsHere
from migrate.transfers.ports import Moving
from migrate.transfers.streamed import StreamedTransfers
from planner.errors import Unreachable
from tests.faults.nights.keeping import Distant
from tests.faults.nights.links import Answer
from tests.faults.nights.placing import place
from tests.faults.nights.plane import Receiving
from tests.faults.nights.rack import GRAIN, Rack
from tests.migrate.replication.model import MemoryDisk
from tests.simulation.schedule import Process, Schedule

_EDGE_READS = 1  # of the block that a mover has in hand when its pipe closes
_LOOK_S = 1.0  # as often the engine of a fleet looks at the leases


@dataclass(eq=False)
class Mover:
    """One mover; ``engine`` holds the other end of its pipe."""

    number: int
    process: Process
    engine: Process
    at_work: bool = False
    expires_s: float = 0.0  # of its lease, as the others know it
    fenced: bool = False
    reads_after: int = 0  # after the pipe closed


@dataclass(eq=False)
class Movers:
    """Children of the engine: each stops at a block edge when its pipe closes.

    ``minds_pipe`` is what a mutant leaves out. ``wrong`` collects what no mover may do.
    """

    schedule: Schedule
    source: Rack
    receiving: Receiving
    minds_pipe: bool = True
    keeps: type[KeepsHere] = KeepsHere
    wrong: list[str] = field(default_factory=list)
    known: list[Mover] = field(default_factory=list)
    takeovers: int = 0

    @property
    def at_work(self) -> list[Mover]:
        """The movers that carry something now."""
        return [one for one in self.known if one.at_work and not one.process.dead]

    @property
    def idle(self) -> list[Mover]:
        """The movers that wait for a task."""
        return [
            one
            for one in self.known
            if not (one.at_work or one.process.dead or one.fenced or one.engine.dead)
        ]

    def do(
        self,
        task: Task,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]:
        """Have a task done; see ``migrate.movers.pool.Child.do``."""
        mover, answer = self._mover(), Answer()
        self._begin(mover, task, answer, lambda: (self.minds_pipe and mover.engine.dead) or stop())
        self.schedule.wait(lambda: answer.done or mover.process.dead)
        if not answer.done:
            raise Unreachable(
                f"the mover (process {mover.number}) died in the middle of its work",
                "run the verb again; it resumes",
            )
        return dict(answer.take())

    def hire(self) -> None:
        """Have a mover that waits for a task, as one that did its last one is."""
        self._mover()

    def _mover(self) -> Mover:
        if not (idle := self.idle):
            self.known.append(Mover(len(self.known), Process(), self.schedule.current.process))
            idle = self.known[-1:]
        return idle[0]

    def _begin(self, mover: Mover, task: Task, answer: Answer, stop: Callable[[], bool]) -> None:
        mover.at_work = True

        def work() -> None:
            answer.fill(lambda: self._carry(mover, task, stop))
            mover.at_work = False

        self.schedule.spawn(mover.process, f"mover {mover.number}", work)

    def _carry(self, mover: Mover, task: Task, stop: Callable[[], bool]) -> dict[str, Any]:
        """Do a task as ``migrate.movers.process.carry`` does."""
        if task.keeping is not None:
            return {"kept": self._keep(task, stop)}
        if task.placement is not None:
            return {"placed": asdict(place(task.placement, self.source, self.receiving.rack, stop))}
        wanted, spec = task.wanted, None
        if wanted is not None:
            held = bytes(self.source.open_read(wanted.volume, wanted.snapshot).seen)
            self.receiving.ledger(wanted.volume).contents[wanted.pass_id] = held
            spec = PassSpec(
                wanted.volume, wanted.pass_id, wanted.size_bytes, task.generation, wanted.base, wanted.change
            )
        transfers = StreamedTransfers(
            _Reads(self, mover, ahead=wanted is None or wanted.mode is Mode.COMPARE),
            lambda: self.receiving.connect(spec),
            generation=task.generation,
            level=0,
            block_bytes=GRAIN,
            throttle=Throttle(),
            stop=lambda _volume: stop(),
        )
        if wanted is not None:
            return {"copied": asdict(transfers.copy(wanted, lambda _moving: None))}
        about = task.comparison
        assert about is not None
        said = transfers.compare(
            about.volume, about.size_bytes, about.snapshot, lambda _moving: None, larger=about.larger
        )
        return {"compared": asdict(said)}

    def _keep(self, task: Task, stop: Callable[[], bool]) -> dict[str, Any]:
        """Keep as ``migrate.movers.keeping`` does; a mover is where the engine is."""
        about, target = task.keeping, self.receiving.rack
        assert about is not None
        source = cast("Disks", Distant(self.source, far=self.source.name == "dc2"))
        reached = cast("Disks", Distant(target, far=target.name == "dc2"))
        checkpoints = Checkpoints(Path(about.folder), self.source.clock)
        return self.keeps(source, reached, checkpoints, stop).keep(
            about.name, about.wave, about.volumes, lambda _moving: None
        )

    def saw_read(self, mover: Mover) -> None:
        """Note that a mover takes up another block."""
        if self.minds_close(mover):
            mover.reads_after += 1
            if mover.reads_after == _EDGE_READS + 1:
                self.wrong.append(f"mover {mover.number} went on after its pipe had closed")

    def minds_close(self, mover: Mover) -> bool:
        """Return whether a mover has to stop by now."""
        return mover.engine.dead


class Fleet(Movers):
    """Movers of other hosts under leases; a task is taken from one whose lease is over.

    The engine's death does not stop them: the next engine takes back what the last one had asked for.
    """

    _served: Process | None = None  # the engine that asked last

    def do(
        self,
        task: Task,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]:
        """Have a task done; see ``migrate.engine.fleet.Fleet.do``."""
        mover, answer, engine = self._mover(), Answer(), self.schedule.current.process
        mover.engine = self._served = engine
        lease = _Lease(self.schedule, mover)
        cancelled = False

        def stopped() -> bool:
            return cancelled or self._served is not engine or not lease.left_s or stop()

        self._begin(mover, task, answer, stopped)
        self.schedule.spawn(mover.process, f"lease {mover.number}", lease.renew)
        while not self.schedule.wait(lambda: answer.done, _LOOK_S):
            if mover.expires_s + MARGIN_S < self.schedule.now:
                mover.fenced = cancelled = True
                self.takeovers += 1
                raise Unreachable(
                    f"mover {mover.number} died in the middle of a transfer", "another one takes it over"
                )
        return dict(answer.take())

    def minds_close(self, mover: Mover) -> bool:
        """Return whether a mover was fenced."""
        return mover.fenced


class _Lease:
    """A mover's own lease, as ``migrate.engine.leases`` has it: its deadline is from before the request."""

    def __init__(self, schedule: Schedule, mover: Mover) -> None:
        self._schedule, self._mover = schedule, mover
        self._deadline_s = mover.expires_s = schedule.now + TERM_S

    @property
    def left_s(self) -> float:
        """Seconds for which the mover may go on."""
        return max(self._deadline_s - self._schedule.now, 0.0)

    def renew(self) -> None:
        """Renew it while there is work, unless somebody fenced the mover."""
        while self._mover.at_work:
            asked_s = self._schedule.now
            if self._mover.fenced:
                self._deadline_s = float("-inf")
                return
            self._deadline_s = self._mover.expires_s = asked_s + TERM_S
            self._schedule.sleep(TERM_S / 5)


class _Reads:
    """The source as a mover reads it. One that compares has asked ``ahead``, and reads that much more."""

    def __init__(self, movers: Movers, mover: Mover, *, ahead: bool) -> None:
        self._movers, self._sender = movers, None if ahead else mover

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        """Return the disk; each block takes a moment."""
        held = bytes(self._movers.source.open_read(volume, snapshot).seen)
        return _Slow(held, self._movers, self._sender)


class _Slow(MemoryDisk):
    """A disk in whose reads others run."""

    def __init__(self, content: bytes, movers: Movers, sender: Mover | None) -> None:
        super().__init__(content)
        self._movers, self._sender = movers, sender

    def read_into(self, buffer: memoryview, offset: int) -> None:
        if self._sender is not None:
            self._movers.saw_read(self._sender)
        self._movers.schedule.pause()
        super().read_into(buffer, offset)
