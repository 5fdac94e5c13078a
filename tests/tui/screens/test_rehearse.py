"""Rehearse: every action by its key; rehearsals are real ones on the twin, of a wave of two VMs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Select

from migrate import audit
from migrate.rehearsals.choosing import GroupKept
from planner.effects import Effect
from planner.places import REHEARSAL_WORDS
from planner.settings import Link
from planner.store import plans
from planner.store.project import Project
from tests.tui import estate
from tests.tui.cli.command import Wherry
from tests.tui.kept import differs, drawn
from tests.tui.stage import BIG, SMALL, lines, opened, panel, reached, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.dialogs.confirm import Confirm
from tui.dialogs.dialog import Dialog
from tui.dialogs.form import Form
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs.job import Job
from tui.screens.booted_words import address_lines
from tui.screens.rehearse import RehearseScreen
from tui.screens.rehearse_dry import describe_dry
from tui.screens.rehearse_rows import COLUMNS
from tui.screens.rehearse_words import verdict_mark
from tui.session import Session
from tui.widgets.course import SPEEDS

KEPT = Path(__file__).parents[1] / "pictures"


@pytest.fixture
def cli(dated: Path, tmp_path: Path) -> Wherry:
    return Wherry(shutil.copytree(dated, tmp_path / "move"))


def real(cli: Wherry, **more: Any) -> Any:
    return opened(cli.root, session=Session(cli.root, judges=False), **{"place": "rehearse", **more})


def faked(root: Path, **more: Any) -> Any:
    return opened(root, session=estate.session(root), **{"place": "rehearse", **more})


def screen(pilot: Pilot[None]) -> RehearseScreen:
    return next(item for item in pilot.app.screen_stack if isinstance(item, RehearseScreen))


async def key(pilot: Pilot[None], *keys: str) -> None:
    for one in keys:
        await pilot.press(one)
        await pilot.pause()


async def go(pilot: Pilot[None]) -> RehearseScreen:
    await key(pilot, "5")
    await until(lambda: screen(pilot).ready and bool(screen(pilot).table.rows))
    await pilot.pause()
    return screen(pilot)


def document(root: Path, wave: str = "W01", fault: str = "") -> dict[str, Any]:
    """Return what a rehearsal prints, without a process of its own."""
    from dataclasses import asdict

    from migrate.rehearsal import rehearse

    with Project.open(root) as project:
        planned = plans.latest(project).plan.wave(wave)
    said = rehearse(planned, Link(), runs=20, seed=1, fault=fault)
    return json.loads(json.dumps(asdict(said)))  # type: ignore[no-any-return]


async def watched(pilot: Pilot[None], root: Path, fault: str = "") -> RehearseScreen:
    """Go to Rehearse as it is after a rehearsal of this session."""
    place = await go(pilot)
    place._documents[place.wave] = document(root, place.wave, fault)
    place._show_wave()
    await pilot.pause()
    return place


def rehearsals(cli: Wherry) -> list[dict[str, Any]]:
    return [
        {"wave": item["subject"], **json.loads(item["detail"])}
        if isinstance(item["detail"], str)
        else {"wave": item["subject"], **item["detail"]}
        for item in cli.done("log", "--json").document["lines"]
        if item["act"] == "rehearse"
    ]


async def ended(pilot: Pilot[None], cli: Wherry, many: int) -> None:
    await until(lambda: len(rehearsals(cli)) == many)
    await until(lambda: not isinstance(pilot.app.screen, Work))
    await pilot.pause()


# rehearsing


async def test_two_hundred_runs_are_a_job_and_their_outcome_is_shown(cli: Wherry) -> None:
    async with real(cli) as pilot:
        place = await go(pilot)
        assert "This wave was never rehearsed" in panel(pilot, "outcome")
        assert "– never" in text(pilot)
        await key(pilot, "r")
        assert isinstance(pilot.app.screen, Work)
        await ended(pilot, cli, 1)
        (said,) = rehearsals(cli)
        assert (said["wave"], said["runs"], said["fault"]) == (place.wave, 200, "")
        await until(lambda: "✔ clean" in text(pilot))
        outcome = panel(pilot, "outcome")
        assert "✔ 200 committed" in outcome
        assert "P50 / P95" in outcome
        assert "worst case" in outcome
        assert "200 cutovers" in outcome
        assert "every run was committed" in panel(pilot, "findings")
        assert place.course.course is not None
        assert "simulated clock" in str(place.course.border_title)


async def test_a_dry_run_at_the_sites_lists_findings_ways_and_calls(
    dated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"what": "privileges", "message": "the account may not [red]\x1b[2J", "hint": "grant it"}
    call = {"where": "source", "call": "take_snapshot", "subject": "[b]vm\u202e", "step": "g0/snapshot/0"}
    way = {"disk": "db Hard disk 1", "where": "source", "way": "hot-add", "reason": "it is near"}
    said = {"wave": "W01", "findings": [found], "calls": [call] * 501, "ways": [way], "stopped_at": ""}
    begun: list[Job] = []

    def start(job: Job, then: Callable[[Job], None]) -> None:
        begun.append(job)
        job._state = replace(job.state, exit_code=3, document=said)
        then(job)

    async with faked(shutil.copytree(dated, tmp_path / "move")) as pilot:
        place = await go(pilot)
        monkeypatch.setattr(place.wherry, "start", start)
        await key(pilot, "d")
        await reached(pilot, Reader)
        shown = text(pilot)
        assert "▲ 1 finding  501 calls, none was made" in shown
        assert "✖ privileges: the account may not [red]␛[2J" in shown
        assert "db Hard disk 1  source by hot-add  it is near" in shown
        assert "take_snapshot" in shown
        far = {**said, "calls": [{**call, "where": "transfers", "call": "copy"}]}
        assert any("transfers copy " in one.plain for one in describe_dry(far)), "the longest place fits"
        assert begun[0].argv[2:3] == ("--depth=dry",)
        assert len(describe_dry(said)) == 500 + 9, "the rest is told by the verb"


async def test_runs_and_seed_are_asked_for(cli: Wherry) -> None:
    async with real(cli) as pilot:
        await go(pilot)
        await key(pilot, "R")
        await reached(pilot, Form)
        await key(pilot, "end", "ctrl+u", *"many", "ctrl+s")
        assert "'many' is not a whole number from 1 to 10,000" in text(pilot)
        await key(pilot, "end", "ctrl+u", *"7", "tab", "end", "ctrl+u", *"41", "ctrl+s")
        await ended(pilot, cli, 1)
        (said,) = rehearsals(cli)
        assert (said["runs"], said["seed"]) == (7, 41)


async def test_a_fault_is_injected_and_what_came_of_it_stays(cli: Wherry) -> None:
    async with real(cli) as pilot:
        place = await go(pilot)
        await key(pilot, "x")
        await reached(pilot, Form)
        assert "take snapshot at the source" in text(pilot)
        await key(pilot, "tab", "end", "ctrl+u", *"5", "ctrl+s")
        await ended(pilot, cli, 1)
        (said,) = rehearsals(cli)
        assert (said["runs"], said["fault"]) == (5, "take_snapshot")
        await until(lambda: "take_snapshot  fails: 5" in panel(pilot, "findings"))
        assert "failed in 5 runs" in panel(pilot, "findings")
        assert place.last(place.wave) is None, "a fault says nothing about a calm run"
        await key(pilot, "l")
        assert "1 rehearsal of this project" in text(pilot)
        assert "take_snapshot" in text(pilot)


async def test_leaving_ends_a_rehearsal_and_asks_before(cli: Wherry) -> None:
    async with real(cli) as pilot:
        place = await go(pilot)
        place._start(place.wave, 10_000)
        await reached(pilot, Work)
        job = pilot.app.job  # type: ignore[attr-defined]
        await key(pilot, "escape", "q")
        await reached(pilot, Confirm)
        assert "is going on and would end without a result" in text(pilot)
        await key(pilot, "escape")
        assert job.state.running
    job.wait(120)
    assert not job.state.running
    assert rehearsals(cli) == []


async def test_what_was_written_down_is_shown_again_and_a_changed_wave_says_so(cli: Wherry) -> None:
    said = cli.done("rehearse", "W01", "--runs", "4", "--json").document
    cli.done("rehearse", "W02", "--runs", "3", "--fault", "power_on")
    with Project.open(cli.root) as project:
        detail = {"runs": 9, "seed": 1, "fault": "", "fingerprint": "0" * 32, "fits": None, "down": None,
                  "outcomes": {"committed": 9}, "cutover": [60.0, 90.0], "back": None}  # fmt: skip
        audit.note(project, Effect.DRY_RUN, "rehearse", "W03", detail)
        audit.note(project, Effect.DRY_RUN, "rehearse", "W04", {"runs": 2, "seed": 1, "fault": ""})
    async with real(cli) as pilot:
        place = await go(pilot)
        await until(lambda: "✔ clean" in text(pilot))
        verdicts = {row[0]: row[8] for row in place.table.rows}
        assert (verdicts["W01"], verdicts["W02"]) == ("clean", "never")
        assert (verdicts["W03"], verdicts.get("W04", "not kept")) == ("changed since", "not kept")
        assert "4 runs" in panel(pilot, "outcome")
        assert said["fingerprint"] == place.last("W01").fingerprint  # type: ignore[union-attr]
        await key(pilot, "down")
        assert "power_on" in panel(pilot, "findings")
        await key(pilot, "enter")
        await until(lambda: pilot.app.current_mode == "waves")


async def test_waves_are_filtered_sorted_copied_and_written_by_what_their_rehearsals_say(
    cli: Wherry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Project.open(cli.root) as project:
        waves = plans.latest(project).plan.waves
        for wave, minutes, fits in zip(waves, (90.5, 20.0, 40.0), (0.999, 1.0, 0.5), strict=False):
            detail = {"runs": 2000, "seed": 1, "fault": "", "fingerprint": wave.fingerprint, "fits": fits,
                      "down": None, "outcomes": {"committed": 2000}, "back": None,
                      "cutover": [60.0, minutes * 60]}  # fmt: skip
            audit.note(project, Effect.DRY_RUN, "rehearse", wave.name, detail)
    async with real(cli) as pilot:
        place = await go(pilot)
        await until(lambda: "✔ clean" in text(pilot))
        many = len(place.table.rows)
        assert f"{many} waves · 1 rehearsed clean · simulated" in text(pilot)
        for filter_text, found in (
            ("verdict:clean", ["W02"]), ('verdict~"too long"', ["W01", "W03"]), ("cutover>90", ["W01"]),
            ("fits<100", ["W01", "W03"]), ("fits>=99", ["W01", "W02"]), ("w02", ["W02"]),
        ):  # fmt: skip
            place.bar.set(filter_text)
            await until(lambda found=found: place.table.shown_keys() == found)
        place.bar.set("cutover>0")
        await key(pilot, "v")
        await key(pilot, "escape")
        for _ in range(6):  # to the column of the cutover
            await key(pilot, "s")
        await until(lambda: place.table.shown_keys() == ["W02", "W03", "W01"])
        await key(pilot, "S")
        assert "by cutover P50 / P95 ↓" in text(pilot)
        assert place.table.shown_keys() == ["W01", "W03", "W02"]
        await key(pilot, "Y")
        rows = [row.split("\t") for row in pilot.app.clipboard.splitlines()]
        assert [row[0] for row in rows] == ["wave", "W01", "W03", "W02"]
        assert rows[1][5:] == ["1 m / 1 h 30 m", "99%", "▲ 0.1% too long"]
        await key(pilot, "W")
        await reached(pilot, Form)
        await key(pilot, "ctrl+s")
        await until(lambda: (tmp_path / "rehearse.csv").is_file())
        assert len((tmp_path / "rehearse.csv").read_text("utf-8").splitlines()) == 4
        await key(pilot, "F")
        await reached(pilot, Form)
        await key(pilot, *"timed", "ctrl+s")
        await until(lambda: cli.done("filters", "--json").document)
        (kept,) = cli.done("filters", "--json").document
        assert (kept["place"], kept["name"], kept["text"]) == ("rehearsals", "timed", "cutover>0")
        await key(pilot, "escape")
        await until(lambda: len(place.table.order) == many)
        assert pilot.app.current_mode == "rehearse", "back takes the filter away before it leaves"


def test_what_is_shown_is_what_filters_ask_for() -> None:
    assert {column.asked for column in COLUMNS} == set(REHEARSAL_WORDS.fields)
    assert all(verdict_mark(words)[0] in "–?◌✔✖▲" for words in ("never", "3 of 9 failed", "1.0% too long"))


def test_addresses_that_nobody_can_tell_of_are_unknown_and_conflicts_are_named() -> None:
    told = {"by": "site dc2", "macs": {"looked": 3, "found": 1, "why": ""},
            "ips": {"looked": 2, "found": None, "why": "\x1b[2J does not say"},
            "conflicts": [{"kind": "MAC", "address": "00:1", "vm": "[red]a", "others": ["b at the target"]}],
            }  # fmt: skip
    unknown, found, conflict = (line.plain for line in address_lines(told))
    assert "2 IP addresses looked for, whether in use is unknown" in unknown
    assert "\x1b" not in unknown
    assert " 0 " not in unknown
    assert "3 MAC addresses looked for, 1 in use  by site dc2" in found
    assert conflict == "✖ [red]a gets the MAC address 00:1, which b at the target has too"
    assert address_lines(None) == []
    assert len(address_lines(told, findings=False)) == 2


def kept(title: str, part: str, *records: int) -> GroupKept:
    """Return a group with checkpoints, the oldest first."""
    points = [
        {"record": one, "at_ms": 1_772_000_000_000 + one, "name": "[red]\x1b[2J" if one == 7 else "",
         "cycle": "c", "written_bytes": 5, "consistency": "crash"}
        for one in records
    ]  # fmt: skip
    return GroupKept(title, part, points)


async def test_a_copy_boots_of_a_checkpoint_that_is_chosen_of_each_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = estate.build(tmp_path, waves=3)
    begun: list[Job] = []
    async with faked(root) as pilot:
        place = await go(pilot)
        wave = place.wave
        await key(pilot, "b")
        await until(lambda: "has no replicas to boot a copy of" in text(pilot))
        groups = (kept(f"{wave}/a=b", "g0", 7, 57, 91), kept(f"{wave}/c", "g1", 3, 8))
        monkeypatch.setattr("tui.acts.booting.bootable", lambda _project, _wave: groups)
        monkeypatch.setattr(place.wherry, "start", lambda job, then: begun.append(job))
        await key(pilot, "b")
        await reached(pilot, Form)
        nothing_took_effect(pilot)
        first, second = pilot.app.screen.query(Select)
        assert [value for _, value in first._options] == ["", "latest", "91", "57", "7"], "the newest first"
        first.value, second.value = "57", "latest"
        pilot.app.screen.query_one("#ask-name", Input).value = "another"
        await key(pilot, "ctrl+s")
        assert "is not the wave's name" in text(pilot)
        pilot.app.screen.query_one("#ask-name", Input).value = wave
        await key(pilot, "ctrl+s")
        await until(lambda: bool(begun))
        given = [word for word in begun[0].argv if word.startswith("--checkpoint=")]
        assert given == [f"--checkpoint={wave}/a=b=57", f"--checkpoint={wave}/c=latest"]
        assert f"--confirm={wave}" in begun[0].argv
        await key(pilot, "b")
        await reached(pilot, Form)
        pilot.app.screen.query_one("#ask-name", Input).value = wave
        await key(pilot, "ctrl+s")
        await until(lambda: len(begun) == 2)
        assert not [word for word in begun[1].argv if word.startswith("--checkpoint=")], "the newest of all"


# watching


async def test_a_run_is_played_paused_and_scrubbed(cli: Wherry) -> None:
    async with real(cli) as pilot:
        await go(pilot)
        for one in ("space", "left", "plus", "z"):
            await key(pilot, one)
            assert "there is no run to watch yet: r rehearses the wave" in text(pilot)
        place = await watched(pilot, cli.root)
        course = place.course
        first, last = course.frame
        assert course.at_s == last
        assert "under way" not in text(pilot)
        await key(pilot, "left", "left")
        assert course.at_s == pytest.approx(last - 2 * (last - first) / 40)
        await key(pilot, *["left"] * 20)
        assert "◐ under way" in text(pilot)
        assert "· to come" in text(pilot)
        assert "▓" in text(pilot)
        await key(pilot, "right")
        speed = SPEEDS.index(course.speed)
        await key(pilot, "plus")
        assert SPEEDS.index(course.speed) == speed + 1
        await key(pilot, "minus", "minus")
        assert SPEEDS.index(course.speed) == speed - 1
        before = course.at_s
        await key(pilot, "space")
        await until(lambda: course.at_s > before)
        assert course.playing
        assert "▸ playing" in text(pilot)
        await key(pilot, "space")
        assert not course.playing
        assert "‖ paused" in text(pilot)
        await key(pilot, "z")
        assert course.frame == (0.0, last)
        assert "from its start" in text(pilot)
        assert any("seed" in step["title"] for step in course._steps())


async def test_a_run_played_to_its_end_stops_and_begins_again(cli: Wherry) -> None:
    async with real(cli) as pilot:
        place = await watched(pilot, cli.root)
        place.course.speed = SPEEDS[-1]
        await key(pilot, "space")
        await until(lambda: not place.course.playing)
        assert place.course.at_s == place.course.frame[1]


async def test_a_run_that_failed_shows_where(cli: Wherry) -> None:
    async with real(cli) as pilot:
        place = await watched(pilot, cli.root, "power_on")
        assert "✖ failed" in text(pilot)
        assert "power_on fails" in str(place.course.border_title)
        assert "rolled back" in panel(pilot, "outcome")
        assert "cutovers" not in panel(pilot, "outcome")
        await watched(pilot, cli.root, "take_snapshot")
        assert "no dates" not in text(pilot)  # steps that fail at once took no time, and have one


# reasons, narrow screens, hostile names, pictures


async def test_read_only_rehearses_nothing(cli: Wherry) -> None:
    before = cli.stored()
    async with real(cli, read_only=True) as pilot:
        await go(pilot)
        for one in "rRx":
            await key(pilot, one)
            assert "this is the read-only view" in text(pilot)
            assert not isinstance(pilot.app.screen, Dialog)
    assert cli.stored() == before


async def test_without_a_plan_it_says_what_to_do(tmp_path: Path) -> None:
    async with faked(estate.build(tmp_path, planned=False)) as pilot:
        await key(pilot, "5")
        assert "no plan yet: press p in 4 Waves, or run 'wherry plan'" in text(pilot)
        await key(pilot, "r")
        assert "there is no plan yet" in lines(pilot)[-2]


async def test_narrow_panels_take_turns_and_back_leads_to_the_waves(tmp_path: Path) -> None:
    async with faked(estate.build(tmp_path, waves=3), size=SMALL) as pilot:
        place = await go(pilot)
        assert place.course.display
        for name in ("course", "outcome", "findings"):
            await key(pilot, "tab")
            assert place.query_one(f"#{name}").has_focus
            assert place.query_one(f"#{name}").region.height > 3
        await key(pilot, "escape")
        assert place.table.has_focus
        await pilot.click("#rehearsed", offset=(6, 3))
        await until(lambda: place.wave == "W02")
        place.select("W03")
        assert place.wave == "W03"


@pytest.mark.parametrize("size", [BIG, SMALL])
async def test_hostile_names_do_nothing(tmp_path: Path, size: tuple[int, int]) -> None:
    root = estate.build(tmp_path, estate.hostile_estate(), waves=4)
    with Project.open(root) as project:
        audit.note(
            project, Effect.DRY_RUN, "rehearse", "W01", {"runs": 1, "seed": 1, "fault": estate.HOSTILE[1]}
        )
    async with faked(root, size=size) as pilot:
        place = await watched(pilot, root)
        await key(pilot, *["left"] * 30)
        nothing_took_effect(pilot)
        assert "[bold red]sale[/]" in text(pilot) or place.course.frame
        for one in ("tab", "tab", "tab", "z", "l"):
            await key(pilot, one)
            nothing_took_effect(pilot)
        assert pilot.app.is_running


@pytest.mark.parametrize("size", [SMALL, BIG, (160, 45)])
async def test_it_looks_as_kept(tmp_path: Path, size: tuple[int, int]) -> None:
    root = estate.build(tmp_path, waves=3)
    async with faked(root, size=size) as pilot:
        await watched(pilot, root)
        await key(pilot, *["left"] * 16)
        changed = [await differs(KEPT / f"rehearse-{size[0]}x{size[1]}.txt", lambda: text(pilot) + "\n")]
        if size == BIG:
            changed.append(await differs(KEPT / "rehearse-harbour.svg", lambda: drawn(pilot, "rehearse")))
    assert not any(changed), "\n".join(changed)
