"""Journal: every action by its key, on the record of a run that stands at its commit gate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from migrate import audit
from migrate.gates import words
from migrate.gates.words import Verdict
from planner.effects import Effect
from planner.store.project import Project
from tests.migrate.gates.standing import Standing, planned, stored
from tests.tui import estate
from tests.tui.kept import differs
from tests.tui.stage import BIG, SMALL, lines, opened, panel, reached, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.acts.exporting import note_written
from tui.dialogs.form import Form
from tui.dialogs.reader import Reader
from tui.screens.journal import COLUMNS, JournalScreen

KEPT = Path(__file__).parents[1] / "pictures"


@pytest.fixture
def ran(tmp_path: Path) -> Iterator[Standing]:
    """A run at its commit gate: held by one person, after a rehearsal."""
    with stored(tmp_path / "move", planned()) as run:
        audit.note(run.project, Effect.DRY_RUN, "rehearse", "W01", {"runs": 5, "seed": 1, "fault": ""})
        run.go_to("go")
        run.do("go")
        run.go_to("commit")
        words.say(run.project, run.run, "commit", Verdict.HOLD, reason="the report job fails")
        yield run


def faked(root: Path, **more: Any) -> Any:
    return opened(root, session=estate.session(root), **{"place": "journal", **more})


async def key(pilot: Pilot[None], *keys: str) -> None:
    for one in keys:
        await pilot.press(one)
        await pilot.pause()


async def go(pilot: Pilot[None]) -> JournalScreen:
    await key(pilot, "8")
    await until(lambda: isinstance(pilot.app.screen, JournalScreen) and pilot.app.screen.ready)
    place = pilot.app.screen
    assert isinstance(place, JournalScreen)
    await until(lambda: place._whole and not place.acts.is_blank and place.acts.row is not None)
    await until(lambda: bool(place._told) and panel(pilot, "told") != "reading …")
    await pilot.pause()
    return place


async def shown(place: JournalScreen, many: int) -> None:
    await until(lambda: len(place.acts.order) == many and not place.is_filtering())


def test_what_is_shown_is_what_filters_ask_for() -> None:
    from planner.places import ACT_WORDS

    assert [column.asked for column in COLUMNS] == list(ACT_WORDS.fields)


async def test_every_act_is_there_the_newest_first_with_its_evidence(ran: Standing) -> None:
    async with faked(ran.project.root) as pilot:
        place = await go(pilot)
        every = len(ran.history.entries) + len(audit.lines(ran.project))
        assert len(place.acts.order) == every
        assert place.acts.row is not None
        assert place.acts.row[5:7] == ("hold", "gate hold commit: W01: commit, the point of no return")
        assert f"{every} acts · newest first" in text(pilot)
        assert "reason: the report job fails" in panel(pilot, "told")
        await key(pilot, "down")
        await until(lambda: "VMs seen running and well" in panel(pilot, "told"))
        assert "W01 run 1, begun" in panel(pilot, "told")
        assert "no line of its own" in panel(pilot, "told")
        await key(pilot, "enter")
        assert isinstance(pilot.app.screen, Reader)
        await key(pilot, "escape")
        await key(pilot, "end")
        await until(lambda: place.acts.row is not None)
        assert place.acts.cursor == every - 1


async def test_it_is_filtered_by_wave_person_kind_and_text_and_sorted(ran: Standing) -> None:
    async with faked(ran.project.root) as pilot:
        place = await go(pilot)
        gates = [entry for entry in ran.history.entries if entry.event == "approved"]
        for wanted, many in (
            ("kind:gate", len(gates) + 1),
            ("act:hold", 1),
            ("kind:rehearsal", 1),
            (f"who:{audit.person()} wave:W01", 2),
            ("run:1 act:approved", len(gates)),
            ("wave:W77", 0),
        ):
            place.bar.set(wanted)
            await shown(place, many)
        assert "no act matches: esc clears the filter" in text(pilot)
        place.bar.set("kind:")
        place.bar.set("kind<")
        await until(lambda: bool(place.complaint()))
        await key(pilot, "escape", "s", "S")
        await until(lambda: not place.is_filtering())
        assert "by at ↓" in text(pilot)


async def test_only_this_wave_and_person_are_one_key_each(ran: Standing) -> None:
    async with faked(ran.project.root) as pilot:
        place = await go(pilot)
        every = len(place.acts.order)
        await key(pilot, "p")
        await until(lambda: 0 < len(place.acts.order) < every and not place.is_filtering())
        assert place.bar.text == f'who:"{audit.person()}"'
        await until(lambda: place.acts.row is not None)
        await key(pilot, "w")
        assert place.bar.text == f'who:"{audit.person()}" wave:"W01"'
        await shown(place, 2)
        await until(lambda: place.acts.row is not None)
        await key(pilot, "w", "p")
        assert place.bar.text == ""
        await shown(place, every)


async def test_what_is_newer_waits_while_somebody_reads_and_comes_to_the_top(ran: Standing) -> None:
    async with faked(ran.project.root) as pilot:
        place = await go(pilot)
        every = len(place.acts.order)
        words.say(ran.project, ran.run, "commit", Verdict.RELEASE)
        await until(lambda: len(place.acts.order) == every + 1)
        await until(lambda: place.acts.row is not None and place.acts.row[5] == "release")
        assert place.acts.cursor == 0
        await key(pilot, "down", "down")
        before = place.acts.key
        words.say(ran.project, ran.run, "commit", Verdict.HOLD, reason="again")
        await until(lambda: "1 newer: n" in text(pilot))
        assert (place.acts.key, place.acts.cursor) == (before, 2)
        await key(pilot, "n")
        await until(lambda: place.acts.row is not None and place.acts.row[5] == "hold")
        assert place.acts.cursor == 0


async def test_the_chain_is_checked_and_a_break_is_said(ran: Standing) -> None:
    async with faked(ran.project.root) as pilot:
        await go(pilot)
        await key(pilot, "c")
        await until(lambda: "✔ the chain is whole: " in lines(pilot)[-2])
        with ran.project.write() as db:
            db.conn.execute("UPDATE audit SET who = 'eve' WHERE seq = 1")
        await key(pilot, "c")
        await until(lambda: "✖ the chain is broken at line 1" in lines(pilot)[-2])


async def test_acts_are_copied_written_and_filters_kept(
    ran: Standing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with faked(ran.project.root) as pilot:
        place = await go(pilot)
        place.bar.set("kind:gate")
        await until(lambda: not place.is_filtering() and place._wish == "kind:gate")
        await key(pilot, "Y")
        await until(lambda: bool(pilot.app.clipboard))
        rows = pilot.app.clipboard.splitlines()
        assert len(rows) == len(place.acts.order) + 1
        assert rows[0].split("\t")[:3] == ["at", "wave", "who"]
        await key(pilot, "W")
        await reached(pilot, Form)
        await key(pilot, "ctrl+s")
        await until(lambda: (tmp_path / "journal.csv").is_file())
        assert len((tmp_path / "journal.csv").read_text("utf-8").splitlines()) == len(rows)


async def test_an_act_of_no_run_is_not_replayed(ran: Standing) -> None:
    async with faked(ran.project.root) as pilot:
        place = await go(pilot)
        place.bar.set("kind:rehearsal")
        await shown(place, 1)
        await until(lambda: place._told.get("act") == "rehearse")
        await key(pilot, "r")
        assert "this act is of no run" in lines(pilot)[-2]


async def test_a_file_that_was_written_stands_as_what_was_done_not_as_a_wave(ran: Standing) -> None:
    note_written(ran.project, [Path("plan-acme.xlsx")])
    async with faked(ran.project.root) as pilot:
        place = await go(pilot)
        place.bar.set("act:export")
        await shown(place, 1)
        await until(lambda: place._told.get("act") == "export")
        row = next(one for one in lines(pilot) if "export: plan-acme.xlsx" in one)
        assert row.split()[4] == "–", row
        assert "plan-acme.xlsx" not in lines(pilot)[0]
        await until(lambda: "export: plan-acme.xlsx" in panel(pilot, "told"))


async def test_a_project_in_which_nothing_was_done_says_so(tmp_path: Path) -> None:
    Project.create(tmp_path, "acme").close()
    async with faked(tmp_path) as pilot:
        await key(pilot, "8")
        await until(lambda: "nothing was done yet" in text(pilot) or "1 act" in text(pilot))
        await key(pilot, "w", "r", "enter", "Y", "down")
        assert pilot.app.is_running


@pytest.mark.parametrize("size", [BIG, SMALL])
async def test_hostile_words_do_nothing(ran: Standing, size: tuple[int, int]) -> None:
    for evil in estate.HOSTILE:
        audit.note(ran.project, Effect.LIVE, f"act {evil}", evil, {evil: evil})
    async with faked(ran.project.root, size=size) as pilot:
        place = await go(pilot)
        for _ in range(len(estate.HOSTILE)):
            nothing_took_effect(pilot)
            before = place._told_of
            await key(pilot, "down")
            await until(lambda before=before: place._told_of != before and bool(place._told))
            await pilot.pause()
        await key(pilot, "up", "w", "enter")
        nothing_took_effect(pilot)
        assert pilot.app.is_running


@pytest.mark.parametrize("size", [SMALL, BIG, (160, 45)])
async def test_it_looks_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to("go")
        run.do("go")
        run.go_to("commit")
        with run.project.write() as db:
            db.conn.execute(
                "UPDATE step_record SET at = printf('2027-01-09T%02d:%02d:00.000Z', 22 + seq / 60, seq % 60)"
            )
            db.conn.execute("UPDATE audit SET at = '2027-01-09T21:00:00.000Z', who = 'ada'")
            db.conn.execute("UPDATE run SET at = '2027-01-09T21:30:00.000Z', who = 'ada'")
        async with faked(run.project.root, size=size) as pilot:
            place = await go(pilot)
            await key(pilot, "down", "down", "down")
            await until(lambda: place._told_of == place.acts.key and bool(place._told))
            changed = await differs(
                KEPT / f"journal-{size[0]}x{size[1]}.txt",
                lambda: re.sub(r"sealed [0-9a-f]{16}", "sealed 0123456789abcdef", text(pilot)) + "\n",
            )
    assert not changed
