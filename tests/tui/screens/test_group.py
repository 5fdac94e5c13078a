"""The page of a protection group: on a lab whose wave is in sync, and by the record alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from textual.pilot import Pilot

from migrate.group_course import Stay
from migrate.homeward import WayHome
from migrate.run import orders
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO
from migrate.sites.lab.client import LabSite
from planner.units import GIB, MIB
from tests.tui import estate
from tests.tui.cli.command import Wherry
from tests.tui.kept import differs
from tests.tui.moving import moving
from tests.tui.running import Running, running, talking, waves
from tests.tui.stage import BIG, SMALL, on, opened, panel, reached, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.acts.histories import DiskTold, GroupTold
from tui.dialogs.confirm import Confirm
from tui.dialogs.dialog import Dialog
from tui.dialogs.form import Form
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs.job import Job
from tui.screens.group import GroupScreen
from tui.screens.group_words import describe_group, has_come_home
from tui.screens.replicate import ReplicateScreen
from tui.screens.steering import no_return
from tui.session import Session

KEPT = Path(__file__).parents[1] / "pictures"
EVIL = "[red]\x1b[2J"
PATIENCE_S = 240.0


async def key(pilot: Pilot[None], *keys: str) -> None:
    for one in keys:
        await pilot.press(one)
        await pilot.pause()


def page_text(page: GroupScreen, name: str) -> str:
    """Return all lines of a panel, those out of sight too."""
    return "\n".join(line.plain for line in page.panel(name)._lines)


def shown(pilot: Pilot[None]) -> GroupScreen:
    return next(item for item in pilot.app.screen_stack if isinstance(item, GroupScreen))


async def go(pilot: Pilot[None], lane: str) -> GroupScreen:
    """Open the page of a group from 6 Replicate, and wait until it was read."""
    await key(pilot, "6")
    place = next(item for item in pilot.app.screen_stack if isinstance(item, ReplicateScreen))
    await until(lambda: place.ready and place.live.complete and bool(place.table.rows), PATIENCE_S)
    assert place.table.move_to(lane), lane
    await key(pilot, "enter")
    await reached(pilot, GroupScreen, PATIENCE_S)
    page = shown(pilot)
    await until(lambda: page.ready and page.live.complete and page.told is not None, PATIENCE_S)
    await pilot.pause()
    return page


# on a lab


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory whose path leaves room for a socket of another program, which pytest's own do not."""
    with TemporaryDirectory(prefix="wherry-") as name:
        yield Path(name)


@pytest.fixture
def lab(short_path: Path) -> Iterator[Wherry]:
    """A project with a lab and a wave W02 that waits at its go gate."""
    with moving(short_path) as cli:
        assert cli.live("replicate", "W02").code == 0
        yield cli


async def test_what_a_receiver_keeps_is_listed_pinned_served_and_written_out(lab: Wherry) -> None:
    cli_points = lab.done("checkpoints", "W02", "--json").document["checkpoints"]
    async with opened(lab.root, session=Session(lab.root, judges=False)) as pilot:
        page = await go(pilot, "W02/g0")
        assert [row[1] for row in page.table.rows] == [one["record"] for one in reversed(cli_points)]
        newest = page.table.rows[0]
        assert newest[8] == "✔ compared, equal"
        assert "──▶" in panel(pilot, "head")
        assert "unbroken" in panel(pilot, "head")

        await key(pilot, "p")
        await until(lambda: page.table.rows[0][7] is True, PATIENCE_S)
        assert lab.done("checkpoints", "W02", "--json").document["checkpoints"][-1]["pinned"]
        await key(pilot, "p")
        await until(lambda: page.table.rows[0][7] is False, PATIENCE_S)

        await key(pilot, "t")
        await reached(pilot, Form)
        out = lab.root.parent / "out"
        await key(pilot, "end", "ctrl+u", *str(out), "ctrl+s")
        await reached(pilot, Work)
        await until(lambda: out.is_dir() and not pilot.app.is_working, PATIENCE_S)  # type: ignore[attr-defined]
        assert len(list(out.glob("*.raw"))) + len(list(out.glob("*.img"))) >= 1
        await until(lambda: "read back and equal" in text(pilot))
        await key(pilot, "escape")

        await key(pilot, "n")
        await reached(pilot, Form)
        await key(pilot, *"mine", "ctrl+s")
        await until(lambda: any(row[9] == "mine" for row in page.table.rows), PATIENCE_S)
        await until(lambda: pilot.app.screen is page, PATIENCE_S)  # the box of work is gone by itself
        assert "'mine'" in text(pilot)


async def test_disks_are_served_beside_everything_else_until_they_are_not(lab: Wherry) -> None:
    async with opened(lab.root, session=Session(lab.root, judges=False)) as pilot:
        page = await go(pilot, "W02/g0")
        await key(pilot, "d")
        await reached(pilot, Confirm)
        await key(pilot, "shift+tab", "enter")
        await until(lambda: page.serving is not None, PATIENCE_S)
        job = page.serving
        assert job is not None
        await until(lambda: "nbd+unix://" in panel(pilot, "point"), PATIENCE_S)
        assert not pilot.app.is_working  # type: ignore[attr-defined]
        await key(pilot, "q")
        await reached(pilot, Confirm)
        assert "1 image served here would end" in text(pilot)
        await key(pilot, "escape", "d")
        await until(lambda: not job.state.running, PATIENCE_S)
        await until(lambda: "is served" not in panel(pilot, "point"), PATIENCE_S)


async def test_snapshots_of_others_are_asked_for_at_the_site(lab: Wherry) -> None:
    async with opened(lab.root, session=Session(lab.root, judges=False)) as pilot:
        await go(pilot, "W02/g0")
        await key(pilot, "O")
        await until(lambda: "nobody else has one" in text(pilot), PATIENCE_S)
        with closing(LabSite.connect(lab.root / "lab" / "dc1")) as source:
            theirs = str(source.take_snapshot(("vm-1",), "").id)
        await key(pilot, "O")
        await reached(pilot, Form, PATIENCE_S)
        assert theirs in text(pilot)
        await key(pilot, *"theirs", "tab", *"W02", "ctrl+s")
        await until(lambda: "beside 1 snapshot of others" in text(pilot), PATIENCE_S)
        await key(pilot, "escape", "O")
        assert isinstance(pilot.app.screen, ReplicateScreen)
        await until(lambda: "overlooked already" in text(pilot), PATIENCE_S)
    (found,) = lab.done("run", "overlook", "W02", "--json").document["snapshots"]
    assert (found["snapshot"], found["overlooked"]) == (theirs, True)


async def test_a_copy_of_a_checkpoint_boots_and_is_noted_beside_it(lab: Wherry) -> None:
    async with opened(lab.root, session=Session(lab.root, judges=False)) as pilot:
        page = await go(pilot, "W02/g0")
        assert page.table.rows[0][8] == "✔ compared, equal"
        await key(pilot, "b")
        await reached(pilot, Form)
        await key(pilot, *"W02", "ctrl+s")
        await reached(pilot, Work)
        await reached(pilot, Reader, PATIENCE_S)
        assert "▲ not all is well" in text(pilot), "a disk of the pair is in no checkpoint"
        assert "✔ app-1" in text(pilot)
        assert "▲ db-1 Hard disk 2 is in no checkpoint" in text(pilot)
        await key(pilot, "escape")
        assert not pilot.app.is_working  # type: ignore[attr-defined]
        await until(lambda: page.table.rows[0][8].startswith("▲ rehearsed"), PATIENCE_S)
        assert page.table.rows[0][8].endswith("booted copy: partial")


async def test_a_committed_wave_is_said_what_its_way_home_takes_and_sent_there(
    lab: Wherry, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert lab.live("cutover", "W02").code == 0
    assert lab.live("commit", "W02").code == 0
    told = lab.done("failback", "W02", "--estimate", "--json").document["estimate"]
    assert (told["protected"], told["fenced"], told["sources"]) == (False, 2, 2)
    assert lab.live("replicate", "W02", "--reverse").code == 0
    monkeypatch.delenv("WHERRY_IN_PROCESS")
    async with opened(lab.root, session=Session(lab.root, judges=False)) as pilot:
        page = await go(pilot, "W02/g0")
        await until(lambda: "2 of 2 sources fenced" in panel(pilot, "head"), PATIENCE_S)
        assert "homeward" in panel(pilot, "head")
        assert "committed" in [row[9] for row in page.table.rows]
        await key(pilot, "f")
        await reached(pilot, Form)
        assert "down P50 / P95" in text(pilot)
        await key(pilot, *"W01", "ctrl+s")
        assert "'W01' is not the wave's name" in text(pilot)
        await key(pilot, "end", "ctrl+u", *"W02", "ctrl+s")
        await until(lambda: not isinstance(pilot.app.screen, Dialog))
        await until(lambda: "failback W02 is ordered" in text(pilot), PATIENCE_S)
        await until(lambda: page.now is not None and page.now.status.stage == "failing back", PATIENCE_S)


# by the record alone


@pytest.fixture
def move(tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "move") as made:
        yield made


def seen(move: Running, size: tuple[int, int] = BIG, **more: Any) -> Any:
    session = Session(move.project.root, judges=False)
    return opened(move.project.root, size, session, **{"place": "replicate", **more})


def point(record: int, hours_ago: float, **more: Any) -> dict[str, Any]:
    """Return a checkpoint as a receiver tells of it."""
    at = estate.NOW - timedelta(hours=hours_ago)
    told = {"record": record, "at_ms": int(at.timestamp() * 1000), "consistency": "crash", "name": "",
            "epoch": 0, "pinned": False, "written_bytes": 600 * MIB, "packed_bytes": 200 * MIB,
            "cycle": f"run/g0/{record}", "results": [], "unusual": ""}  # fmt: skip
    return told | more


def fed(
    told: GroupTold, name: str = "before patch", result: str = "✔ booted, all probes answer"
) -> GroupTold:
    """Return what is told of a group with some history."""
    points = [
        point(12, 6, written_bytes=5 * GIB, packed_bytes=2 * GIB),
        point(57, 5, results=[result]),
        point(91, 4, name=name, pinned=True, cycle=""),
        point(140, 3, written_bytes=40 * MIB, packed_bytes=10 * MIB),
        point(188, 2, written_bytes=9 * GIB, packed_bytes=9 * GIB, unusual="9 times the usual change"),
        point(213, 0.5),
    ]
    health = {"grade": "warning", "history_s": 21600, "wanted_s": 86400, "size_bytes": 7 * GIB,
              "limit_bytes": 20 * GIB, "said": ["it reaches back 6 h of 1 d"]}  # fmt: skip
    history = {"group": told.title, "volumes": ["a"], "unrest": "", "trouble": "", "error": None,
               "health": health, "checkpoints": points}  # fmt: skip
    return replace(told, told=history, why="", proven=frozenset({"g0/213"}))


async def test_without_a_receiver_the_page_says_so_and_draws_what_the_record_knows(move: Running) -> None:
    async with seen(move) as pilot:
        page = await go(pilot, "W01/g0")
        assert page.told is not None
        assert page.told.told is None
        assert page.told.why
        assert page.told.why[:30] in text(pilot)
        assert page.told.rounds
        await key(pilot, "escape")
        assert isinstance(pilot.app.screen, ReplicateScreen)
        await key(pilot, "enter")
        await reached(pilot, GroupScreen)
        await key(pilot, "6")
        await until(lambda: isinstance(pilot.app.screen, ReplicateScreen))


async def test_changes_and_verdicts_are_told_apart(move: Running) -> None:
    async with seen(move) as pilot:
        page = await go(pilot, "W01/g0")
        assert page.told is not None
        page._got(fed(page.told))
        await pilot.pause()
        assert [row[8][0] for row in page.table.rows] == ["✔", "▲", "·", "·", "✔", "·"]
        assert "by 6 checkpoints" in panel(pilot, "change")
        assert "9.0 GiB/h" in panel(pilot, "change")
        await key(pilot, "enter")
        assert on(pilot, Reader)


async def test_what_cannot_be_done_says_why(move: Running) -> None:
    async with seen(move, size=(160, 45)) as pilot:
        page = await go(pilot, "W01/g0")
        for pressed, why in (
            ("p", "no checkpoint under the cursor"),
            ("f", "before commit the way back is b in 7 Cutover"),
            ("c", "has not come to its commit gate"),
        ):
            await key(pilot, pressed)
            assert why in text(pilot), pressed
        assert page.told is not None
        page._got(fed(page.told))
        await pilot.pause()
        assert page.table.move_to("140")
        await key(pilot, "b")
        await reached(pilot, Form)
        assert "as they were at checkpoint 140" in text(pilot)
        assert "Of the other groups of W01: the newest that is not newer" in text(pilot), "it has two"
        assert not orders.waiting(move.project)[1:], "nothing was ordered beside what was"


async def test_a_device_is_looked_at_before_its_path_is_typed_and_it_is_written_over(
    move: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lun").write_bytes(b"x")
    begun: list[Job] = []
    async with seen(move) as pilot:
        page = await go(pilot, "W01/g0")
        assert page.told is not None
        page._got(replace(fed(page.told), disks=(DiskTold("a", f"{EVIL} Hard disk 1 · 7 GiB", 7 * GIB),)))
        await pilot.pause()
        assert page.table.move_to("140")
        found = {"size_bytes": 7 * GIB, "room_bytes": 8 * GIB, "node": "/dev/sdb"}

        def start(job: Job, then: Callable[[Job], None]) -> None:
            begun.append(job)
            job._state = replace(job.state, exit_code=0, document=found)
            then(job)

        monkeypatch.setattr(page.wherry, "start", start)
        await key(pilot, "T")
        await reached(pilot, Form)
        assert "Nothing is written yet" in text(pilot)
        await key(pilot, *"lu", "ctrl+s")
        assert "lu is not there" in text(pilot)
        await key(pilot, "n", "ctrl+s")
        await until(lambda: "Half written it is worth nothing" in text(pilot))
        assert "8.0 GiB, 7.0 GiB of it are written" in text(pilot)
        assert "lun, /dev/sdb, is written over" in text(pilot)
        await key(pilot, *"lu", "ctrl+s")
        assert "is not that path, nothing was done" in text(pilot)
        assert ["--live" in job.argv for job in begun] == [False]
        await key(pilot, "n", "ctrl+s")
        await until(lambda: len(begun) == 2)
        assert begun[1].argv[2:6] == ("--disk=a", "--onto=lun", "--confirm=lun", "--live")
        assert begun[1].argv[-2:] == (page.title_of_group, "140")


async def test_a_failback_at_its_commit_gate_runs_at_the_source_and_is_committed(move: Running) -> None:
    async with seen(move) as pilot:
        page = await go(pilot, "W01/g0")
        told, wave = page.told, page.now
        assert told is not None
        assert told.course is not None
        assert wave is not None
        assert not has_come_home(told, wave)
        failing = replace(wave, status=replace(wave.status, stage="failing back"))
        assert not has_come_home(replace(told, course=replace(told.course, stays=())), failing)
        stays = (*told.course.stays, Stay("2027-01-09T20:00:00Z", "target"))
        back = replace(told, course=replace(told.course, stays=stays))
        assert not has_come_home(back, failing)
        home = replace(back, course=replace(told.course, stays=(*stays, Stay(stays[-1].at, "source"))))
        assert has_come_home(home, failing)
        words = "\n".join(one.plain for one in describe_group(home, failing, None, page.wherry.now()))
        assert "nothing is copied: it runs at the source" in words
        assert "c commits that" in words
        assert no_return(True).plain != no_return(False).plain


async def test_verify_asks_first(move: Running) -> None:
    async with seen(move) as pilot:
        await go(pilot, "W01/g0")
        await key(pilot, "V")
        await reached(pilot, Confirm)
        assert "Verify W01?" in text(pilot)
        await key(pilot, "escape")
        assert not pilot.app.is_working


async def test_who_only_looks_starts_no_receiver_and_has_no_lever(move: Running) -> None:
    async with seen(move, read_only=True) as pilot:
        page = await go(pilot, "W01/g0")
        assert page.told is not None
        assert page.told.why == "a view that only reads starts no receiver"
        await key(pilot, "c")
        assert not isinstance(pilot.app.screen, Dialog)
        assert "read-only" in text(pilot)


@pytest.mark.parametrize("size", [SMALL, BIG, (160, 45)])
async def test_it_looks_as_kept(move: Running, size: tuple[int, int]) -> None:
    async with seen(move, size) as pilot, talking(move):
        page = await go(pilot, "W01/g0")
        assert page.told is not None
        home = WayHome(40 * GIB, True, 3 * GIB, (40.0, 90.0), (660.0, 1140.0), 540.0, 1, 1)
        page._got(replace(fed(page.told), home=home))
        await pilot.pause()
        path = KEPT / f"group-{size[0]}x{size[1]}.txt"
        changed = await differs(path, lambda: text(pilot) + "\n")
    assert not changed, changed


async def test_on_a_narrow_screen_panels_take_turns(move: Running) -> None:
    async with seen(move, SMALL) as pilot:
        page = await go(pilot, "W01/g0")
        for name in ("point", "past", "axis", "head", "change"):
            await key(pilot, "tab")
            assert page.panel(name).has_focus
            assert page.panel(name).size.height > 2, name
        await key(pilot, "escape")
        assert page.table.has_focus


async def test_what_its_runs_did_is_told_and_drawn_on_one_axis(move: Running) -> None:
    move.in_sync.append(GO, Event.APPROVED, who=EVIL)
    move.in_sync.go_to(COMMIT)
    ago = (estate.NOW - timedelta(minutes=10)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with move.project.write() as db:
        db.conn.execute("UPDATE step_record SET at = ? WHERE at > ?", (ago, ago))
    async with seen(move) as pilot:
        page = await go(pilot, "W01/g0")
        past = page_text(page, "past")
        assert past.index("1 VM started at the target") < past.index("1 VM told to stop"), "the newest first"
        assert "go for cutover" in past
        assert "first copy is whole: 3.0 GiB read, 1.0 GiB sent" in past
        nothing_took_effect(pilot)
        source, target = page_text(page, "axis").splitlines()[:2]
        assert source.startswith("source")
        assert "▣" in source
        assert target.rstrip().endswith("■")


@pytest.mark.parametrize("size", [SMALL, BIG])
async def test_hostile_names_stay_names(tmp_path: Path, size: tuple[int, int]) -> None:
    with running(tmp_path / "move", waves(estate.HOSTILE[:5], estate.HOSTILE[5:8])) as move:
        async with seen(move, size) as pilot:
            page = await go(pilot, "W01/g0")
            assert page.told is not None
            page._got(fed(page.told, estate.HOSTILE[0], estate.HOSTILE[1]))
            await pilot.pause()
            for row in range(len(page.table.order)):
                page.table.cursor = row
                await pilot.pause()
                nothing_took_effect(pilot)
            for _ in range(6):
                await key(pilot, "tab")
                nothing_took_effect(pilot)
            page.table.focus()
            for pressed in ("enter", "d", "b", "t", "n"):
                await key(pilot, pressed)
                nothing_took_effect(pilot)
                await key(pilot, "escape")
