"""Cutover: every action by its key, on runs as their records say; live acts change the record alone here."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from migrate.audit import person
from migrate.gates import words
from migrate.gates.words import Verdict
from migrate.probes.question import Question
from migrate.rehearsal import Spread
from migrate.run import controls, orders
from migrate.run import store as runs
from migrate.run.history import Entry, Event, Status
from migrate.run.runbook import Runbook
from migrate.sheet import now_of
from migrate.to_go import ToGo
from planner.conduct import GateRule, ProbeKind
from planner.names import visible
from planner.places import STEP_WORDS
from planner.settings import Window
from planner.store import filters
from planner.store.project import Project
from tests.migrate.gates.standing import Standing, planned, stored, with_rules
from tests.tui import estate
from tests.tui.kept import differs
from tests.tui.stage import BIG, SMALL, lines, opened, panel, reached, text, until
from tests.tui.test_hostile import nothing_took_effect
from tui.dialogs.confirm import Confirm
from tui.dialogs.dialog import Dialog
from tui.dialogs.form import Form
from tui.dialogs.pick import Pick
from tui.dialogs.reader import Reader
from tui.screens.cutover import CutoverScreen
from tui.screens.cutover_clock import describe_clock
from tui.screens.cutover_rows import COLUMNS, brief, step_mark

KEPT = Path(__file__).parents[1] / "pictures"
PROBE = "g0/v1/probe"
EVIL = "[red]\x1b[2J\u202efdp"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Standing]:
    """A run at its go gate, which wants two persons and a ticket; its commit gate wants one person."""
    wave = planned()
    rules = {"go": GateRule(persons=2, ticket=r"CHG\d{4}")}
    with stored(tmp_path / "move", wave, lambda book: with_rules(book, wave, **rules)) as made:
        made.go_to("go")
        yield made


def at_commit(run: Standing) -> None:
    run.do("go")
    run.go_to("commit")


def at_failure(run: Standing) -> None:
    run.do("go")
    run.go_to(PROBE)
    run.append(PROBE, Event.INTENT)
    run.append(PROBE, Event.FAILED, message=f"silent {EVIL}", hint="look")


def faked(run: Standing, **more: Any) -> Any:
    root = run.project.root
    return opened(root, session=estate.session(root), **{"place": "cutover", **more})


async def key(pilot: Pilot[None], *keys: str) -> None:
    for one in keys:
        await pilot.press(one)
        await pilot.pause()


async def go(pilot: Pilot[None]) -> CutoverScreen:
    await key(pilot, "7")
    await until(lambda: isinstance(pilot.app.screen, CutoverScreen) and pilot.app.screen.ready)
    place = pilot.app.screen
    assert isinstance(place, CutoverScreen)
    await until(lambda: place.sheet is not None and bool(place.table.rows))
    await pilot.pause()
    return place


def screen_of(pilot: Pilot[None]) -> CutoverScreen:
    assert isinstance(pilot.app.screen, CutoverScreen)
    return pilot.app.screen


async def answered(pilot: Pilot[None], *typed: str) -> None:
    """Fill the lines of a form one after another and send it."""
    await reached(pilot, Form)
    await pilot.pause()
    for at, words_typed in enumerate(typed):
        if at:
            await key(pilot, "tab")
        await key(pilot, *words_typed)
    await key(pilot, "ctrl+s")


def history(run: Standing) -> Any:
    return runs.history(run.project, run.run)


def ordered(run: Standing) -> list[str]:
    return [order.purpose for order in orders.waiting(run.project)]


# what is shown


async def test_a_gate_is_shown_with_evidence_needs_and_the_way_back(run: Standing) -> None:
    words.say(run.project, run.run, "go", Verdict.APPROVE, ticket="CHG0001")
    async with faked(run) as pilot:
        place = await go(pilot)
        assert "▸ Cutover ▸ W01" in lines(pilot)[0]
        assert "[LIVE]" in lines(pilot)[0]
        assert place.table.key == "go"
        matter = panel(pilot, "matter")
        assert f"{person()} approved" in matter
        assert "needs: the approval of another person" in matter
        assert "proof: checkpoint" in matter
        assert "going back: abort undoes" in matter
        assert "up at the source" in panel(pilot, "felt")
        assert "no way back in" in panel(pilot, "clock")
        assert "──── commit: no way back" in [str(row[3]) for row in place.table.rows]
        await key(pilot, "enter")
        assert isinstance(pilot.app.screen, Reader)
        await key(pilot, "escape")


async def test_what_users_feel_ticks_and_commit_counts_down(run: Standing) -> None:
    run.do("go")
    run.go_to("g0/v0/start")
    async with faked(run) as pilot:
        place = await go(pilot)
        assert "✖ DOWN" in panel(pilot, "felt")
        assert "rollback undoes" in panel(pilot, "clock")
        await until(lambda: "takes " in panel(pilot, "clock"))  # by the twin
        run.go_to("commit")
        await until(lambda: place.sheet is not None and place.sheet.commit_by is not None)
        await until(lambda: "✔ up at the target" in panel(pilot, "felt"))
        await until(lambda: "then alarm" in panel(pilot, "clock"))
        await until(lambda: "the target wrote an unknown amount" in panel(pilot, "matter"))


async def test_a_run_past_commit_says_that_there_is_no_way_back(run: Standing) -> None:
    at_commit(run)
    run.do("commit")
    async with faked(run) as pilot:
        await go(pilot)
        assert "✖ PASSED" in panel(pilot, "clock")
        assert "failback only" in panel(pilot, "clock")
        await key(pilot, "b")
        assert "it is past commit: the way back is 'wherry failback'" in lines(pilot)[-2]


async def test_without_a_run_it_says_what_begins_one(tmp_path: Path) -> None:
    async with opened(estate.build(tmp_path, waves=2)) as pilot:
        await key(pilot, "7")
        await until(lambda: "W01 has no run yet: o cuts it over" in text(pilot))
        await key(pilot, "c")
        assert "there is no run here" in lines(pilot)[-2]


async def test_the_cursor_goes_along_until_a_person_moves_it_away(run: Standing) -> None:
    async with faked(run) as pilot:
        place = await go(pilot)
        assert place.table.key == "go"
        run.do("go")
        run.go_to("g0/v0/start")
        await until(lambda: place.sheet is not None and place.sheet.current is not None)
        await until(lambda: place.table.key == place.sheet.current.id != "go")  # type: ignore[union-attr]
        await key(pilot, "home")
        first = place.table.key
        run.go_to("commit")
        await until(lambda: place.sheet is not None and place.sheet.commit_by is not None)
        await pilot.pause()
        assert place.table.key == first
        await key(pilot, "n")
        assert place.table.key == "commit"
        run.do("commit", "g0/v0/fence", "g0/v1/fence")
        await until(lambda: place.sheet is not None and bool(place.sheet.outcome))
        await until(lambda: place.table.cursor == len(place.table.order) - 1)


async def test_below_what_matters_stand_the_keys_that_do_something_about_it(run: Standing) -> None:
    def below() -> str:
        return str(screen_of(pilot).panel("matter").border_subtitle)

    async with faked(run) as pilot:
        await go(pilot)
        await until(lambda: below() == "E start the engine · o cut over · a yes · h wait · d no · b back")
        assert "no engine minds this run: E starts one" in lines(pilot)[-2]
        at_failure(run)
        await until(lambda: below() == "E start the engine · t retry · x pass over · P ask it now · b back")
        await key(pilot, "home")
        await until(lambda: below() == "E start the engine · t retry · b back")
        await key(pilot, "p")
        await until(lambda: below() == "")


async def test_without_a_run_its_panels_keep_nothing_of_another_one(run: Standing) -> None:
    async with faked(run) as pilot:
        place = await go(pilot)
        place.watch_wave("W99")
        await until(lambda: "nothing was begun" in panel(pilot, "felt"))
        titles = [str(place.panel(name).border_title) for name in ("clock", "felt", "matter")]
        assert titles == ["Clock", "What users feel", "What matters now"]
        assert "nothing is ordered" in panel(pilot, "clock")


async def test_an_empty_project_asks_for_a_plan(tmp_path: Path) -> None:
    Project.create(tmp_path, "acme").close()
    async with opened(tmp_path) as pilot:
        await key(pilot, "7")
        await until(lambda: "no plan yet" in text(pilot))
        await key(pilot, "o", "p", "w", "escape", "a")
        assert pilot.app.is_running


# words at gates


async def test_a_yes_wants_ticket_and_name_and_is_one_of_two(run: Standing) -> None:
    async with faked(run) as pilot:
        place = await go(pilot)
        await key(pilot, "a")
        await answered(pilot, "CHG0001", "W02")
        assert "is not the wave's name, nothing was done" in text(pilot)
        assert words.of(run.project, run.run.id, "go") == ()
        await key(pilot, "end", "ctrl+u", *"W01", "ctrl+s")
        await until(lambda: len(words.of(run.project, run.run.id, "go")) == 1)
        await until(lambda: "it needs the approval of another person" in lines(pilot)[-2])
        (word,) = words.of(run.project, run.run.id, "go")
        assert (word.verdict, word.ticket, word.who) == (Verdict.APPROVE, "CHG0001", person())
        words.say(run.project, run.run, "go", Verdict.APPROVE, "CHG0002", by=words.Person(60_007, "eve"))
        await until(lambda: "Gate go: open" in str(place.panel("matter").border_title))


async def test_wait_no_and_taking_it_back_are_words_with_reasons(run: Standing) -> None:
    async with faked(run) as pilot:
        await go(pilot)
        for one, verdict in (("h", Verdict.HOLD), ("d", Verdict.REFUSE)):
            await key(pilot, one)
            await reached(pilot, Form)
            await key(pilot, "ctrl+s")
            assert "this is needed" in text(pilot)
            await key(pilot, *"late", "ctrl+s")
            await until(lambda verdict=verdict: words.of(run.project, run.run.id, "go")[-1:] != ()
                        and words.of(run.project, run.run.id, "go")[-1].verdict is verdict)  # fmt: skip
            await until(lambda: not isinstance(pilot.app.screen, Dialog))
        await until(
            lambda: "refuses it: late" in panel(pilot, "matter") or "refused" in panel(pilot, "matter")
        )
        await key(pilot, "l")
        await answered(pilot, "W01")
        await until(lambda: words.of(run.project, run.run.id, "go")[-1].verdict is Verdict.RELEASE)
        await until(lambda: not isinstance(pilot.app.screen, Dialog))
        await key(pilot, "l")
        await answered(pilot, "W01")
        await until(lambda: "said nothing at" in lines(pilot)[-2])


# levers


async def test_a_failed_step_is_tried_again_or_passed_over_with_a_reason(run: Standing) -> None:
    at_failure(run)
    async with faked(run) as pilot:
        place = await go(pilot)
        assert place.table.key == PROBE
        assert "✖ failed" in str(place.panel("matter").border_title)
        assert "t tries it again · P asks it now · x passes it over" in panel(pilot, "matter")
        await key(pilot, "t")
        await reached(pilot, Confirm)
        await pilot.click("#yes")
        await until(lambda: history(run).status[PROBE] is Status.PENDING)
        await until(lambda: not isinstance(pilot.app.screen, Dialog))
        await until(lambda: place.step is not None and place.step.status == "due")
        await key(pilot, "x")
        await answered(pilot, "no tools in it", "W01")
        await until(lambda: history(run).status[PROBE] is Status.SKIPPED)
        await until(
            lambda: (
                f"passed over by {person()}: no tools in it" in "".join(str(row) for row in place.table.rows)
            )
        )
        await key(pilot, "end", "x")
        assert "only probes, hooks, notes" in lines(pilot)[-2]


async def test_a_probe_is_asked_beside_the_run_and_its_record_stays(tmp_path: Path) -> None:
    with socket.socket() as service:
        service.bind(("127.0.0.1", 0))
        asks = Question(ProbeKind.TCP, host="127.0.0.1", port=service.getsockname()[1]).as_json()

        def asking(book: Runbook) -> Runbook:
            step = book.step(PROBE)
            steps = [*book.steps]
            steps[book.index[PROBE]] = step._replace(params={**step.params, "ask": asks})
            return Runbook(book.wave, book.fingerprint, tuple(steps))

        with stored(tmp_path / "move", planned(), asking) as run:
            run.go_to("go")
            at_failure(run)
            before = history(run).entries
            async with faked(run) as pilot:
                await go(pilot)
                await key(pilot, "P")
                await until(lambda: "asked from here: " in lines(pilot)[-2])
                assert "✖" in lines(pilot)[-2]
                service.listen()
                await key(pilot, "P")
                await until(lambda: "t tries the step again" in lines(pilot)[-2])
                assert "✔" in lines(pilot)[-2]
                await key(pilot, "home", "P")
                assert "go to a probe" in lines(pilot)[-2]
            assert history(run).entries == before


async def test_a_run_is_held_and_goes_on(run: Standing) -> None:
    async with faked(run) as pilot:
        await go(pilot)
        await key(pilot, "space")
        await reached(pilot, Confirm)
        await pilot.click("#yes")
        await until(lambda: "is not brought up to date any more" in lines(pilot)[-2])
        asked = run.project.rows("SELECT kind, who FROM control")
        assert [(row["kind"], row["who"]) for row in asked] == [("pause", person())]
        await until(lambda: not isinstance(pilot.app.screen, Dialog))
        await key(pilot, "m")
        await answered(pilot, "W01")
        await until(lambda: ordered(run) == ["replicate"])


async def test_a_run_that_nobody_drives_says_so_and_what_goes_on_with_it(run: Standing) -> None:
    run.do("go")
    run.go_to(PROBE)
    async with faked(run) as pilot:
        place = await go(pilot)
        assert "no process drives it, so nothing goes on: m goes on with it" in panel(pilot, "matter")
        assert place.panel("matter").border_title == "It stands still"
        controls.ask_to_pause(run.project, "W01")
        await until(lambda: "it is held, and nothing goes on" in panel(pilot, "matter"))
        orders.place(run.project, "W01", "cutover", {})
        await until(lambda: place.panel("matter").border_title == "Under way")
        here = place.table.key
        assert here == PROBE
        place.watch_wave("W01")  # w, and the same wave again
        await until(lambda: place.sheet is not None and place.table.key == here)


async def test_cutover_is_ordered_with_its_ticket(run: Standing) -> None:
    async with faked(run) as pilot:
        await go(pilot)
        await key(pilot, "o")
        await reached(pilot, Form)
        assert "needs: the approval of 2 persons" in text(pilot)
        await answered(pilot, "CHG0009", "W01")
        await until(lambda: ordered(run) == ["cutover"])
        assert orders.waiting(run.project)[0].options["ticket"] == "CHG0009"
        await until(lambda: "is ordered: order 1" in lines(pilot)[-2])


async def test_rolling_back_says_what_is_lost_and_is_ordered(run: Standing) -> None:
    at_commit(run)
    async with faked(run) as pilot:
        await go(pilot)
        await key(pilot, "b")
        await reached(pilot, Form)
        await pilot.pause()
        assert "the target wrote an unknown amount since" in text(pilot)
        await key(pilot, *"W0", "ctrl+s")
        assert "is not the wave's name" in text(pilot)
        await key(pilot, "1", "ctrl+s")
        await until(lambda: ordered(run) == ["rollback"])


async def test_before_go_the_way_back_is_abort(run: Standing) -> None:
    async with faked(run) as pilot:
        await go(pilot)
        await key(pilot, "b")
        await reached(pilot, Form)
        await answered(pilot, "W01")
        await until(lambda: ordered(run) == ["abort"])
        await key(pilot, "c")
        assert "it has not come to its commit gate" in lines(pilot)[-2]


async def test_commit_says_that_there_is_no_return(run: Standing) -> None:
    at_commit(run)
    async with faked(run) as pilot:
        await go(pilot)
        await key(pilot, "c")
        await reached(pilot, Form)
        assert "The point of no return" in text(pilot)
        await key(pilot, "escape")
        assert ordered(run) == []
        await key(pilot, "c")
        await answered(pilot, "W01")
        await until(lambda: ordered(run) == ["commit"])


async def test_another_order_is_refused_in_the_words_of_the_verb(run: Standing) -> None:
    orders.place(run.project, "W01", "replicate", who="bob")
    async with faked(run) as pilot:
        await go(pilot)
        await until(lambda: "replicate by bob" in panel(pilot, "clock"))
        await key(pilot, "o")
        await answered(pilot, "CHG0009", "W01")
        await until(lambda: "the engine is at work on W01: replicate, ordered by bob" in lines(pilot)[-2])


async def test_read_only_acts_on_nothing(run: Standing) -> None:
    async with faked(run, read_only=True) as pilot:
        await go(pilot)
        for one in ("a", "h", "d", "l", "space", "m", "t", "x", "o", "b", "c"):
            await key(pilot, one)
            assert "this is the read-only view" in text(pilot)
            assert not isinstance(pilot.app.screen, Dialog)
        await key(pilot, "p")
        await until(lambda: "[REPLAY]" in lines(pilot)[0])


# choosing


async def test_another_wave_or_an_earlier_run_is_chosen(run: Standing) -> None:
    async with faked(run) as pilot:
        place = await go(pilot)
        await key(pilot, "home", "n")
        assert place.table.key == "go"
        await key(pilot, "w")
        await reached(pilot, Pick)
        assert "run 1 of W01" in text(pilot)
        await key(pilot, *"run 1", "enter")
        await until(lambda: place.replaying and place.sheet is not None)
        assert place.past == (1, len(run.history.entries))


async def test_filters_of_steps_are_kept_and_used_again(run: Standing) -> None:
    async with opened(run.project.root) as pilot:
        place = await go(pilot)
        await key(pilot, "slash", *"status:done prob", "enter")
        await until(lambda: bool(place.table.order) is False)
        place.bar.set("status:waits")
        await until(lambda: place.table.shown_keys() == ["go"])
        await key(pilot, "F")
        await answered(pilot, "gates")
        await until(lambda: "saved: @gates" in lines(pilot)[-2])
        assert [(one.place, one.text) for one in filters.every(run.project)] == [("steps", "status:waits")]
        place.bar.set("-@gates db")
        await until(lambda: bool(place.table.order) and "go" not in place.table.shown_keys())
        place.bar.set("")
        await key(pilot, "f", "enter")
        await until(lambda: place.table.shown_keys() == ["go"])


def test_what_is_shown_is_what_filters_ask_for() -> None:
    assert [column.asked for column in COLUMNS] == list(STEP_WORDS.fields)


# replay


async def test_a_run_is_scrubbed_entry_by_entry_and_says_that_it_is_a_replay(run: Standing) -> None:
    at_commit(run)
    entries = run.history.entries
    async with faked(run) as pilot:
        place = await go(pilot)
        await key(pilot, "left")
        assert "p replays this run first" in lines(pilot)[-2]
        await key(pilot, "p")
        await until(lambda: place.replaying and place.sheet is not None and place.sheet.entry == len(entries))
        await until(lambda: "[REPLAY]" in lines(pilot)[0])
        assert "REPLAY of W01" in text(pilot)

        async def at(entry: int) -> None:
            await until(lambda: place.sheet is not None and place.sheet.entry == entry)
            await pilot.pause()

        await key(pilot, "left")
        await at(len(entries) - 1)
        assert place.table.key == entries[-2].step
        assert "nothing here happens now" in lines(pilot)[0]
        await key(pilot, "right")
        await at(len(entries))
        await key(pilot, "comma")
        passed = max(n for n, entry in enumerate(entries, 1) if entry.event is Event.APPROVED)
        await at(passed)
        assert "up at the source" in panel(pilot, "felt")
        await until(lambda: place.table.key == "go")
        await key(pilot, "right_square_bracket")
        await at(passed + 2)
        await key(pilot, "left_square_bracket")
        await at(passed)
        await key(pilot, "full_stop")
        assert "there is none after this" in lines(pilot)[-2]
        await key(pilot, "J")
        await reached(pilot, Form)
        await key(pilot, *"9999", "ctrl+s")
        assert f"the run has {len(entries)} entries" in text(pilot)
        await key(pilot, "end", "ctrl+u", *"3", "ctrl+s")
        await at(3)
        for one in ("a", "b", "c", "o", "t", "x", "space"):
            await key(pilot, one)
            assert "this is a replay: p goes back to now" in lines(pilot)[-2]
            assert not isinstance(pilot.app.screen, Dialog)
        await key(pilot, "escape")
        await until(
            lambda: not place.replaying and place.sheet is not None and place.sheet.entry == len(entries)
        )


async def test_the_journal_opens_a_run_as_it_was_at_an_act(run: Standing) -> None:
    at_commit(run)
    async with faked(run) as pilot:
        await key(pilot, "8")
        await until(lambda: "VMs run at the target" in text(pilot) and "after " in text(pilot))
        await key(pilot, "down", "down")
        await until(lambda: f"after {len(run.history.entries) - 2} entries" in panel(pilot, "told"))
        await key(pilot, "r")
        await until(lambda: pilot.app.current_mode == "cutover")
        place = pilot.app.screen
        assert isinstance(place, CutoverScreen)
        await until(lambda: place.sheet is not None and place.sheet.entry == len(run.history.entries) - 2)
        await key(pilot, "escape", "escape")
        await until(lambda: pilot.app.current_mode == "journal")


async def test_a_replay_of_a_rollback_turns_where_it_turned(run: Standing) -> None:
    at_commit(run)
    run.write([Entry("", Event.ROLLBACK, detail={"who": "ada"})])
    async with faked(run) as pilot:
        place = await go(pilot)
        assert "rolling back" in str(place.table.border_title)
        await until(lambda: "to undo " in panel(pilot, "clock"))
        assert "takes " not in panel(pilot, "clock")
        await key(pilot, "p", "left")
        await until(lambda: "before commit" in str(place.table.border_title))


# narrow screens, hostile names, pictures


def test_the_clock_says_what_is_left_of_the_window(tmp_path: Path) -> None:
    at = datetime(2026, 10, 1, 20, 0, tzinfo=UTC)
    with stored(tmp_path / "other", planned(window=Window(start=at, hours=2))) as made:
        made.go_to("go")
        made.do("go")

        def clock(hours: float) -> str:
            now = now_of(made.project, made.run, at + timedelta(hours=hours), driven=True)
            said = describe_clock(now, None, None, Spread(300.0, 900.0), ToGo(600.0, 1800.0, 0.0), 38)
            return said.plain

        assert "slack     ✔ 30 m by P95" in clock(1)
        assert "in time until 21:45 UTC" in clock(1)
        late = clock(1.9)
        assert "window over" in late
        assert "slack" not in late
        assert "▲ ends after the window" in late


async def test_narrow_panels_take_turns(run: Standing) -> None:
    async with faked(run, size=SMALL) as pilot:
        place = await go(pilot)
        for name in ("matter", "clock", "felt"):
            await key(pilot, "tab")
            assert place.query_one(f"#{name}").has_focus
            assert place.query_one(f"#{name}").region.height > 3
        await key(pilot, "escape")
        assert place.table.has_focus
        assert place.table.display


@pytest.mark.parametrize("size", [BIG, SMALL])
async def test_hostile_names_do_nothing(run: Standing, size: tuple[int, int]) -> None:
    words.say(run.project, run.run, "go", Verdict.HOLD, reason=EVIL)
    with run.project.write() as db:
        db.conn.execute(
            "UPDATE run SET who = ?, runbook = replace(runbook, 'web: ', ?)", (EVIL, r"[red]\u001b[2J ")
        )
    async with faked(run, size=size) as pilot:
        await go(pilot)
        for one in ("down", "up", "enter", "escape", "tab", "tab", "tab", "escape", "p", "left", "a", "w"):
            await key(pilot, one)
            nothing_took_effect(pilot)
        assert pilot.app.is_running


@pytest.mark.parametrize("size", [SMALL, BIG, (160, 45)])
async def test_it_looks_as_kept(run: Standing, size: tuple[int, int]) -> None:
    at_commit(run)
    with run.project.write() as db:
        db.conn.execute(
            "UPDATE step_record SET at = printf('2026-03-11T%02d:%02d:00.000Z', 12 + seq / 60, seq % 60)"
        )
        db.conn.execute("UPDATE run SET at = '2026-03-11T11:59:00.000Z', who = 'ada'")
    async with faked(run, size=size) as pilot:
        place = await go(pilot)
        await until(lambda: place.live.complete)
        changed = [await differs(KEPT / f"cutover-{size[0]}x{size[1]}.txt", lambda: text(pilot) + "\n")]
        await key(pilot, "p", *["left"] * 15)
        await until(
            lambda: place.past is not None and place.sheet is not None and place.sheet.entry == place.past[1]
        )
        changed.append(
            await differs(KEPT / f"cutover-replay-{size[0]}x{size[1]}.txt", lambda: text(pilot) + "\n")
        )
    assert not any(changed), "\n".join(changed)


def test_what_a_step_says_leaves_out_the_title_beside_it(run: Standing) -> None:
    at_failure(run)
    step = now_of(run.project, run.run, datetime.now(UTC), False).step(PROBE)
    assert step is not None
    title = visible(step.title)
    for said, left in ((f"{title} failed: no", "no"), (f"{title}: no", "no"), ("other: no", "other: no")):
        assert brief(replace(step, said=said)) == left


def test_every_status_has_its_mark() -> None:
    for status in Status:
        assert step_mark(status.value).glyph != "?"
    assert step_mark("nonsense").glyph == "?"
