"""Rehearse: would it work, and how long would it take? Runs of a wave on the simulated twin.

    waves with their last rehearsal ──r, a job──▶ outcome of all runs, findings, faults, one run to watch

Nothing is touched and no bytes move. A rehearsal under way ends with the application; what one said is
written down, its steps are kept for this session.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.message import Message
from textual.widget import Widget

from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.acts.rehearsing import Rehearsed, rehearsed
from tui.dialogs.form import Ask, Form
from tui.dialogs.reader import Reader
from tui.dialogs.work import Work
from tui.jobs import orders
from tui.jobs.job import Job
from tui.screens.rehearse_boot import BootRehearsing
from tui.screens.rehearse_rows import COLUMNS, rehearsal_rows
from tui.screens.rehearse_words import (
    describe_before,
    describe_findings,
    describe_history,
    describe_outcome,
)
from tui.session import View
from tui.text import line, plural
from tui.widgets.course import Course
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

RUNS, FAULT_RUNS = 200, 50
_FINDINGS = 6  # VMs with blockers that are named


class RehearseScreen(BootRehearsing):
    """Would it work, how long."""

    CSS_PATH = "rehearse.tcss"
    BINDINGS = bindings_at("rehearse")
    place_id = "rehearse"
    noun = "wave"
    filters = "rehearsals"
    spares_line = True
    columns = COLUMNS
    chip = "[DRY RUN]"

    class Remembered(Message):
        """Rehearsals that were written down have been read."""

        def __init__(self, found: tuple[Rehearsed, ...]) -> None:
            super().__init__()
            self.found = found

    def __init__(self) -> None:
        super().__init__()
        self._found: tuple[Rehearsed, ...] = ()
        self._newest: dict[tuple[str, str], Rehearsed] = {}  # by wave and fault
        self._documents: dict[str, Mapping[str, Any]] = {}  # of this session, by wave; the newest
        self._seen: View | None = None
        self._shown: tuple[object, ...] = ()
        self._wanted = ""

    def compose_body(self) -> ComposeResult:
        """Filter, waves, one run, its outcome and what was found."""
        yield self.filter_bar("verdict:clean fits<100 cutover>60")
        yield VirtualTable(COLUMNS, id="rehearsed")
        yield Course(id="course")
        with Horizontal(id="said"):
            yield Panel("outcome", "Outcome", "r rehearse · R otherwise")
            yield Panel("findings", "Findings and faults", "x inject a fault · l history")

    @property
    def table(self) -> VirtualTable:
        """The waves."""
        return self.query_one("#rehearsed", VirtualTable)

    @property
    def course(self) -> Course:
        """The run to watch."""
        return self.query_one(Course)

    @property
    def wave(self) -> str:
        """The wave under the cursor, empty for none."""
        key = self.table.key if self.ready else None
        return str(key) if key is not None else ""

    def where(self) -> str:
        """The wave under the cursor."""
        return visible(self.wave, 40)

    # showing

    def show(self, view: View) -> None:
        """Show a newer view."""
        if view is not self._seen:
            self._seen = view
            self._remember()
        self.show_bar()
        self._fill(view)
        self._go_to_wanted()
        self._show_wave()

    def look_now(self) -> None:
        """Read what was written down again."""
        self._remember()

    def _remember(self) -> None:
        self.run_worker(self._read, thread=True, group="rehearsed", exclusive=True, exit_on_error=True)

    def _read(self) -> None:
        from planner.errors import WherryError
        from planner.store.project import Project

        try:
            project = Project.open(self.wherry.session.root)
        except WherryError:
            return  # line 1 of every place says what is wrong with the project
        try:
            self.post_message(self.Remembered(rehearsed(project)))
        finally:
            project.close()

    def on_rehearse_screen_remembered(self, message: Remembered) -> None:
        """Show what was written down."""
        if message.found != self._found and self.ready:
            self._found = message.found
            self._newest = {(one.wave, one.fault): one for one in reversed(message.found)}
            self._fill(self.view)
            self._show_wave()

    def last(self, wave: str) -> Rehearsed | None:
        """Return the newest rehearsal of a wave without a fault."""
        return self._newest.get((wave, ""))

    def faults(self, wave: str) -> list[Rehearsed]:
        """Return the newest rehearsal of a wave with each fault."""
        return [one for (of, fault), one in self._newest.items() if of == wave and fault]

    def _fill(self, view: View) -> None:
        rows, table = rehearsal_rows(view, self.last), self.table
        table.set_empty(self._empty(view))
        self.set_rows(table.rows if rows == table.rows else rows)
        self.describe_table()

    def title_words(self, *more: str) -> str:
        """Say how many are clean, then as every table does."""
        table = self.table
        words = [f"{sum(row[8] == 'clean' for row in table.rows)} rehearsed clean"]
        if self._matches is None and table.sorted_by is None:
            words.append("simulated, nothing is touched")
        said = super().title_words(*words)
        return said if table.sorted_by is not None else said.removesuffix(f" · {table.sort_words}")

    def describe_table(self) -> None:
        """Say what the table shows, and its keys."""
        keys = "r rehearse · d dry run at the sites · enter the wave"
        self.table.set_title(Content(self.title_words()), Content(keys))

    def _empty(self, view: View) -> str:
        if view.waves and view.plan is not None:
            return "no wave matches the filter: esc clears it"
        if view.inventory_id is None:
            return (
                "no inventory yet: press i, or run 'wherry discover FILE'" if view.complete else "reading …"
            )
        return "no plan yet: press p in 4 Waves, or run 'wherry plan'"

    def _show_wave(self) -> None:
        view, wave = self.view, self.wave
        panels = self.panel("outcome"), self.panel("findings")
        state = (wave, self._found, self._documents.get(wave), view.waves, view.tallies, panels[0].size)
        if self._shown and all(new is old or new == old for new, old in zip(state, self._shown, strict=True)):
            return
        fresh = not self._shown or self._shown[0] != wave
        self._shown = state
        row = next((one for one in view.waves if one.name == wave), None)
        if row is None:
            for panel in panels:
                panel.show(line((self._empty(view), "dim")))
            self.course.show("One run, step by step", None, empty=self._empty(view))
            return
        said = self._documents.get(wave)
        if said is not None and said["fingerprint"] == row.fingerprint:
            outcome = describe_outcome(said, panels[0].size.width - 4)
            title = f"Outcome of {plural(said['runs'], 'run')} of {visible(wave, 40)}"
            marks = (
                [] if said["fault"] else [("P50", said["cutover"]["p50"]), ("P95", said["cutover"]["p95"])]
            )
            fault = f" · {said['fault']} fails" if said["fault"] else ""
            title += fault
            self.course.show(f"{visible(wave, 40)}{fault}", said["course"], row.window, marks)
        else:
            said = None
            outcome, title = describe_before(self.last(wave), row), f"Outcome for {visible(wave, 40)}"
            self.course.show(
                "One run, step by step", None, empty="r rehearses the wave: its first run is shown here"
            )
        panels[0].show(outcome, title, top=fresh)
        found, more = self._blockers(wave)
        panels[1].show(describe_findings(said, found, more, self.faults(wave), row.fingerprint), top=fresh)

    def _blockers(self, wave: str) -> tuple[list[Any] | None, int]:
        """Return blockers of VMs of a wave, None while the checks are not current, and how many VMs more."""
        tallies = self.view.tallies
        if tallies is None:
            return None, 0
        blocked = [
            vm for vm, place in self.view.placed.items() if place[0] == wave and tallies.get(vm, (0,))[0] > 0
        ]
        found = [
            finding
            for vm in blocked[:_FINDINGS]
            for finding in self.wherry.session.findings_of(vm)
            if finding.severity.value == "blocker"
        ]
        return found, len(blocked) - _FINDINGS

    def standing_note(self) -> Content | None:
        """Say what a rehearsal is."""
        return line(
            ("runs on the simulated twin: times are modelled, nothing is touched, no bytes move", "dim")
        )

    # moving

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the wave under the cursor."""
        if self.ready:
            self.follow_cursor(self._show_here)

    def _show_here(self) -> None:
        self._show_wave()
        self.show_cursor()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Go to the wave."""
        self.wherry.open_wave(self.wave)

    def select(self, key: str) -> None:
        """Put the cursor on a wave, now or as soon as it is there."""
        self._wanted = key
        if self.ready:
            if not self.table.move_to(key):
                self.bar.set("")
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted and self.table.move_to(self._wanted):
            self._wanted = ""

    def stations(self) -> list[Widget]:
        """Waves, the run, outcome, findings."""
        return [self.table, self.course, self.panel("outcome"), self.panel("findings")]

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen run, outcome and findings take turns."""
        for name in ("outcome", "findings"):
            self.set_class(widget.id == name, f"at-{name}")

    def action_back(self) -> None:
        """From a panel to the waves; there the filter goes, then back to where we came from."""
        if self.table.has_focus or self.writing:
            super().action_back()
        else:
            self.table.focus()

    # rehearsing

    def why_not(self, action: Action) -> str:
        """Say also what has to be there first."""
        if why := super().why_not(action):
            return why
        if not action.id.startswith("rehearse.") or action.id == "rehearse.history" or not self.ready:
            return ""
        if not self.wave:
            return "there is no wave under the cursor"
        watched = ("play", "earlier", "later", "faster", "slower", "whole")
        if action.id.removeprefix("rehearse.") in watched and self.course.course is None:
            return "there is no run to watch yet: r rehearses the wave"
        return ""

    def _start(self, wave: str, runs: int, seed: int = 1, fault: str = "") -> None:
        order = orders.rehearse(wave, runs, fault, seed)
        job = Job(order.argv(self.wherry.session.root), order.title)
        self.wherry.start(job, self._ended)

    def _ended(self, job: Job) -> None:
        said = job.state.document
        if not isinstance(said, dict):
            return
        self._documents[str(said["wave"])] = said
        if isinstance(self.app.screen, Work):
            self.app.pop_screen()  # what it led to is under it
        self._remember()
        if self.ready:
            self._show_wave()

    def action_rehearse_now(self) -> None:
        """Run the wave two hundred times."""
        self._start(self.wave, RUNS)

    def action_rehearse_ask(self) -> None:
        """Ask how often, and from which seed."""
        wave = self.wave
        asks = [
            Ask("runs", "How many runs", str(RUNS), needed=True, judge=partial(_wrong_number, 1, 10_000)),
            Ask("seed", "Seed: the same one gives the same runs", "1", needed=True,
                judge=partial(_wrong_number, 0, 2**31)),
        ]  # fmt: skip
        form = Form(f"Rehearse {visible(wave, 40)}", asks, "Rehearse")
        self.app.push_screen(
            form, lambda said: self._start(wave, int(said["runs"]), int(said["seed"])) if said else None
        )

    def action_rehearse_fault(self) -> None:
        """Ask which call fails."""
        from migrate.rehearsal import FAULTS

        wave = self.wave
        choices: Sequence[tuple[str, str]] = [
            (name, f"{name.replace('_', ' ')} at the {site}") for name, site in FAULTS.items()
        ]
        asks = [
            Ask("fault", "Which call always fails", choices=choices),
            Ask(
                "runs", "How many runs", str(FAULT_RUNS), needed=True, judge=partial(_wrong_number, 1, 10_000)
            ),
        ]
        form = Form(f"Inject a fault into {visible(wave, 40)}", asks, "Rehearse")
        self.app.push_screen(
            form, lambda said: self._start(wave, int(said["runs"]), fault=said["fault"]) if said else None
        )

    def action_history(self) -> None:
        """Show every rehearsal that was written down."""
        title = f"{plural(len(self._found), 'rehearsal')} of this project"
        self.app.push_screen(Reader(title, describe_history(self._found)))

    # watching

    def action_play(self) -> None:
        """Play the run, or pause it."""
        self.course.pause() if self.course.playing else self.course.play()

    def action_scrub(self, by: int) -> None:
        """Go on or back in the run."""
        self.course.scrub(by)

    def action_speed(self, by: int) -> None:
        """Play faster or slower."""
        self.course.hurry(by)

    def action_whole(self) -> None:
        """Draw the run from its start, or its cutover."""
        self.course.turn_whole()


def _wrong_number(least: int, most: int, text: str) -> str:
    if text.isascii() and text.isdigit() and least <= int(text) <= most:
        return ""
    return f"{visible(text, 20)!r} is not a whole number from {least} to {most:,}"
