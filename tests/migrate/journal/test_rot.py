"""Rot: every bit of a small journal that flips is noticed, every sector that lies elsewhere, every segment
that is gone or another's; and what was before it stays.

What no journal can notice alone: that its newest frames, with all that was made after them, are gone.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from functools import partial

import pytest

from migrate.journal.frames import JournalCorrupt, Kind, Sealer
from migrate.journal.log import Log, open_log
from migrate.journal.promotion import replay
from migrate.journal.recovery import Found, Rotten, recover
from migrate.journal.state import (
    checkpoint_mark,
    drop_mark,
    epoch_mark,
    note_mark,
    seal_mark,
    torn_mark,
)
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from tests.migrate.journal.model import SimulatedFiles
from tests.migrate.journal.mutants import Unwitnessed, Wordless, recovered
from tests.migrate.journal.storage import SECTOR

SEALER = Sealer("group")
Read = Callable[[SimulatedFiles, Sealer], Found]


def journal() -> SimulatedFiles:
    """A journal of several segments: packed, raw and zeroed writes, marks of every kind, seals at its end."""
    files = SimulatedFiles()
    log = open_log(files, "group", segment_bytes=1600)
    rng = random.Random(5)
    for turn in range(5):
        log.append([Write(0, 64 * turn, 64, b"w" * 64), Write(1, 9, 50, rng.randbytes(50)), Write(1, 0, 8)])
        point = log.mark(checkpoint_mark(turn, Consistency.CRASH, f"before {turn}", f"cycle-{turn}"))
        log.commit()
        if turn == 1:
            log.mark(torn_mark("the tap fell behind"))
            log.mark(epoch_mark("compared"))
            log.mark(note_mark(point, pinned=True, result="rehearsed"))
            log.commit()
        if turn == 2:
            log.mark(torn_mark(""))
            log.mark(drop_mark([point]))
            log.commit()
    for _ in range(2):  # so that one broken sector leaves a witness of what counts
        log.mark(seal_mark())
        log.commit()
    return files


def read(files: SimulatedFiles, how: Read = recover) -> tuple[Found, list[tuple[int, int, bytes]]]:
    found = how(files, SEALER)
    return found, [(row.disk, row.offset, data) for row, data in replay(files, found.frames, 0, found.last)]


def bits(files: SimulatedFiles) -> list[tuple[int, int]]:
    return [(number, bit) for number in files.numbers() for bit in range(files.size(number) * 8)]


class Rot:
    """What damage to a journal comes to."""

    def __init__(self, how: Read = recover) -> None:
        self.whole = journal()
        self.how = how
        self._last, self._writes = read(self.whole)

    def is_noticed(self, damage: Callable[[SimulatedFiles], None]) -> bool:
        """Tell whether it is; broken seals alone may pass for a torn tail, for nothing is lost with them."""
        files = self.whole.copy()
        damage(files)
        try:
            found, writes = read(files, self.how)
        except JournalCorrupt:
            return True
        left_out = self._last.last - 3 <= found.last < self._last.last
        return left_out and writes == self._writes and found.state == self._last.state

    def flip(self, place: tuple[int, int]) -> bool:
        """Tell whether a flipped bit is noticed."""
        return self.is_noticed(lambda files: files.flip(*place))


def test_a_flipped_bit_is_noticed() -> None:
    rot = Rot()
    assert len(rot.whole.numbers()) > 2
    drawn = random.Random(1).sample(bits(rot.whole), 1500)
    assert [place for place in drawn if not rot.flip(place)] == []


@pytest.mark.soak
def test_every_flipped_bit_is_noticed() -> None:
    rot = Rot()
    everything = bits(rot.whole)
    assert [place for place in everything if not rot.flip(place)] == []
    print(f"{len(everything):,} bits flipped")


def exchange(one: tuple[int, int], other: tuple[int, int], files: SimulatedFiles) -> None:
    """Have two sectors each lie where the other belongs."""
    first, second = (files.read(number, start, SECTOR) for number, start in (one, other))
    files.put(*one, second)
    files.put(*other, first)


def test_a_sector_that_lies_elsewhere_is_noticed() -> None:
    rot = Rot()
    sectors = [
        (number, start)
        for number in rot.whole.numbers()
        for start in range(0, rot.whole.size(number) - SECTOR + 1, SECTOR)
    ]
    pairs = [
        (one, other)
        for one, other in itertools.combinations(sectors, 2)
        if rot.whole.read(*one, SECTOR) != rot.whole.read(*other, SECTOR)
        and one not in sectors[-4:]  # with both seals goes the last witness of what is before them
    ]
    drawn = random.Random(2).sample(pairs, 300)
    assert [pair for pair in drawn if not rot.is_noticed(partial(exchange, *pair))] == []


def test_a_write_that_never_arrived_is_noticed() -> None:
    """Each sector, but for the seal's, as the zeros that were there before."""
    rot = Rot()
    for number in rot.whole.numbers():
        for start in range(0, rot.whole.size(number), SECTOR):
            length = min(SECTOR, rot.whole.size(number) - start)
            zeros = partial(SimulatedFiles.put, number=number, start=start, data=bytes(length))
            assert rot.is_noticed(zeros), (number, start)


def test_a_segment_that_is_gone_or_takes_the_place_of_another_is_noticed() -> None:
    rot = Rot()
    numbers = rot.whole.numbers()
    for number in numbers[:-1]:
        assert rot.is_noticed(partial(SimulatedFiles.delete, number=number)), number
    for one, other in itertools.product(numbers[:-1], numbers):
        raw = rot.whole.read(other, 0, rot.whole.size(other))
        put = partial(SimulatedFiles.put, number=one, start=0, data=raw, cut=True)
        assert one == other or rot.is_noticed(put), (one, other)


def test_what_is_read_of_a_cut_off_journal_is_its_beginning() -> None:
    """A tail that is gone as a whole is as one that never was: it says less, and nothing wrong."""
    rot = Rot()
    newest = rot.whole.numbers()[-1]
    _, writes = read(rot.whole)
    refused = shorter = 0
    for size in range(rot.whole.size(newest)):
        files = rot.whole.copy()
        raw = files.read(newest, 0, size)
        files.put(newest, 0, raw, cut=True)
        try:
            _, found = read(files)
        except JournalCorrupt:
            refused += 1
            continue
        shorter += 1
        assert found == writes[: len(found)]
    print(f"{refused} cuts refused, {shorter} read as a shorter journal")
    assert shorter


def test_negative_control_without_the_word_rot_passes_for_a_torn_tail() -> None:
    rot = Rot(partial(recovered, Wordless))
    newest = rot.whole.numbers()[-1]
    drawn = [place for place in bits(rot.whole) if place[0] == newest]
    assert not all(rot.flip(place) for place in random.Random(3).sample(drawn, 200))


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


def with_a_broken_floor(log: Log, files: SimulatedFiles) -> tuple[list[int], list[int]]:
    """Return the checkpoints there were, and those offered when the frame of the floor rots."""
    points = []
    for turn in range(3):
        log.append([Write(0, 64 * turn, 64, b"w" * 64)])
        points.append(log.mark(checkpoint_mark(turn, Consistency.CRASH, "")))
        log.commit()
    before = log.last
    log.withdraw(points[1])
    floor = next(ref for ref in log.frames() if ref.header.last == before + 1)
    files.flip(floor.segment, (floor.offset + floor.header.size_bytes - 1) * 8)
    try:
        return points, list(recover(files, SEALER).state.checkpoints)
    except Rotten as told:
        return points, list(told.before.state.checkpoints)


def test_checkpoints_before_a_floor_that_rotted_are_not_offered() -> None:
    """The seal behind the floor knows of it."""
    files = SimulatedFiles()
    points, offered = with_a_broken_floor(open_log(files, "group"), files)
    assert offered == points[1:]


def test_negative_control_a_floor_without_a_witness_is_forgotten() -> None:
    files = SimulatedFiles()
    points, offered = with_a_broken_floor(Unwitnessed(files, "group", recover(files, SEALER)), files)
    assert offered == points


def test_a_journal_of_another_group_is_not_read() -> None:
    files = journal()
    with pytest.raises(JournalCorrupt, match="another group"):
        recover(files, Sealer("other"))
    assert read(files)[1] == read(journal())[1]


@pytest.mark.parametrize("known", [False, True], ids=["not known", "known, as negative control"])
def test_data_that_looks_like_a_frame_is_none_to_who_does_not_know_the_key(known: bool) -> None:
    """A guest writes what would withdraw every checkpoint, and the sector in front of it is lost."""
    files = SimulatedFiles()
    files.key = b"a key of this journal"
    log = open_log(files, "group", level=0)
    log.append([Write(0, 0, 64, b"a" * 64)])
    point = log.checkpoint(1).record
    forged = Sealer("group", files.key if known else b"").seal(
        Kind.MARK, count=1, first=10**6, durable=10**6, floor=10**6, segment=1, previous=bytes(16), table=b""
    )
    at = files.size(1)
    log.append([Write(0, 0, 256, forged.ljust(256, b"."))])
    files.put(1, at, bytes(SECTOR))
    if known:
        with pytest.raises(Rotten):
            open_log(files, "group")
    else:
        assert list(open_log(files, "group").state.checkpoints) == [point]
