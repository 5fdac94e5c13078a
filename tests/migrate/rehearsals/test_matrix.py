"""The fault matrix: every cell strikes, ends in one of four ways, and says how long it took."""

from __future__ import annotations

from dataclasses import replace

import pytest

from migrate.rehearsal import model_of, rehearse
from migrate.rehearsals.faults import (
    CHANGING,
    ENGINE,
    OUTAGE_S,
    READING,
    RESTART_S,
    STALL_S,
    TRANSFERS,
    Cell,
    Fault,
    matrix,
)
from migrate.rehearsals.matrix import Ending, Matrix
from migrate.rehearsals.striking import PERSON_S, Strike
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.patience import Patience
from migrate.steps.kinds import KINDS
from migrate.twin import Twin, TwinRun
from planner.errors import BadInput
from planner.plan import Wave
from planner.settings import Link, Window
from tests.migrate.estate import pair_wave, small_wave

LINK = Link()


def run(
    strike: Strike | None = None, wave: Wave | None = None, seed: int = 1, patience: Patience | None = None
) -> TwinRun:
    wave = wave or small_wave()
    model = replace(model_of(wave, LINK), patience=patience or Patience())
    return Twin(compose(wave), model, KINDS, seed, strike=strike).run()


def struck(
    where: str,
    call: str,
    fault: Fault,
    at: int = 1,
    wave: Wave | None = None,
    patience: Patience | None = None,
) -> TwinRun:
    strike = Strike(Cell(where, call, fault), at)
    done = run(strike, wave, patience=patience)
    assert strike.hit
    return done


def late_s(done: TwinRun, wave: Wave | None = None) -> float:
    return done.ended_s - run(wave=wave).ended_s


def whole(wave: Wave, seed: int = 1) -> Matrix:
    said = rehearse(wave, LINK, runs=240, seed=seed, matrix=True).matrix
    assert said is not None
    return said


def test_counting_changes_nothing() -> None:
    counted = Strike()
    assert run(counted) == run()
    calls = {call for where, call in counted.calls if where in ("source", "target")}
    assert {"power_on", "take_snapshot", "observe", "probe"} <= calls
    assert {(TRANSFERS, "copy"), (TRANSFERS, "compare"), (ENGINE, "start"), (ENGINE, "fence")} <= set(
        counted.calls
    )


def test_what_changes_and_what_reads_is_told_from_the_protocol() -> None:
    assert {"power_on", "create_disk", "rename", "consolidate", "thaw"} <= CHANGING
    assert {"observe", "probe", "find_snapshot", "networks"} <= READING
    assert not CHANGING & READING


@pytest.mark.parametrize("wave", [small_wave(), pair_wave()])
def test_every_cell_of_a_wave_strikes_and_ends(wave: Wave) -> None:
    said = whole(wave)
    assert said.cells == len(said.struck) > 130
    assert all(one.step for one in said.struck), "a cell that hits nothing must not be in the matrix"
    assert len({one.what for one in said.struck}) == said.cells
    assert {one.fault for one in said.struck} == {fault.value for fault in Fault}
    assert all(said.endings.values())
    assert all(one.remedy and not one.remedy.endswith(".") for one in said.struck)
    assert [one.grave for one in said.struck] == sorted((one.grave for one in said.struck), reverse=True)


def test_the_same_seed_gives_the_same_matrix_and_another_one_another() -> None:
    wave = small_wave()
    assert whole(wave) == whole(wave)
    assert [one.step for one in whole(wave).struck] != [one.step for one in whole(wave, 2).struck]


def test_three_of_four_runs_are_struck_and_what_was_not_tried_is_counted() -> None:
    said = rehearse(small_wave(), LINK, runs=20, seed=1, matrix=True)
    assert said.matrix is not None
    assert (len(said.matrix.struck), said.runs) == (15, 5)
    assert said.matrix.cells > 15
    assert said.outcomes == {"committed": 5}, "the figures are those of the calm runs"
    assert said.cutover == rehearse(small_wave(), LINK, runs=5, seed=1).cutover


def test_one_fault_and_all_of_them_are_not_asked_for_together() -> None:
    with pytest.raises(BadInput):
        rehearse(small_wave(), LINK, runs=4, seed=1, fault="power_on", matrix=True)


@pytest.mark.parametrize("call", ["power_on", "create_vm"])
def test_an_answer_that_is_lost_costs_nothing_and_nothing_is_done_twice(call: str) -> None:
    calm = Strike()
    run(calm)
    strike = Strike(Cell("target", call, Fault.LOST))
    done = run(strike)
    assert (done.outcome, done.decided) == (Outcome.COMMITTED, 0)
    assert strike.calls["target", call] == calm.calls["target", call]


@pytest.mark.parametrize(("others_s", "decided"), [(90.0, 1), (2 * OUTAGE_S, 0)])
def test_a_site_that_is_out_longer_than_patience_waits_for_a_person(others_s: float, decided: int) -> None:
    assert Patience().others_s < OUTAGE_S, "or the fault shows nothing"
    done = struck("target", "power_on", Fault.OUTAGE, patience=Patience(others_s=others_s))
    assert (done.outcome, done.decided) == (Outcome.COMMITTED, decided)
    assert round(OUTAGE_S - late_s(done), 6) <= 0
    assert late_s(done) < OUTAGE_S + 120


@pytest.mark.parametrize(("transfers_s", "decided"), [(900.0, 0), (OUTAGE_S / 2, 1), (0.0, 1)])
def test_a_link_that_is_cut_longer_than_patience_waits_for_a_person(transfers_s: float, decided: int) -> None:
    assert Patience().transfers_s > OUTAGE_S, "or the fault shows nothing"
    done = struck(TRANSFERS, "copy", Fault.LINK, patience=Patience(transfers_s=transfers_s))
    assert (done.outcome, done.decided) == (Outcome.COMMITTED, decided)
    assert late_s(done) == pytest.approx(OUTAGE_S, abs=60)


def test_a_pass_that_lost_its_mover_goes_on_where_it_was() -> None:
    wave = small_wave(size_bytes=100 << 30)
    done = struck(TRANSFERS, "copy", Fault.MOVER, wave=wave)
    (begin, end) = run(wave=wave).spans["g0/d0/seed"]
    assert (done.outcome, done.decided) == (Outcome.COMMITTED, 0)
    assert late_s(done, wave) < 60 < (end - begin) / 4


def test_what_cuts_one_pass_cuts_all_that_are_under_way() -> None:
    wave = small_wave(size_bytes=100 << 30)
    done = struck(TRANSFERS, "copy", Fault.LINK, at=2, wave=wave)
    assert done.decided == 0
    assert late_s(done, wave) == pytest.approx(OUTAGE_S, abs=120), "and each goes on where it was"


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
@pytest.mark.parametrize("kind", ["stop", "start", "snapshot", "fence", "transfer", "build"])
def test_an_engine_that_dies_begins_anew_from_its_record(kind: str, fault: Fault) -> None:
    calm = Strike()
    run(calm)
    strike = Strike(Cell(ENGINE, kind, fault))
    done = run(strike)
    assert (done.outcome, done.decided, done.stuck) == (Outcome.COMMITTED, 0, False)
    assert done.ended_s >= run().ended_s
    for call in ("power_on", "create_vm", "shut_down", "take_snapshot", "create_disk"):
        assert sum(strike.calls[where, call] for where in ("source", "target")) == sum(
            calm.calls[where, call] for where in ("source", "target")
        ), call
    if kind != "start":  # a guest goes on booting meanwhile
        assert late_s(done) >= RESTART_S - 60


def test_what_fails_once_for_no_reason_that_passes_waits_for_a_person() -> None:
    done = struck("target", "create_vm", Fault.ONCE)
    assert (done.outcome, done.decided) == (Outcome.COMMITTED, 1)
    assert late_s(done) == pytest.approx(PERSON_S, abs=30)


def test_what_stalls_is_waited_for() -> None:
    assert late_s(struck("source", "take_snapshot", Fault.STALLS)) == pytest.approx(STALL_S, abs=60)


def test_what_fails_for_good_goes_back_before_commit_and_is_stuck_after_it() -> None:
    back = struck("target", "power_on", Fault.ALWAYS)
    assert (back.outcome, back.stuck) == (Outcome.ROLLED_BACK, False)
    assert (back.back_s or 0) > 0
    fence = struck("source", "rename", Fault.ALWAYS)
    assert (fence.outcome, fence.stuck) == (Outcome.COMMITTED, True)
    said = {one.what: one for one in whole(small_wave()).struck}
    assert said["source rename fails from then on"].ending is Ending.STUCK
    assert "by hand" not in said["target power_on fails from then on"].remedy
    assert said["target power_on fails from then on"].ending is Ending.BACK


def test_a_fault_that_the_window_has_no_room_for_is_grave() -> None:
    wave = small_wave()
    cutover_h = run().cutover_s * 3 / 3600
    window = Window.model_validate({"start": "2026-10-03T22:00:00", "hours": cutover_h})
    said = whole(wave.model_copy(update={"window": window}))
    grave = {one.what for one in said.struck if one.grave}
    assert "source shut_down stalls" in grave
    assert "start: engine killed before it" not in grave
    assert "window" in next(one.remedy for one in said.struck if one.what == "source shut_down stalls")
    assert not any(one.grave for one in whole(wave).struck), "without a window nothing is too late"


def test_the_matrix_is_of_the_calls_that_are_made() -> None:
    assert {cell.call for cell in matrix({("source", "observe"): 3, (ENGINE, "stop"): 1})} == {
        "observe",
        "stop",
    }
    assert Cell("source", "observe", Fault.LOST) not in matrix({("source", "observe"): 3})
