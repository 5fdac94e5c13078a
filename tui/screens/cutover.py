"""Cutover: go, wait or back? One run as its runbook, with its gates, what users feel, what going back costs.

    steps with evidence │ clock, way back, engine      keys ──dialog, the name typed──▶ acts of the verbs
    what matters now    │ what users feel              p ──▶ the same screen, as it was after any entry

The engine runs the work: whoever closes this detaches, and sees it again from anywhere.
"""

from __future__ import annotations

import re

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from planner.names import visible
from tui.actions.keymap import bindings_at
from tui.actions.table import action_named
from tui.dialogs.reader import Reader
from tui.live.document import EngineState
from tui.live.words import engine_trouble
from tui.screens.cutover_acts import ActingPlace
from tui.screens.cutover_clock import describe_clock, describe_engine, engine_words
from tui.screens.cutover_rows import COLUMNS, step_rows
from tui.screens.cutover_words import (
    describe_felt,
    describe_matter,
    describe_step,
    moment_words,
)
from tui.session import View
from tui.text import count, line, utc_clock
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

_PANELS = ("matter", "clock", "felt")
_LEVERS = {
    "engine.start": "E start the engine",
    "cutover.go": "o cut over",
    "cutover.retry": "t retry",
    "cutover.skip": "x pass over",
    "cutover.ask": "P ask it now",
    "cutover.approve": "a yes",
    "cutover.hold": "h wait",
    "cutover.refuse": "d no",
    "cutover.commit": "c commit",
    "cutover.back": "b back",
}


class CutoverScreen(ActingPlace):
    """Go, wait or back."""

    CSS_PATH = "cutover.tcss"
    BINDINGS = bindings_at("cutover")
    place_id = "cutover"
    noun = "step"
    filters = "steps"
    spares_line = True
    columns = COLUMNS
    chip = "[LIVE]"

    def __init__(self) -> None:
        super().__init__()
        self._placed: tuple[object, ...] = ()  # for which run the cursor was put on its step
        self._followed = ""  # the step that went on or waited when it was

    def compose_body(self) -> ComposeResult:
        """Filter, runbook, clock, what users feel, what matters now."""
        yield self.filter_bar("status:failed step~probe")
        with Horizontal(id="upper"):
            yield VirtualTable(COLUMNS, id="steps")
            with Vertical(id="beside"):
                yield Panel("clock", "Clock")
                yield Panel("felt", "What users feel")
        yield Panel("matter", "What matters now")

    def where(self) -> str:
        """The wave that is shown."""
        return visible(self.watched, 40)

    # showing

    def show(self, view: View) -> None:
        """Read a run that goes on again, for its clock; show what there is."""
        self.read_on()
        self.show_bar()
        self.show_sheet()

    def show_sheet(self) -> None:
        """Show the run as it was read."""
        sheet, table = self.sheet, self.table
        self.set_class(self.replaying, "replaying")
        table.set_empty(self._empty())
        rows = step_rows(sheet) if sheet is not None else ()
        self.set_rows(table.rows if rows == table.rows else rows)
        self.describe_table()
        engine = None if self.replaying else self.live.engine
        now = None if self.replaying else self.now
        if sheet is None:
            self._placed = ()  # its rows are gone, and the cursor with them
            self.panel("clock").show(describe_engine(engine, now), "Clock")
            self.panel("felt").show(line(("nothing was begun", "dim")))
            self.panel("matter").show(line((self._empty(), "dim")), "What matters now")
            self._show_levers()
            return
        clock = self.panel("clock")
        width = clock.scrollable_size.width
        told = describe_clock(sheet, engine, now, self.price, self.to_go, width)
        clock.show(told, self._clock_title())
        self.panel("felt").show(describe_felt(sheet))
        title, words = describe_matter(sheet, now)
        self.panel("matter").show(words, title)
        self._show_levers()
        self._place_cursor()

    @property
    def _is_unminded(self) -> bool:
        """Whether the run is open, and no engine brings it up to date or minds its commit window."""
        engine, sheet = self.live.engine, self.sheet
        if sheet is None or sheet.outcome or not self.live.complete:
            return False
        return engine.state is EngineState.IDLE and engine.pid is None

    def _show_levers(self) -> None:
        """Say below what matters which keys can do something about it now."""
        wants_engine = bool(self.live.engine.orders) or self._is_unminded
        named = [name for name in _LEVERS if name != "engine.start" or wants_engine]
        words = [_LEVERS[name] for name in named if not self.why_not(action_named(name))]
        if self.sheet is not None and self.sheet.homeward:
            words = [word.replace("cut over", "bring home") for word in words]
        self.panel("matter").set_title(None, Content(" · ".join(words)))

    def _empty(self) -> str:
        if self.failure:
            return f"✖ {self.failure}"
        if self._filter and self.sheet is not None:
            return "no step matches: esc clears the filter"
        if self.live.complete and not self.live.waves:
            return "no plan yet: press p in 4 Waves, or run 'wherry plan'"
        if self.watched and not self._reading and self.live.complete:
            return f"{visible(self.watched, 40)} has no run yet: o cuts it over, seed and deltas first"
        return "reading …"

    def _clock_title(self) -> str:
        assert self.sheet is not None
        return "Clock, as it was" if self.replaying else f"Clock {utc_clock(self.sheet.moment)}"

    def _place_cursor(self) -> None:
        """Put the cursor on what goes on once for each run, and keep it there until a person moves it away.

        In a replay it is on the step of each entry.
        """
        assert self.sheet is not None
        of = (self.sheet.run.id, self.sheet.entry if self.replaying else None)
        current = self.sheet.current.id if self.sheet.current is not None else ""
        is_known = bool(current or self.sheet.outcome)
        follows = not self.replaying and is_known and self.table.key == self._followed != current
        if self.is_filtering() or (of == self._placed and not follows):
            return
        self._placed, self._followed = of, current
        step = (self.sheet.last_step if self.replaying else "") or current
        if step:
            self.table.move_amid(step)
        elif self.sheet.outcome:
            self.table.action_edge(1)

    def describe_table(self) -> None:
        """Say where the run stands."""
        sheet = self.sheet
        if sheet is None:
            self.table.set_title(Content("Runbook"), Content("w another wave"))
            return
        home = ", the way home" if sheet.homeward else ""
        words = f"{visible(sheet.run.wave, 20)} {visible(sheet.wave.title, 24)}{home} · {sheet.state}"
        words += f" · {count(sheet.done)} of {count(len(sheet.steps))} steps"
        if self.replaying:
            words = f"REPLAY of {words}"
        if self._filter:
            words += f" · {count(len(self.table.order))} match"
        keys = (
            "← → entry · [ ] step · , . gate · p to now"
            if self.replaying
            else "enter evidence · w wave · p replay"
        )
        self.table.set_title(Content(words), Content(keys))

    def _state(self) -> Content:
        if self.replaying:
            return line(("[REPLAY]", "warn"), "  nothing here happens now  ", utc_clock(self.wherry.now()))
        if self.wherry.read_only:
            return super()._state()
        engine, tone = engine_words(self.live.engine)
        return line(
            ("[LIVE]", "bad"), "  engine ", (engine.split(":")[0], tone), "  ", utc_clock(self.wherry.now())
        )

    def standing_note(self) -> Content | None:
        """Say what is past, that nobody is at work, or that leaving stops nothing."""
        sheet = self.sheet
        if self.replaying and sheet is not None:
            words = f"▸ REPLAY of run {sheet.run.id} · entry {count(sheet.entry)} of {count(sheet.entries)}"
            return line(
                (f"{words} · {moment_words(sheet.moment)}", "warn"), (f" · {visible(sheet.last, 60)}", "dim")
            )
        if self.failure:
            return line((f"✖ {self.failure}", "bad"))
        if trouble := engine_trouble(self.live, self.how_to_start()):
            return line((f"✖ {visible(trouble, 400)}", "bad"))
        if self._is_unminded:
            return line((f"▲ no engine minds this run: {self.how_to_start()}", "warn"))
        return line(("closing this stops nothing, and 7 shows it again from anywhere", "dim"))

    # moving

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Which keys have something to do follows the cursor."""
        if self.ready:
            self.show_keys()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Show the step under the cursor with its evidence."""
        step = self.sheet.step(str(event.table.key)) if self.sheet is not None else None
        if self.sheet is not None and step is not None:
            self.app.push_screen(Reader(visible(step.title, 60), describe_step(self.sheet, step)))

    def action_here(self) -> None:
        """Go to the step that goes on or waits."""
        step = self.sheet.current if self.sheet is not None else None
        if step is None or not self.table.move_amid(step.id):
            self.say("nothing goes on or waits here", "dim")
        else:
            self._followed = step.id

    def select(self, key: str) -> None:
        """Show a run after so many of its entries, ``3/66``."""
        found = re.fullmatch(r"(\d+)/(\d+)", key)
        if found is not None:
            self.sheet = None
            self._marks.pop(int(found[1]), None)
            self.turn_to_past(int(found[1]), int(found[2]))

    def stations(self) -> list[Widget]:
        """Runbook, what matters, clock, what users feel."""
        return [self.table, *map(self.panel, _PANELS)]

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen clock and what users feel take the runbook's place."""
        for name in ("clock", "felt"):
            self.set_class(widget.id == name, f"at-{name}")

    def action_back(self) -> None:
        """From a panel to the runbook; then the filter goes, then the replay, then to where we came from."""
        if not self.table.has_focus and not self.writing:
            self.reveal(self.table)
            self.table.focus()
        elif self.replaying and not self.bar.text and not self.writing:
            self.back_to_now()
        else:
            super().action_back()
