"""One run: a seed makes an estate and a story of faults, and the promises are checked all along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from migrate.replication import refining
from migrate.replication.dedupe import offering
from migrate.replication.zeros import GRAIN
from tests.migrate.replication.model import KIB
from tests.simulation.estate import Volume
from tests.simulation.pair import Pair, Product
from tests.simulation.schedule import Schedule

STEPS_MAX = 20_000  # ten times what the longest of 4,000 runs took
_MENDED_AFTER = 400  # steps until space is free again, or a disk that always failed is replaced


@dataclass(frozen=True)
class Told:
    """What a run was: equal for one seed, whenever and wherever it runs."""

    seed: int
    digest: str
    steps: int
    checks: int
    met: Counter[str]
    story: list[str] = field(repr=False, default_factory=list)


class RunFailed(AssertionError):
    """A run in which something was broken; the message says how to see it again."""


def run(seed: int, product: Product | None = None) -> Told:
    """Run one seed to its end; raises RunFailed with seed and story."""
    schedule = Schedule(seed, STEPS_MAX)
    volumes = [Volume("v0", schedule)]
    if schedule.rng.random() < 0.5:
        volumes.append(Volume("v1", schedule, like=volumes[0]))
    # In each other run where little is found or spared, every second block is a probe.
    few: dict[str, Any] = {"SEEN_BYTES": 2 * GRAIN, "PROBE": 2, "AHEAD": 1} if seed % 2 else {}
    with (
        TemporaryDirectory(prefix="wherry-simulation-") as folder,
        patch.multiple(offering, **few) if few else nullcontext(),
        patch.multiple(refining, **few) if few else nullcontext(),
    ):
        pair = Pair(schedule, volumes, product or Product(), Path(folder))
        faults = _Faults(pair)
        for volume in volumes:
            pair.start(volume, 1)
        try:
            schedule.run(faults.between)
            for volume in volumes:
                _settle(volume, schedule)
        except Exception as error:
            told = "\n  ".join(schedule.story[-40:])
            raise RunFailed(f"seed {seed}: {type(error).__name__}: {error}\n  {told}") from error
        finally:
            schedule.end()
            pair.close()
    checks = sum(volume.ledger.checks for volume in volumes)
    schedule.met["asked finely"] += sum(volume.ledger.fine for volume in volumes)
    schedule.met["cache spared"] += sum(volume.ledger.spared for volume in volumes)
    schedule.met["probed"] += sum(volume.ledger.probes for volume in volumes)
    return Told(seed, schedule.trace.hexdigest(), schedule.steps, checks, schedule.met, schedule.story)


def _settle(volume: Volume, schedule: Schedule) -> None:
    """In the end, with the power gone once more, each volume is its newest content."""
    volume.disk.lose_power(schedule.rng)
    volume.ledger.check()
    newest = volume.versions[-1].content.ljust(volume.disk.size_bytes, b"\0")
    assert volume.disk.durable == newest, f"{volume.name} is not what its source is"


class _Faults:
    """Strikes at random moments, so often and no more; then everything is mended."""

    def __init__(self, pair: Pair) -> None:
        self._pair = pair
        self._schedule = pair.schedule
        self._rng = pair.schedule.rng
        self._left = self._rng.choice((0, 1, 2, 3, 5, 8, 13))
        self._often = self._rng.choice((0.005, 0.02, 0.05))
        self._mend_at: list[tuple[int, Callable[[], None]]] = []
        self._kinds = (
            self._cut,
            self._cut,
            self._silence,
            self._kill_receiver,
            self._target_loses_power,
            self._kill_sender,
            self._sender_loses_power,
            self._jump,
            self._takeover,
            self._twin,
            self._change_source,
            self._fail_source,
            self._fail_writes,
            self._fail_writes_for_ever,
            self._fill,
            self._fail_flush,
            self._fail_flush_and_die,
            self._fail_log,
            self._join_late,
            self._join_late,
        )

    def between(self) -> None:
        """Called before each step."""
        for volume in self._pair.volumes:
            if volume.disk.lying and b'"unknown":true' in volume.log.durable:
                volume.disk.lying = False
        for item in [item for item in self._mend_at if item[0] <= self._schedule.steps]:
            self._mend_at.remove(item)
            item[1]()
        if self._left and self._rng.random() < self._often:
            self._left -= 1
            self._rng.choice(self._kinds)()
        self._pair.quiet = not self._left and not self._mend_at

    def _some_volume(self) -> Volume:
        return self._rng.choice(self._pair.volumes)

    def _cut(self) -> None:
        alive = self._pair.alive()
        if alive and self._rng.random() < 0.5:
            alive = [self._rng.choice(alive)]  # one of several streams, perhaps
        for connection, _sender, _receiver in alive:
            up = self._rng.random() < 0.7
            connection.cut_after(self._rng.randrange(96 * KIB if up else 300), up=up)

    def _silence(self) -> None:
        if alive := self._pair.alive():
            up, down = self._rng.choice(((True, True), (True, False), (False, True)))
            self._rng.choice(alive)[0].go_silent(up=up, down=down)
            self._schedule.meet("half-open")

    def _kill_receiver(self) -> None:
        if any(volume.disk.lying for volume in self._pair.volumes):
            return  # behind a server that keeps its pages nobody could tell afterwards: docs/limits.md
        if self._pair.receiving is not None and not self._pair.receiving.dead:
            self._schedule.meet("receiver killed")
            self._schedule.kill(self._pair.receiving)

    def _target_loses_power(self) -> None:
        if self._pair.receiving is not None:
            self._schedule.meet("target lost power")
            self._pair.power_off(self._pair.receiving)
        for volume in self._pair.volumes:
            volume.disk.lose_power(self._rng)
            volume.disk.lying = False
            volume.log.lose_power()
            volume.ledger.check()

    def _end_a_sender(self, how: str, end: Callable[..., None]) -> None:
        living = [item for item in self._pair.senders.items() if not item[0].dead]
        if living:
            process, (volume, generation) = self._rng.choice(living)
            self._schedule.meet(how)
            end(process)
            self._pair.start(volume, generation)

    def _kill_sender(self) -> None:
        self._end_a_sender("sender killed", self._schedule.kill)

    def _sender_loses_power(self) -> None:
        self._end_a_sender("sender lost power", self._pair.power_off)

    def _jump(self) -> None:
        self._pair.skew_s += self._rng.choice((-86400.0, -5.0, -0.01, 5.0, 86400.0))
        self._schedule.meet("clock jumped")

    def _takeover(self) -> None:
        volume = self._some_volume()
        volume.generation += 1
        self._schedule.meet("newer generation")
        self._pair.start(volume, volume.generation)

    def _twin(self) -> None:
        volume = self._some_volume()
        self._schedule.meet("second sender")
        self._pair.start(volume, volume.generation)

    def _change_source(self) -> None:
        self._pair.changing.add(self._some_volume().name)

    def _fail_source(self) -> None:
        self._pair.failing_sources.add(self._some_volume().name)

    def _fail_writes(self) -> None:
        self._some_volume().disk.writes_fail = self._rng.randint(1, 2)

    def _fail_writes_for_ever(self) -> None:
        disk = self._some_volume().disk
        disk.writes_fail = -1
        self._mend(lambda: setattr(disk, "writes_fail", 0))

    def _fill(self) -> None:
        disk = self._some_volume().disk
        disk.full = True
        self._mend(lambda: setattr(disk, "full", False))

    def _fail_flush(self) -> None:
        self._some_volume().disk.flush_fails = True

    def _fail_flush_and_die(self) -> None:
        """The flush fails, and the process is gone before it could record that."""
        disk = self._some_volume().disk
        disk.flush_fails = True
        disk.dies_of_it = disk.local

    def _fail_log(self) -> None:
        self._some_volume().log.fails = self._rng.choice(("torn", "unsynced"))

    def _join_late(self) -> None:
        """A connection comes that was under way for long: its pass may be over, or taken over."""
        if self._pair.tickets:
            volume, held = self._rng.choice(self._pair.tickets)
            self._schedule.meet("late joiner")
            if self._rng.random() < 0.4:
                self._pair.barge_in(volume, held)
            else:
                self._pair.lurking[volume.name] = held

    def _mend(self, act: Callable[[], None]) -> None:
        self._mend_at.append((self._schedule.steps + self._rng.randint(1, _MENDED_AFTER), act))
