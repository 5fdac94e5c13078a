"""Rot: every bit of a small journal that flips is noticed, and what was before it stays."""

from __future__ import annotations

import random

import pytest

from migrate.journal.frames import JournalCorrupt, Kind, Sealer
from migrate.journal.log import open_log
from migrate.journal.promotion import promote, replay
from migrate.journal.recovery import Rotten, recover
from migrate.journal.state import checkpoint_mark, seal_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from tests.migrate.journal.model import SimulatedFiles, SimulatedReplica

SEALER = Sealer("group")


def journal() -> SimulatedFiles:
    """A journal of two segments with packed, raw and zeroed writes, ended by a seal."""
    files = SimulatedFiles()
    log = open_log(files, "group", segment_bytes=900)
    rng = random.Random(5)
    for turn in range(4):
        log.append([Write(0, 64 * turn, 64, b"w" * 64), Write(1, 9, 50, rng.randbytes(50)), Write(1, 0, 8)])
        log.mark(checkpoint_mark(turn, Consistency.CRASH, ""))
        log.commit()
    log.mark(seal_mark())
    log.commit()
    return files


def read(files: SimulatedFiles) -> list[tuple[int, int, bytes]]:
    found = recover(files, SEALER)
    return [(row.disk, row.offset, data) for row, data in replay(files, found.frames, 0, found.last)]


def bits(files: SimulatedFiles) -> list[tuple[int, int]]:
    return [(number, bit) for number in files.numbers() for bit in range(files.size(number) * 8)]


def is_noticed(whole: SimulatedFiles, number: int, bit: int) -> bool:
    """Tell whether a flipped bit is noticed; in the seal alone it may pass for a torn tail."""
    files = whole.copy()
    files.flip(number, bit)
    try:
        found = recover(files, SEALER)
        writes = [(row.disk, row.offset, data) for row, data in replay(files, found.frames, 0, found.last)]
    except JournalCorrupt:
        return True
    return (
        found.torn_bytes > 0
        and found.frames[-1].header.last == recover(whole, SEALER).last - 1
        and (writes == read(whole))
    )


def test_a_flipped_bit_is_noticed() -> None:
    whole = journal()
    assert len(whole.numbers()) > 1
    drawn = random.Random(1).sample(bits(whole), 1500)
    assert [place for place in drawn if not is_noticed(whole, *place)] == []


@pytest.mark.soak
def test_every_flipped_bit_is_noticed() -> None:
    whole = journal()
    everything = bits(whole)
    assert [place for place in everything if not is_noticed(whole, *place)] == []
    print(f"{len(everything)} bits flipped")


def test_what_is_before_the_damage_stays() -> None:
    files = journal()
    whole = recover(files, SEALER)
    first = whole.frames[1]
    assert first.header.kind is Kind.WRITES
    third = whole.frames[3]
    files.flip(third.segment, third.offset * 8)
    with pytest.raises(Rotten) as told:
        recover(files, SEALER)
    before = told.value.before
    assert before.frames == whole.frames[:3]
    assert list(before.state.checkpoints) == [whole.frames[2].header.first]


def test_checkpoints_before_a_floor_that_rotted_are_not_offered() -> None:
    """The replicas may have moved already, which the seal behind the floor knows."""
    files = SimulatedFiles()
    log = open_log(files, "group")
    points = []
    for turn in range(3):
        log.append([Write(0, 64 * turn, 64, b"w" * 64)])
        points.append(log.mark(checkpoint_mark(turn, Consistency.CRASH, "")))
        log.commit()
    promote(log, files, {0: SimulatedReplica(files)}, points[1])
    floor = next(ref for ref in log.frames() if ref.header.last == log.last - 2)
    files.flip(floor.segment, (floor.offset + floor.header.size_bytes - 1) * 8)
    with pytest.raises(Rotten) as told:
        recover(files, SEALER)
    assert list(told.value.before.state.checkpoints) == points[1:]


def test_a_journal_of_another_group_is_not_read() -> None:
    files = journal()
    with pytest.raises(JournalCorrupt, match="another group"):
        recover(files, Sealer("other"))
    assert read(files) == read(journal())
