"""Waves whose run has begun: what cannot be done with them says why, and nothing of it is asked for twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from planner.store import approvals, plans
from planner.store.project import Project
from tests.tui import estate
from tests.tui.laid import acts, at_group, build, laid, place, pressed
from tests.tui.stage import BIG, SMALL, lines, on, opened, panel, text, until
from tui.dialogs.confirm import Confirm


def ran(states: dict[str, str]) -> Any:
    """Return a read model in which waves are in these states."""

    def status_of(project: Project) -> estate.StatusRow:
        found = estate.status_of(project)
        waves = tuple(replace(wave, state=states.get(wave.name, wave.state)) for wave in found.waves)
        return replace(found, waves=waves)

    return status_of


async def test_a_wave_that_began_is_neither_edited_nor_approved_and_says_the_way_back(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    states = {"W01": "committed", "W02": "before commit", "W03": "in sync", "W04": "rolled back"}
    async with opened(root, BIG, estate.session(root, ran(states))) as pilot:
        await pilot.press("4")
        await pilot.pause()
        here = place(pilot)
        for wave, said in (("W01", "✔ committed"), ("W02", "◆ before commit"), ("W03", "● in sync")):
            assert said in next(row for row in lines(pilot) if wave in row[:9])
        for back in ("see 'wherry status'", "first 'wherry rollback W02'", "first 'wherry abort W03'"):
            wave = here.where()
            for key in ("right_square_bracket", "n", "m", "x", "M", "l"):
                await pilot.press(key)
                await pilot.pause()
                said = f"{wave} is {states[wave]}, it stays as it is: {back}"
                assert said in lines(pilot)[-2], (key, lines(pilot)[-2])
            await pilot.press("A")
            await pilot.pause()
            assert f"{wave} has begun: nothing is left to approve" in lines(pilot)[-2]
            assert "[ ] move" not in text(pilot)
            await pilot.press("down")
            await pilot.pause()
        assert "[ ] move" in text(pilot)  # one that was taken back is planned like any other
        await pressed(pilot, "ctrl+a", lambda: on(pilot, Confirm))
        assert "Approve 1 wave?" in text(pilot)
        await pilot.press("escape")
    assert "approve" not in acts(root)


async def test_a_lock_voids_no_approval_and_one_that_was_given_is_said_before_another(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    with Project.open(root) as project:
        approvals.approve(project, plans.latest(project), ("W01",), "ann")
    async with opened(root, BIG, estate.session(root)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        here = place(pilot)
        await pressed(pilot, "A", lambda: on(pilot, Confirm))
        assert "approved already by ann" in text(pilot)
        await pilot.press("escape")
        here.lay_out()
        await until(lambda: here.hand is not None)
        await at_group(pilot, "a")
        await pressed(pilot, "l", lambda: "W01" in laid(pilot).edited)
        assert "not saved: ^s saves it" in panel(pilot, "judgement")
        assert "its approval is void then" not in panel(pilot, "judgement")
        await pressed(pilot, "l", lambda: len(laid(pilot).unsaved) == 2)
        await at_group(pilot, "a")
        await pressed(pilot, "n", lambda: here.where() != "W01")
        here.select("W01")
        await until(lambda: "its approval is void then" in panel(pilot, "judgement"))


async def test_a_group_of_one_vm_says_that_it_cannot_be_split(tmp_path: Path) -> None:
    async with opened(build(tmp_path / "p"), BIG) as pilot:
        await pilot.press("4", "x")
        await until(lambda: "a is one VM, so nothing can be split off" in lines(pilot)[-2])
        assert pilot.app.screen is place(pilot)


async def test_on_a_small_screen_the_board_has_the_room_and_offers_are_still_said(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    async with opened(root, SMALL, estate.session(root)) as pilot:
        await pilot.press("4", "z", "z")
        await pilot.pause()
        here = place(pilot)
        assert here.waves.view == "board"
        assert here.waves.size.height >= 15
        here.lay_out()
        await until(lambda: here.hand is not None)
        await at_group(pilot, "a")
        await pressed(pilot, "right_square_bracket", lambda: len(here.offered().fixes) == 3)
        await until(lambda: "would do" in lines(pilot)[-2])
        await pilot.press("tab")
        await pilot.pause()
        assert "breaks what must hold" in text(pilot)
        await pilot.press("tab")
        await pilot.pause()
        assert here.waves.has_focus
        assert here.waves.size.height >= 15


async def test_where_a_reason_and_the_key_do_not_fit_the_reason_is_said(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    states = {"W01": "before commit", "W02": "failed"}
    async with opened(root, SMALL, estate.session(root, ran(states))) as pilot:
        await pilot.press("4")
        await pilot.pause()
        await pilot.press("M")
        await pilot.pause()
        said = lines(pilot)[-2].strip()
        assert said == "W01 is before commit, it stays as it is: first 'wherry rollback W01'"
        await pilot.press("down", "M")
        await pilot.pause()
        assert lines(pilot)[-2].strip() == "W02 has failed, it stays as it is: see 'wherry status'"
