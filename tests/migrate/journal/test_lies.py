"""Storage that lies: writes less than it says, or calls durable what is not.

It notices a lie as soon as anything that was made after it can be read: what is broken lies in front of a
frame that knows it was durable. When nothing after it is left, the journal is a shorter one: less than was
promised, and nothing wrong. Only the comparison of replica and source sees that.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import pytest

from migrate.journal.frames import JournalCorrupt, Sealer
from migrate.journal.log import Log, open_log
from migrate.journal.promotion import promote, replay
from migrate.journal.recovery import recover
from migrate.journal.state import checkpoint_mark, seal_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from tests.migrate.journal.storage import Died, SimulatedFiles, SimulatedReplica

SEALER = Sealer("group")
TURNS = 6


class ShortFiles(SimulatedFiles):
    """Silently leaves out the end of one append."""

    def __init__(self, lies_at: int) -> None:
        super().__init__()
        self.appends = 0
        self.lies_at = lies_at

    def append(self, number: int, parts: Sequence[bytes | memoryview]) -> None:
        self.appends += 1
        whole = b"".join(parts)
        super().append(number, [whole[:-3] if self.appends == self.lies_at else whole])


class UnsyncedFiles(SimulatedFiles):
    """Calls durable what is not, once; ``at_once`` the process ends with the next sync."""

    def __init__(self, lies_at: int, at_once: bool = False) -> None:
        super().__init__()
        self.syncs = 0
        self.lies_at = lies_at
        self.at_once = at_once

    def sync(self, number: int) -> None:
        if self._says_the_truth():
            super().sync(number)

    def sync_names(self) -> None:
        if self._says_the_truth():
            super().sync_names()

    def _says_the_truth(self) -> bool:
        self.syncs += 1
        if self.at_once and self.syncs > self.lies_at:
            raise Died
        return self.syncs != self.lies_at


def use(log: Log, acknowledged: list[tuple[int, int, bytes]]) -> None:
    """Write and commit, over several segments; add what was acknowledged, in order."""
    rng = random.Random(3)
    for turn in range(TURNS):
        data = rng.randbytes(90)
        log.append([Write(turn % 2, 64 * turn, 90, data)])
        log.mark(checkpoint_mark(turn, Consistency.CRASH, ""))
        log.commit()
        acknowledged.append((turn % 2, 64 * turn, data))
    log.mark(seal_mark())
    log.commit()


def outcomes(make: Callable[[int], SimulatedFiles], states: int) -> tuple[int, int, int]:
    """Let each call lie in turn, lose power, and count: noticed, shorter, whole. Nothing reads wrongly."""
    noticed = shorter = whole = 0
    for lies_at in range(1, 60):
        for state in range(states):
            files = make(lies_at)
            written: list[tuple[int, int, bytes]] = []
            with suppress(Died):
                use(open_log(files, "group", segment_bytes=700, level=0), written)
            files.lose_power(random.Random(f"{lies_at} {state}"))
            try:
                honest = files.copy()
                found = recover(honest, SEALER)
                kept = [
                    (row.disk, row.offset, bytes(data))
                    for row, data in replay(honest, found.frames, 0, found.last)
                ]
            except JournalCorrupt:
                noticed += 1
                continue
            assert kept[: len(written)] == written[: len(kept)]  # the last may be there unacknowledged
            shorter += len(kept) < len(written)
            whole += len(kept) >= len(written)
    return noticed, shorter, whole


def test_a_short_write_is_noticed_and_never_read_as_something_else() -> None:
    noticed, shorter, whole = outcomes(ShortFiles, 1)
    print(f"{noticed} short writes noticed, {shorter} at the end left less, {whole} touched nothing")
    assert noticed > 10
    assert shorter <= 2  # the last write of all, when only the seal was behind it


def test_a_short_write_is_noticed_before_history_is_withdrawn_for_it() -> None:
    """Also by the process that was lied to: a promotion reads what it will need first."""
    files = ShortFiles(4)
    log = open_log(files, "group", level=0)
    use(log, [])
    points = list(log.state.checkpoints)
    disks = {number: SimulatedReplica(files) for number in range(2)}
    with pytest.raises(JournalCorrupt):
        promote(log, files, disks, points[-1])
    assert list(log.state.checkpoints) == points
    assert not any(any(disk.seen) for disk in disks.values())


def test_a_sync_that_lied_is_noticed_or_leaves_less_and_never_something_else() -> None:
    noticed, shorter, whole = outcomes(UnsyncedFiles, 8)
    print(f"{noticed} lies noticed, {shorter} left less, {whole} were made good by the next sync")
    assert noticed > 10
    assert not shorter  # a later frame is there, and knows
    noticed, shorter, whole = outcomes(partial(UnsyncedFiles, at_once=True), 8)
    print(f"power lost at once: {noticed} noticed, {shorter} left less, {whole} did no harm")
    assert shorter > 3
