"""Overview: first steps, what needs a person, the line, and going where it is."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from migrate import audit
from migrate.needs import Need
from planner.checks.registry import Readiness
from planner.effects import Effect
from planner.model import Inventory
from planner.places import NEED_WORDS, PROGRESS_WORDS
from planner.planning import make_plan
from planner.store import inventories, plans
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.tui import estate
from tests.tui.stage import BIG, SMALL, lines, opened, panel, reached, text, until
from tests.tui.test_hostile import nothing_took_effect, sample
from tui.dialogs.form import Form
from tui.preferences import Preferences, load
from tui.screens.first_steps import first_steps
from tui.screens.matters import COLUMNS as NEEDS
from tui.screens.matters import Matter, matters
from tui.screens.overview import OverviewScreen
from tui.screens.overview_waves import COLUMNS
from tui.session import Session, View
from tui.widgets.table import VirtualTable

WIDER = (160, 45)
OUTLOOK: dict[str, Any] = {
    "line": {"rate_mbit": 400.0, "share": 0.5, "hours": 1, "reserve_mbit": 20.0, "goodput_bytes_s": 20e6},
    "windows": 0, "bytes": 5 * 1024**4, "seed_bytes": 2 * 1024**4, "churn_bytes_day": 20e6 * 86_400 * 2,
    "hubs": ["dc-01", "[/]"], "hubs_count": 7, "oversized": ["shop"], "oversized_count": 1,
    "old_settings": True, "sized": True,
}  # fmt: skip


def place(pilot: Pilot[None]) -> OverviewScreen:
    assert isinstance(pilot.app.screen, OverviewScreen)
    return pilot.app.screen


def needs(pilot: Pilot[None]) -> list[Matter]:
    return list(place(pilot).query_one("#needs", VirtualTable).rows)  # type: ignore[arg-type]


def guide(pilot: Pilot[None]) -> VirtualTable:
    return place(pilot).query_one("#guide", VirtualTable)


async def on_needs(pilot: Pilot[None], word: str) -> None:
    table = place(pilot).query_one("#needs", VirtualTable)
    table.focus()
    table.cursor = next(at for at, row in enumerate(table.rows) if word in row[2])
    await pilot.pause()


async def test_what_needs_a_person_is_one_list_the_heaviest_first(tmp_path: Path) -> None:
    root = estate.build(tmp_path, waves=3)

    def failed(project: Project) -> estate.StatusRow:
        need = Need("blocker", "W02 failed at power on", "see 'wherry log'", "W02")
        status = estate.status_of(project)
        return replace(status, needs=(*status.needs, need))

    async with opened(root, session=estate.session(root, failed)) as pilot:
        found = needs(pilot)
        assert [row[1] for row in found] == sorted(
            (row[1] for row in found), key=["blocker", "gate", "warning", "info"].index
        )
        said = {row[2]: (row[4], row[5]) for row in found}
        assert said["W02 failed at power on"] == ("Waves", ("wave", "W02"))
        assert said["1 VM: vm.off"] == ("Checks", ("check", "vm.off"))
        assert said["2 warnings of 1 check"] == ("Checks", ("check", "disks.rdm"))
        assert said["2 waves are not approved: W02, W03"] == ("Waves", ("wave", "W02"))
        assert f"Needs you ({len(found)})" in text(pilot)


async def test_enter_goes_to_what_needs_somebody_and_the_whole_remedy_is_said(tmp_path: Path) -> None:
    hint = "wherry commit W02 --live, or wherry rollback W02 --live, whichever the owner of the wave says"

    def waiting(project: Project) -> estate.StatusRow:
        need = Need("gate", "W02 waits for commit", hint, "W02")
        return replace(estate.status_of(project), needs=(need,))

    root = estate.build(tmp_path, waves=3)
    async with opened(root, BIG, session=estate.session(root, waiting)) as pilot:
        assert lines(pilot)[-2] == ""
        await on_needs(pilot, "waits for commit")
        assert lines(pilot)[-2] == f" → {hint}"
        await pilot.press("enter")
        await until(lambda: pilot.app.current_mode == "waves")
        await pilot.pause()
        await until(lambda: "▸ Waves ▸ W02" in lines(pilot)[0])


async def test_a_need_of_checks_opens_them(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        await on_needs(pilot, "vm.off")
        await pilot.press("enter")
        await until(lambda: pilot.app.current_mode == "checks")


async def test_what_the_study_found_is_told_beside_the_line(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), BIG) as pilot:
        screen = place(pilot)
        assert "not worked out yet" in panel(pilot, "line")
        screen._outlook = OUTLOOK
        screen.update()
        await pilot.pause()
        said = panel(pilot, "line")
        assert "of 400 Mbit/s (50%" in said
        assert "2.0 TiB" in said
        assert "200% of it" in said
        assert "20 Mbit/s" in said
        assert "no windows are set" in said
        assert "≥" not in said
        screen._outlook = {**OUTLOOK, "sized": False}
        screen.update()
        await pilot.pause()
        assert "all disks   ≥5.0 TiB" in panel(pilot, "line")
        found = {row[2]: row[5] for row in needs(pilot)}
        assert found["7 shared services nobody confirmed: dc-01, [/] and 3 more"] == ("place", "dependencies")
        assert found["1 move group above the caps: shop"] == ("group", "shop")
        assert found["the plan was made on older settings"] == ("place", "waves")
        nothing_took_effect(pilot)


async def test_the_study_is_asked_once_for_each_state(tmp_path: Path) -> None:
    with Project.create(tmp_path, "acme") as project:
        stored = inventories.save(project, sample("lab"))
        plan = make_plan(
            project="acme", inventory=stored.inventory, inventory_fingerprint=stored.fingerprint,
            settings=settings_store.load(project), created_at="2026-03-10T10:00:00Z",
        )  # fmt: skip
        plans.save(project, plan, "ann")
    async with opened(tmp_path, session=Session(tmp_path)) as pilot:
        await until(lambda: "Mbit/s" in panel(pilot, "line"))
        assert not any("older settings" in row[2] for row in needs(pilot))
        with Project.open(tmp_path) as project:
            settings = settings_store.load(project)
            link = settings.link.model_copy(update={"rate_mbit": 250.0})
            settings_store.save(project, settings.model_copy(update={"link": link}), "ann")
        await until(lambda: "250 Mbit/s" in panel(pilot, "line"))
        assert any("older settings" in row[2] for row in needs(pilot))


async def test_waves_show_how_many_of_their_vms_no_blocker_holds(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3)) as pilot:
        rows = place(pilot).query_one("#waves", VirtualTable).rows
        assert [row[8] for row in rows] == [100, 100, 66]
        assert "66%" in text(pilot)


# tables


async def test_both_tables_are_filtered_sorted_copied_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(estate.build(tmp_path / "p", waves=3)) as pilot:
        screen = place(pilot)
        waves, needy = screen.table_of("waves"), screen.table_of("needs")
        await pilot.press("slash", *"free<100", "enter")
        await until(lambda: waves.shown_keys() == ["W03"])
        assert "3 waves · plan 1 · 1 match" in text(pilot)
        await pilot.press("tab", "slash", *"severity:info", "enter")
        await until(lambda: len(needy.order) == 1)
        assert "Needs you (3) · 1 match" in text(pilot)
        assert waves.shown_keys() == ["W03"], "each keeps its own filter"
        await pilot.press("Y")
        copied = pilot.app.clipboard.splitlines()
        assert copied[0].split("\t")[:2] == ["severity", "what"]
        assert [row.split("\t")[0] for row in copied[1:]] == ["· info"]
        await pilot.press("W")
        await reached(pilot, Form)
        await pilot.press("ctrl+s")
        await until((tmp_path / "overview-needs.csv").is_file)
        assert "not approved" in (tmp_path / "overview-needs.csv").read_text("utf-8")
        await pilot.press("escape", "s", "S")
        await pilot.pause()
        assert [row[1] for row in map(needy.rows.__getitem__, needy.order)] == ["info", "warning", "blocker"]
        assert "Needs you (3) · by severity ↓" in text(pilot)
        await pilot.press("shift+tab")
        await pilot.pause()
        assert screen.bar.text == "free<100"
        await pilot.press("escape", *"ssssss", "S")
        await pilot.pause()
        assert "by cutover ↓" in text(pilot)
        assert waves.shown_keys() == ["W02", "W01", "W03"], "by date, not by weekday; none comes last"


async def test_a_small_screen_has_a_line_for_the_filter_only_while_there_is_one(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3), SMALL) as pilot:
        bar = place(pilot).bar
        high = place(pilot).table_of("waves").size.height
        assert not bar.display
        await pilot.press("slash")
        await pilot.pause()
        assert bar.writing
        assert place(pilot).table_of("waves").size.height == high - 1
        await pilot.press(*"w02", "enter")
        await until(lambda: place(pilot).table_of("waves").shown_keys() == ["W02"])
        assert bar.display
        await pilot.press("escape")
        await until(lambda: not bar.display)
        assert place(pilot).table_of("waves").size.height == high
        await pilot.press("slash", "escape")
        await until(lambda: not bar.display)
        assert pilot.app.is_running


async def test_steps_stand_in_their_order(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, planned=False)) as pilot:
        assert guide(pilot).has_focus
        await pilot.press("s")
        await pilot.pause()
        assert "the steps stand in their order" in lines(pilot)[-2]
        await pilot.press("tab", "slash", *"where:checks", "enter")
        await until(lambda: {row[4] for row in map(needs(pilot).__getitem__, range(2))} == {"Checks"})
        assert place(pilot).active == "needs"


def test_what_is_shown_is_what_filters_ask_for() -> None:
    assert {column.asked for column in COLUMNS} == set(PROGRESS_WORDS.fields)
    assert {column.asked for column in NEEDS} == set(NEED_WORDS.fields)


# the first steps


def done(view: View, outlook: dict[str, Any] | None = None) -> list[bool | None]:
    return [step.done for step in first_steps(view, outlook)]


async def test_steps_are_done_one_after_another_and_the_guide_goes_away(tmp_path: Path) -> None:
    Project.create(tmp_path, "acme").close()
    async with opened(tmp_path) as pilot:
        app = pilot.app
        assert "First steps · 0 of 8 done" in text(pilot)
        assert guide(pilot).has_focus
        assert [row[1] for row in guide(pilot).rows][:2] == ["next", ""]
        with Project.open(tmp_path) as project:
            inventories.save(project, estate.estate())
        await until(lambda: "1 of 8 done" in text(pilot))
        estate.judge(tmp_path, lambda inventory: Readiness((), {}))
        await until(lambda: done(app.view)[:3] == [True, True, None])  # type: ignore[attr-defined]
        with Project.open(tmp_path) as project:
            settings_store.save(project, settings_store.load(project), "ann")
            plans.save(project, estate.plan_of(estate.estate()), "ann")
        await until(lambda: not guide(pilot).display)
        await until(lambda: "▸ next  rehearse 5 · approve 4 A · export e" in text(pilot))
        with Project.open(tmp_path) as project:
            audit.note(project, Effect.DRY_RUN, "rehearse", "W01")
            from planner.store import approvals

            approvals.approve(project, plans.latest(project), ("W01", "W02"), "ann")
        await until(lambda: "▸ next  export e" in text(pilot))
        (tmp_path / "exports").mkdir()
        (tmp_path / "exports" / "plan.md").write_text("x")
        await until(lambda: "▸ next" not in text(pilot))
        assert done(app.view) == [True] * 8  # type: ignore[attr-defined]


async def test_blocked_vms_and_open_hubs_hold_a_step_until_a_plan_takes_them_as_they_are(
    tmp_path: Path,
) -> None:
    async with opened(estate.build(tmp_path, planned=False)) as pilot:
        view: View = pilot.app.view  # type: ignore[attr-defined]
        steps = first_steps(view, OUTLOOK)
        assert (steps[1].done, steps[2].done) == (False, False)
        assert steps[1].why == "1 VM blocked; mend, waive or exclude them"
        assert steps[2].why == "7 VMs look like one: say yes or no"
        assert first_steps(view, {**OUTLOOK, "hubs_count": 0})[2].done is True
        assert first_steps(replace(view, tallies=None), None)[1].done is None
        planned = replace(view, plan=object())  # type: ignore[arg-type]
        assert [step.done for step in first_steps(planned, OUTLOOK)][1:3] == [True, True]


async def test_enter_on_a_step_goes_on_with_it(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, planned=False)) as pilot:
        for row, mode in ((1, "checks"), (2, "dependencies"), (3, "settings"), (4, "waves"), (5, "rehearse")):
            guide(pilot).focus()
            guide(pilot).cursor = row
            await pilot.press("enter")
            await until(lambda mode=mode: pilot.app.current_mode == mode)
            await pilot.press("1")
            await pilot.pause()


async def test_a_step_that_cannot_be_done_yet_says_why(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, planned=False)) as pilot:
        await pilot.press("end", "enter")
        await pilot.pause()
        assert "there is no plan yet" in lines(pilot)[-2]


async def test_capital_h_hides_the_steps_for_good_and_shows_them_again(tmp_path: Path) -> None:
    file = tmp_path / "likes" / "ui.json"
    root = estate.build(tmp_path / "p", planned=False)
    async with opened(root, likes_file=file) as pilot:
        assert guide(pilot).display
        await pilot.press("H")
        await pilot.pause()
        assert not guide(pilot).display
        assert "▸ next" not in text(pilot)
        assert place(pilot).query_one("#waves").has_focus
    assert load(file).guide is False
    async with opened(root, likes_file=file, preferences=load(file)) as pilot:
        assert not guide(pilot).display
        await pilot.press("H")
        await pilot.pause()
        assert guide(pilot).display
        assert guide(pilot).has_focus
    assert load(file).guide is True


async def test_who_only_looks_gets_no_steps(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, planned=False), read_only=True) as pilot:
        assert not guide(pilot).display
        assert "▸ next" not in text(pilot)


# sizes, mouse, hostile names


async def test_narrow_panels_take_turns(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), SMALL, preferences=Preferences(guide=False)) as pilot:
        seen = []
        for _ in range(6):
            focused = pilot.app.focused
            assert focused is not None
            assert focused.display, focused.id
            seen.append(focused.id)
            await pilot.press("tab")
            await pilot.pause()
        assert seen == ["waves", "needs", "stages", "window", "line", "waves"]


async def test_panels_open_what_they_are_about(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        for name, mode in (("stages", "inventory"), ("window", "waves"), ("line", "settings")):
            place(pilot).query_one(f"#{name}").focus()
            await pilot.press("enter")
            await until(lambda mode=mode: pilot.app.current_mode == mode)
            await pilot.press("1")
            await pilot.pause()


async def test_a_double_click_opens_a_need(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3)) as pilot:
        at = next(i for i, row in enumerate(needs(pilot)) if "not approved" in row[2])
        await pilot.click("#needs", offset=(10, 2 + at), times=2)
        await until(lambda: pilot.app.current_mode == "waves")


@pytest.mark.parametrize("size", [SMALL, BIG, WIDER])
async def test_hostile_names_do_nothing_in_needs_and_steps(tmp_path: Path, size: tuple[int, int]) -> None:
    def bad(project: Project) -> estate.StatusRow:
        status = estate.status_of(project)
        return replace(
            status, needs=tuple(Need("blocker", name, name, status.waves[0].name) for name in estate.HOSTILE)
        )

    root = estate.build(tmp_path, estate.hostile_estate(), waves=4)
    async with opened(root, size, session=estate.session(root, bad)) as pilot:
        place(pilot)._outlook = {**OUTLOOK, "hubs": list(estate.HOSTILE), "oversized": list(estate.HOSTILE)}
        place(pilot).update()
        for _ in range(3):
            await pilot.press("tab", "down", "down")
            await pilot.pause()
            nothing_took_effect(pilot)
        await pilot.press("H")
        await pilot.pause()
        nothing_took_effect(pilot)


def test_nothing_is_said_before_anything_is_known() -> None:
    assert matters(View(), None) == ()


def test_an_estate_without_findings_needs_only_approval(tmp_path: Path) -> None:
    def fine(inventory: Inventory) -> Readiness:
        return Readiness((), {})

    root = estate.build(tmp_path)
    session = estate.session(root, checks_of=fine)
    list(session.refresh())
    assert [row[2] for row in matters(session.view, None)] == ["W02 is not approved"]
    session.close()
