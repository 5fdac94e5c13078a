"""Cutover on a live lab run: ordered, watched, its engine killed, and rolled back, all from the screen."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from migrate.engine.presence import running
from migrate.run import store as runs
from migrate.run.actions import Outcome
from planner.store.project import Project
from tests.tui.cli.command import Wherry
from tests.tui.moving import moving
from tests.tui.stage import lines, opened, panel, reached, text, until
from tui.dialogs.confirm import Confirm
from tui.dialogs.dialog import Dialog
from tui.dialogs.form import Form
from tui.screens.cutover import CutoverScreen
from tui.session import Session

WAVE = "W02"
PATIENCE_S = 240.0


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wherry]:
    """A project with a running lab and approved waves; what is ordered is done by an engine."""
    with moving(tmp_path) as cli:
        monkeypatch.delenv("WHERRY_IN_PROCESS")
        yield cli


async def typed(pilot: Pilot[None], key: str) -> None:
    """Press a key and type the wave's name."""
    await pilot.press(key)
    await reached(pilot, Form, PATIENCE_S)
    await pilot.pause()
    await pilot.press(*WAVE, "ctrl+s")
    await until(lambda: not isinstance(pilot.app.screen, Dialog), PATIENCE_S)


async def test_a_wave_is_cut_over_and_rolled_back_while_its_engine_dies(lab: Wherry) -> None:
    async with opened(lab.root, session=Session(lab.root, judges=False)) as pilot:
        await pilot.press("7")
        await until(lambda: isinstance(pilot.app.screen, CutoverScreen) and pilot.app.screen.ready)
        place = pilot.app.screen
        assert isinstance(place, CutoverScreen)
        await until(lambda: place.live.complete, PATIENCE_S)
        place.watch_wave(WAVE)
        await until(lambda: f"{WAVE} has no run yet" in text(pilot), PATIENCE_S)
        await typed(pilot, "o")
        with Project.open(lab.root) as project:
            await until(lambda: running(project.run_dir) is not None, PATIENCE_S)
            await until(lambda: place.sheet is not None and place.sheet.entry > 0, PATIENCE_S)
            pid = running(project.run_dir)
            if pid is not None and place.sheet is not None and not place.sheet.commit_by:
                os.kill(pid, signal.SIGKILL)
                await until(lambda: "✖ DIED" in panel(pilot, "clock"), PATIENCE_S)
                assert "engine ✖ DIED" in lines(pilot)[0]
                await until(lambda: "the engine died at" in lines(pilot)[-2], PATIENCE_S)
                await pilot.press("E")
                await reached(pilot, Confirm)
                assert f"{WAVE}  cutover by" in text(pilot)
                await pilot.click("#yes")
                await until(lambda: running(project.run_dir) not in (None, pid), PATIENCE_S)
            await until(lambda: place.sheet is not None and place.sheet.commit_by is not None, PATIENCE_S)
            await until(lambda: "✔ up at the target" in panel(pilot, "felt"), PATIENCE_S)
            assert all(step.status == "done" for step in place.sheet.steps[:5])  # type: ignore[union-attr]
            await typed(pilot, "b")
            await until(lambda: place.sheet is not None and bool(place.sheet.outcome), PATIENCE_S)
            run = runs.latest(project, WAVE)
            assert run is not None
            assert runs.outcome(runs.history(project, run)) is Outcome.ROLLED_BACK
        await until(lambda: "up again at the source" in panel(pilot, "felt"), PATIENCE_S)
        before = place.sheet.entry if place.sheet is not None else 0
        await pilot.press("p", "comma")
        await until(lambda: place.replaying and place.sheet is not None and place.sheet.entry < before, 60)
        assert "[REPLAY]" in lines(pilot)[0]
