"""Merging: history between kept checkpoints is as small as its disks, and power may be lost at any moment.

The enumeration of deaths is that of the log, with merging among the operations.
"""

from __future__ import annotations

import random
import resource
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from migrate.journal import recovery
from migrate.journal.cover import MERGED_FROM, Merged, Part
from migrate.journal.directory import DirectoryFiles
from migrate.journal.files import Files
from migrate.journal.frames import JournalCorrupt, Kind, Sealer
from migrate.journal.leases import Leases
from migrate.journal.log import Log, open_log
from migrate.journal.merging import Merger
from migrate.journal.promotion import replay
from migrate.journal.recovery import Rotten, read_mark, recover
from migrate.journal.state import State, checkpoint_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from planner.errors import Paused
from tests.migrate.journal.crashes import DEATHS, crashes
from tests.migrate.journal.model import DISK_BYTES, OPERATIONS, SEGMENT_BYTES, World

SEED = 5
BEGINNING = (
    *("append", "checkpoint", "rotate", "checkpoint", "rotate", "rotate", "rotate", "rotate"),
    *("checkpoint", "rotate", "checkpoint", "append"),
)


def at_once(_bytes: int) -> None:
    """Go on."""


class MergingWorld(World):
    """A journal that is merged now and then."""

    merger: ClassVar[Callable[[Any, str, int], Merger]] = Merger
    won = 0

    def _merge(self, _rng: random.Random) -> None:
        floor, known = self.log.state.floor, set(self.files.numbers())
        self.won += self.merger(self.files, "group", 0).merge(self.log, at_once)
        made = [ref for ref in self.log.frames() if ref.segment not in known]
        assert all(ref.header.first > floor for ref in made), "a promotion may stop within"
        self._acknowledge(self.log.durable)

    def reopen(self) -> None:
        """Open the journal anew; records between those of a merged segment are not asked for any more."""
        self.log = self._open(self.files, "group", segment_bytes=SEGMENT_BYTES, level=0)
        frames = self.log.frames()
        kinds = {n: ref.header.kind for ref in frames for n in range(ref.header.first, ref.header.last + 1)}
        for ref in frames:
            if ref.header.kind is Kind.MERGED:
                last = Merged.load(read_mark(self.files, ref)).last
                for number in range(ref.header.first, last + 1):
                    kinds[number] = Kind.WRITES if number in self.writes else Kind.MARK
        oldest = frames[0].header.first
        lost = [n for n in self.writes if n >= oldest and kinds.get(n) is not Kind.WRITES]
        lost += [n for n in (*self.made, *self.told) if n >= oldest and kinds.get(n) is not Kind.MARK]
        self.lost += [number for number in lost if number <= self.acknowledged]
        for number in lost:
            for known in (self.writes, self.made, self.told):
                known.pop(number, None)
        self._acknowledge(self.log.durable)


def merged(world: World) -> list[int]:
    return [number for number in world.files.numbers() if number >= MERGED_FROM]


@pytest.mark.parametrize("seed", range(8))
def test_every_checkpoint_stays_what_it_was(seed: int) -> None:
    rng = random.Random(seed)
    world = MergingWorld()
    most = 0
    for operation in BEGINNING:
        world.do(operation, rng)
    operations = [*OPERATIONS, "merge", "rotate"]
    for operation in rng.choices(operations, [1 + 3 * (o in {"merge", "rotate"}) for o in operations], k=80):
        world.do(operation, rng)
        most = max(most, len(merged(world)))
        assert world.wrong() == "", operation
    world.images = []
    world.do("commit", rng)
    world.reopen()
    assert world.wrong() == ""
    assert world.won > 0
    assert most > 0


def test_old_history_is_as_small_as_its_disks() -> None:
    world = MergingWorld()
    rng = random.Random(1)
    sizes = []
    for turn in range(60):
        for operation in ("checkpoint", "commit", "rotate") if turn in {0, 30, 59} else ("rotate",):
            world.do(operation, rng)
        if turn % 4 == 3:
            world.do("merge", rng)
        sizes.append(world.log.size_bytes)
    whole = 2 * DISK_BYTES + 3 * SEGMENT_BYTES  # of an interval: the disks, and segments at its ends
    assert world.log.last * 60 > 5 * whole  # much more was written
    world.do("checkpoint", rng)
    world.do("commit", rng)
    world.do("rotate", rng)
    world.do("merge", rng)
    assert world.log.size_bytes < 4 * whole
    assert world.wrong() == ""


def test_a_crash_at_any_moment_of_a_merging_loses_nothing() -> None:
    met: Counter[str] = Counter()
    wrong: list[str] = []
    for seed, middle in enumerate(
        [("merge",), ("drop", "merge"), ("look", "merge", "rotate"), ("merge", "promote")]
    ):
        history = (*BEGINNING, *middle, "merge")
        wrong += filter(None, crashes(MergingWorld, history, seed, 4, 0.6, first=len(BEGINNING), met=met))
    trace = (*BEGINNING, *random.Random(0).choices((*OPERATIONS, "merge", "merge", "rotate"), k=30))
    wrong += filter(None, crashes(MergingWorld, trace, 0, 4, 0.03, first=len(BEGINNING), met=met))
    print(f"{sum(met[death] for death in DEATHS):,} states, {met['merge']:,} moments of mergings")
    assert wrong == []
    assert met["merge"] > 30


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
def test_a_crash_at_any_moment_of_a_merging_loses_nothing_at_length(part: int) -> None:
    operations = ("merge", "drop", "promote", "rotate", "trim", "look", "checkpoint")
    count = 0
    for middle in [(one, other) for one in operations for other in operations][part::8]:
        for wrong in crashes(MergingWorld, (*BEGINNING, *middle, "merge"), SEED, 20, first=len(BEGINNING)):
            count += 1
            assert not wrong
    trace = (*BEGINNING, *random.Random(part).choices((*OPERATIONS, "merge", "merge", "rotate"), k=120))
    for wrong in crashes(MergingWorld, trace, part, 12, 0.1, first=len(BEGINNING)):
        count += 1
        assert not wrong
    print(f"{count:,} states in part {part} of 8")


class _Over:
    """Storage as a merging sees it, that does one thing wrongly."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


class _Unsynced(_Over):
    def sync(self, number: int) -> None:
        """Say durable of what is not."""


class _Unnamed(_Over):
    def sync_names(self) -> None:
        """Say durable of a name that is not."""


class _Seen:
    """A log as a merging sees it that is mistaken."""

    def __init__(self, log: Log, state: Callable[[State], State]) -> None:
        self._log, self._state = log, state

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._log, name)
        return self._state(found) if name == "state" else found


class _Forgetful(Merger):
    """Forgets which checkpoints are kept, but for the newest."""

    def merge(self, log: Any, *how: Any) -> int:
        def forget(state: State) -> State:
            newest = dict(list(state.checkpoints.items())[-1:])
            return replace(state, checkpoints=newest)

        return super().merge(_Seen(log, forget), *how)  # type: ignore[arg-type]


class _Half(Merger):
    """Does not write all of it."""

    def _write(self, *args: Any) -> Any:
        keep, self._files = self._files, _Endless(self._files)  # type: ignore[assignment]
        try:
            return super()._write(*args)
        finally:
            self._files = keep


class _Endless(_Over):
    def append(self, number: int, parts: Any) -> None:
        """Leave out what comes behind the opening."""
        if self._files.size(number) == 0:
            self._files.append(number, parts)


def noticed(make: type[MergingWorld], *operations: str) -> str:
    """Return what is noticed first of a merging that is wrong."""
    history = (*BEGINNING, *operations)
    for seed in range(4):
        try:
            found = next(filter(None, crashes(make, history, seed, 4, first=len(BEGINNING))), "")
        except (JournalCorrupt, AssertionError, OSError, LookupError) as error:
            found = f"{type(error).__name__} while it was used: {error}"
        if found:
            return found
    return ""


def _as(merger: Callable[[Any, str, int], Merger]) -> type[MergingWorld]:
    return type("Wrong", (MergingWorld,), {"merger": staticmethod(merger)})


@pytest.mark.parametrize(
    "merger",
    [
        lambda files, *how: Merger(_Unsynced(files), *how),  # type: ignore[arg-type]
        lambda files, *how: Merger(_Unnamed(files), *how),  # type: ignore[arg-type]
        _Forgetful,
        _Half,
    ],
    ids=["not synced", "name not synced", "checkpoints forgotten", "half of it"],
)
def test_a_merging_that_is_wrong_is_noticed(merger: Any) -> None:
    assert noticed(_as(merger), "merge", "append", "commit")


def test_a_half_made_one_that_is_believed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def believing(parts: Any) -> list[Part]:
        found = sorted(parts, key=lambda part: part.end - part.start)
        largest = {part.start: part for part in found}
        for part in found:
            for inner in [at for at in largest if part.start < at <= part.end]:
                del largest[inner]
        return [largest[at] for at in sorted(largest)]

    monkeypatch.setattr(recovery, "cover", believing)
    assert noticed(MergingWorld, "merge", "append")


def test_segments_that_images_stand_on_stay() -> None:
    rng = random.Random(2)
    world = MergingWorld()
    for operation in (*BEGINNING, "look"):
        world.do(operation, rng)
    (lease, _expected) = world.images[0]
    needed = {ref.segment for ref in lease.frames if ref.header.first <= lease.record}
    world.do("drop", rng)
    for _ in range(4):
        world.do("rotate", rng)
    world.do("checkpoint", rng)
    world.do("merge", rng)
    assert merged(world)
    assert needed <= set(world.files.numbers())
    world.do("look", rng)
    world.log.trim()
    assert not needed & set(world.files.numbers()) - {ref.segment for ref in world.log.frames()}
    assert world.wrong() == ""


def test_leases_that_are_ignored_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Leases, "needs", lambda *_told: False)
    assert noticed(MergingWorld, "look", "merge", "rotate", "commit")


def test_a_merging_that_is_stopped_leaves_nothing_behind() -> None:
    for stops_at in range(1000):
        world = MergingWorld()
        rng = random.Random(3)
        for operation in BEGINNING:
            world.do(operation, rng)
        world.do("commit", rng)
        calls = 0

        def pace(_bytes: int, stops_at: int = stops_at) -> None:
            nonlocal calls
            calls += 1
            if calls > stops_at:
                raise Paused("stop")

        before = world.files.numbers()
        try:
            Merger(world.files, "group", 0).merge(world.log, pace)
        except Paused:
            assert world.files.numbers() == before
            assert world.wrong() == ""
            continue
        assert merged(world)
        assert stops_at > 5
        return
    raise AssertionError("a merging has an end")


def test_a_merged_segment_that_rotted_is_noticed() -> None:
    rng = random.Random(4)
    world = MergingWorld()
    for operation in (*BEGINNING, "merge"):
        world.do(operation, rng)
    (number,) = merged(world)
    whole = world.files.copy()
    expected = [(row.offset, data) for row, data in replay(whole, world.log.frames(), 0, world.log.last)]
    seen = set()
    for bit in rng.sample(range(whole.size(number) * 8), 400):
        files = whole.copy()
        files.flip(number, bit)
        try:
            found = recover(files, Sealer("group", files.key))
            assert [(r.offset, data) for r, data in replay(files, found.frames, 0, found.last)] == expected
        except JournalCorrupt as error:
            seen.add(type(error))
            continue
        raise AssertionError(f"bit {bit} was not noticed")
    assert seen == {Rotten, JournalCorrupt}


def test_no_room_for_the_new_one_leaves_the_old_ones(tmp_path: Path) -> None:
    """The file system takes no file as large as the merged one would be."""
    files = DirectoryFiles(tmp_path)
    log = open_log(files, "group", segment_bytes=20_000, level=0)
    rng = random.Random(6)
    contents = bytearray(64 * 1024)

    def churn(places: int) -> None:
        for _ in range(places):
            offset = 512 * rng.randrange(128)
            data = rng.randbytes(512)
            contents[offset : offset + 512] = data
            log.append([Write(0, offset, 512, data)])
            if log.last % 20 == 0:
                log.commit()

    points = []
    for _ in range(3):
        churn(400)
        points.append((log.checkpoint(1, Consistency.CRASH).record, bytes(contents)))
    churn(40)
    log.commit()
    before = files.numbers()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, hard))
    try:
        with pytest.raises(OSError, match="too large"):
            Merger(files, "group", 0).merge(log, at_once)
        assert files.numbers() == before
        log.append([Write(0, 0, 512, contents[:512])])
        log.commit()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert Merger(files, "group", 0).merge(log, at_once, 1000) == 0  # nor is there room by our own word
    assert Merger(files, "group", 0).merge(log, at_once) > 300_000
    assert log.size_bytes == sum(path.stat().st_size for path in tmp_path.glob("*.segment"))
    files.close()
    again = DirectoryFiles(tmp_path)
    found = recover(again, Sealer("group", again.key))
    assert any(ref.header.kind is Kind.MERGED for ref in found.frames)
    for record, expected in points:
        disk = bytearray(64 * 1024)
        for row, data in replay(again, found.frames, 0, record):
            disk[row.offset : row.offset + row.length] = data
        assert disk == expected
    again.close()


def test_zeros_over_data_and_data_over_zeros() -> None:
    rng = random.Random(7)
    for _ in range(30):
        world = World()
        log, disk = world.log, bytearray(b"\xff" * DISK_BYTES)
        log.mark(checkpoint_mark(1, Consistency.CRASH, ""))
        while len(world.files.numbers()) < 5:
            batch = []
            for _ in range(rng.randint(1, 5)):
                offset = rng.randrange(DISK_BYTES - 1)
                length = rng.randint(1, DISK_BYTES - offset)
                data = rng.randbytes(length) if rng.random() < 0.4 else None
                disk[offset : offset + length] = bytes(length) if data is None else data
                batch.append(Write(0, offset, length, data))
            log.append(batch)
            log.commit()
        record = log.mark(checkpoint_mark(2, Consistency.CRASH, ""))
        log.commit()
        Merger(world.files, "group", 0).merge(log, at_once)
        assert merged(world)
        found = bytearray(b"\xff" * DISK_BYTES)  # what is zeroed is told, not left
        for row, data in replay(world.files, log.frames(), 0, record):
            found[row.offset : row.offset + row.length] = data
        assert found == disk
