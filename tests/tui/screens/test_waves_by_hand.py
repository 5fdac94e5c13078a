"""Planning by hand in 4 Waves: every key does what it says, in the project; what cannot be says why."""

from __future__ import annotations

from pathlib import Path

from planner.store import edits, plans
from planner.store import settings as settings_store
from planner.store.project import Project
from tests.tui.estate import session
from tests.tui.laid import acts, at_group, build, homes, laid, place, pressed, versions, waves
from tests.tui.stage import lines, on, opened, panel, text, until
from tui.actions.table import action_named
from tui.dialogs.confirm import Confirm
from tui.dialogs.pick import Pick
from tui.dialogs.pick_some import PickSome
from tui.dialogs.reader import Reader
from tui.widgets.table import VirtualTable


def change_caps(root: Path) -> None:
    """Let somebody else have other settings."""
    with Project.open(root) as project:
        found = settings_store.load(project)
        caps = found.caps.model_copy(update={"vms": 3})
        settings_store.save(project, found.model_copy(update={"caps": caps}), "bob")


async def test_a_move_undone_done_again_and_saved_is_one_plan_that_is_kept(tmp_path: Path) -> None:
    """waves.later, waves.undo, waves.redo, waves.save, waves.take_back."""
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "shop")
        await pressed(pilot, "right_square_bracket", lambda: here.unsaved == 1)
        assert "✔ move shop to W05: the score stays as it is" in lines(pilot)[-2]
        here._hush()
        await pilot.pause()
        assert "● 1 unsaved: move shop to W05  ^s saves · waves 4, traffic cut 0.0%" in lines(pilot)[-2]
        assert here.where() == "W05"  # the cursor goes where the group went
        assert homes(root)["e1"] == "W04"  # nothing is stored yet
        await pressed(pilot, "ctrl+z", lambda: here.unsaved == 0)
        assert "W05" not in laid(pilot).rows
        await pressed(pilot, "ctrl+y", lambda: here.unsaved == 1)
        await pressed(pilot, "d", lambda: on(pilot, Reader))
        said = panel(pilot, "reading")
        assert "From plan 1 to 1 edit not saved" in text(pilot)
        assert "waves added: W05" in said
        assert "waves gone: W04" in said
        assert "VMs in another wave: 2\n  e1: W04 → W05\n  e2: W04 → W05" in said
        await pilot.press("escape")
        sought, here._searching = here._search, True  # what would do is still looked for
        await pressed(pilot, "ctrl+s", lambda: versions(root) == 2)
        await until(lambda: here.view.plan is not None and here.view.plan.version == 2)
        assert homes(root)["e1"] == homes(root)["e2"] == "W05"
        assert acts(root)[-1] == "plan move"
        assert "1 edit saved as plan 2" in here._said[0]
        assert here._search > sought  # and would not be said over that
        assert not here._searching
        here.lay_out()
        await until(lambda: here.hand is not None and here.hand.plan == 2)
        await pressed(pilot, "U", lambda: versions(root) == 3)
        assert homes(root)["e1"] == "W04"
        assert acts(root)[-1] == "plan undo"
    with Project.open(root) as project:
        assert edits.in_force(project) == ()


async def test_of_several_saved_edits_the_one_that_is_chosen_is_taken_back(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "a")
        await pressed(pilot, "l", lambda: here.unsaved == 1)
        await at_group(pilot, "shop")
        await pressed(pilot, "right_square_bracket", lambda: here.unsaved == 2)
        await pressed(pilot, "ctrl+s", lambda: versions(root) == 2)
        await until(lambda: here.hand is not None and here.hand.plan == 2 and not here.unsaved)
        await pressed(pilot, "U", lambda: on(pilot, Pick))
        rows = [row for row in lines(pilot) if "│ edit " in row]
        assert "move shop to W05" in rows[0]  # the newest first
        assert "lock W01" in rows[1]
        await pilot.press("down", "enter")
        await until(lambda: "taken back: lock W01; p plans without it" in here._said[0])
    with Project.open(root) as project:
        assert [edit.number for edit in edits.in_force(project)] == [2]


async def test_a_refused_move_names_the_rule_and_a_fix_is_a_key(tmp_path: Path) -> None:
    """waves.later, waves.earlier, waves.fix.1, waves.fix.2, waves.fix.3."""
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "a")
        await pilot.press("b")
        await pilot.pause()
        assert "no fix is offered" in lines(pilot)[-2]
        await pressed(pilot, "right_square_bracket", lambda: len(here.offered().fixes) == 3)
        assert here.unsaved == 0
        assert "W02 holds 3 VMs, its cap is 2" in lines(pilot)[-2]
        said = panel(pilot, "judgement")
        assert "✖ move a to W02 breaks what must hold" in said
        assert "  a  a to W05: waves +1" in said
        assert "a b c do what is offered" in text(pilot)
        await pressed(pilot, "b", lambda: here.unsaved == 1)
        assert laid(pilot).unsaved == ("move a to W06",)
        assert "a" in laid(pilot).rows["W06"].groups
        assert here.offer(0) is None
        await pressed(pilot, "left_square_bracket", lambda: here.unsaved == 2)
        assert list(laid(pilot).unsaved)[-1:] == ["move a to W05"]
        for number, key in ((0, "a"), (2, "c")):
            here.act("hand.move", {"groups": ["id-a"], "wave": "W02"})
            await until(lambda: len(here.offered().fixes) == 3)
            wave, many = here.offered().fixes[number].wave, here.unsaved
            await pressed(pilot, key, lambda many=many: here.unsaved == many + 1)
            assert laid(pilot).unsaved[-1] == f"move a to {wave}"
        here.act("hand.move", {"groups": ["id-a"], "wave": "W02"})
        await until(lambda: len(here.offered().fixes) == 3)
        change_caps(root)  # what was found holds no longer
        await until(lambda: not here.offered().fixes)
        many = here.unsaved
        await pressed(pilot, "a", lambda: "the plan was made on older settings: press p" in lines(pilot)[-2])
        assert here.unsaved == many


async def test_a_refusal_that_nothing_mends_says_the_next_step_where_the_panel_is_hidden(
    tmp_path: Path,
) -> None:
    async with waves(build(tmp_path / "p"), (80, 24)) as pilot:
        here = place(pilot)
        await at_group(pilot, "a")
        assert not here.panel("judgement").display
        await pressed(pilot, "l", lambda: here.unsaved == 1)
        await pilot.press("right_square_bracket")
        await until(lambda: "no wave near would take it: m shows why not of each" in lines(pilot)[-2])
        many = ["id-a", "id-b", "id-c", "id-d", "id-f", "id-g"]
        said: list[str] = []
        here.say = lambda text, tone="": said.append(text)  # type: ignore[method-assign]
        here.act("hand.move", {"groups": many, "wave": "W02"})
        await until(lambda: bool(said))
        assert said[0].startswith("✖ ")
        assert "move a to W02" not in said[0]  # the reason is what there is room for


async def test_many_groups_are_marked_and_moved_to_a_chosen_wave(tmp_path: Path) -> None:
    """waves.move, mark: each wave says what it would cost, or why not."""
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "a")
        here.groups.focus()
        await pilot.press("asterisk")
        await pilot.pause()
        assert "W01: 2 groups · 2 marked" in text(pilot)
        await pressed(pilot, "m", lambda: on(pilot, Pick))
        shown = text(pilot)
        assert "Move 2 groups to" in shown
        assert "✖ W02 holds 4 VMs, its cap is 2" in shown
        assert "moves here now" in shown
        await pilot.press(*"W06")
        await pressed(pilot, "enter", lambda: here.unsaved == 1)
        assert laid(pilot).rows["W06"].groups == ("a", "b")
        assert "W01" not in laid(pilot).rows
        assert laid(pilot).unsaved == ("move a, b to W06",)
        await pressed(pilot, "right_square_bracket", lambda: here.unsaved == 2)
        assert laid(pilot).rows["W07"].groups == ("a", "b")
        here.groups.mark(())
        here.act("hand.move", {"groups": ["id-f"], "wave": "W08"})
        await until(lambda: here.unsaved == 3)
        left = next(row for row in laid(pilot).rows.values() if len(row.groups) == 1 and row.wave != "W08")
        await at_group(pilot, "b")
        here.act("hand.move", {"groups": ["id-b"], "wave": left.wave}, "id-b")
        await until(lambda: here.unsaved == 4 and here.groups.key == "id-b")
        await pressed(pilot, "ctrl+s", lambda: here.unsaved == 0)
        assert (here.where(), here.groups.key) == (left.wave, "id-b")  # not what lay there in the plan before
        await until(lambda: here.view.plan is not None and here.view.plan.version == 2)
        assert (here.where(), here.groups.key) == (left.wave, "id-b")
        await at_group(pilot, "a")
        here.groups.focus()
        await pilot.press("space")
        await pressed(pilot, "escape", lambda: here.waves.has_focus)
        await pressed(pilot, "escape", lambda: not here.groups.marks)


async def test_a_new_wave_a_lock_a_merge_and_a_split(tmp_path: Path) -> None:
    """waves.new, waves.lock, waves.merge, waves.split."""
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "g")
        await pressed(pilot, "n", lambda: here.unsaved == 1)
        assert laid(pilot).rows["W05"].groups == ("g",)
        assert [row for row in here.waves.rows if "● new" in row]
        await pressed(pilot, "l", lambda: here.unsaved == 2)
        assert laid(pilot).rows["W05"].locked
        assert "▣ locked: l unlocks" in text(pilot)
        await at_group(pilot, "d")
        here.act("hand.move", {"groups": ["id-d"], "wave": "W05"})
        await until(lambda: "locked by hand" in " ".join(here.offered().refused))
        await at_group(pilot, "g")
        await pressed(pilot, "l", lambda: here.unsaved == 3)
        assert not laid(pilot).rows["W05"].locked
        await pressed(pilot, "M", lambda: on(pilot, Pick))
        await pilot.press("d")
        await pressed(pilot, "enter", lambda: here.unsaved == 4)
        assert laid(pilot).unsaved[-1] == "merge d into g"
        merged = next(row for row in laid(pilot).rows.values() if row.wave == "W05")
        assert merged.vms == 2
        await pressed(pilot, "d", lambda: on(pilot, Reader))
        assert "groups of other VMs: 2" in panel(pilot, "reading")
        assert "no such group" in panel(pilot, "reading")
        await pilot.press("escape")
        await at_group(pilot, merged.groups[0])
        await pressed(pilot, "x", lambda: on(pilot, PickSome))
        table = pilot.app.screen.query_one(VirtualTable)
        assert {row[1] for row in table.rows} == {"d", "g"}
        table.move_to("id-d")
        await pilot.press("space")
        await pressed(pilot, "enter", lambda: here.unsaved == 5)
        assert laid(pilot).unsaved[-1].startswith("split d off ")  # by its name, whatever its id is
        assert sum(len(row.groups) for row in laid(pilot).rows.values() if row.wave == "W05") == 2


async def test_edits_are_dropped_only_by_the_word_and_made_again_on_a_plan_of_somebody_else(
    tmp_path: Path,
) -> None:
    """waves.renew, waves.discard."""
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "shop")
        await pressed(pilot, "right_square_bracket", lambda: here.unsaved == 1)
        with Project.open(root) as project:
            stored = plans.latest(project)
            plans.save(project, stored.plan.model_copy(update={"notes": ("another",)}), "bob")
        await until(lambda: here.view.plan is not None and here.view.plan.version == 2)
        await until(lambda: laid(pilot).outdated)
        here._hush()
        await pilot.pause()
        assert "another plan was stored: R makes your 1 edit on it again" in lines(pilot)[-2]
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert "press R first" in lines(pilot)[-2]
        await pressed(pilot, "R", lambda: here.hand is not None and here.hand.plan == 2)
        assert here.unsaved == 1
        assert not laid(pilot).outdated
        await pilot.press("D")
        await pilot.press(*"no")
        await pilot.press("enter")
        await pilot.pause()
        assert here.unsaved == 1
        await pilot.press("backspace", "backspace", *"drop")
        await pressed(pilot, "enter", lambda: here.unsaved == 0)
        assert laid(pilot).rows["W04"].groups == ("shop",)
        assert versions(root) == 2


async def test_edits_outlive_settings_that_somebody_changed_meanwhile_and_are_dropped_all_the_same(
    tmp_path: Path,
) -> None:
    """waves.renew, waves.discard."""
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "shop")
        await pressed(pilot, "right_square_bracket", lambda: here.unsaved == 1)
        change_caps(root)
        await until(lambda: "settings newer than the plan: save them, then p" in lines(pilot)[-2])
        await pilot.press("R")
        await until(lambda: "plan 1 was made on older settings" in lines(pilot)[-2])
        assert pilot.app.study.ask("hand.state")["unsaved"][0]["did"] == "move shop to W05"  # type: ignore[attr-defined]
        await pilot.press("D", *"drop")
        await pressed(pilot, "enter", lambda: here.unsaved == 0)
        assert "nothing is unsaved" in here.not_now(action_named("waves.save"))
        assert not pilot.app._would_lose()  # type: ignore[attr-defined]


async def test_edits_made_in_other_places_arrive_and_are_asked_about_before_leaving(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        await pilot.press("2")
        await pilot.pause()
        pilot.app.study.ask("hand.move", groups=["id-g"], wave="W05")  # type: ignore[attr-defined]
        await pilot.press("4")
        await until(lambda: here.unsaved == 1)
        await pilot.pause()
        assert "● 1 unsaved: move g to W05" in lines(pilot)[-2]
        await pilot.press("q")
        await pilot.pause()
        assert "1 edit of the plan is not saved and would be lost" in text(pilot)


async def test_edits_are_asked_about_before_leaving_where_waves_was_never_opened(tmp_path: Path) -> None:
    async with opened(build(tmp_path / "p")) as pilot:
        await pilot.press("2")
        moved: list[object] = []
        pilot.app.ask("hand.move", {"groups": ["id-g"], "wave": "W05"}, moved.append)  # type: ignore[attr-defined]
        await until(lambda: moved)
        await pilot.press("q")
        await pilot.pause()
        assert "1 edit of the plan is not saved and would be lost" in text(pilot)
        pilot.app.pop_screen()
        pilot.app.ask("hand.save", None, moved.append)  # type: ignore[attr-defined]
        await until(lambda: len(moved) == 2)
        assert not pilot.app._would_lose()  # type: ignore[attr-defined]


async def test_keys_that_come_at_once_move_what_the_cursor_went_to(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    async with waves(root) as pilot:
        here = place(pilot)
        here.select("W01")
        await until(lambda: here.groups_in == "W01")
        await pilot.press("end", "right_square_bracket", "right_square_bracket", "left_square_bracket")
        await until(lambda: here.unsaved == 3)
        assert laid(pilot).unsaved == ("move shop to W05", "move shop to W06", "move shop to W05")
        assert here.where() == "W05"


async def test_a_broken_rule_is_mended_by_a_key_and_the_desk_stays_as_it_is_saved(tmp_path: Path) -> None:
    """waves.fix.1: moves after which less is broken are looked for once the cursor rests."""
    slots = {"id-a": 0, "id-b": 0, "id-d": 1, "id-f": 1, "id-c": 2, "id-g": 2, "id-e1": 3, "id-e2": 3}
    root = build(tmp_path / "p", standing=slots)
    async with waves(root) as pilot:
        here = place(pilot)
        await at_group(pilot, "d")
        assert laid(pilot).rows["W02"].violations
        assert "✖ 1 rule broken" in text(pilot)
        await until(lambda: len(here.offered().fixes) > 0)
        await pressed(pilot, "A", lambda: on(pilot, Confirm))
        assert "✖ the plan breaks 1 rule: o shows which kinds" in text(pilot)
        assert "✖ c must move at least 1 wave ahead of d (d needs c first)" in text(pilot)
        await pressed(pilot, "escape", lambda: not on(pilot, Confirm))
        fix = here.offered().fixes[0]
        assert f"  a  {fix.words}" in panel(pilot, "judgement")
        await pressed(pilot, "a", lambda: here.unsaved == 1)
        assert not any(row.violations for row in laid(pilot).rows.values())
        await pressed(pilot, "A", lambda: on(pilot, Confirm))
        assert "1 edit not saved is no part of what is approved" in text(pilot)
        await pressed(pilot, "escape", lambda: not on(pilot, Confirm))
        starts = here.hand
        await pressed(pilot, "ctrl+s", lambda: versions(root) == 2)
        await until(lambda: here.view.plan is not None and here.view.plan.version == 2)
        assert here.hand is not None
        assert starts is not None
        assert (here.hand.plan, here.hand.rows) == (2, starts.rows), "nothing is laid out anew"
    assert homes(root)[fix.names[0]] == fix.wave


async def test_an_edit_before_the_plan_is_laid_out_lays_it_out(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    async with waves(root, lay=False) as pilot:
        here = place(pilot)
        here.select("W04")
        await pilot.pause()
        assert here.hand is None
        await pressed(pilot, "right_square_bracket", lambda: here.unsaved == 1)
        assert set(laid(pilot).rows) == {"W01", "W02", "W03", "W05"}


async def test_a_plan_is_laid_out_before_anybody_asks(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    from tui.session import Session

    async with opened(root, session=Session(root, patience_s=0.2)) as pilot:
        await pilot.press("4")
        await until(lambda: place(pilot).hand is not None)


async def test_read_only_leaves_only_looking(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    async with waves(root, read_only=True) as pilot:
        here = place(pilot)
        for key in ("right_square_bracket", "n", "ctrl+s", "A", "p", "m", "l", "D", "U"):
            await pilot.press(key)
            await pilot.pause()
            assert "this is the read-only view" in lines(pilot)[-2], key
        assert here.unsaved == 0
        await pilot.press("t")
        await until(lambda: "moves in W01" in text(pilot))
        assert pilot.app.screen is not here
    assert versions(root) == 1


async def test_a_plan_older_than_the_settings_is_said_and_not_edited(tmp_path: Path) -> None:
    root = build(tmp_path / "p")
    change_caps(root)
    async with opened(root, session=session(root)) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "▲ settings newer than the plan: p plans anew" in lines(pilot)[-2]
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert "the plan was made on older settings: press p" in lines(pilot)[-2]
    async with opened(root, session=session(root), read_only=True) as pilot:
        await pilot.press("4")
        await pilot.pause()
        assert "▲ settings newer than the plan: 'wherry plan' plans anew" in lines(pilot)[-2]
