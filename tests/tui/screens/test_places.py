import asyncio
from pathlib import Path

import pytest
from textual import events
from textual.widgets import Input

from planner.errors import BadInput
from planner.store import plans
from planner.store.project import Project
from tests.tui import estate
from tests.tui.stage import SMALL, lines, opened, panel, table, text, until
from tui.actions.table import actions_at
from tui.screens.help import HelpScreen
from tui.widgets.panel import Panel


async def test_overview_says_where_everything_stands(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3)) as pilot:
        shown = lines(pilot)
        assert shown[0].startswith(" wherry ▸ acme ▸ Overview")
        assert shown[0].endswith("[PLAN ONLY]  runner ○ idle  14:02 UTC")
        assert "discovered       12" in panel(pilot, "stages")
        assert "✖ 1 blocked  1 unplanned" in panel(pilot, "stages")
        assert "Sat 14 Mar 22:00 → Sun 04:00 UTC (6 h)" in panel(pilot, "window")
        assert "✔ approved by ann" in panel(pilot, "window")
        assert "2 waves are not approved: W02, W03" in text(pilot)
        assert [row[1] for row in table(pilot).rows] == ["W01", "W02", "W03"]


async def test_number_keys_go_to_places_and_escape_goes_back(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        for keys, place in ((["2"], "Inventory"), (["4"], "Waves"), (["escape"], "Inventory"),
                            (["escape"], "Overview"), (["4", "1"], "Overview")):  # fmt: skip
            await pilot.press(*keys)
            await pilot.pause()
            assert f"▸ {place}" in lines(pilot)[0]
        await pilot.press("escape", "escape", "escape")
        await pilot.pause()
        assert "q leaves" in text(pilot)
        assert pilot.app.is_running


async def test_enter_on_a_wave_opens_it_in_waves(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3)) as pilot:
        await pilot.press("down", "down", "enter")
        await until(lambda: pilot.app.current_mode == "waves")
        await pilot.pause()
        assert table(pilot).key == "W03"
        assert "▸ Waves ▸ W03" in lines(pilot)[0]


async def test_q_leaves_and_says_what_goes_on(tmp_path: Path) -> None:
    def running(project: Project) -> estate.StatusRow:
        from dataclasses import replace

        return replace(estate.status_of(project), running=("W01", "W02"))

    root = estate.build(tmp_path)
    async with opened(root, session=estate.session(root, running)) as pilot:
        assert "[LIVE]  runner ● 2 runs" in lines(pilot)[0]
        await pilot.press("q")
        await pilot.pause()
        assert not pilot.app.is_running
        assert "2 runs go on: wherry status --watch" in str(pilot.app._exit_renderables)


async def test_help_is_made_from_the_action_table(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await pilot.press("2", "question_mark")
        await pilot.pause()
        assert isinstance(pilot.app.screen, HelpScreen)
        shown = pilot.app.screen.query_one(Panel).text
        assert all(action.title in shown for action in actions_at("inventory"))
        assert "wherry inventory" in shown
        await pilot.press("escape")
        await pilot.pause()
        assert "▸ Inventory" in lines(pilot)[0]


async def test_tab_goes_round_the_panels_and_u_reads_again(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        seen = []
        for _ in range(6):
            seen.append(pilot.app.focused.id if pilot.app.focused else None)
            await pilot.press("tab")
        assert seen == ["waves", "needs", "stages", "window", "line", "waves"]
        await pilot.press("shift+tab")
        assert pilot.app.focused is not None
        assert pilot.app.focused.id == "waves"
        await pilot.press("u")
        await pilot.pause()
        assert "read again" in text(pilot)


@pytest.mark.parametrize("size", [SMALL, (120, 35), (20, 6)])
async def test_an_empty_project_says_what_to_do_in_every_place(tmp_path: Path, size: tuple[int, int]) -> None:
    Project.create(tmp_path, "acme").close()
    async with opened(tmp_path, size) as pilot:
        for key, words in (("1", "1 import an estate"), ("2", "wherry discover FILE"), ("4", "press i")):
            await pilot.press(key)
            await pilot.pause()
            assert size[0] < 80 or words in text(pilot), key
        await pilot.press("2", "slash")
        await pilot.pause()
        assert not isinstance(pilot.app.focused, Input)
        await pilot.press("enter", "enter", "s", "S", "down", "end", "4", "enter", "tab", "tab", "1", "enter")


async def test_an_inventory_without_a_plan_asks_for_one(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, planned=False)) as pilot:
        assert "wherry plan" in panel(pilot, "window")
        await pilot.press("4")
        await pilot.pause()
        assert "no plan yet" in text(pilot)
        assert "press p to make one" in text(pilot)


async def test_what_another_process_writes_appears_and_moves_no_cursor(tmp_path: Path) -> None:
    root = estate.build(tmp_path, planned=False)
    async with opened(root) as pilot:
        await pilot.press("2", "down", "down", "down")
        await pilot.pause()
        before = table(pilot).key
        with Project.open(root) as project:
            plans.save(project, estate.plan_of(estate.estate()), "ben")
        await until(lambda: (table(pilot).row or [""] * 9)[8] == "W01")
        assert table(pilot).key == before
        assert table(pilot).cursor == 3


async def test_nothing_is_repainted_while_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(estate.build(tmp_path), session=estate.session(tmp_path, patience_s=60)) as pilot:
        painted: list[object] = []
        for widget in pilot.app.screen.query("*"):
            monkeypatch.setattr(widget, "refresh", lambda *args, _of=widget, **more: painted.append(_of))
        await asyncio.sleep(0.5)
        assert painted == []


async def test_a_broken_store_is_said_in_words(tmp_path: Path) -> None:
    def broken(project: Project) -> estate.StatusRow:
        from planner.errors import PlanTampered

        raise PlanTampered("plan 1 was changed in the store", "restore project.db from a backup")

    root = estate.build(tmp_path)
    async with opened(root, session=estate.session(root, broken)) as pilot:
        assert "✖ plan 1 was changed in the store  hint: restore project.db from a backup" in text(pilot)


async def test_the_mouse_goes_to_places(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await pilot.click("#places", offset=(17, 0))
        await pilot.pause()
        assert "▸ Inventory" in lines(pilot)[0]


async def test_read_only_is_on_line_one(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), read_only=True) as pilot:
        assert "[READ ONLY]" in lines(pilot)[0]


async def test_keys_typed_faster_than_places_are_built_break_nothing(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        for _ in range(2):
            for key in "4s2/142S1":
                pilot.app.simulate_key("slash" if key == "/" else key)
        await pilot.pause(0.3)
        assert pilot.app.is_running


async def test_a_key_or_a_click_between_two_places_is_dropped(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        stack = pilot.app._screen_stacks[pilot.app.current_mode]
        held = stack[:]
        stack.clear()  # as it is for a moment while a place that was never open is built
        try:
            await pilot.app.on_event(events.Key("4", "4"))
            await pilot.app.on_event(events.MouseMove(None, 1, 1, 0, 0, 0, False, False, False))
        finally:
            stack[:] = held
        assert pilot.app.is_running


async def test_what_runs_now_is_shown_on_a_usual_terminal(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3)) as pilot:
        assert "now" in next(shown for shown in lines(pilot) if " wave " in shown and " state " in shown)


async def test_each_key_has_one_line_of_help_on_a_small_terminal(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), SMALL) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        rows = panel(pilot, "help").splitlines()
        assert any("wherry replicate" in row for row in rows)
        assert all(len(row) <= 76 for row in rows)


async def test_a_part_that_cannot_be_read_is_said_and_ends_nothing(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        place, shows = pilot.app.screen, []

        def show(view: object) -> None:
            shows.append(view)
            raise BadInput("plan 1 is \x1b[31mno JSON", "restore it from a copy")

        place.show = show  # type: ignore[attr-defined]
        await until(lambda: len(shows) > 1)  # and again with the next view
        await pilot.pause()
        said = lines(pilot)[-2]
        assert "✖ plan 1 is" in said
        assert "hint: restore it from a copy" in said
        assert "\x1b" not in said
        await pilot.press("2")
        await pilot.pause()
        assert "▸ Inventory" in lines(pilot)[0]


async def test_a_project_that_cannot_be_read_is_not_being_read(tmp_path: Path) -> None:
    def broken(project: Project) -> estate.StatusRow:
        raise BadInput("plan 1 is no JSON", "restore it from a copy")

    root = estate.build(tmp_path)
    async with opened(root, session=estate.session(root, broken)) as pilot:
        await until(lambda: bool(pilot.app.view.error))
        await pilot.pause()
        assert "plan 1 is no JSON" in lines(pilot)[-2]
        assert "reading …" not in text(pilot)
        assert "cannot be read now" in panel(pilot, "stages")
