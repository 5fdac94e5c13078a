"""One life of a guest: it comes up, writes, checkpoints are taken while it does, its power is cut.

What is known of each checkpoint is what the guest had called durable before it was asked for.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from migrate.protection.freezing import checkpoint
from migrate.sites.ports import Consistency
from tests.guest.disorder import Disorder, journalled
from tests.guest.freezing import policy
from tests.guest.inspection import may_mount, verdict
from tests.guest.journals import Opened, checkpoints, copied, order
from tests.guest.machine import Machine, running
from tests.guest.system import System


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint, and the records that were ``said`` to be durable before it."""

    record: int
    said: Mapping[str, int]


class Front(Protocol):
    """What the guest's disks are, served over NBD at ``path`` as "a" and "b"."""

    @property
    def path(self) -> Path: ...
    def begin(self) -> None: ...
    def settle(self) -> None:
        """Return when what the guest had sent before its power went is done."""
        ...

    def checkpoint(self) -> int:
        """Make a checkpoint at this instant and return its number."""
        ...

    def end(self) -> None: ...
    def opened(self) -> Opened:
        """Open what was kept, once it ended."""
        ...


class Experiment:
    """A guest in ``folder`` whose ``disks`` are behind ``front``.

    ``points`` are the checkpoints that are offered in the end. At ``at_rest`` the guest was frozen.
    """

    def __init__(self, system: System, folder: Path, disks: Sequence[Path], front: Front) -> None:
        self.system, self.folder, self.disks, self.front = system, folder, disks, front
        self.mount = may_mount(disks[0])
        self.points: list[Point] = []
        self.at_rest: Point | None = None

    @contextmanager
    def life(self) -> Iterator[Life]:
        """Start the guest; at the end its power is cut, and what came is a last checkpoint."""
        self.front.begin()
        try:
            with running(self.system, self.front.path, self.folder) as machine:
                machine.wait_until_ready()
                living = Life(self.front, machine)
                yield living
                machine.cut()
                machine.listen()
                self.front.settle()
                living.insert()
        finally:
            self.front.end()
        self.at_rest = living.at_rest
        opened = self.front.opened()
        for made in checkpoints(opened.log):
            said = living.said.get(made.record) or machine.said_before(made.at_ms)
            self.points.append(Point(made.record, said))
        opened.close()

    def wrong_at(self, opened: Opened, point: Point) -> list[str]:
        """Return what is wrong with the disks at a checkpoint."""
        disks = copied(opened, point.record, self.folder)
        try:
            return verdict(disks, point.said, self.mount)
        finally:
            for disk in disks:
                for left in self.folder.glob(f"{disk.stem}.*"):
                    left.unlink()

    def check(self) -> None:
        """Fail unless the disks are whole at every checkpoint; say how many these were."""
        opened = self.front.opened()
        found = {point.record: self.wrong_at(opened, point) for point in self.points}
        opened.close()
        wrong = {record: lines for record, lines in found.items() if lines}
        assert not wrong, wrong
        said = self.points[-1].said
        assert min(said.values()) > len(found), "it wrote enough for the checks to mean something"
        print(f"{len(found)} checkpoints, {said} records, {'' if self.mount else 'not '}mounted")

    def newest(self) -> list[bytes]:
        """Return the content of both disks at the newest checkpoint."""
        opened = self.front.opened()
        made = copied(opened, self.points[-1].record, self.folder)
        opened.close()
        return [disk.read_bytes() for disk in made]

    def disordered(self, disorder: Disorder, points: Sequence[Point], seed: int) -> dict[int, list[str]]:
        """Return what is wrong at checkpoints when the log had kept another order, by record."""
        opened = self.front.opened()
        kept = order(opened)
        opened.close()
        counts = [sum(number < point.record for number, _ in kept) for point in points]
        writes = disorder([write for _, write in kept], random.Random(seed))
        folder = self.folder / f"{disorder.__name__}-{seed}"
        other, records = journalled(folder, opened.replicas, writes, counts)
        same = [Point(record, point.said) for record, point in zip(records, points, strict=True)]
        found = {point.record: self.wrong_at(other, now) for point, now in zip(points, same, strict=True)}
        other.close()
        return found


class Life:
    """A guest that runs; ``said`` is what it had said before each checkpoint that was inserted."""

    def __init__(self, front: Front, machine: Machine) -> None:
        self.machine = machine
        self.said: dict[int, dict[str, int]] = {}
        self.at_rest: Point | None = None
        self._front = front

    def insert(self) -> Point:
        """Take a checkpoint now."""
        said = self.machine.listen()  # first: what was said by now has to be in it
        record = self._front.checkpoint()
        self.said[record] = said
        return Point(record, said)

    def insert_at_rest(self) -> None:
        """Take a checkpoint while the guest's agent holds it frozen, between two pairs of records."""
        reached = checkpoint(policy(self.machine.agent), self.insert, self._forget)
        assert reached.consistency is Consistency.APPLICATION, reached
        assert not reached.complaints
        self.at_rest = reached.inserted

    def _forget(self, point: Point) -> None:
        del self.said[point.record]

    def write(self, checkpoints: int, pause_s: float, records: int = 0) -> None:
        """Take checkpoints while the guest writes, so many records at least before each."""
        for _ in range(checkpoints):
            self.machine.run(pause_s)
            self.machine.wait_for(records)
            self.insert()
