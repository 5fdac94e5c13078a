"""Waves: every wave of the newest plan, and what the one under the cursor will do and why."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from planner.errors import WherryError
from planner.names import visible
from planner.units import show_bytes
from tui.actions.keymap import bindings_at
from tui.screens.place import PlaceScreen
from tui.screens.wave_detail import describe_content, describe_judgement
from tui.session import View
from tui.text import count, line, plural, spread_minutes, window_start
from tui.theme import state_mark, tally_tone, tally_words
from tui.widgets.column import Column
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

COLUMNS = (
    Column(1, "wave", 6, keep=9),
    Column(2, "name", 14, flex=True, keep=8),
    Column(3, "groups", 6, str, right=True, keep=1),
    Column(4, "VMs", 5, count, right=True, keep=6),
    Column(5, "data", 9, show_bytes, right=True, keep=5),
    Column(6, "state", 15, lambda state: visible(state_mark(state).text),
           lambda state: state_mark(state).tone, keep=9),
    Column(7, "cutover", 16, lambda text: visible(text) or "no window", keep=4),
    Column(8, "down P50/P95", 17, lambda pair: spread_minutes(*pair), right=True, keep=2),
    Column(9, "approved", 12, lambda who: f"✔ {visible(who)}" if who else "–",
           lambda who: "good" if who else "dim", keep=3),
    Column(10, "checks", 8, tally_words, tally_tone, keep=7),
)  # fmt: skip


class WavesScreen(PlaceScreen):
    """When does what move, and why so."""

    CSS_PATH = "waves.tcss"
    BINDINGS = bindings_at("waves")
    place_id = "waves"

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[object, ...] = ()
        self._wanted = ""

    def compose_body(self) -> ComposeResult:
        """Table above, content and judgement of one wave below."""
        yield VirtualTable(COLUMNS, id="plan")
        with Horizontal(id="one"):
            yield Panel("content", "What it does", "tab next panel")
            yield Panel("judgement", "Why, when, how long", "tab next panel")

    def where(self) -> str:
        """The wave under the cursor."""
        if not self.ready:
            return ""
        key = self.query_one(VirtualTable).key
        return visible(str(key)) if key is not None else ""

    def select(self, wave: str) -> None:
        """Put the cursor on a wave, now or as soon as it is there."""
        self._wanted = wave
        if self.ready:
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted and self.query_one(VirtualTable).move_to(self._wanted):
            self._wanted = ""

    def show(self, view: View) -> None:
        """Show a newer view."""
        table = self.query_one(VirtualTable)
        table.set_empty(self._empty(view))
        rows = self._rows(view)
        if rows != table.rows:
            table.set_rows(rows)
        self._go_to_wanted()
        self.describe_table(table)
        self._show_wave()

    def _rows(self, view: View) -> tuple[tuple[object, ...], ...]:
        if view.plan is None:
            return ()
        states = {item.name: item.state for item in view.status.waves} if view.status else {}
        rows = []
        for wave in view.waves:
            approval = view.approvals.get(wave.name)
            state = states.get(wave.name, "approved" if approval else "planned")
            found = None if view.tallies is None else view.wave_tallies.get(wave.name, (0, 0, 0))
            rows.append(
                (wave.name, wave.name, wave.title, wave.groups, wave.vms, wave.size_bytes, state,
                 window_start(wave.window) if wave.window else "", wave.downtime_min,
                 approval.who if approval else "", found)
            )  # fmt: skip
        return tuple(rows)

    def _empty(self, view: View) -> str:
        if not view.complete and view.plan is None:
            return "reading …"
        if view.inventory_id is None:
            return "no inventory yet: run 'wherry discover FILE', then 'wherry plan'"
        return "no plan yet: run 'wherry plan'"

    def describe_table(self, table: VirtualTable) -> None:
        """Say what the plan is."""
        plan = self.view.plan
        if plan is None:
            table.set_title(Content("no plan"), Content(""))
            return
        words = [
            f"plan {plan.version}",
            plural(plan.waves, "wave") + f" (at least {plan.waves_bound})",
            plural(plan.vms, "VM"),
            f"{count(plan.unplanned)} unplanned",
            table.sort_words,
        ]
        table.set_title(Content(" · ".join(words)), Content(""))

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the wave under the cursor."""
        if self.ready:
            self._show_wave()
            self.show_frame()

    def _show_wave(self) -> None:
        view, key = self.view, self.query_one(VirtualTable).key
        state = (key, view.plan, view.tallies, view.approvals, view.status)
        if all(old is new for old, new in zip(self._shown, state, strict=False)) and self._shown:
            return
        fresh = not self._shown or self._shown[0] != key
        self._shown = state
        content, judgement = self.query_one("#content", Panel), self.query_one("#judgement", Panel)
        if view.plan is None or key is None:
            for panel in (content, judgement):
                panel.show(line((self._empty(view), "dim")))
            return
        try:
            wave = self.wherry.session.wave(str(key))
        except WherryError as error:  # changed in the store, or gone with a plan that is on its way
            for panel in (content, judgement):
                panel.show(line((f"✖ {visible(error.message)}", "bad")))
            return
        name = f"{visible(wave.name)} {visible(wave.title)}"
        content.show(describe_content(wave), f"{name}: what it does", top=fresh)
        judgement.show(describe_judgement(wave, view, self.wherry.session), top=fresh)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Go into the wave's content."""
        panel = self.query_one("#content", Panel)
        self.reveal(panel)
        panel.focus()

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen the two panels take turns."""
        self.set_class(widget.id == "judgement", "judging")

    def action_back(self) -> None:
        """From a panel to the table, from the table to where we came from."""
        table = self.query_one(VirtualTable)
        if table.has_focus:
            super().action_back()
        else:
            table.focus()
