"""Power lost at every moment of histories: nothing acknowledged is lost, nothing offered is wrong.

The histories are all sequences of up to three operations, each after a beginning that gives it something
to work on, and longer drawn ones. The commit run takes a drawn tenth, ``-m soak`` all of it.
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Callable, Iterator

import pytest

from migrate.journal import log as log_module
from migrate.journal.frames import JournalCorrupt
from migrate.journal.log import Log
from migrate.journal.promotion import replay
from migrate.journal.state import floor_mark, promoted_mark
from tests.migrate.journal.model import OPERATIONS, Died, Power, World

BEGINNING = ("append", "checkpoint", "append", "commit", "checkpoint", "append")
Make = Callable[[], World]


def histories() -> list[tuple[str, ...]]:
    return [
        (*BEGINNING, *middle)
        for length in (1, 2, 3)
        for middle in itertools.product(OPERATIONS, repeat=length)
    ]


def lived(make: Make, history: tuple[str, ...], seed: int, dies_at: int) -> World | None:
    """Return the world in which the process died at that moment of the history, None when it lived on."""
    rng = random.Random(seed)
    world = make()
    world.files.power = Power(dies_at)
    try:
        for operation in history:
            world.do(operation, rng)
    except Died:
        return world
    return None


def crashes(
    make: Make, history: tuple[str, ...], seed: int, states: int, share: float = 1.0
) -> Iterator[str]:
    """Yield what is wrong after each crash: at every moment, in drawn states, half of them cut off again."""
    rng = random.Random(f"{seed} {history}")
    for dies_at in itertools.count():
        if lived(make, history, seed, dies_at) is None:
            return
        if rng.random() >= share:
            continue
        for state in range(states):
            world = lived(make, history, seed, dies_at)
            assert world is not None
            again = random.Random(f"{seed} {dies_at} {state}")
            world.crash(again)
            if state % 2:  # the recovery itself is cut off
                world.files.power = Power(again.randrange(12))
                with contextlib.suppress(Died):
                    world.reopen()
                world.crash(again)
            world.reopen()
            wrong = world.wrong()
            world.do("append", again)
            world.do("checkpoint", again)
            world.do("commit", again)
            world.reopen()
            wrong = wrong or world.wrong()
            yield wrong and f"{wrong}: seed {seed}, moment {dies_at}, state {state} of {' '.join(history)}"


def test_a_crash_at_any_moment_loses_nothing() -> None:
    drawn = random.Random(7).sample(histories(), 40)
    drawn += [tuple(random.Random(seed).choices(OPERATIONS, k=25)) for seed in range(4)]
    found = [wrong for history in drawn for wrong in crashes(World, history, 11, states=4, share=0.12)]
    print(f"{len(found)} crashes of {len(drawn)} histories")
    assert len(found) > 800
    assert not [wrong for wrong in found if wrong]


@pytest.mark.soak
@pytest.mark.parametrize("part", range(20))
def test_a_crash_at_any_moment_loses_nothing_at_length(part: int) -> None:
    count = 0
    for history in histories()[part::20]:
        for wrong in crashes(World, history, 11, states=20):
            count += 1
            assert not wrong
    trace = tuple(random.Random(part).choices(OPERATIONS, k=200))
    for wrong in crashes(World, trace, 11, states=20, share=0.02):
        count += 1
        assert not wrong
    print(f"{count} crashes in part {part} of 20")


class _Hasty(Log):
    """Acknowledges before it syncs."""

    def commit(self) -> int:
        last = self.last
        if self._durable < last:
            self._durable = last
        return last


class _Unnamed(Log):
    """Does not sync the name of a new segment."""

    def _rotate(self) -> None:
        keep, self._files.sync_names = self._files.sync_names, lambda: None  # type: ignore[method-assign]
        try:
            super()._rotate()
        finally:
            self._files.sync_names = keep  # type: ignore[method-assign]


def _floorless(log: Log, files, disks, record: int) -> None:  # type: ignore[no-untyped-def]
    """Moves the replicas before the floor is durable."""
    for row, data in replay(files, log.frames(), log.state.promoted, record):
        disks[row.disk].write(data, row.offset)
    for disk in disks.values():
        disk.flush()
    log.mark(floor_mark(record))
    log.mark(promoted_mark(record))
    log.commit()
    log.trim()


def _unflushed(log: Log, files, disks, record: int) -> None:  # type: ignore[no-untyped-def]
    """Says promoted before the replicas are flushed."""
    log.mark(floor_mark(record))
    log.commit()
    for row, data in replay(files, log.frames(), log.state.promoted, record):
        disks[row.disk].write(data, row.offset)
    log.mark(promoted_mark(record))
    log.commit()
    log.trim()


def opened_as(kind: type[Log]) -> Callable[..., Log]:
    def open_it(files, name, **how):  # type: ignore[no-untyped-def]
        return kind(files, name, log_module.recover(files, log_module.Sealer(name)), **how)

    return open_it


@pytest.mark.parametrize(
    "make",
    [
        lambda: World(opened_as(_Hasty)),
        lambda: World(opened_as(_Unnamed)),
        lambda: World(move=_floorless),
        lambda: World(move=_unflushed),
    ],
    ids=[
        "acknowledged before the sync",
        "name not synced",
        "floor after the move",
        "promoted before the flush",
    ],
)
def test_a_journal_that_is_wrong_is_noticed(make: Make) -> None:
    for history in itertools.chain([(*BEGINNING, "promote", "rotate", "append")], histories()):
        try:
            if any(crashes(make, history, 11, states=4)):
                return
        except (JournalCorrupt, AssertionError):
            return
    pytest.fail("nothing was noticed")
