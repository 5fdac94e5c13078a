"""A writer, a checkpointer, readers of images and of disks, a promoter and deaths, in drawn interleavings.

An image that was opened reads its checkpoint for ever; a disk reads as some content it had while it was
read; what is offered is a prefix of the order of writes over all disks, however far a promotion has come.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from migrate.journal.disk import JournalledDisk
from migrate.journal.image import Image
from migrate.journal.leases import Lease
from migrate.journal.log import Log
from migrate.journal.merging import Merger
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote
from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Ref
from planner.errors import NotFound, ProjectBusy, WherryError
from tests.migrate.journal.model import World, read
from tests.migrate.journal.mutants import Heedless, Needless, opened_as
from tests.migrate.journal.stepped import Stepped, SteppedFiles, SteppedLog, SteppedReplica

WRITER = ("append", "join", "checkpoint", "rotate", "commit", "torn", "drop", "trim")
LIFE = 20  # rules, so that things come to an end
seeds = st.integers(0, 2**32)


class SteppedWorld(World):
    storage = SteppedFiles
    replica = SteppedReplica


class Journal(RuleBasedStateMachine):
    """One group's journal, and everybody who is at it."""

    log_kind: type[Log] = SteppedLog
    met: dict[str, int] = {}  # noqa: RUF012 - over all runs

    def __init__(self) -> None:
        super().__init__()
        self.world = SteppedWorld(opened_as(self.log_kind))
        self.held: list[tuple[Lease, list[bytes]]] = []
        self.readers: list[Stepped] = []
        self.promoter: Stepped | None = None
        self.age = 0

    @initialize(seed=seeds)
    def begin(self, seed: int) -> None:
        rng = random.Random(seed)
        for operation in ("append", "checkpoint", *["rotate"] * 3, "checkpoint", "append", "commit"):
            self.world.do(operation, rng)

    @rule(operation=st.sampled_from(WRITER), seed=seeds)
    def write(self, operation: str, seed: int) -> None:
        self.world.do(operation, random.Random(seed))

    @rule(seed=seeds)
    def open_image(self, seed: int) -> None:
        if offered := self._offered():
            record = random.Random(seed).choice(offered)
            self.held.append((self.world.log.lease(record), self.world.expected(record)))
            self._count("images opened")

    @precondition(lambda self: self.held)
    @rule(seed=seeds)
    def close_image(self, seed: int) -> None:
        if not self.readers:
            self.held.pop(random.Random(seed).randrange(len(self.held)))[0].close()

    @precondition(lambda self: len(self.readers) < 3)
    @rule(number=st.integers(0, 1), seed=seeds)
    def begin_to_read(self, number: int, seed: int) -> None:
        """An image that is open, or a disk as it is now."""
        if number and self.held:
            lease, expected = random.Random(seed).choice(self.held)
            self.readers.append(Stepped("image", partial(self._read_image, lease, expected)))
        else:
            self.readers.append(Stepped("disk", partial(self._read_disk, number)))

    @precondition(lambda self: self.promoter is None)
    @rule(merges=st.booleans(), seed=seeds)
    def begin_to_move_history(self, merges: bool, seed: int) -> None:
        """Into the replicas, or together; one at a time."""
        if merges:
            self.promoter = Stepped("merging", self._merge)
        elif offered := self._offered():
            record = random.Random(seed).choice(offered)
            self.promoter = Stepped("promotion", partial(self._promote, record))

    @precondition(lambda self: self.promoter is not None)
    @rule(steps=st.integers(1, 40))
    def go_on_with_history(self, steps: int) -> None:
        for _ in range(steps):
            if self.promoter is not None:
                self.promoter.step()
                self.promoter = None if self.promoter.over else self.promoter

    @precondition(lambda self: self.readers)
    @rule(seed=seeds, steps=st.integers(1, 20))
    def go_on_reading(self, seed: int, steps: int) -> None:
        rng = random.Random(seed)
        for _ in range(steps):
            if self.readers:
                rng.choice(self.readers).step()
                self.readers = [reader for reader in self.readers if not reader.over]

    @precondition(lambda self: self.age > LIFE)
    @rule(seed=seeds, power=st.booleans())
    def die(self, seed: int, power: bool) -> None:
        self._end()
        self.held, self.age = [], 0
        self.world.crash(random.Random(seed), power=power)
        self.world.reopen()
        self._count("deaths")

    @invariant()
    def everything_offered_is_right(self) -> None:
        self.age += 1
        assert self.world.wrong() == ""

    def teardown(self) -> None:
        self._end()

    def _offered(self) -> list[int]:
        log = self.world.log
        return [record for record in log.state.checkpoints if record <= log.durable]

    def _promote(self, record: int) -> None:
        world = self.world
        before = world.withdrawn
        world.withdrawn = max(before, record)
        try:
            promote(world.log, world.files, world.disks, record)
            self._count("promotions ended")
        except ProjectBusy:
            assert any(lease.record < record for lease, _ in self.held), "nobody looks at anything older"
            world.withdrawn = before
            self._count("promotions refused")
        except NotFound:
            assert record in world.dropped  # between the choice and the withdrawal
            world.withdrawn = before

    def _merge(self) -> None:
        if Merger(self.world.files, "group", 0).merge(self.world.log, lambda _bytes: None):
            self._count("segments merged")

    def _read_image(self, lease: Lease, expected: list[bytes]) -> None:
        for number, disk in self.world.disks.items():
            image = Image(number, disk, lease, Indexes(FrameReader(self.world.files)))
            assert read(image) == expected[number], f"image {lease.record} of disk {number} changed"
        self._count("images read")

    def _read_disk(self, number: int) -> None:
        log, first = self.world.log, self.world.log.last
        found = read(JournalledDisk(number, self.world.disks[number], log))
        contents = [contents[number] for contents in self.world.expectations([*range(first, log.last + 1)])]
        assert found in contents, f"disk {number} read as it never was"
        self._count("disks read")

    def _count(self, what: str) -> None:
        self.met[what] = self.met.get(what, 0) + 1

    def _end(self) -> None:
        for thread in [*self.readers, *filter(None, [self.promoter])]:
            thread.end()
        self.readers, self.promoter = [], None


def run(
    kind: type[Log], examples: int, steps: int, phases: tuple[Phase, ...] = tuple(Phase)
) -> dict[str, int]:
    """Run the machine over a kind of log and return what was met."""
    machine = type("Journal", (Journal,), {"log_kind": kind, "met": {}})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=examples < 1000,
            database=None,
            phases=phases,
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
            print_blob=False,
        ),
    )
    return machine.met  # type: ignore[no-any-return, attr-defined]


def test_what_is_open_stays_and_what_is_offered_is_right() -> None:
    met = run(SteppedLog, 25, 50)
    print(met)
    assert {"images opened", "disks read", "deaths"} <= set(met)


@pytest.mark.soak
def test_what_is_open_stays_and_what_is_offered_is_right_at_length() -> None:
    print(run(SteppedLog, 500, 100))
    for seed in range(400):
        drive(SteppedLog, seed, 200)


class _Promoting(SteppedLog):
    """Promotes below open images."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self.leases = Heedless()


class _Trimming(SteppedLog):
    """Trims below open images."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self.leases = Needless()


class _Early(SteppedLog):
    """Says durable of a mark that is not."""

    def mark(self, mark: Any) -> int:
        record = super().mark(mark)
        self._durable = record
        return record


class _Unheld(SteppedLog):
    """Reads for a moment what may go meanwhile."""

    @contextmanager
    def reading(self) -> Iterator[tuple[Sequence[Ref], int]]:
        frames = self.frames()
        yield frames, len(frames)


def drive(kind: type[Log], seed: int, steps: int = 120) -> dict[str, int]:
    """Drive the machine by a seed, most of the time to let go on what was begun; return what was met."""
    rng = random.Random(seed)
    machine: Journal = type("Journal", (Journal,), {"log_kind": kind, "met": {}})()
    machine.begin(seed=seed)
    try:
        for _ in range(steps):
            draw = rng.random()
            if draw < 0.3:
                machine.write(operation=rng.choice(WRITER), seed=rng.getrandbits(32))
            elif draw < 0.4:
                machine.open_image(seed=rng.getrandbits(32))
            elif draw < 0.5 and len(machine.readers) < 3:
                machine.begin_to_read(number=rng.randrange(2), seed=rng.getrandbits(32))
            elif draw < 0.6 and machine.promoter is None:
                machine.begin_to_move_history(merges=rng.random() < 0.5, seed=rng.getrandbits(32))
            elif draw < 0.8 and machine.promoter is not None:
                machine.go_on_with_history(steps=rng.randint(1, 40))
            elif draw < 0.98 and machine.readers:
                machine.go_on_reading(seed=rng.getrandbits(32), steps=rng.randint(1, 20))
            elif draw >= 0.98:
                machine.die(seed=rng.getrandbits(32), power=rng.random() < 0.5)
            machine.everything_offered_is_right()
    finally:
        machine.teardown()
    return machine.met


def test_every_interleaving_that_a_seed_draws_keeps_the_promise() -> None:
    met: Counter[str] = Counter()
    for seed in range(10):
        met.update(drive(SteppedLog, seed))
    print(met)
    assert set(met) == {
        "images opened",
        "images read",
        "disks read",
        "promotions ended",
        "promotions refused",
        "segments merged",
        "deaths",
    }


@pytest.mark.parametrize("kind", [_Promoting, _Trimming, _Early, _Unheld])
def test_negative_control(kind: type[Log]) -> None:
    found = None
    for seed in range(100):
        try:
            drive(kind, seed)
        except (AssertionError, WherryError, OSError, LookupError) as error:
            found = error
            break
    print(f"{kind.__name__}, seed {seed}: {found}")
    assert found is not None
