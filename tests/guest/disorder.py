"""What a journal without promises would do to the order of writes: the controls that have to be noticed."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from migrate.journal.writes import Write
from tests.guest.journals import Journal

Disorder = Callable[[Sequence[Write], random.Random], list[Write]]
_LATE: Final = 64  # writes that one may be late
_LOST: Final = 20  # writes of which one is lost


def kept(writes: Sequence[Write], rng: random.Random) -> list[Write]:
    """Return the writes in their order."""
    return list(writes)


def shuffled(writes: Sequence[Write], rng: random.Random) -> list[Write]:
    """Return writes of which each may come later than some that were after it, flush or not."""
    return _later(writes, [rng.randrange(_LATE) for _ in writes])


def apart(writes: Sequence[Write], rng: random.Random) -> list[Write]:
    """Return writes in order on each disk, those of the first disk later: a group with two orders."""
    return _later(writes, [_LATE if write.disk == 0 else 0 for write in writes])


def lossy(writes: Sequence[Write], rng: random.Random) -> list[Write]:
    """Return writes of which some never come: each is the one before it once more."""
    lost = {start + rng.randrange(_LOST) for start in range(1, len(writes), _LOST)}
    return [writes[at - 1] if at in lost else write for at, write in enumerate(writes)]


def _later(writes: Sequence[Write], places: Sequence[int]) -> list[Write]:
    order = sorted(range(len(writes)), key=lambda at: (at + places[at], at))
    return [writes[at] for at in order]


def journalled(
    folder: Path, replicas: Sequence[Path], writes: Sequence[Write], counts: Sequence[int]
) -> tuple[Journal, list[int]]:
    """Return a journal of these writes with a checkpoint after each of ``counts`` of them, ascending."""
    journal = Journal(folder, replicas)
    done, records = 0, []
    for many in counts:
        journal.log.append(writes[done:many])
        done = many
        records.append(journal.checkpoint())
    return journal, records
