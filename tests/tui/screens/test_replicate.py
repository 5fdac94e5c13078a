"""Replicate: every action by its key, on a project in the middle of its moves; levers end up in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content
from textual.pilot import Pilot

from migrate.disk_maps import DiskMap, DiskPass
from migrate.run import controls, orders
from migrate.run.history import Event
from planner.places import LANE_WORDS
from planner.store import filters
from planner.store import settings as settings_store
from tests.tui import estate
from tests.tui.kept import differs
from tests.tui.running import GIB, Running, running, talking, waves
from tests.tui.stage import BIG, SMALL, lines, on, opened, panel, reached, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.dialogs.confirm import Confirm
from tui.dialogs.form import Form
from tui.dialogs.reader import Reader
from tui.jobs.state import JobState
from tui.live.document import Live
from tui.live.lanes import Lanes
from tui.live.sums import sums
from tui.screens.replicate import ReplicateScreen
from tui.screens.replicate_rows import COLUMNS
from tui.screens.replicate_words import describe_lane, describe_maps, describe_store
from tui.session import Session
from tui.widgets.panel import Panel
from tui.widgets.vocabulary import vocabulary_of

KEPT = Path(__file__).parents[1] / "pictures"


@pytest.fixture
def with_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have orders go to an engine: the one that the project seems to have."""
    monkeypatch.delenv("WHERRY_IN_PROCESS")


@pytest.fixture
def move(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "move") as made:
        yield made


def seen(move: Running, size: tuple[int, int] = BIG, **more: Any) -> Any:
    session = Session(move.project.root, judges=False)
    return opened(move.project.root, size, session, **{"place": "replicate", **more})


def screen(pilot: Pilot[None]) -> ReplicateScreen:
    return next(item for item in pilot.app.screen_stack if isinstance(item, ReplicateScreen))


async def key(pilot: Pilot[None], *keys: str) -> None:
    for one in keys:
        await pilot.press(one)
        await pilot.pause()


async def go(pilot: Pilot[None], lane: str = "") -> ReplicateScreen:
    await key(pilot, "6")
    place = screen(pilot)
    await until(lambda: place.ready and place.live.complete and bool(place.table.rows))
    if lane:
        assert place.table.move_to(lane), lane
    await pilot.pause()
    return place


def where(place: ReplicateScreen) -> str:
    return str(place.table.key)


def phases(place: ReplicateScreen) -> dict[str, str]:
    return {row[0]: row[2] for row in place.table.rows}


async def confirmed(pilot: Pilot[None], typed: str = "") -> None:
    await reached(pilot, Confirm)
    if typed:
        await key(pilot, *typed, "enter")
    else:
        await key(pilot, "shift+tab", "enter")
    await pilot.pause()


# looking


async def test_lanes_say_how_every_copy_stands(move: Running) -> None:
    async with seen(move) as pilot, talking(move):
        place = await go(pilot)
        assert phases(place) == {
            "W01": "in sync",
            "W01/g0": "in sync", "W01/g0/v0": "in sync",
            "W01/g1": "in sync", "W01/g1/v0": "in sync",
            "W02": "replicating",
            "W02/g0": "seeding", "W02/g0/v0": "seeding", "W02/g0/v1": "queued",
            "W03": "approved",
        }  # fmt: skip
        await until(lambda: "40%" in text(pilot))
        shown = text(pilot)
        assert "22 m ▲" in shown, "older than its target"
        assert "runner ● 1 moving" in shown
        assert "[LIVE]" in shown
        assert "✖ 0 of 2 groups" in panel(pilot, "fresh")
        assert "22 m of 15 m" in panel(pilot, "fresh")
        assert "2 000 Mbit/s" in panel(pilot, "link"), "half of 4000"
        assert "3.0×" in panel(pilot, "store")
        assert "2 of 2 as wanted" in panel(pilot, "store")


async def test_what_changes_in_a_run_changes_on_the_screen(move: Running) -> None:
    async with seen(move) as pilot:
        place = await go(pilot, "W02/g0/v0")
        move.moves(20 * GIB)
        await until(lambda: "50%" in text(pilot))
        step = next(s for s in move.seeding.history.runbook.steps if s.id.endswith("/seed"))
        move.seeding.append(step.id, Event.FAILED, message="no room at dc2", hint="make some", exit_code=1)
        await until(lambda: phases(place)["W02/g0/v0"] == "failed")
        assert "✖ failed" in text(pilot)


async def test_the_death_of_the_engine_is_said_plainly(move: Running) -> None:
    async with seen(move) as pilot:
        place = await go(pilot)
        await until(lambda: place.table.rows[6][5] is not None)
        place.say("✔ W02 is being brought up to date", "good")  # which hides no death
        move.engine.close()
        await until(lambda: "engine ✖ died" in text(pilot))
        assert "the engine died" in text(pilot)
        assert "1 order open: E starts one, nothing is lost" in text(pilot)
        await key(pilot, "E")
        await reached(pilot, Confirm)
        assert "W02  replicate by ann" in text(pilot)
        await key(pilot, "escape")
        assert place.table.rows[6][5] is None, "nobody knows a rate any more"
        assert place.table.rows[5][10].startswith("nobody moves its disks")


async def test_a_mover_that_says_nothing_is_said(move: Running) -> None:
    async with seen(move) as pilot:
        await go(pilot)
        await until(lambda: "nobody said anything of the disks of W02" in text(pilot))
        ill = next(line for line in lines(pilot) if "to look at" in line)
        move.moves(17 * GIB)
        await until(lambda: "nobody said anything" not in text(pilot))
        await until(lambda: ill not in lines(pilot))


async def test_lanes_are_folded_and_sifted(move: Running) -> None:
    async with seen(move) as pilot:
        place = await go(pilot, "W02/g0/v1")
        await key(pilot, "left")
        assert where(place) == "W02/g0"
        assert "W02/g0/v0" not in phases(place)
        await key(pilot, "left")
        assert where(place) == "W02"
        assert "W02/g0" not in phases(place)
        await key(pilot, "right")
        assert "W02/g0" in phases(place)
        await key(pilot, "z", "z")
        assert set(phases(place)) == {"W01", "W01/g0", "W01/g1", "W02", "W02/g0", "W03"}
        await key(pilot, "z", "o")
        assert set(phases(place)) == {"W01", "W01/g0", "W01/g0/v0", "W01/g1", "W01/g1/v0"}
        await key(pilot, "o")
        assert len(phases(place)) == 10


async def test_enter_shows_all_of_a_lane(move: Running) -> None:
    async with seen(move) as pilot, talking(move):
        await go(pilot, "W02/g0/v0")
        await until(lambda: "16.0 GiB / 40.0 GiB" in panel(pilot, "lane"))
        assert "P50 / P95  1 h / 1 h 30 m" in panel(pilot, "lane")
        await key(pilot, "enter")
        assert on(pilot, Reader)
        assert "zstd 3, 2.3×" in text(pilot)
        assert "replicate by ann" in text(pilot)


async def test_of_a_vm_it_is_drawn_where_the_last_pass_changed_its_disks(move: Running) -> None:
    told = {
        "mode": "compare",
        "data_bytes": 1,
        "moved": "9" + "0" * 95,
        "areas": 12,
        "longest_bytes": 64 << 20,
    }
    with move.project.write() as db:
        db.conn.execute(
            "UPDATE step_record SET detail = ? WHERE run = ? AND step LIKE '%/delta/1' AND kind = 'done'",
            (json.dumps(told), move.in_sync.run.id),
        )
    async with seen(move) as pilot:
        await go(pilot, "W01/g0/v0")
        await until(lambda: "12 areas, the longest 64.0 MiB" in panel(pilot, "lane"))
        assert "█" in panel(pilot, "lane")
        await key(pilot, "d")
        await reached(pilot, Reader)
        assert "compare" in text(pilot)


async def test_of_copies_that_are_too_old_it_is_said_when_they_are_within_their_target_again(
    move: Running,
) -> None:
    async with seen(move) as pilot:
        await go(pilot, "W01/g0")
        await until(lambda: "in target at 14:02 UTC" in panel(pilot, "lane"))
        assert "as its last rounds took" in panel(pilot, "lane")


async def test_a_wave_that_is_home_has_no_journal_and_one_that_is_held_up_says_what_helps(
    move: Running,
) -> None:
    async with seen(move) as pilot:
        place = await go(pilot)
        live = place.live

        def with_all(**more: Any) -> Live:
            waves = (replace(one, status=replace(one.status, **more)) for one in live.waves)
            return replace(live, waves=tuple(waves))

        def said(lines: list[Content]) -> str:
            return "\n".join(one.plain for one in lines)

        assert "journals" in said(describe_store(live, sums(live)))
        assert "journals" not in said(describe_store(with_all(stage="failed back"), sums(live)))
        held = with_all(held="waits for a foreign snapshot of web", why="", waits="")
        lane = Lanes(held, place.wherry.now()).find("W01")
        assert "O goes on beside it" in said(describe_lane(lane, held, place.wherry.now()))
        beside = with_all(why="", waits="", held="", late="", short_history="", overlooked=("1 of ann",))
        assert Lanes(beside, place.wherry.now()).still[0].note == "beside 1 of ann"


async def test_the_map_of_a_disk_fits_its_box(move: Running) -> None:
    async with seen(move, size=(120, 35)) as pilot, talking(move):
        place = await go(pilot, "W01/g0/v0")
        passes = (DiskPass("s", "seed", 1, 1, "9" * spans) for spans in range(79, 91))  # one fills it
        told = describe_maps([DiskMap("v", "Disk 1", GIB, (one,) * 3) for one in passes], place.size.width)
        pilot.app.push_screen(Reader("map", told))
        await reached(pilot, Reader)
        await pilot.pause()
        box = pilot.app.screen.query_one(Panel)
        assert all(len(line.plain) <= box.scrollable_size.width for line in box._lines)


async def test_d_draws_where_the_disks_of_a_vm_change(move: Running) -> None:
    async with seen(move) as pilot, talking(move):
        await go(pilot, "W02/g0")
        await key(pilot, "d")
        assert "go to a VM: its disks are drawn" in text(pilot)
        await go(pilot, "W02/g0/v0")
        await key(pilot, "d")
        await reached(pilot, Reader)
        assert "Where the disks of " in text(pilot)
        assert "all that is allocated" in text(pilot) or "nothing of it was copied yet" in text(pilot)


# levers


async def test_pause_asks_and_is_in_the_store(move: Running) -> None:
    async with seen(move) as pilot:
        await go(pilot, "W02")
        await key(pilot, "p")
        await confirmed(pilot)
        await until(lambda: controls.asked_by(move.project, "W02") is not None)
        await until(lambda: "✔ W02 stops at its next edge" in text(pilot))


async def test_a_pause_that_is_left_alone_does_nothing(move: Running) -> None:
    async with seen(move) as pilot:
        await go(pilot, "W02")
        await key(pilot, "p")
        await reached(pilot, Confirm)
        await key(pilot, "enter")
        await pilot.pause()
        assert controls.asked_by(move.project, "W02") is None
        place = await go(pilot, "W03")
        await key(pilot, "p")
        assert "there is nothing to pause" in text(pilot)
        assert place.lane is not None
        assert place.why_no_lever("resume", place.lane).startswith("W03 is not under way")


@pytest.mark.usefixtures("with_engine")
async def test_resume_wants_the_name_and_places_the_order_of_its_verb(move: Running) -> None:
    controls.ask_to_pause(move.project, "W01")
    async with seen(move) as pilot:
        await go(pilot, "W01")
        await key(pilot, "r")
        await confirmed(pilot, "W01")
        await until(lambda: any(order.wave == "W01" for order in orders.waiting(move.project)))
        (order,) = [order for order in orders.waiting(move.project) if order.wave == "W01"]
        assert order.purpose == "replicate"
        await until(lambda: "✔ W01 goes on" in text(pilot))


@pytest.mark.usefixtures("with_engine")
async def test_sync_now_begins_and_refuses_as_its_verb(move: Running) -> None:
    async with seen(move) as pilot:
        await go(pilot, "W03")
        await key(pilot, "n")
        await reached(pilot, Confirm)
        assert "its first copies are made" in text(pilot)
        await confirmed(pilot, "W03")
        await until(lambda: any(order.wave == "W03" for order in orders.waiting(move.project)))
        await until(lambda: "W03 is being brought up to date" in text(pilot))
        await go(pilot, "W02")
        await key(pilot, "n")
        await confirmed(pilot, "W02")
        await until(lambda: "W02 is under way already, ordered by ann" in text(pilot))


async def test_the_limit_of_all_transfers_is_a_setting_that_counts_at_once(move: Running) -> None:
    async with seen(move) as pilot:
        await go(pilot)
        await key(pilot, "t")
        await reached(pilot, Form)
        await key(pilot, *"fast", "ctrl+s")
        assert "'fast' is no rate in Mbit/s above 0" in text(pilot)
        await key(pilot, "end", "ctrl+u", *"200", "ctrl+s")
        await until(lambda: settings_store.load(move.project).transfers.limit_mbit == 200.0)
        await until(lambda: "own limit 200 Mbit/s" in panel(pilot, "link"))
        await key(pilot, "t")
        await reached(pilot, Form)
        await key(pilot, "end", "ctrl+u", "ctrl+s")
        await until(lambda: settings_store.load(move.project).transfers.limit_mbit is None)


async def test_a_checkpoint_gets_its_name_and_a_verify_says_what_differs(
    move: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[tuple[str, ...]] = []
    async with seen(move) as pilot:
        place = await go(pilot, "W01/g1")

        def start(job: Any, then: Any) -> None:
            started.append(job.argv)

        monkeypatch.setattr(pilot.app, "start", start)
        await key(pilot, "c")
        await reached(pilot, Form)
        await key(pilot, *"before it", "ctrl+s")
        assert started[0][:3] == ("checkpoint", "--json", "--wait")
        assert started[0][-2:] == ("W01/web", "before it")
        await key(pilot, "V")
        await confirmed(pilot)
        assert (started[1][:2], started[1][-1]) == (("verify", "--json"), "W01")
        found = [
            {"disk": "a [red]b", "verdict": "equal", "recorded_by": "g0/check"},
            {"disk": "b", "verdict": "differs", "recorded_by": "g0/check"},
        ]
        state = JobState("verify W01", estate.NOW, document=found, exit_code=1)
        place._verified(type("Done", (), {"state": state})())
        await reached(pilot, Reader)
        assert "✖ 1 of 2 replicas differ from the record: do not cut over" in text(pilot)
        assert "a [red]b" in text(pilot)


async def test_who_only_looks_has_no_lever(move: Running) -> None:
    async with seen(move, read_only=True) as pilot:
        await go(pilot, "W02")
        await key(pilot, "p")
        assert not on(pilot, Confirm)
        assert "read-only" in text(pilot)


# how it looks


@pytest.mark.parametrize("size", [SMALL, BIG, (160, 45)])
async def test_it_looks_as_kept(move: Running, size: tuple[int, int]) -> None:
    async with seen(move, size) as pilot, talking(move):
        await go(pilot, "W02/g0")
        await until(lambda: "40%" in text(pilot))
        path = KEPT / f"replicate-{size[0]}x{size[1]}.txt"
        changed = await differs(path, lambda: text(pilot) + "\n")
    assert not changed, changed


async def test_on_a_narrow_screen_panels_take_turns(move: Running) -> None:
    async with seen(move, SMALL) as pilot:
        place = await go(pilot)
        assert not place.panel("lane").display or place.panel("lane").size.height == 0
        for name in ("lane", "link", "fresh", "store"):
            await key(pilot, "tab")
            assert place.panel(name).has_focus
            assert place.panel(name).size.height > 2, name
        await key(pilot, "escape")
        assert place.table.has_focus


@pytest.mark.parametrize("size", [SMALL, BIG])
async def test_hostile_names_stay_names(tmp_path: Path, size: tuple[int, int]) -> None:
    names = estate.HOSTILE[:5]
    with running(tmp_path / "move", waves(names, estate.HOSTILE[5:8])) as move:
        step = next(s for s in move.seeding.history.runbook.steps if s.id.endswith("/seed"))
        said = json.loads(json.dumps({"message": f"no {estate.HOSTILE[1]}\x1b[2J", "hint": "[red]\x07"}))
        move.seeding.append(step.id, Event.FAILED, **said)
        async with seen(move, size) as pilot:
            place = await go(pilot)
            await until(lambda: "failed" in phases(place).values())
            for row in range(len(place.table.order)):
                place.table.cursor = row
                await pilot.pause()
                nothing_took_effect(pilot)
            for _ in range(5):
                await key(pilot, "tab")
                nothing_took_effect(pilot)
            place.table.focus()
            for pressed in ("enter", "p", "n", "c", "V"):
                place.table.move_to("W02/g0")
                await key(pilot, pressed)
                nothing_took_effect(pilot)
                await key(pilot, "escape")


async def test_filters_of_lanes_are_kept_and_used_again(move: Running) -> None:
    async with seen(move) as pilot:
        place = await go(pilot)
        place.bar.set("tries:0 phase~seed")
        await until(lambda: 0 < len(place.table.order) < len(place.table.rows))
        many = len(place.table.order)
        await key(pilot, "F")
        await reached(pilot, Form)
        await key(pilot, *"seeding", "ctrl+s")
        await until(lambda: bool(filters.every(move.project)))
        (kept,) = filters.every(move.project)
        assert (kept.place, kept.name, kept.text) == ("lanes", "seeding", "tries:0 phase~seed")
        place.bar.set("")
        await until(lambda: len(place.table.order) == len(place.table.rows))
        await until(lambda: "seeding" in place.wherry.session.saved_filters("lanes"))
        await key(pilot, "f", "enter")
        await until(lambda: len(place.table.order) == many)


def test_what_is_shown_is_what_filters_ask_for() -> None:
    kinds = {column.asked: column.kind for column in COLUMNS if column.kind}
    assert list(kinds) == list(LANE_WORDS.fields)
    assert vocabulary_of(COLUMNS).fields.keys() == LANE_WORDS.fields.keys()
