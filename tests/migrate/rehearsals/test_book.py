"""The book of rehearsals: what was written, notes added later, and when it is time for another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate import audit
from migrate.rehearsals import book
from migrate.rehearsals.book import Depth, Verdict
from planner.errors import BadInput, NotFound
from planner.store.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "move")


def write(
    project: Project, wave: str = "W01", fingerprint: str = "f1", notes: str = "", ok: bool = True
) -> None:
    verdict = Verdict.CLEAN if ok else Verdict.FINDINGS
    book.write(project, wave, fingerprint, 1, Depth.TWIN, verdict, {"runs": 5}, notes)


def test_what_is_written_is_read_back_the_newest_first_and_sealed(project: Project) -> None:
    write(project, notes="quiet night")
    write(project, fingerprint="f2", ok=False)
    write(project, wave="W02")
    second, first = book.of_wave(project, "W01")
    assert (first.notes, first.verdict, first.report, first.depth) == (
        "quiet night", Verdict.CLEAN, {"runs": 5}, Depth.TWIN,
    )  # fmt: skip
    assert (second.fingerprint, second.verdict, second.who) == ("f2", Verdict.FINDINGS, audit.person())
    assert audit.broken_at(project) is None
    assert [line.act for line in audit.lines(project)] == [book.ACT] * 3


def test_it_reminds_until_the_wave_was_rehearsed_as_it_stands(project: Project) -> None:
    assert "never" in book.reminder(project, "W01", "f1")
    write(project)
    assert book.reminder(project, "W01", "f1") == ""
    assert "changed in the plan since" in book.reminder(project, "W01", "f2")
    write(project, fingerprint="f2", ok=False)
    assert "not clean" in book.reminder(project, "W01", "f2")
    write(project, fingerprint="f2")
    assert book.reminder(project, "W01", "f2") == ""
    assert "\x1b" not in book.reminder(project, "W\x1b[31m", "f2")


def test_a_note_is_added_to_the_newest_and_goes_into_the_audit(project: Project) -> None:
    write(project, notes="one")
    assert book.add_note(project, "W01", "two").notes == "one\ntwo"
    assert book.of_wave(project, "W01")[0].notes == "one\ntwo"
    assert audit.lines(project)[-1].act == "note a rehearsal"
    assert audit.broken_at(project) is None


def test_notes_that_cannot_be_kept_are_refused_and_nothing_is_stored(project: Project) -> None:
    with pytest.raises(NotFound):
        book.add_note(project, "W01", "two")
    with pytest.raises(BadInput):
        write(project, notes="x" * (book.MAX_NOTE + 1))
    assert book.of_wave(project, "W01") == ()
    write(project, notes="x" * book.MAX_NOTE)
    with pytest.raises(BadInput):
        book.add_note(project, "W01", "y")
    assert len(audit.lines(project)) == 1
