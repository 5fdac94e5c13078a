"""Cycles of a wave that waits: when the next is due, what is put away, how old the copies are."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from migrate.disk_maps import disk_maps
from migrate.gates import words
from migrate.gates.due import Cause, Due, next_due, sound
from migrate.gates.words import Verdict
from migrate.group_record import is_proven, proven_cycles, proven_of, rounds_told
from migrate.late import is_late, why_late
from migrate.members import wave_members
from migrate.reach import short_history
from migrate.run import controls, cycles
from migrate.run import store as runs
from migrate.run.compose import another_cycle, another_round
from migrate.run.history import Event
from migrate.run.runbook import GO, Step, dump_step
from migrate.status import project_status
from migrate.wave_status import WaveStatus
from planner.plan import Wave
from planner.store.project import Project
from tests.migrate.gates.standing import Standing, planned, stored

HOUR = timedelta(hours=1)
Made = Callable[[Wave, int], Iterable[Step]]
NOWHERE = "needs configuration"  # no sites are set in these projects


def waiting(path: Path, **policies: Any) -> Any:
    """Give a run that waits at its go gate."""
    wave = planned()
    return stored(path, wave.model_copy(update={"policies": wave.policies.model_copy(update=policies)}))


def begin_cycle(run: Standing, number: int, make: Made = another_cycle) -> list[str]:
    steps = make(run.wave, number)
    run.append("", Event.CYCLE, gate=GO, steps=[dump_step(step) for step in steps])
    return [step.id for step in steps]


def one_cycle(run: Standing, number: int, make: Made = another_cycle) -> None:
    steps = begin_cycle(run, number, make)
    copied = {"data_bytes": 100 * number, "wire_bytes": 10 * number, "change_id": f"e/{number}"}
    run.results.update({step: copied for step in steps if "/delta/" in step})
    run.do(*steps)


def read_anew(run: Standing) -> None:
    run.history = runs.history(run.project, run.run)


def of_copies(run: Standing, now: datetime) -> dict[Cause, Due]:
    found = (due for due in next_due(run.project, now) if due.cause in (Cause.CYCLE, Cause.BREACH))
    return {due.cause: due for due in found}


def instant(run: Standing) -> datetime:
    at = cycles.copied_at(run.run, run.history, cycles.times_of(run.project, run.run.id))
    return datetime.fromisoformat(at)


def first(run: Standing) -> int:
    return int(run.wave.policies.delta_cycles) + 1


def test_a_waiting_wave_has_its_next_cycle_due(tmp_path: Path) -> None:
    with waiting(tmp_path / "move", cycle_min=20, rpo_min=90) as run:
        now = datetime.now(UTC)
        assert of_copies(run, now) == {}, "nothing is copied yet"
        run.go_to(GO)
        due = of_copies(run, now)
        assert due[Cause.CYCLE].at == instant(run) + timedelta(minutes=20)
        assert due[Cause.CYCLE].purpose == "replicate"
        assert due[Cause.BREACH].at == instant(run) + timedelta(minutes=90)
        assert due[Cause.BREACH].purpose == "", "somebody is told, nothing is done"


def test_an_old_run_and_one_that_wants_none_have_no_cycle(tmp_path: Path) -> None:
    with waiting(tmp_path / "none", cycle_min=0, rpo_min=0) as run:
        run.go_to(GO)
        assert of_copies(run, datetime.now(UTC)) == {}


def test_a_gate_that_is_open_leaves_no_room_for_a_cycle(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        words.say(run.project, run.run, GO, Verdict.APPROVE)
        assert [due.cause for due in next_due(run.project, datetime.now(UTC))] == [Cause.GATE]


def test_a_pause_holds_the_cycles_too(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        controls.ask_to_pause(run.project, "W01")
        assert Cause.CYCLE not in of_copies(run, datetime.now(UTC))
        assert status_of(run, datetime.now(UTC) + 2 * HOUR).late == "it is paused"
        controls.answer(run.project, "W01")
        one_cycle(run, first(run))
        assert Cause.CYCLE in of_copies(run, datetime.now(UTC))


def test_a_cycle_that_failed_is_due_again_and_the_copies_stay(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        before = instant(run)
        snapshot, transfer, *_ = begin_cycle(run, first(run))
        run.do(snapshot)
        assert instant(run) == before, "what is half copied is no copy"
        assert of_copies(run, datetime.now(UTC))[Cause.BREACH].at == before + HOUR
        run.append(transfer, Event.INTENT)
        run.append(transfer, Event.FAILED, message="the line is cut", hint="")
        assert of_copies(run, datetime.now(UTC))[Cause.CYCLE].purpose == "replicate"
        late = datetime.now(UTC) + 2 * HOUR
        assert is_late(run.run, run.history, before.isoformat(), late)
        assert why_late(run.project, run.run, run.history, False) == "the last delta failed: the line is cut"


def test_a_first_copy_that_failed_is_nobodys_cycle(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.do("check")
        first_step = next(step for step in run.history.runbook.steps if step.id != "check")
        run.append(first_step.id, Event.INTENT)
        run.append(first_step.id, Event.FAILED, message="no", hint="")
        assert next_due(run.project, datetime.now(UTC)) == []


def test_weeks_of_cycles_leave_a_short_record(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        sizes = set()
        number = first(run)
        for _ in range(60):
            one_cycle(run, number)
            assert cycles.put_away(run.project, run.run, run.history) <= 1
            read_anew(run)
            sizes.add(len(run.history.entries))
            number += 1
        assert len(sizes) == 1, "as long after sixty cycles as after two"
        all_of_them = cycles.cycles_of(run.project, run.run, run.history)
        assert [one.number for one in all_of_them] == list(range(number))
        assert all(one.instant and one.ended_at >= one.instant for one in all_of_them)
        assert [one.wire_bytes for one in all_of_them[first(run) :]] == [
            10 * number * _disks(run) for number in range(first(run), number)
        ]
        newest = cycles.copied_at(run.run, run.history, cycles.times_of(run.project, run.run.id))
        assert newest == all_of_them[-1].instant
        told = rounds_told(run.project, run.run, run.history, "g0")
        assert {one.wire_bytes for one in all_of_them[first(run) :]} <= {one.wire_bytes for one in told}
        disk = disk_maps(run.project, "W01", run.wave.vms[0].name)[0]
        assert disk.away is not None
        assert (disk.away.rounds, disk.away.since) == (59, all_of_them[first(run)].instant)
        assert disk.away.until == all_of_them[-2].instant
        assert disk.away.wire_bytes == sum(one.wire_bytes for one in all_of_them[first(run) : -1])
        assert disk.away.before == len(disk.passes) - 1, "they lie before the newest round"
        begin_cycle(run, number)  # goes on from the newest number, whatever is put away


def test_rounds_that_were_put_away_stay_proven(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        numbers = range(first(run), first(run) + 4)
        run.results.update({f"g0/snapshot/{number}": {"id": f"snap-{number}"} for number in numbers})
        before = proven_cycles(run.project, run.run, run.history, "g0")
        for number in numbers:
            one_cycle(run, number, another_cycle if number == numbers[0] else another_round)
        assert cycles.put_away(run.project, run.run, run.history) == 3
        read_anew(run)
        found = proven_cycles(run.project, run.run, run.history, "g0")
        assert found - before == {f"g0/snap-{number}" for number in numbers[1:]}, "a cycle compares nothing"
        assert proven_of(run.project, f"W01/{run.wave.groups[0].name}") == found
        assert is_proven(f"k/1/g0/snap-{numbers[1]}", found)
        assert not is_proven(f"k/1/g0/snap-{numbers[0]}", found)
        steps = begin_cycle(run, numbers[-1] + 1, another_round)
        run.results[steps[0]] = {"id": "snap-half"}
        run.do(steps[0], *(step for step in steps if "/delta/" in step))
        assert proven_cycles(run.project, run.run, run.history, "g0") == found, "it was not compared yet"


def _disks(run: Standing) -> int:
    return sum("/delta/" in step.id for step in another_cycle(run.wave, 9))


def test_nothing_is_put_away_on_which_something_stands(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        for number in (first(run), first(run) + 1):
            one_cycle(run, number)
        begin_cycle(run, first(run) + 2)
        assert cycles.put_away(run.project, run.run, run.history) == 0, "one is under way"
        run.append("", Event.ABORT, who="ada")
        assert cycles.put_away(run.project, run.run, run.history) == 0, "the way back wants to know"


def test_a_round_that_was_passed_over_replaces_none(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        one_cycle(run, first(run))
        newest = instant(run)
        snapshot, *others = begin_cycle(run, first(run) + 1)
        run.append(snapshot, Event.INTENT)
        run.append(snapshot, Event.FAILED, message="no", hint="")
        for step in (snapshot, *(one for one in others if "/delta/" in one)):
            run.append(step, Event.SKIPPED, who="ada", reason="the cutover has a last delta of its own")
        run.do(*(one for one in others if "/drop/" in one))
        assert cycles.put_away(run.project, run.run, run.history) == 0
        assert instant(run) == newest


def test_the_way_back_knows_a_run_whose_cycles_are_put_away(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        for number in range(first(run), first(run) + 3):
            one_cycle(run, number)
        assert cycles.put_away(run.project, run.run, run.history) == 2
        read_anew(run)
        run.append("", Event.ABORT, who="ada")
        left = {step for step in run.history.attempts if "/snapshot/" in step}
        assert left == {f"g0/snapshot/{number}" for number in (*range(first(run)), first(run) + 2)}


def status_of(run: Standing, now: datetime) -> WaveStatus:
    (found,) = project_status(run.project, now).waves
    return found


def test_status_says_how_old_the_copies_are_and_why(tmp_path: Path) -> None:
    with waiting(tmp_path / "move", cycle_min=0) as run:
        run.go_to(GO)
        fresh = status_of(run, datetime.now(UTC))
        assert (fresh.copied_at, fresh.rpo_s, fresh.late) == (_text(instant(run)), 3600.0, "")
        assert "rpo breach" not in fresh.flags
        late = datetime.now(UTC) + 2 * HOUR
        old = status_of(run, late)
        assert (old.late, old.flags) == ("the plan wants no deltas while it waits", ("rpo breach", NOWHERE))
        needs = [need.text for need in project_status(run.project, late).needs if need.severity == "warning"]
        said = "the copies of W01 are 2 h old, 1 h is allowed: the plan wants no deltas while it waits"
        assert said in needs


def test_members_have_the_flag_of_their_wave(tmp_path: Path) -> None:
    with waiting(tmp_path / "move", rpo_min=0.0001) as run:
        run.go_to(GO)
        found = _flags_after(run.project, run.wave)
        assert "rpo breach" in found


def _flags_after(project: Project, wave: Wave) -> tuple[str, ...]:
    import time

    time.sleep(0.02)
    return tuple(wave_members(project, wave.name).flags)


def _text(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_a_breach_is_sounded_once_for_each_copy(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        late = datetime.now(UTC) + 2 * HOUR
        due = of_copies(run, late)[Cause.BREACH]
        assert due.at <= late
        sound(run.project, due)
        assert Cause.BREACH not in of_copies(run, late)


def test_a_history_that_reaches_less_far_than_wanted_is_flagged_until_the_cutover(tmp_path: Path) -> None:
    short = {"checkpoints": 4, "history_s": 3600.0, "wanted_s": 86400.0, "is_short": True, "said": []}
    with waiting(tmp_path / "move") as run:
        proof = next(step.id for step in run.history.runbook.steps if step.kind == "checkpoint")
        run.go_to(proof)
        run.append(proof, Event.INTENT)
        run.append(proof, Event.DONE, history=short)
        run.go_to(GO)
        found = project_status(run.project, datetime.now(UTC))
        assert found.waves[0].flags == ("history breach", NOWHERE)
        assert found.waves[0].short_history == "1 h of 1 d"
        assert "the history of W01 reaches back 1 h of 1 d wanted" in [need.text for need in found.needs]
        assert "history breach" in _flags_after(run.project, run.wave)
        run.append(GO, Event.APPROVED)
        assert "history breach" not in status_of(run, datetime.now(UTC)).flags
        run.history.results[proof]["history"]["is_short"] = False
        assert short_history(run.history) == ""
