"""Patience: a time and no count, from the record alone, ended by people at once, refilled by no death."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.run import levers
from migrate.run.beside import Limits
from migrate.run.compose import compose
from migrate.run.crew import Crew
from migrate.run.history import Entry, Event, History, Status
from migrate.run.patience import OVER_THE_LINE, Patience, Spent, Tried
from migrate.run.runbook import GO
from migrate.run.watch import Watch
from migrate.steps.kinds import KINDS
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Copied, Moving, Wanted
from planner.errors import NoSpace, SiteRefused, Unreachable
from tests.migrate.estate import disk, pair_wave, small_wave, wave
from tests.migrate.simulated_run import Died, World

SEED = "g0/d0/seed"


# the pure function


def failures(patience: Patience, took_s: list[float], kind: str = "transfer") -> Iterator[Spent]:
    """Yield what each failure says when every try is at its moment and fails after it took so long."""
    now_s, spent = 1000.0, None
    for took in took_s:
        now_s += took
        spent = patience.spend(kind, spent, now_s, Tried(took))
        yield spent
        if spent.again_s is None:
            return
        now_s = spent.again_s


@given(st.floats(0, 2000), st.floats(0.01, 60), st.floats(0.01, 60), st.lists(st.floats(0, 400), max_size=60))
def test_without_progress_no_try_begins_after_the_limit(
    limit_s: float, first_s: float, longest_s: float, took_s: list[float]
) -> None:
    patience = Patience(transfers_s=limit_s, first_s=first_s, longest_s=longest_s)
    said = list(failures(patience, took_s))
    for one in said:
        assert one.again_s is None or one.again_s <= said[0].at_s + limit_s + 0.01 * len(said)
        assert one.pause_s <= max(first_s, longest_s) + 0.001
    for before, after in pairwise(said):
        assert after.used_s >= before.used_s


def test_an_outage_gets_a_last_try_when_patience_ends() -> None:
    said = list(failures(Patience(), [0.0] * 100))
    assert [one.at_s - 1000 for one in said[:7]] == [0, 1, 3, 7, 15, 31, 61]
    assert said[-1] == Spent(1900.0, 900.0, 900.0)
    assert said[-2].again_s == 1900.0
    assert all(one.gives_up_s == 1900.0 for one in said)
    assert len(list(failures(Patience(), [0.0] * 100, "start"))) == 8


def test_no_patience_is_no_second_try() -> None:
    assert list(failures(Patience(transfers_s=0.0), [0.0] * 9)) == [Spent(1000.0, 0.0, 0.0)]


def moving(left: int, total: int = 100) -> Moving:
    return Moving("v", total - left, total, 0)


def tried(end_s: float, *told: tuple[float, int]) -> Tried:
    """Return what a try came to that said at these moments how much was left, and failed at the end."""
    now = [0.0]
    made = Watch(lambda moving: None, lambda: now[0])
    for at_s, left in told:
        now[0] = at_s
        made(moving(left))
    now[0] = end_s
    return made.seen()


def test_what_is_in_vain_is_what_no_bytes_moved_in() -> None:
    assert tried(20.0) == Tried(20.0)
    assert tried(20.0, (5.0, 80), (15.0, 50), (16.0, 60)) == Tried(9.0, 50)


def test_a_pass_that_came_further_than_ever_has_its_whole_patience_again() -> None:
    patience = Patience()
    first = patience.spend("transfer", None, 100.0, tried(9, (0, 80), (9, 50)))
    assert (first.used_s, first.left_bytes) == (0.0, 50)
    same = patience.spend("transfer", first, 200.0, tried(29, (0, 80), (9, 50)))
    assert (same.used_s, same.left_bytes) == (21.0, 50), "a rest of one second, and twenty in vain"
    nothing = patience.spend("transfer", same, 300.0, tried(5))
    assert (nothing.used_s, nothing.left_bytes) == (28.0, 50)
    further = patience.spend("transfer", nothing, 500.0, tried(40, (0, 60), (9, 49)))
    assert further == Spent(500.0, 0.0, 900.0, 501.0, 49)


def test_a_comparison_that_begins_anew_comes_no_further_but_its_work_is_no_waiting() -> None:
    first = Patience().spend("verify", None, 100.0, tried(5000, (0, 80), (5000, 50)))
    again = Patience().spend("verify", first, 5201.0, tried(5002, (0, 80), (5000, 10)))
    assert (again.used_s, again.left_bytes) == (3.0, None)


def test_a_clock_that_was_set_changes_nothing_of_what_is_used() -> None:
    first = Patience().spend("start", None, 10_000.0)
    for now_s in (5_000.0, 90_000.0):
        then = Patience().spend("start", first, now_s)
        assert (then.used_s, then.again_s) == (1.0, now_s + 2.0)


@given(st.builds(Spent, *[st.floats(0, 2e9)] * 3, st.none() | st.floats(0, 2e9), st.none() | st.integers(0)))
def test_what_is_recorded_is_read_again(spent: Spent) -> None:
    assert Spent.of({"error": "unreachable", **spent.as_json()}) == spent
    assert Spent.of({"error": "unreachable"}) is None


def test_every_kind_that_crosses_the_line_is_one() -> None:
    assert set(KINDS) >= OVER_THE_LINE


# the driver


class Cut(ModelledTransfers):
    """Transfers over a line that is cut until a moment of the clock; ``tried`` are the moments of tries."""

    until_s: float = 0.0
    volume: str = ""
    tried: list[float]

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        if self.volume in ("", wanted.volume):
            self.tried.append(self.clock.epoch_s())
            if self.clock.at_s < self.until_s:
                raise Unreachable("the line is cut", "wait")
        return super().copy(wanted, report)


def cut_world(until_s: float, planned: object = None) -> tuple[World, Cut]:
    chosen = planned or small_wave()
    world = World(chosen, compose(chosen))  # type: ignore[arg-type]
    transfers = Cut(world.clock, 1e9, 1e9)
    transfers.until_s, transfers.tried = until_s, []
    world.transfers = transfers
    return world, transfers


def spent(world: World) -> list[Spent]:
    """Return what the failures of the first copy say, in order."""
    entries = (one for one in world.ledger.entries if one.step == SEED and one.event is Event.FAILED)
    return [said for one in entries if (said := Spent.of(one.detail)) is not None]


def test_a_line_that_is_cut_for_ten_minutes_stops_nobody() -> None:
    world, transfers = cut_world(600.0)
    assert world.drive().gate is not None
    assert len(transfers.tried) > 20
    assert max(b - a for a, b in pairwise(transfers.tried)) <= 31.0
    assert world.reload().spent == {}


def test_control_without_patience_it_stops_the_run() -> None:
    world, transfers = cut_world(600.0)
    stopped = world.drive(patience=Patience(transfers_s=0.0))
    assert stopped.decide is not None
    assert (stopped.decide.id, len(transfers.tried)) == (SEED, 2), "one try of each disk"


def test_a_line_that_stays_cut_ends_in_a_decision_when_patience_ends() -> None:
    world, _ = cut_world(1e9)
    stopped = world.drive()
    assert stopped.decide is not None
    said = spent(world)
    assert said[-1].at_s - said[0].at_s == pytest.approx(900.0, abs=1)


@pytest.mark.parametrize("error", [NoSpace("full", "free space"), SiteRefused("no", "ask")])
def test_what_does_not_pass_is_not_tried_again(error: Exception) -> None:
    class Refuses(ModelledTransfers):
        tries = 0

        def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
            self.tries += 1
            raise error

    world = World(small_wave(), compose(small_wave()))
    world.transfers = transfers = Refuses(world.clock, 1e9, 1e9)
    assert world.drive().decide is not None
    assert transfers.tries == 2, "one of each disk"
    assert world.history.failures[SEED]["hint"] == error.hint  # type: ignore[attr-defined]


def test_other_groups_go_on_while_one_rests() -> None:
    planned = wave(
        {"a": ["a"], "b": ["b"]}, [disk(name, number=number) for name in "ab" for number in (0, 1)], [["a"]]
    )
    for crew in (None, Crew(lambda: Limits(3))):
        world, transfers = cut_world(300.0, planned)
        transfers.volume = "id-a/2000"
        assert world.drive(crew=crew).gate is not None
        order = [one.step for one in world.ledger.entries if one.event is Event.DONE]
        assert order.index("g1/checkpoint/1") < order.index(SEED)
        assert world.broken() == []


def test_a_pause_ends_the_rest_and_a_person_who_goes_on_has_whole_patience() -> None:
    world, transfers = cut_world(1e9)
    assert world.drive(paused=lambda: world.clock.at_s > 400.0).paused
    assert world.clock.at_s < 402.0, "a slice, not the rest"
    assert world.reload().status[SEED] is Status.FAILED
    before = spent(world)[-1]
    assert before.used_s > 300.0
    levers.retry_all(world.history, world.ledger.recorder(world.history), before.at_s - 1)
    assert world.history.spent[SEED] == before, "an order from before it failed gives nothing"
    levers.retry_all(world.history, world.ledger.recorder(world.history), before.at_s + 1)
    assert world.history.spent == {}
    tries = len(transfers.tried)
    world.drive()
    assert spent(world)[-1].at_s - transfers.tried[tries] == pytest.approx(900.0, abs=1)


def test_a_person_who_is_in_a_hurry_has_it_tried_at_once() -> None:
    world, transfers = cut_world(400.0)
    asked = iter(["ada"])
    said = world.drive(hurried=lambda: next(asked, "") if world.clock.at_s > 402.0 else "")
    assert said.gate is not None
    assert any(402.0 < at < 403.0 for at in transfers.tried)
    words = [one for one in world.ledger.entries if one.event is Event.RETRY]
    assert [(one.step, one.detail["who"]) for one in words] == [(SEED, "ada"), ("g0/d2/seed", "ada")]


@pytest.mark.parametrize("die_after_s", [0.4, 2.1, 5.0, 20.0, 77.7, 500.0, 899.0])
def test_a_driver_that_dies_in_the_rest_and_comes_back_at_once_changes_no_moment(die_after_s: float) -> None:
    calm, all_calm = cut_world(1e9)
    calm.drive()
    world, transfers = cut_world(1e9)

    def dies() -> bool:
        if world.clock.at_s > transfers.tried[0] + die_after_s if transfers.tried else False:
            raise Died
        return False

    with pytest.raises(Died):
        world.drive(paused=dies)
    assert world.drive().decide is not None
    assert spent(world) == spent(calm)
    assert transfers.tried == pytest.approx(all_calm.tried, abs=0.01)


def test_a_death_in_a_try_and_a_long_absence_give_nothing_back_and_take_nothing() -> None:
    calm, _ = cut_world(1e9)
    calm.drive()
    world, transfers = cut_world(1e9)

    def dies(point: str) -> None:
        if point == f"{SEED} after intent" and len(transfers.tried) == 4:
            raise Died

    with pytest.raises(Died):
        world.drive(boundary=dies)
    world.clock.sleep(2000.0)
    assert world.drive().decide is not None
    assert [one.used_s for one in spent(world)] == [one.used_s for one in spent(calm)]


def test_control_a_record_that_forgets_failures_has_patience_without_end() -> None:
    """Negative control: what the record does not know is refilled by each death."""
    world, transfers = cut_world(1e9)
    for _ in range(3):
        with pytest.raises(Died):
            world.drive(paused=_dies_at(world, 800.0))
        world.ledger.entries = [
            one._replace(event=Event.NOT_DONE, detail={}) if one.event is Event.FAILED else one
            for one in world.ledger.entries
        ]
    assert transfers.tried[-1] - transfers.tried[0] > 2000.0


def _dies_at(world: World, after_s: float) -> Callable[[], bool]:
    until_s = world.clock.at_s + after_s

    def dies() -> bool:
        if world.clock.at_s > until_s:
            raise Died
        return False

    return dies


def test_the_way_back_rests_too_and_needs_nobody() -> None:
    world = World(small_wave(), compose(small_wave()))
    before = world.end_state()[0]
    world.drive(GO)
    world.note("", Event.ROLLBACK)
    world.source.refuse["power_on"] = 4
    begun_s = world.clock.at_s
    assert world.drive().outcome is not None
    assert world.clock.at_s - begun_s > 15.0
    assert world.end_state()[0] == before
    assert world.broken() == []


def test_an_old_record_without_figures_asks_a_person() -> None:
    world, _ = cut_world(0.0, pair_wave())
    with pytest.raises(Died):
        world.drive(boundary=_dies(f"{SEED} after intent"))
    world.note(SEED, Event.FAILED, retryable=True, message="gone", hint="wait")
    assert world.drive().decide is not None
    assert isinstance(History(world.runbook, world.ledger.entries).entries[-1], Entry)


def _dies(where: str) -> Callable[[str], None]:
    def boundary(point: str) -> None:
        if point == where:
            raise Died

    return boundary
