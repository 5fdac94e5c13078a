"""A group's cycles in every order of events: a checkpoint is one instant of all its disks, or is not made.

Two or three disks begin, write and end their passes in drawn or in all interleavings, with conversations
that write nothing, failures and kills between. Each checkpoint that is ever offered is read as a whole.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from migrate.disks.ports import WritableDisk
from migrate.journal.group import Asked, GroupJournal
from migrate.journal.state import Checkpoint
from planner.errors import NotFound
from tests.migrate.journal.target import Pass, Target

PASS = ("begin", "write", "finish", "close")
LOOK = ("look", "look away")  # a conversation that opens a disk for writing and writes nothing
FAILING = ("begin", "write", "close")


def merges(sequences: Sequence[Sequence[str]]) -> Iterator[list[tuple[int, str]]]:
    """Yield every interleaving of sequences of events, as (whose, event)."""
    if not any(sequences):
        yield []
    for number, events in enumerate(sequences):
        if events:
            rest = [events[1:] if at == number else left for at, left in enumerate(sequences)]
            for later in merges(rest):
                yield [(number, events[0]), *later]


def drawn(sequences: Sequence[Sequence[str]], seed: int) -> list[tuple[int, str]]:
    """Return one interleaving, drawn."""
    left = [list(events) for events in sequences]
    turns = [number for number, events in enumerate(sequences) for _ in events]
    random.Random(seed).shuffle(turns)
    return [(number, left[number].pop(0)) for number in turns]


class Torn(AssertionError):
    """A checkpoint was offered that is none, or one was not made that had to be."""


class Run:
    """A group at its target while events come, held against what they have to come to."""

    def __init__(self, folder: Path, disks: int, kind: type[GroupJournal] = GroupJournal) -> None:
        self.target = Target(folder, [f"disk-{number}" for number in range(disks)], kind)
        self.open: dict[int, Pass] = {}
        self.began: dict[int, list[str]] = {}  # events of the open pass
        self.looking: dict[int, WritableDisk] = {}
        self.done = dict.fromkeys(range(disks), 0)
        self.known: dict[int, Checkpoint] = {}
        for number in range(disks):
            self.target.run(self.target.volumes[number], 1)
            self.done[number] = 1
        self.check(ended=True)

    def do(self, number: int, event: str) -> None:
        """Let one event of one disk happen, and check what came of it."""
        volume = self.target.volumes[number]
        if event == "look":
            self.looking[number] = self.target.group.open_write(volume)
        elif event == "look away":
            self.looking.pop(number).close()
        elif event == "begin":
            self._begin(number, self.done[number] + 1)
        elif event == "close":
            self.began.pop(number)
            self.open.pop(number).close()
        else:
            getattr(self.open[number], event)()
            self.began[number].append(event)
            if event == "finish":
                self.done[number] = self.open[number].cycle
        self.check(ended=event in {"close", "look away"})

    def kill(self) -> None:
        """Kill the receiver; the senders come again and go on where they were."""
        self.target.kill()
        group, volumes = self.target.group, self.target.volumes
        self.looking = {number: group.open_write(volumes[number]) for number in self.looking}
        for number, events in list(self.began.items()):
            cycle = self.open[number].cycle
            if "finish" in events:  # they find it complete
                self.open[number] = Pass(self.target, volumes[number], cycle)
                continue
            self._begin(number, cycle)
            for event in events:
                getattr(self.open[number], event)()
                self.began[number].append(event)
        self.check()

    def _begin(self, number: int, cycle: int) -> None:
        self.open[number] = Pass(self.target, self.target.volumes[number], cycle)
        self.open[number].begin()
        self.began[number] = []

    @property
    def at_rest(self) -> int:
        """The cycle that all disks are at, 0 when they are not, or are about to leave it."""
        cycles = set(self.done.values())
        unfinished = any("finish" not in events for events in self.began.values())
        return cycles.pop() if len(cycles) == 1 and not unfinished else 0

    def check(self, *, ended: bool = False) -> None:
        """Hold what is offered against what happened, the last of which was a conversation that ended."""
        offered = {point.record: point for point in self.target.group.checkpoints()}
        if missing := self.known.keys() - offered.keys():
            raise Torn(f"checkpoints {missing} are offered no more")
        new = {record: point for record, point in offered.items() if record not in self.known}
        for record, point in new.items():
            if point.cycle != f"cycle-{self.at_rest}" or not self.target.is_whole(point):
                raise Torn(f"checkpoint {record} of {point.cycle} is no instant of its disks")
        self.known |= new
        cycles = [point.cycle for point in self.known.values()]
        if len(cycles) != len(set(cycles)):
            raise Torn(f"a cycle has two checkpoints: {cycles}")
        talking = self.looking or self.open
        if ended and not talking and self.at_rest and f"cycle-{self.at_rest}" not in cycles:
            raise Torn(f"cycle {self.at_rest} ended on all disks and has no checkpoint")

    def end(self) -> None:
        """Check that every checkpoint that was ever offered still reads as its cycle."""
        for record, point in self.known.items():
            if not self.target.is_whole(point):
                raise Torn(f"checkpoint {record} is not what it was")
        self.target.group.close()


def run(
    folder: Path,
    events: Sequence[tuple[int, str]],
    disks: int = 2,
    kill_at: int = -1,
    kind: type[GroupJournal] = GroupJournal,
) -> Run:
    folder.mkdir()
    told = Run(folder / "journal", disks, kind)
    for at, (number, event) in enumerate(events):
        if at == kill_at:
            told.kill()
        told.do(number, event)
    told.end()
    return told


def many(tmp_path: Path, histories: Sequence[list[tuple[int, str]]], disks: int) -> None:
    made = 0
    for at, events in enumerate(histories):
        made += len(run(tmp_path / str(at), events, disks).known)
    print(f"{len(histories)} interleavings of {disks} disks, {made} checkpoints, every one read as a whole")
    assert made > len(histories)


def test_two_disks_two_cycles(tmp_path: Path) -> None:
    histories = list(merges([PASS, PASS]))
    assert len(histories) == 70
    histories += [drawn([PASS * 2, PASS * 2], seed) for seed in range(30)]
    many(tmp_path, histories, 2)


@pytest.mark.soak
def test_two_disks_two_cycles_in_every_order(tmp_path: Path) -> None:
    many(tmp_path, list(merges([PASS * 2, PASS * 2])), 2)


def test_three_disks_one_cycle_and_conversations_that_write_nothing(tmp_path: Path) -> None:
    histories = [drawn([(*LOOK, *PASS, *LOOK), PASS, (*PASS, *LOOK)], seed) for seed in range(60)]
    many(tmp_path, histories, 3)


@pytest.mark.soak
def test_three_disks_in_every_order(tmp_path: Path) -> None:
    """34,650 interleavings, a tenth of them."""
    many(tmp_path, list(merges([PASS, PASS, PASS]))[::10], 3)


def test_a_disk_that_fails_in_the_middle(tmp_path: Path) -> None:
    """The other may be a cycle ahead by then, and goes on to it."""
    histories = list(merges([(*FAILING, *PASS), PASS]))
    assert len(histories) == 330
    many(tmp_path, random.Random(2).sample(histories, 40), 2)


def test_the_receiver_killed_at_any_event(tmp_path: Path) -> None:
    killed = 0
    for seed in range(12):
        events = drawn([(*PASS, *LOOK, *PASS), PASS * 2], seed)
        for kill_at in range(1 + seed % 3, len(events), 3):
            run(tmp_path / f"{seed}-{kill_at}", events, 2, kill_at)
            killed += 1
    print(f"{killed} kills between events")


class _Cycleless(GroupJournal):
    """Does not ask whether passes are of one cycle."""

    def unrest(self) -> str:
        why = super().unrest()
        return "" if "different cycles" in why else why


class _Hasty(GroupJournal):
    """Does not ask whether a pass is under way."""

    def unrest(self) -> str:
        return ""


class _Alone(GroupJournal):
    """Asks one disk for all."""

    def unrest(self) -> str:
        kept, self._volumes = self._volumes, self._volumes[:1]
        try:
            return super().unrest()
        finally:
            self._volumes = kept


class _Repeating(GroupJournal):
    """Makes a checkpoint whenever a conversation ends at rest."""

    def _let_go(self, direct: bool) -> None:
        super()._let_go(direct)
        if not self._writers and not self.unrest():
            self._make(Asked())


class _Past(GroupJournal):
    """Goes on writing past a log that there is."""

    def open_write(self, volume: str):  # type: ignore[no-untyped-def]
        kept, self._log = self._log, None
        try:
            return super().open_write(volume)
        finally:
            self._log = kept


@pytest.mark.parametrize("kind", [_Cycleless, _Hasty, _Alone, _Repeating, _Past])
def test_negative_control(kind: type[GroupJournal], tmp_path: Path) -> None:
    events = (drawn([(*LOOK, *PASS, *PASS), (*FAILING, *PASS, *PASS)], seed) for seed in range(40))

    def all_of_them() -> None:
        for at, history in enumerate(events):
            run(tmp_path / str(at), history, kind=kind)

    with pytest.raises((Torn, NotFound)) as told:
        all_of_them()
    print(f"{kind.__name__}: {told.value}")
