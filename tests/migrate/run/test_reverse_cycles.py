"""A wave that is protected at its source is brought up to date like one that waits for its cutover."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from migrate.gates.due import Cause, next_due
from migrate.run import controls, cycles
from migrate.run import store as runs
from migrate.run.compose_failback import another_reverse_cycle, compose_failback
from migrate.run.history import Entry, Event
from migrate.run.left_behind import left_behind
from migrate.run.record import StepRecord
from migrate.run.runbook import COMMIT, GO, Runbook, dump_step
from migrate.run.store import Run, RunKind
from migrate.steps.untouched import COMMITTED, LEFT_BEHIND
from tests.migrate.test_status_home import Book, book, home

__all__ = ["book"]


def run_of(book: Book) -> Run:
    found = runs.latest(book.project, "W01", RunKind.FAILBACK)
    assert found is not None
    return found


def due(book: Book) -> dict[Cause, tuple[str, datetime]]:
    found = next_due(book.project, datetime.now(UTC))
    return {one.cause: (one.purpose, one.at) for one in found if one.cause in (Cause.CYCLE, Cause.BREACH)}


def instant(book: Book) -> datetime:
    times = cycles.times_of(book.project, run_of(book).id)
    return datetime.fromisoformat(cycles.copied_at(run_of(book), book.history, times))


def one_cycle(book: Book, number: int) -> None:
    steps = another_reverse_cycle(book.wave, number)
    book.record.append(
        Entry("", Event.CYCLE, detail={"gate": GO, "steps": [dump_step(step) for step in steps]})
    )
    for step in steps:
        book.note(step.id, Event.INTENT, Event.DONE)


def first(book: Book) -> int:
    return int(book.wave.policies.delta_cycles) + 1


def test_its_next_round_is_due_and_what_is_too_old_is_told(book: Book) -> None:
    home(book)
    book.until("g0/d0/seed")
    assert due(book) == {}, "a first copy that is not whole is nobody's cycle"
    book.until(GO)
    assert due(book) == {
        Cause.CYCLE: ("reverse", instant(book) + timedelta(minutes=book.wave.policies.cycle_min)),
        Cause.BREACH: ("", instant(book) + timedelta(minutes=book.wave.policies.rpo_min)),
    }
    controls.ask_to_pause(book.project, "W01")
    assert Cause.CYCLE not in due(book)


def test_a_run_home_without_a_journal_has_no_rounds_by_itself(book: Book) -> None:
    found = compose_failback(book.wave, {})
    gone = {step.id for step in found.steps if step.kind in ("journal", "fold", "promote")}
    steps = (step for step in found.steps if step.id not in gone)
    older = tuple(
        step._replace(needs=tuple(need for need in step.needs if need not in gone)) for step in steps
    )
    book.begin(Runbook(found.wave, found.fingerprint, older), RunKind.FAILBACK)
    book.until(GO)
    assert due(book) == {}
    assert not cycles.put_away(book.project, run_of(book), book.history)


def test_old_rounds_are_put_away_and_the_record_stays_short(book: Book) -> None:
    home(book)
    book.until(GO)
    sizes = set()
    for number in range(first(book), first(book) + 6):
        one_cycle(book, number)
        cycles.put_away(book.project, run_of(book), book.history)
        book.history = runs.history(book.project, run_of(book))
        book.record = StepRecord(book.project, run_of(book).id, book.history, "me")
        sizes.add(len(book.history.entries))
    assert len(sizes) == 1
    told = cycles.cycles_of(book.project, run_of(book), book.history)
    assert [one.number for one in told] == list(range(first(book) + 6))


def test_the_first_checkpoint_is_called_what_the_disks_hold(book: Book) -> None:
    assert left_behind(book.project, "W01") == COMMITTED
    home(book)
    book.note("check", Event.INTENT, Event.DONE)
    book.note("g0/journal", Event.INTENT, Event.DONE)
    assert left_behind(book.project, "W01") == COMMITTED
    book.until(GO)
    assert left_behind(book.project, "W01") == LEFT_BEHIND, "it says nothing of a journal that kept them"
    (step,) = (step for step in book.history.runbook.steps if step.kind == "journal")
    assert step.params["base"] == COMMITTED


def test_what_went_through_a_journal_left_the_disks_alone(book: Book) -> None:
    home(book)
    book.note("check", Event.INTENT, Event.DONE)
    book.record.append(Entry("g0/journal", Event.INTENT))
    book.record.append(Entry("g0/journal", Event.DONE, 1, {"kept": True}))
    book.until("g0/fold")
    assert left_behind(book.project, "W01") == COMMITTED
    book.until(COMMIT)
    assert left_behind(book.project, "W01") == LEFT_BEHIND
