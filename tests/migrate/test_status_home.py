"""A committed wave in the status: how old its way back is, what waits on it, and when its sources may go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrate.needs import Need
from migrate.run import controls, orders
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback
from migrate.run.history import Entry, Event, History
from migrate.run.record import StepRecord
from migrate.run.runbook import COMMIT, GO, Runbook
from migrate.run.store import RunKind
from migrate.run.waves import under_way
from migrate.status import project_status
from migrate.wave_status import WaveStatus
from planner.model import VM, Inventory
from planner.plan import Wave
from planner.store import approvals, inventories
from planner.store.project import Project
from tests.migrate.estate import small_wave
from tests.migrate.stored import store_plan

NOWHERE = "needs configuration"  # no sites are set in these projects


class Book:
    """A project whose wave is committed, and the record of what comes then."""

    def __init__(self, project: Project) -> None:
        self.project = project
        inventories.save(project, Inventory("test", "2026-10-01T00:00:00Z", (VM("a", "a"),)))
        self.wave = small_wave()
        self.stored = store_plan(project, self.wave)
        approvals.approve(project, self.stored, ("W01",), "me")

    def rest_on(self, wave: Wave) -> None:
        """Have what begins now rest on another plan."""
        self.wave, self.stored = wave, store_plan(self.project, wave)

    def begin(self, runbook: Runbook, kind: RunKind) -> None:
        run = runs.begin(self.project, self.stored, runbook, kind)
        self.history: History = runs.history(self.project, run)
        self.record = StepRecord(self.project, run.id, self.history, "me")

    def note(self, step: str, *events: Event, **detail: str) -> None:
        for event in events:
            self.record.append(Entry(step, event, 1, detail if event is Event.DONE else {}))

    def until(self, end: str) -> None:
        """Do every step that is not done yet before ``end``."""
        for step in self.history.runbook.steps:
            if step.id == end:
                return
            if step.id in self.history.results:
                continue
            if step.is_gate:
                self.note(step.id, Event.APPROVED)
            else:
                kept = {"name": "x-moved", "keep_until": "2026-12-28"} if step.kind == "fence" else {}
                self.note(step.id, Event.INTENT, Event.DONE, **kept)

    def at(self, day: str = "2026-12-01") -> tuple[WaveStatus, list[Need]]:
        status = project_status(self.project, datetime.fromisoformat(f"{day}T12:00:00+00:00"))
        return status.waves[0], [need for need in status.needs if need.wave == "W01"]


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    with Project.create(tmp_path) as project, pytest.MonkeyPatch.context() as patch:
        patch.setattr("migrate.audit.add", lambda *args: None)  # durability is proven elsewhere
        project.rows("PRAGMA synchronous = OFF")
        made = Book(project)
        made.begin(compose(made.wave), RunKind.WAVE)
        made.until("")
        yield made


def home(book: Book) -> None:
    book.begin(compose_failback(book.wave, {}), RunKind.FAILBACK)


def test_a_fenced_source_is_kept_and_then_may_go_by_hand(book: Book) -> None:
    wave, needs = book.at("2026-12-28")
    assert (wave.state, wave.stage, wave.keep_until, needs) == ("committed", "committed", "2026-12-28", [])
    _, (need,) = book.at("2026-12-29")
    assert (need.severity, need.text) == (
        "info", "the fenced sources of W01 were to be kept until 2026-12-28",
    )  # fmt: skip
    assert "by hand: wherry never deletes a source" in need.hint


def test_the_way_home_shows_step_by_step(book: Book) -> None:
    home(book)
    book.until("g0/d0/seed")
    wave, (need,) = book.at()
    assert (wave.state, wave.flags, need.severity) == ("committed", ("stalled", NOWHERE), "warning")
    assert need.hint == "wherry replicate W01 --reverse --live goes on where it was"
    book.until(GO)
    wave = project_status(book.project).waves[0]
    assert (wave.state, wave.stage, wave.flags) == ("reverse protected", "reverse protected", (NOWHERE,))
    assert (wave.late, wave.rpo_s) == ("", 3600.0)
    newest = datetime.fromisoformat(wave.protected_at)
    assert abs((datetime.now(UTC) - newest).total_seconds()) < 60
    later = project_status(book.project, newest.replace(year=newest.year + 1))
    said = {need.text: need.hint for need in later.needs}
    assert any("its source is as the target was 365 d" in text for text in said), said
    assert later.waves[0].flags == ("rpo breach", NOWHERE)
    (late,) = (hint for text, hint in said.items() if "1 h is allowed: no engine is at work" in text)
    assert late == "wherry replicate W01 --reverse --live brings them up to date"
    book.until("g0/v0/stop")
    wave, (need,) = book.at()
    assert (wave.state, need.hint) == ("failing back", "wherry failback W01 --live goes on where it was")
    book.until(COMMIT)
    wave, (need,) = book.at()
    assert (wave.state, need.severity) == ("failing back", "gate")
    assert under_way(book.project, book.stored) == ("W01",), "a newer plan leaves it as it is"
    assert need.text == "W01 runs at the source again and waits for commit"
    book.until("")
    wave, needs = book.at()
    assert (wave.state, needs) == ("failed back", [])
    assert under_way(book.project, book.stored) == (), "it may be planned anew"


def test_a_failback_that_was_taken_back_leaves_the_wave_committed(book: Book) -> None:
    home(book)
    book.until(COMMIT)
    book.note("", Event.ROLLBACK)
    assert book.at()[0].state == "rolling back"
    assert book.history.back is not None
    while book.history.back.due:
        step = book.history.runbook.steps[book.history.back.due[-1]].id
        book.note(step, Event.UNDO_INTENT, Event.UNDONE)
    wave, needs = book.at()
    assert (wave.state, wave.keep_until, needs) == ("committed", "2026-12-28", [])


def test_flags_say_what_is_the_matter(book: Book) -> None:
    home(book)
    book.note("check", Event.INTENT)
    controls.ask_to_pause(book.project, "W01")
    assert "paused" in book.at()[0].flags
    book.note("check", Event.FAILED)
    wave, (need,) = book.at()
    assert (wave.state, wave.flags, need.severity) == ("failed", ("failed", NOWHERE), "blocker")


def test_a_committed_wave_that_nobody_protects_says_so_where_that_was_approved(book: Book) -> None:
    wave, needs = book.at("2026-12-01")
    assert (wave.unprotected, needs) == (False, []), "it was approved without"
    ending = book.wave.conduct.ending.model_copy(update={"reverse": True})
    conduct = book.wave.conduct.model_copy(update={"ending": ending})
    book.rest_on(book.wave.model_copy(update={"conduct": conduct}))
    book.begin(compose(book.wave), RunKind.WAVE)
    book.until("")
    wave, (need,) = book.at("2026-12-01")
    assert (wave.unprotected, need.severity) == (True, "info")
    assert need.hint == "wherry replicate W01 --reverse --live begins that"
    orders.place(book.project, "W01", "reverse", who="me")
    assert book.at("2026-12-01")[1] == [], "somebody is about to"
    home(book)
    assert not book.at("2026-12-01")[0].unprotected
