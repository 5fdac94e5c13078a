"""The first round of reverse protection comes again by itself: when, how often, and when it does not."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.gates.due import Cause, next_due
from migrate.run import controls, orders
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback
from migrate.run.history import Entry, Event
from migrate.run.runbook import GO
from migrate.run.store import RunKind
from planner.store.project import Project
from tests.migrate.test_status_home import Book

NOW = datetime.now(UTC)
REFUSED = {"error": "unreachable", "message": "site dc1 does not answer", "hint": "look"}


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    """A wave that was approved to be protected, and committed."""
    with Project.create(tmp_path) as project:
        project.rows("PRAGMA synchronous = OFF")
        made = Book(project)
        ending = made.wave.conduct.ending.model_copy(update={"reverse": True})
        conduct = made.wave.conduct.model_copy(update={"ending": ending})
        made.rest_on(made.wave.model_copy(update={"conduct": conduct}))
        made.begin(compose(made.wave), RunKind.WAVE)
        made.until("")
        yield made


def due(book: Book) -> list[tuple[str, str, float]]:
    """Return the verb, why, and how many minutes after the newest entry, order or pause."""
    lasts = [str(runs.last_at(book.project, run)) for run in runs.of_wave(book.project, "W01")]
    newest = orders.newest(book.project, "W01")
    last = datetime.fromisoformat(max([*lasts, newest.ended_at if newest else ""]))
    return [
        (one.purpose, one.why, (one.at - last) / timedelta(minutes=1))
        for one in next_due(book.project, NOW)
        if one.cause is Cause.CYCLE
    ]


def refuse(book: Book, purpose: str = "reverse", **result: object) -> None:
    order = orders.place(book.project, "W01", purpose, {"cycle": True}, "me")
    orders.end(book.project, order.id, dict(result) or REFUSED)


def go_home(book: Book) -> None:
    book.begin(compose_failback(book.wave, {}), RunKind.FAILBACK)


def fail(book: Book, step: str = "check") -> None:
    """Have a step fail, as a verb given anew would have it tried."""
    if step in book.history.failures:
        book.record.append(Entry(step, Event.RETRY))
    book.note(step, Event.INTENT, Event.FAILED)


def test_a_first_round_that_failed_comes_again_later_and_later(book: Book) -> None:
    go_home(book)
    waited = []
    for _ in range(6):
        fail(book)
        ((verb, why, minutes),) = due(book)
        assert (verb, why) == ("reverse", "its first round home failed")
        waited.append(minutes)
    assert waited == [1, 2, 4, 8, 15, 15]


def test_a_person_who_pauses_or_gives_it_up_ends_that(book: Book) -> None:
    go_home(book)
    fail(book)
    assert due(book)
    controls.ask_to_pause(book.project, "W01")
    assert due(book) == []
    controls.answer(book.project, "W01")
    time.sleep(0.005)  # moments of the record are milliseconds
    fail(book)
    assert due(book)
    book.record.append(Entry("", Event.ABORT))
    assert due(book) == []


def test_a_round_that_failed_later_is_a_cycle_like_any(book: Book) -> None:
    go_home(book)
    book.until(GO)
    book.note(GO, Event.APPROVED)
    fail(book, "g0/fold")
    assert due(book) == [], "a failback that failed is a person's"


def test_an_order_that_was_refused_before_anything_began_is_given_again(book: Book) -> None:
    assert due(book) == [], "nobody ordered it yet"
    refuse(book)
    assert due(book) == [("reverse", "nobody protects it at its source", 1)]
    wave = book.at("2026-12-01")[0]
    assert (wave.unprotected, wave.why, wave.again_at) == (True, REFUSED["message"], ""), (
        "no engine is at work"
    )
    go_home(book)
    assert due(book) == [], "it began"


def test_an_engine_that_died_between_commit_and_order_is_no_reason_to_go_without(book: Book) -> None:
    refuse(book, "commit", run=1, stopped={})
    assert due(book) == [("reverse", "nobody protects it at its source", 1)]
    refuse(book, "reverse", run=2, stopped={})
    assert due(book) == [], "it was carried out"


def test_a_wave_approved_without_is_left_alone(book: Book) -> None:
    ending = book.wave.conduct.ending.model_copy(update={"reverse": False})
    conduct = book.wave.conduct.model_copy(update={"ending": ending})
    book.rest_on(book.wave.model_copy(update={"conduct": conduct}))
    book.begin(compose(book.wave), RunKind.WAVE)
    book.until("")
    refuse(book)
    assert due(book) == []


def test_status_says_when_the_engine_tries_again(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    go_home(book)
    fail(book)
    before, (need,) = book.at()
    assert (before.again_at, need.severity) == ("", "blocker"), "no engine is at work"
    monkeypatch.setattr("migrate.wave_status.may_run", lambda run_dir: True)
    wave, (need,) = book.at(f"{NOW:%Y-%m-%d}")
    assert wave.state == "failed"
    assert datetime.fromisoformat(wave.again_at) > NOW
    assert need.severity == "warning"
    assert "; the engine tries again " in need.text
