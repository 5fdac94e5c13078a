"""A group with real threads: passes of two disks beside each other, people who ask for checkpoints, a keeper.

Nothing is timed: the passes run their cycles as fast as the machine likes, everybody else until they end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from migrate.journal.group import Asked
from migrate.journal.state import Checkpoint
from planner.errors import Blocked, NotFound, ProjectBusy
from tests.migrate.journal.target import SIZE, Target

CYCLES = 14  # so that a byte says of which disk and cycle it is


class Busy:
    """A group at its target while everybody is at it."""

    def __init__(self, folder: Path) -> None:
        self.target = Target(folder, ["disk-0", "disk-1"])
        self.made: list[Checkpoint] = [self.target.cycle(1)]
        self.errors: list[BaseException] = []
        self.over = threading.Event()
        self.looked = self.refused = 0
        self._turn = threading.Barrier(2)

    def passes(self, volume: str) -> None:
        for cycle in range(2, CYCLES + 1):
            self.target.run(volume, cycle)
            self._turn.wait(120)

    def ask(self) -> None:
        while not self.over.is_set():
            try:
                point = self.target.group.checkpoint(Asked("asked for"))
            except Blocked:
                self.refused += 1
            else:
                assert point is not None
                self.made.append(point)

    def look(self) -> None:
        while not self.over.is_set():
            for point in self.target.group.checkpoints()[-4:]:
                with suppress(NotFound):  # history moved on
                    self.check(point)
                    self.looked += 1

    def keep(self) -> None:
        while not self.over.is_set():
            points = self.target.group.checkpoints()
            with suppress(NotFound, ProjectBusy):
                self.target.group.promote(points[len(points) // 2].record)

    def check(self, point: Checkpoint) -> None:
        """Hold that a checkpoint is of one cycle on both disks."""
        contents = [self.target.image(point, volume) for volume in self.target.volumes]
        cycles = {content[0] % 16 for content in contents}
        assert all(content == content[:1] * SIZE for content in contents), point
        assert len(cycles) == 1, point

    def run(self) -> None:
        passes = [lambda volume=volume: self.passes(volume) for volume in self.target.volumes]
        others = [
            threading.Thread(target=self._caught, args=(work,)) for work in (self.ask, self.look, self.keep)
        ]
        threads = [threading.Thread(target=self._caught, args=(work,)) for work in passes]
        for thread in (*threads, *others):
            thread.start()
        for thread in threads:
            thread.join()
        self.over.set()
        for thread in others:
            thread.join()
        if self.errors:
            raise self.errors[0]

    def _caught(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the one who waits
            self.errors.append(error)
            self._turn.abort()
            self.over.set()


def test_passes_people_and_a_keeper_at_once(tmp_path: Path) -> None:
    busy = Busy(tmp_path / "journal")
    busy.run()
    offered = busy.target.group.checkpoints()
    print(
        f"{len(busy.made)} checkpoints asked for, {busy.refused} refused in a cycle, "
        f"{busy.looked} images read, {len(offered)} left"
    )
    assert offered[-1].cycle == f"cycle-{CYCLES}"
    for point in offered:
        busy.check(point)
    busy.target.kill()
    assert busy.target.group.checkpoints() == offered
    for point in offered:
        busy.check(point)
