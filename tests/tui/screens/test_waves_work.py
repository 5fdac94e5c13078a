"""What 4 Waves has done elsewhere: planning, what-if, approving; why, differences and scores to read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migrate.audit import person
from planner.store import approvals, plans
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.tui.cli.command import Wherry
from tests.tui.guides.test_importing import type_path
from tests.tui.laid import acts, build, place, pressed, versions, waves
from tests.tui.stage import lines, on, panel, reached, text, until
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Form
from tui.dialogs.pick import Pick
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work, trend
from tui.guides.paths import FilePick
from tui.jobs.state import Best
from tui.screens.waves_forms import describe_approval


async def test_waves_are_approved_with_what_they_are_in_sight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """waves.approve, waves.approve_all."""
    monkeypatch.setenv("LOGNAME", "mallory")
    root = build(tmp_path / "p")
    async with waves(root, lay=False) as pilot:
        here = place(pilot)
        await pilot.press("down", "space", "space")
        await pressed(pilot, "A", lambda: on(pilot, Confirm))
        shown = text(pilot)
        assert "Approve 2 waves?" in shown
        assert f"by   {person()}" in shown  # who is noted, not who the environment says
        assert here.view.plan is not None
        assert here.view.plan.fingerprint[:16] in shown
        assert all(row.fingerprint[:16] in shown for row in here.view.waves[1:3])
        assert "Sat 17 Oct 22:00" in shown
        unjudged = replace(here.view, tallies=None, judging="running")
        said = describe_approval(unjudged, ["W01", "W02"], "ann").plain
        assert said.count("▲ checks are running; blockers are not known before they are done") == 1
        await pilot.press("escape")
        assert not here.view.approvals
        await pressed(pilot, "A", lambda: on(pilot, Confirm))
        await pilot.press("shift+tab")
        await pressed(pilot, "enter", lambda: len(here.view.approvals) == 2)
        assert set(here.view.approvals) == {"W02", "W03"}
        await until(lambda: acts(root)[-2:] == ["approve", "approve"])
        await pressed(pilot, "ctrl+a", lambda: on(pilot, Confirm))
        await pilot.press("shift+tab")
        await pressed(pilot, "enter", lambda: len(here.view.approvals) == 4)


async def test_a_wave_that_somebody_changed_while_it_was_looked_at_is_not_approved(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    async with waves(root, lay=False) as pilot:
        here = place(pilot)
        await pressed(pilot, "A", lambda: on(pilot, Confirm))
        with Project.open(root) as project:
            plan = plans.latest(project).plan
            first = plan.waves[0].model_copy(update={"vms": plan.waves[0].vms[:1]})
            plans.save(project, plan.model_copy(update={"waves": (first, *plan.waves[1:])}), "bob")
        await pilot.press("shift+tab", "enter")
        await until(lambda: "W01 is another one in plan 2 than was shown" in lines(pilot)[-2])
        await until(lambda: here.view.plan is not None and here.view.plan.version == 2)
        assert not here.view.approvals
    assert "approve" not in acts(root)


async def test_it_is_planned_as_a_job_and_two_plans_are_compared(tmp_path: Path) -> None:
    """waves.plan, waves.diff, waves.card, waves.why."""
    root = build(tmp_path / "p")
    with Project.open(root) as project:
        found = settings_store.load(project)
        caps = found.caps.model_copy(update={"vms": 4})
        settings_store.save(project, found.model_copy(update={"caps": caps}), "bob")
        approvals.approve(project, plans.latest(project), ("W01",), "ann")
    async with waves(root, lay=False) as pilot:
        here = place(pilot)
        await pilot.press("d")
        await until(lambda: "nothing to compare" in lines(pilot)[-2])
        await pressed(pilot, "p", lambda: on(pilot, Form))
        warned = "▲ 1 wave is approved: what changes is approved no longer. Edits and"
        await until(lambda: warned in " ".join(row[18:-18] for row in lines(pilot)))
        await pressed(pilot, "ctrl+s", lambda: versions(root) == 2)
        await until(lambda: here.view.plan is not None and here.view.plan.version == 2)
        await pilot.press("escape")
        await pilot.pause()
        assert 0 < len(here.waves.rows) < 4
        await pressed(pilot, "d", lambda: on(pilot, Pick))
        await pilot.press("enter")
        await until(lambda: "from plan 1 to" in text(pilot))
        await pressed(pilot, "enter", lambda: on(pilot, Reader))
        said = panel(pilot, "reading")
        assert "waves gone: W04" in said or "W04" in said
        assert "✔ better" in said
        assert "shop" not in said
        assert "e1: W04 → " in said
        assert "UTC, 6 h" in said or "windows" not in said
        await pilot.press("escape", "o")
        await until(lambda: "Score card of plan 2" in text(pilot))
        card = panel(pilot, "reading")
        for word in ("at least", "name order", "what binds", "risk in each third", "P95", "how it was found"):
            assert word in card, word
        assert "size_bytes" not in card
        await pilot.press("escape")
        await pressed(pilot, "t", lambda: on(pilot, Reader))
        assert "moves in W01" in panel(pilot, "reading")
        assert "earlier waves" in panel(pilot, "reading")


async def test_what_if_is_shown_as_a_difference_and_adopted(tmp_path: Path) -> None:
    """waves.what_if."""
    root = build(tmp_path / "p")
    async with waves(root, lay=False) as pilot:
        here = place(pilot)
        await pressed(pilot, "w", lambda: on(pilot, Form))
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "nothing is supposed to be different" in text(pilot)
        await pilot.press(*"9 apples")
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Form)
        pilot.app.screen.query_one("#ask-link").value = "400Mbit/s"  # type: ignore[attr-defined]
        pilot.app.screen.query_one("#ask-caps_vms").value = "8"  # type: ignore[attr-defined]
        await pressed(pilot, "ctrl+s", lambda: on(pilot, Confirm))
        shown = text(pilot)
        assert "plan 1" in shown
        assert "what if" in shown
        assert "waves gone: " in shown
        assert versions(root) == 1
        assert not any(isinstance(screen, Work) for screen in pilot.app.screen_stack)  # the answer is shown
        await pilot.press("shift+tab")
        await pressed(pilot, "enter", lambda: versions(root) == 2)
        await until(lambda: here.view.plan is not None and here.view.plan.version == 2)
    with Project.open(root) as project:
        found = settings_store.load(project)
        assert (found.caps.vms, found.link.rate_mbit) == (8, 400)
        assert len(plans.latest(project).plan.waves) == 2  # d moves after c
    assert "plan what-if" in acts(root)


async def test_an_edited_table_is_read_back(tmp_path: Path) -> None:
    """waves.import."""
    root = build(tmp_path / "p")
    table = tmp_path / "assignment.csv"
    async with waves(root, lay=False) as pilot:
        here = place(pilot)
        table.write_text("vm,wave\nnobody,W01\n", encoding="utf-8")
        await pressed(pilot, "I", lambda: on(pilot, FilePick))
        await type_path(pilot, table)
        await until(lambda: here.wherry.job is not None and not here.wherry.job.state.running)  # type: ignore[attr-defined]
        assert here.wherry.job.state.exit_code == 2  # type: ignore[attr-defined]
        await pilot.press("escape")
        Wherry(root).done("export", "csv")
        rows = (root / "exports" / "assignment.csv").read_text("utf-8").replace(",W04,", ",W00,")
        rows = rows.replace(",W01,", ",W04,").replace(",W00,", ",W01,")
        table.write_text(rows, encoding="utf-8")
        for yes in (False, True):
            await pressed(pilot, "I", lambda: on(pilot, FilePick))
            await type_path(pilot, table)
            await reached(pilot, Confirm)
            assert "8 rows of assignment, nothing was changed: this is what it would do" in text(pilot)
            await pilot.press(*(("shift+tab", "enter") if yes else ("escape",)))
        await reached(pilot, Reader)
        assert "taken into the settings" in text(pilot)
        assert "p in 4 Waves plans with it" in text(pilot)
    assert versions(root) == 1, "the next plan is made with it"
    with Project.open(root) as project:
        pins = {pin.what: pin.wave for pin in settings_store.load(project).pins}
    assert pins == {"id-a": "W04", "id-b": "W04", "id-e1": "W01"}


def test_the_best_so_far_is_drawn_over_time() -> None:
    best = [Best(at_s, "", "anneal", waves, 3, cut, 10.0) for at_s, waves, cut in
            ((1.0, 8, 0.4), (2.0, 6, 0.4), (9.0, 4, 0.1))]  # fmt: skip
    waves_line, cut_line = (line.plain for line in trend(best, 40))
    assert waves_line.startswith("waves ")
    assert waves_line.endswith("8 → 4")
    assert cut_line.endswith("40.0% → 10.0%")
    bars = waves_line.split()[1]
    assert bars[0] == "█"
    assert bars[-1] == "▄"
    assert bars.count("█") < bars.count("▆")  # eight waves lasted a second, six lasted seven
    assert trend(best[:1], 40) == []
