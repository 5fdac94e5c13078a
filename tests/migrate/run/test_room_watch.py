"""A datastore that runs full: the snapshot that fills it is given up, and taken anew when there is room."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest

from migrate.clock import SimulatedClock, SystemClock
from migrate.run.actions import Ask, Do, Outcome, next_actions
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History, IllegalEntry, Status
from migrate.run.patience import Patience
from migrate.run.room_watch import RoomWatch
from migrate.run.runbook import COMMIT, GO
from migrate.sites.rooms import Room
from migrate.steps.kind import Context
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Compared, Copied, Moving, Wanted
from migrate.waiting import held_up
from planner.errors import Paused, Unreachable
from tests.migrate.estate import disk, wave
from tests.migrate.simulated_run import Boundaries, Died, WatchedSite, World

CAPACITY, RESERVE, FLOOR = 1000, 50, 0.02
BLOCKS = 10  # of a pass
QUICK = Patience(transfers_s=5.0, others_s=5.0, first_s=0.001, longest_s=0.002)


class Gold(WatchedSite):
    """A site whose datastore fills up while a pass reads, as often as ``fills`` says; then nobody writes.

    A snapshot that is removed gives its room back, after a look or two.
    """

    free = CAPACITY
    looks = 0

    def rooms(self, vms: tuple[str, ...]) -> tuple[Room, ...]:
        return (Room("gold", self.free, CAPACITY, RESERVE),)

    def snapshot_waits(self, vm: str) -> str:
        if self.free < CAPACITY and not self.site.snapshots:
            self.looks += 1
            if not self.looks % 3:
                self.free = CAPACITY
        return "" if self.free >= RESERVE else "room on datastore gold"


@dataclass
class Filling(ModelledTransfers):
    """Transfers in blocks, during some of which the datastore fills up; ``asked`` are the passes wanted."""

    site: Gold = field(kw_only=True)
    fills: dict[str, int] = field(default_factory=dict, kw_only=True)  # volume → how many of its passes
    full: int = 0
    asked: list[Wanted] = field(default_factory=list)
    watch: RoomWatch | None = None

    def _block(self, volume: str, fills: bool) -> None:
        assert self.watch is not None
        self.site.free //= 4 if fills else 1
        if not self.site.free:
            self.full += 1
            self.site.free = CAPACITY
        self.watch.look()
        if self.watch.stops(volume):
            raise Paused("stopped between two blocks", "")

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        self.asked.append(wanted)
        fills = bool(wanted.snapshot) and self.fills.get(wanted.volume, 0) > 0
        for _ in range(BLOCKS):
            self._block(wanted.volume, fills)
        return super().copy(wanted, report)

    def compare(
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
    ) -> Compared:
        fills = bool(snapshot) and self.fills.get(f"compare {volume}", 0) > 0
        for _ in range(BLOCKS):
            self._block(volume, fills)
        return super().compare(volume, size_bytes, snapshot, report)


A, B = "id-a/2000", "id-a/2001"


class Short(World):
    """A group of two disks at a site with too little room during some of its passes."""

    def __init__(self, floor: float = FLOOR, **fills: int) -> None:
        planned = wave({"a": ["a"]}, [disk("a"), disk("a", number=1)], [["a"]])
        super().__init__(planned, compose(planned))
        self.gold = self.source = Gold(self.source.site, self.source.after)
        named = {"a": A, "b": B, "compare": f"compare {B}"}
        self.filling = Filling(
            self.clock, 1e9, 1e9, site=self.gold, fills={named[key]: value for key, value in fills.items()}
        )
        self.transfers = self.filling
        self.floor = floor

    def context(self, history: History) -> Context:
        return replace(super().context(history), clock=SystemClock())

    def watch(self, history: History) -> RoomWatch:
        watch = RoomWatch(self.gold, history, SystemClock(), lambda: self.floor, look_s=0.0)
        self.filling.watch = watch
        return watch

    def whole(self, boundary: Callable[[str], None] = lambda point: None) -> Outcome | None:
        def seen(point: str) -> None:
            if point.endswith("after giving up"):  # it fills up no more after that
                for volume in self.filling.fills:
                    self.filling.fills[volume] -= 1
            boundary(point)

        stopped = self.drive(GO, COMMIT, boundary=seen, patience=QUICK, room=self.watch)
        assert stopped.decide is None, self.history.failures
        return stopped.outcome

    def events(self, *steps: str) -> list[tuple[str, str]]:
        return [(one.step, one.event.value) for one in self.ledger.entries if one.step in steps]

    def given_up(self) -> list[str]:
        return [one.step for one in self.ledger.entries if one.event is Event.GIVEN_UP]

    def modes(self, volume: str) -> list[str]:
        """Return by what each pass over a volume was asked for that reads a snapshot."""
        return [one.mode.value for one in self.filling.asked if one.volume == volume and one.snapshot]

    def wrong(self) -> list[str]:
        """Return what must never be, whatever happened."""
        found = [*self.broken(), *(["the datastore ran full"] if self.filling.full else [])]
        if self.gold.site.snapshots:
            found.append("a snapshot stays")
        return found


def test_a_seed_is_given_up_and_compared_from_a_new_snapshot_when_there_is_room() -> None:
    here = Short(b=1)
    assert here.whole() is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == ["g0/snapshot/0"]
    assert here.events("g0/snapshot/0", "g0/drop/0") == [
        ("g0/snapshot/0", "intent"),
        ("g0/snapshot/0", "done"),
        ("g0/snapshot/0", "given-up"),
        ("g0/drop/0", "intent"),
        ("g0/drop/0", "done"),
        ("g0/snapshot/0", "held"),
        ("g0/snapshot/0", "intent"),
        ("g0/snapshot/0", "done"),
        ("g0/drop/0", "intent"),
        ("g0/drop/0", "done"),
    ]
    # the disk that was whole goes on from there, the one that was half done is compared
    assert here.modes(A)[:2] == ["seed", "delta"]
    assert here.modes(B)[:2] == ["seed", "compare"]
    passes = [one for one in here.filling.asked if one.snapshot]
    assert len({one.pass_id for one in passes}) == len(passes), "what arrives under an id is of one content"


def test_what_is_waited_for_says_what_was_given_up() -> None:
    here = Short(b=1)
    here.whole()
    (held,) = [one.detail for one in here.ledger.entries if one.event is Event.HELD]
    said = "room on datastore gold (datastore gold had 15 B left of 1000 B, so a: snapshot 0 was given up)"
    assert held["why"] == said
    assert here.reload().given_up == {}
    assert held_up(here.history) == {}


def test_a_delta_is_given_up_and_counts_from_the_last_whole_pass() -> None:
    here = Short(b=0)
    seen: list[str] = []

    def fill(point: str) -> None:
        seen.append(point)
        if point == "g0/d1/delta/1 before intent" and seen.count(point) == 1:
            here.filling.fills[B] = 1

    assert here.whole(fill) is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == ["g0/snapshot/1"]
    deltas = [one for one in here.filling.asked if one.snapshot and "/delta/1/" in one.pass_id]
    seeds = {one.volume: one.change for one in here.filling.asked if "/seed/" in one.pass_id}
    whole = {one.volume: one.change for one in deltas[:1]}
    assert [(one.volume, one.mode.value, one.base) for one in deltas] == [
        (A, "delta", seeds[A]),
        (B, "delta", seeds[B]),  # which the receiver turns into a comparison, see test_full_store
        (A, "delta", whole[A]),
        (B, "delta", seeds[B]),
    ]


def test_a_comparison_is_given_up_as_well() -> None:
    here = Short(compare=1)
    assert here.whole() is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == ["g0/snapshot/1"]
    assert [event for _, event in here.events("g0/checkpoint/1")] == ["intent", "not-done", "intent", "done"]


def test_it_is_given_up_as_often_as_it_takes() -> None:
    here = Short(b=3)
    assert here.whole() is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == ["g0/snapshot/0"] * 3


def test_negative_control_without_a_floor_the_datastore_runs_full() -> None:
    here = Short(floor=0.0, b=1)
    assert here.whole() is Outcome.COMMITTED
    assert here.given_up() == []
    assert here.wrong() == ["the datastore ran full"]


def points() -> list[int]:
    """Return the numbers of the boundaries of the round that is given up."""
    here, seen = Short(b=1), Boundaries()
    here.whole(seen)
    return list(range(seen.points.index("g0/snapshot/0 before intent") + 1, _last(seen.points) + 1))


def _last(points: list[str]) -> int:
    return len(points) - points[::-1].index("g0/drop/0 after outcome")


@pytest.mark.parametrize("number", points())
def test_it_dies_at_any_boundary_and_ends_the_same(number: int) -> None:
    calm = Short(b=1)
    calm.whole()
    here = Short(b=1)
    with pytest.raises(Died):
        here.whole(Boundaries(number))
    assert here.whole() is Outcome.COMMITTED
    assert here.wrong() == []
    assert here.given_up() == calm.given_up()
    assert here.end_state() == calm.end_state()


def test_negative_control_a_record_that_forgets_it_cannot_be_read() -> None:
    here = Short(b=1)
    here.ledger.forgets = frozenset({Event.GIVEN_UP})
    with pytest.raises(Died):
        here.whole(lambda point: _die_at("g0/drop/0 after outcome", point))
    with pytest.raises(IllegalEntry):
        here.reload()


@pytest.mark.parametrize("how", ["lose", "refuse"])
@pytest.mark.parametrize("times", [1, 3])
def test_the_answer_to_the_removal_is_lost(how: str, times: int) -> None:
    here = Short(b=1)

    def away(point: str) -> None:
        if point == "g0/snapshot/0 after giving up":
            getattr(here.gold, how)["drop_snapshot"] = times

    assert here.whole(away) is Outcome.COMMITTED
    assert here.wrong() == []
    taken = [one for one in here.events("g0/snapshot/0", "g0/drop/0") if one[1] in ("intent", "done")]
    first = [("g0/snapshot/0", "intent"), ("g0/snapshot/0", "done")]
    removed = [*[("g0/drop/0", "intent")] * (times + 1), ("g0/drop/0", "done")]
    again = [("g0/drop/0", "intent"), ("g0/drop/0", "done")]
    assert taken == [*first, *removed, *first, *again], "it is taken anew only when it is certainly gone"


def test_a_removal_that_gives_room_back_is_tried_for_a_day() -> None:
    here = Short(b=1)

    def away(point: str) -> None:
        if point == "g0/snapshot/0 after giving up":
            here.gold.refuse["drop_snapshot"] = 1

    here.whole(away)
    (failed,) = [one.detail for one in here.ledger.entries if one.event is Event.FAILED]
    assert failed["limit_s"] == 86_400.0


def test_on_the_way_back_nothing_is_taken_anew() -> None:
    here = Short(b=1)
    with pytest.raises(Died):
        here.whole(lambda point: _die_at("g0/drop/0 after intent", point))
    here.note("", Event.ABORT, who="ada")
    assert here.drive(patience=QUICK, room=here.watch).outcome is Outcome.ABORTED
    assert here.gold.site.snapshots == {}
    assert here.history.status["g0/snapshot/0"] is Status.UNDONE


def test_on_the_way_back_nothing_is_given_up() -> None:
    here = Short(b=1)
    _bring_to_snapshot(here)
    here.gold.free = 15
    here.note("", Event.ABORT, who="ada")
    watch = here.watch(here.reload())
    watch.look()
    assert watch.take() == []
    assert here.drive(patience=QUICK, room=here.watch).outcome is Outcome.ABORTED
    assert here.gold.site.snapshots == {}


def _die_at(wanted: str, point: str) -> None:
    if point == wanted:
        raise Died(point)


# the decision


def looked(*free: int, floor: float = FLOOR, every_s: float = 20.0) -> list[bool]:
    """Return what looks at a datastore with so much free come to, each ``every_s`` after the one before."""
    clock: Any = SimpleNamespace(at=0.0)
    clock.now_s = lambda: clock.at
    watch = RoomWatch(object(), History(Short().runbook), clock, lambda: floor, look_s=20.0)
    found = []
    for one in free:
        found.append(watch._runs_out(Room("gold", one, CAPACITY, RESERVE), floor))
        clock.at += every_s
    return found


def test_less_than_the_floor_is_too_little() -> None:
    assert looked(21, 20, 19, 30) == [False, False, True, False]
    assert looked(19) == [True]


def test_little_that_is_gone_within_minutes_is_too_little() -> None:
    assert looked(60, 49, 45) == [False, True, True]
    assert looked(49, 48, 47) == [False] * 3
    assert looked(900, 500, 400) == [False] * 3, "somebody copies something large there, and is done before"


def test_groups_that_look_together_do_not_make_a_pace_of_nothing() -> None:
    assert looked(50, 45, 40, 35, every_s=0.1) == [False] * 4


def test_zero_is_never() -> None:
    assert looked(60, 30, 1, 0, floor=0.0) == [False] * 4


def test_on_a_simulated_clock_and_at_a_site_that_says_nothing_nobody_looks() -> None:
    here = Short()
    for site, clock in ((here.gold, SimulatedClock()), (object(), SystemClock())):
        with RoomWatch(site, here.reload(), clock, lambda: 1.0, look_s=0.0) as watch:
            assert watch.rest_s is None
            assert watch.take() == []


def test_a_watch_that_fails_stops_the_run() -> None:
    class Broken(Gold):
        def rooms(self, vms: tuple[str, ...]) -> tuple[Room, ...]:
            raise RuntimeError("a defect")

    here = Short()
    site = Broken(here.gold.site, here.gold.after)
    _bring_to_snapshot(here)
    with RoomWatch(site, here.reload(), SystemClock(), lambda: FLOOR, look_s=0.001) as watch:
        assert watch._thread is not None
        watch._thread.join(60)
        with pytest.raises(RuntimeError, match="a defect"):
            watch.take()


def test_a_site_that_does_not_answer_gives_nothing_up() -> None:
    class Away(Gold):
        def rooms(self, vms: tuple[str, ...]) -> tuple[Room, ...]:
            raise Unreachable("nobody answers")

    here = Short()
    _bring_to_snapshot(here)
    watch = RoomWatch(Away(here.gold.site, here.gold.after), here.reload(), SystemClock(), lambda: FLOOR)
    watch.look()
    assert watch.take() == []


def test_a_snapshot_is_not_removed_under_a_pass_that_has_not_stopped_yet() -> None:
    """In a round that is proven its removal needs the proof alone, which is passed over at once."""
    runbook, history = Short().runbook, History(Short().runbook)
    for step in runbook.steps[: runbook.index["g0/snapshot/1"] + 1]:
        for event in (Event.INTENT, Event.DONE):
            history.append(Entry(step.id, event))
    passes = ("g0/d0/delta/1", "g0/d1/delta/1")
    assert runbook.step("g0/drop/1").needs == ("g0/checkpoint/1",)
    for one in passes:
        history.append(Entry(one, Event.INTENT))
    told = {"why": "somebody removed it", "removed": ["a"]}
    history.append(Entry("g0/snapshot/1", Event.GIVEN_UP, detail=told))
    assert next_actions(runbook, history, passes) == []
    assert [type(one) for one in next_actions(runbook, history)] == [Ask, Ask], "as after a death"
    history.append(Entry(passes[0], Event.DONE))
    assert next_actions(runbook, history, passes[1:]) == []
    history.append(Entry(passes[1], Event.NOT_DONE))
    assert next_actions(runbook, history) == [Do(runbook.step("g0/drop/1"), 1)]
    for event in (Event.INTENT, Event.DONE):
        history.append(Entry("g0/drop/1", event))
    assert next_actions(runbook, history) == [Do(runbook.step("g0/snapshot/1"), 2)]


def _bring_to_snapshot(here: Short) -> None:
    """Have a run end with its first snapshot taken and nothing read."""
    with pytest.raises(Died):
        here.whole(lambda point: _die_at("g0/snapshot/0 after outcome", point))
