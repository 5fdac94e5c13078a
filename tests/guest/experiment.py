"""One life of a guest: it comes up, writes, checkpoints are taken while it does, its power is cut.

What is known of each checkpoint is what the guest had called durable before it was asked for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from migrate.protection.freezing import checkpoint
from migrate.sites.ports import Consistency
from tests.guest.disorder import Disorder, journalled
from tests.guest.drives import Images, Journal, Serving, copied, formatted, serving
from tests.guest.freezing import policy
from tests.guest.inspection import may_mount, verdict
from tests.guest.machine import Machine, running
from tests.guest.records import DISKS
from tests.guest.system import System


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint, and the records that were ``said`` to be durable before it."""

    record: int
    said: Mapping[str, int]


@dataclass(slots=True)
class Experiment:
    """The guest's disks in ``folder``: their content at first, their log, the checkpoints of it.

    At ``at_rest`` the guest was frozen.
    """

    system: System
    folder: Path
    replicas: Sequence[Path] = ()
    points: list[Point] = field(default_factory=list)
    at_rest: Point | None = None
    mount: bool = False

    def __post_init__(self) -> None:
        """Make the disks."""
        self.replicas = formatted(self.folder)
        self.mount = may_mount(self.replicas[0])

    def opened(self) -> Journal:
        """Open the log as it is found on the disk now; close it."""
        return Journal(self.folder / "log", self.replicas)

    def wrong_at(self, images: Images, point: Point) -> list[str]:
        """Return what is wrong with the disks at a checkpoint."""
        disks = copied(images, point.record, self.folder)
        try:
            return verdict(disks, point.said, self.mount)
        finally:
            for left in self.folder.glob(f"*-{point.record}.*"):
                left.unlink()

    def disordered(self, disorder: Disorder, points: Sequence[Point], seed: int) -> dict[int, list[str]]:
        """Return what is wrong at checkpoints when the log had kept another order, by record."""
        journal = self.opened()
        order = journal.order()
        journal.close()
        counts = [sum(number < point.record for number, _ in order) for point in points]
        writes = disorder([write for _, write in order], random.Random(seed))
        other, records = journalled(
            self.folder / f"{disorder.__name__}-{seed}", self.replicas, writes, counts
        )
        same = [Point(record, point.said) for record, point in zip(records, points, strict=True)]
        found = {point.record: self.wrong_at(other, now) for point, now in zip(points, same, strict=True)}
        other.close()
        return found


class Life:
    """A guest that runs over the disks of an experiment."""

    def __init__(self, experiment: Experiment, journal: Journal, served: Serving, machine: Machine) -> None:
        self.machine = machine
        self._experiment = experiment
        self._journal = journal
        self._served = served

    def insert(self) -> Point:
        """Take a checkpoint now."""
        said = self.machine.listen()  # first: what was said by now has to be in it
        record = self._served.do(self._journal.checkpoint)
        point = Point(record, said)
        self._experiment.points.append(point)
        return point

    def insert_at_rest(self) -> None:
        """Take a checkpoint while the guest's agent holds it frozen, between two pairs of records."""
        reached = checkpoint(policy(self.machine.agent), self.insert, self._experiment.points.remove)
        assert reached.consistency is Consistency.APPLICATION, reached
        assert not reached.complaints
        self._experiment.at_rest = reached.inserted
        self._served.do(partial(self._journal.label, reached.inserted.record, reached.consistency))

    def write(self, checkpoints: int, pause_s: float) -> None:
        """Take checkpoints while the guest writes."""
        for _ in range(checkpoints):
            time.sleep(pause_s)
            self.insert()


@contextmanager
def life(experiment: Experiment) -> Iterator[Life]:
    """Start the guest on its new disks; at the end its power is cut, and what came is a last checkpoint."""
    journal = experiment.opened()
    disks = {disk: journal.disk(number) for number, disk in enumerate(DISKS)}
    try:
        with serving(disks) as served, running(experiment.system, served.path, experiment.folder) as machine:
            machine.wait_until_ready()
            living = Life(experiment, journal, served, machine)
            yield living
            machine.cut()
            living.insert()
    finally:
        journal.close()


def whole(experiment: Experiment, images: Images) -> None:
    """Check the disks at every checkpoint, and close the journal they are read from."""
    wrong = {point.record: experiment.wrong_at(images, point) for point in experiment.points}
    images.close()
    assert {record: lines for record, lines in wrong.items() if lines} == {}
    said = experiment.points[-1].said
    assert min(said.values()) > len(wrong), "it wrote enough for the checks to mean something"
    print(f"{len(wrong)} checkpoints, {said} records, {'' if experiment.mount else 'not '}mounted")
