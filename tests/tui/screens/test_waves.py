"""4 Waves as it looks: three views over one cursor, groups and judgement below, on any size of terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from planner.model import VM, Power, Tie
from planner.places import words_of
from planner.plan import Spread
from tests.planner.sketch import estate as sketch
from tests.planner.sketch import needs, vm
from tests.tui import estate
from tests.tui.estate import HOSTILE
from tests.tui.kept import differs, drawn
from tests.tui.laid import at_group, build, place, pressed, waves
from tests.tui.stage import BIG, SMALL, lines, opened, panel, table, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.dialogs.reader import Reader
from tui.screens.waves_groups import COLUMNS as GROUP_COLUMNS
from tui.screens.waves_groups import saved_groups
from tui.screens.waves_lines import COLUMNS, WaveLine, full_words
from tui.screens.waves_words import describe_card
from tui.text import size_cell, spread_minutes
from tui.theme import tally_words
from tui.widgets.panel import Panel
from tui.widgets.vocabulary import vocabulary_of

WIDE = (160, 45)


async def test_a_wave_shows_its_groups_and_why(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=3), BIG) as pilot:
        await pilot.press("4")
        await pilot.pause()
        shown = text(pilot)
        assert "3 waves · plan 1 · at least 1 · 11 VMs · 1 unplanned" in shown
        assert "▲ inventory newer than the plan: p plans anew" in lines(pilot)[-2]
        assert "Sat 14 Mar 22:00 → Sun 04:00 UTC (6 h)" in panel(pilot, "judgement")
        assert "P50 / P95  11 m / 19 m" in panel(pilot, "judgement")
        assert "✔ ann" in panel(pilot, "judgement")
        assert "→ it becomes a VMDK" in panel(pilot, "judgement")
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Reader)
        content = panel(pilot, "reading")
        assert "shop-db-01 ═ shop-db-02: they share LUN naa.6001" in content
        assert content.index("RDM physical → VMDK") < content.index("Hard disk 1  VMDK")
        assert "rule: a physical RDM becomes a VMDK by policy" in content
        assert "started in this order" in content
        await pilot.press("escape", "down", "down")
        await pilot.pause()
        assert "▸ Waves ▸ W03" in lines(pilot)[0]
        judgement = panel(pilot, "judgement")
        assert "none: it may cut over at any time" in judgement
        assert "○ not yet: A approves it" in judgement
        assert "✖ old-box is off" in judgement


async def test_narrow_panels_take_turns(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path), SMALL) as pilot:
        await pilot.press("4")
        await pilot.pause()
        groups, judgement = (pilot.app.screen.query_one(name) for name in ("#groups", "#judgement"))
        assert groups.display
        assert not judgement.display
        await pilot.press("tab", "tab")
        await pilot.pause()
        assert judgement.has_focus
        assert judgement.display
        assert not groups.display
        await pilot.press("escape")
        assert table(pilot).has_focus


async def test_the_three_views_share_cursor_filter_and_marks(tmp_path: Path) -> None:
    """waves.view, waves.view_back, waves.left, waves.right."""
    async with waves(build(tmp_path / "p"), lay=False) as pilot:
        here = place(pilot)
        await pilot.press("down", "space")
        await pilot.pause()
        assert any("✓W02" in line for line in lines(pilot))
        assert any("▸ W03" in line for line in lines(pilot))
        await pilot.press("z")
        await pilot.pause()
        assert any("▸  W03" in line for line in lines(pilot))
        assert any(" ✓ W02" in line for line in lines(pilot))
        assert "down P50" not in lines(pilot)[4]  # the least of all goes first
        await pilot.press("z")
        await pilot.pause()
        assert any("▸ W03 d, g" in line for line in lines(pilot))
        assert any("╔ d ═" in line for line in lines(pilot))
        await pilot.press("right")
        await pilot.pause()
        assert here.where() == "W04"
        await pilot.press("left", "down")
        await pilot.pause()
        assert here.groups.key == "id-g"
        assert any("╔ g ═" in line for line in lines(pilot))
        await pilot.press("space")
        await pilot.pause()
        assert here.groups.marks == {"id-g"}
        await pilot.press("Z", "slash", *"wave:W02")
        await until(lambda: len(here.waves.order) == 1)
        await pilot.press("enter", "Z")
        await pilot.pause()
        assert "1 match" in text(pilot)
        assert any("▸ ✓W02" in line for line in lines(pilot))


async def test_the_chart_is_scrolled_and_zoomed_and_follows_the_cursor(tmp_path: Path) -> None:
    """waves.left, waves.right, waves.zoom_in, waves.zoom_out, waves.whole."""
    async with waves(build(tmp_path / "p"), lay=False) as pilot:
        here = place(pilot)
        whole = lines(pilot)[4:12]
        assert any("┊audit" in line for line in whole)
        assert "peak" in text(pilot)
        for key in ("plus", "minus", "right", "left"):
            before = lines(pilot)[4:12]
            await pilot.press(key)
            await pilot.pause()
            assert lines(pilot)[4:12] != before, key
        await pilot.press("plus", "plus", "plus", "end")
        await pilot.pause()
        row = next(line for line in lines(pilot)[4:12] if "▸ W04" in line)
        assert "█" in row  # its cutover was beyond the edge
        await pilot.press("full_stop", "home")
        await pilot.pause()
        assert lines(pilot)[4:12] == whole
        assert here.where() == "W01"


async def test_a_plan_without_windows_is_drawn_by_slots(tmp_path: Path) -> None:
    async with waves(build(tmp_path / "p", windows=[], freezes=[]), lay=True) as pilot:
        assert place(pilot).waves.view == "list", "a chart without dates says less"
        await pilot.press("Z")
        await pilot.pause()
        assert "no dates: by slot" in text(pilot)
        assert "link" not in text(pilot), "nothing is known of it"
        assert "? no slot" not in text(pilot)
        await pilot.press("minus", "full_stop")
        await pilot.pause()
        assert "in this slot" in text(pilot)


async def test_the_mouse_goes_where_it_points(tmp_path: Path) -> None:
    async with waves(build(tmp_path / "p"), lay=False) as pilot:
        here = place(pilot)
        row = next(at for at, line in enumerate(lines(pilot)) if " W03 " in line)
        await pilot.click(offset=(6, row))
        await pilot.pause()
        assert here.where() == "W03"
        await pilot.press("Z")
        await pilot.pause()
        shown = lines(pilot)
        at = next(number for number, line in enumerate(shown) if "╭ b ─" in line)
        await pilot.click(offset=(shown[at].index("╭ b ─") + 3, at + 1))
        await until(lambda: here.where() == "W01" and here.groups.key == "id-b")
        await pilot.press("Z")
        await pilot.pause()
        sort = next(number for number, line in enumerate(lines(pilot)) if "title" in line)
        await pilot.click(offset=(lines(pilot)[sort].index("VMs"), sort))
        await pilot.pause()
        assert "by VMs ↑" in text(pilot)


async def test_a_project_without_a_plan_says_what_to_do(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, planned=False)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "no plan yet: press p to make one" in text(pilot)
        for key in ("right_square_bracket", "z", "o", "A"):
            await pilot.press(key)
            await pilot.pause()
            assert "there is no plan yet" in lines(pilot)[-2], key
        await pilot.press("p")
        await until(lambda: "x stops with the best so far" in text(pilot))
        assert "last one" not in text(pilot)  # there is none to stay near


async def test_groups_are_sorted_marked_and_copied_while_they_have_the_focus(tmp_path: Path) -> None:
    async with waves(build(tmp_path / "p"), lay=False) as pilot:
        here = place(pilot)
        await pilot.press("tab")
        assert here.groups.has_focus
        await pilot.press("s", "S")
        await pilot.pause()
        assert here.groups.shown_keys() == ["id-b", "id-a"]
        await pilot.press("asterisk", "y")
        await pilot.pause()
        assert "copied 2 rows" in lines(pilot)[-2]
        assert pilot.app.clipboard.splitlines()[2].startswith("a\t1\t10.0 GiB")
        await pilot.press("Y", "asterisk")
        await pilot.pause()
        assert not here.groups.marks


@pytest.mark.parametrize("size", [SMALL, BIG, WIDE])
async def test_hostile_names_do_nothing_in_any_view(tmp_path: Path, size: tuple[int, int]) -> None:
    vms = [vm(f"{number} {name}", application=name, owner=name) for number, name in enumerate(HOSTILE[:6])]
    ties = (needs(vms[0].name, vms[3].name, Tie.ORDER),)
    root = build(tmp_path / "p", sketch(*vms, ties=ties), freezes=[
        {"start": "2026-10-11T00:00:00", "end": "2026-10-14T00:00:00", "why": HOSTILE[2]}
    ])  # fmt: skip
    async with waves(root, size) as pilot:
        here = place(pilot)
        for _ in range(3):
            await pilot.press("end", "home", "tab", "tab")
            await pilot.pause()
            nothing_took_effect(pilot)
            here.waves.focus()
            await pilot.press("z")
            await pilot.pause()
        await pressed(pilot, "right_square_bracket", lambda: bool(here.offered().did) or here.unsaved)
        nothing_took_effect(pilot)
        for key in ("t", "m", "o", "A", "M", "D", "enter"):
            await pilot.press(key)
            await pilot.pause(0.2)
            nothing_took_effect(pilot)
            await pilot.press("escape")
            await pilot.pause()
        assert pilot.app.is_running


KEPT = Path(__file__).parent / "pictures"
COLOURED = Path(__file__).parents[1] / "pictures"


@pytest.mark.parametrize("size", [SMALL, BIG, WIDE])
async def test_views_look_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    changed = []
    async with waves(build(tmp_path / "p"), size) as pilot:
        here = place(pilot)
        await at_group(pilot, "a")
        await pressed(pilot, "right_square_bracket", lambda: len(here.offered().fixes) == 3)
        here._hush()
        here.query_one("#judgement", Panel).scroll_home(animate=False)
        for view in ("gantt", "list", "board"):
            path = KEPT / f"waves-{view}-{size[0]}x{size[1]}.txt"
            changed.append(await differs(path, lambda: _without_digest(pilot)))
            if view == "gantt" and size == BIG:
                changed.append(await differs(COLOURED / "waves-harbour.svg", lambda: drawn(pilot, "waves")))
            await pilot.press("z")
    assert not any(changed), "\n".join(changed)


def _without_digest(pilot: Pilot[None]) -> str:
    return "".join(f"{line}\n" for line in lines(pilot) if "digest" not in line)


def test_the_card_tells_two_makespans_of_waves_without_a_window_apart(tmp_path: Path) -> None:
    *_, view = estate.session(estate.build(tmp_path, waves=3)).refresh()
    assert view.plan is not None
    score = view.plan.score.model_copy(update={"makespan_spread_h": Spread(p50=9.0, p95=12.0)})
    plan, word = replace(view.plan, card=score.model_dump_json()), "without a window: above a week apart"
    assert word in describe_card(plan, view.waves, 72).plain
    dated = tuple(wave for wave in view.waves if wave.window)
    assert 0 < len(dated) < len(view.waves)
    assert word not in describe_card(plan, dated, 72).plain


async def test_a_size_of_which_a_part_is_known_is_the_least_it_is(tmp_path: Path) -> None:
    bare = VM("id-z", "z", power=Power.ON, gaps=("disks",))
    root = build(tmp_path, sketch(vm("a"), bare, vm("c")), {"id-a": 0, "id-z": 0, "id-c": 1})
    async with waves(root, lay=False) as pilot:
        for word in ("saved", "laid out"):
            first, second = (
                next(line for line in lines(pilot)[1:] if f"{name} " in line) for name in ("W01", "W02")
            )
            assert "≥10.0 GiB" in first, word
            assert "≥" not in second, word
            assert ("? disks unknown" in first) == (word == "laid out")
            assert "fits" not in first, word
            assert "? not all disks are known: at least 10.0 GiB to move" in panel(pilot, "judgement")
            sizes = {row[1]: size_cell(row[3]) for row in place(pilot).groups.rows}
            assert sizes == {"a": "10.0 GiB", "z": "?"}, word
            place(pilot).lay_out()
            await until(lambda: place(pilot).hand is not None and bool(place(pilot).known_groups))
            await pilot.pause()
        assert [full_words(line.full)[:1] == "≥" for line in place(pilot).waves.rows] == [True, False]
        await pilot.press("A")
        await pilot.pause()
        assert "not all disks of 1 VM are known" in text(pilot)


def test_a_limit_is_not_full_before_it_is_and_cells_hold_what_they_say() -> None:
    assert full_words((0.999, "size_bytes", False)) == "99% size"
    assert full_words((8.86, "vms", False)) == "886% VMs"
    assert full_words((0.5, "vms", True)) == "≥50% VMs"
    window = next(column for column in COLUMNS if column.title == "window")
    assert WaveLine._fields[window.sorts] == "slot", "by when it is, not by the name of its weekday"
    longest = {"down P50/P95": spread_minutes(1319, 3599), "checks": tally_words((16, 103, 0))}
    for column in (*GROUP_COLUMNS, *COLUMNS):
        assert len(longest.get(column.title, "")) <= column.width, column.title


def test_the_words_that_filters_are_kept_with_are_those_of_the_table() -> None:
    words, kinds = words_of("waves").fields, vocabulary_of(COLUMNS).fields
    assert sorted(words) == sorted(kinds)
    row = tuple(range(20))
    for word, field in words.items():
        assert field.read(row, None) == kinds[word].read(row, None), word
        assert (type(field), getattr(field, "is_size", 0)) == (
            type(kinds[word]),
            getattr(kinds[word], "is_size", 0),
        )


def test_groups_stand_in_the_order_they_have_once_the_plan_is_laid_out() -> None:
    wave = estate.plan_of(estate.estate(), 1).waves[0]
    backwards = wave.model_copy(update={"groups": tuple(reversed(wave.groups))})
    names = [group["name"] for group in saved_groups(backwards, 1)]
    assert len(names) > 2
    assert names == sorted(names, key=str.casefold)
