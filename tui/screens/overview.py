"""Overview: first steps, where every VM stands, the next window, the waves, and what needs a person."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from planner.names import visible
from tui.actions.keymap import bindings_at
from tui.screens import first_steps as steps
from tui.screens import matters
from tui.screens.columned import ColumnedPlace
from tui.screens.overview_panels import next_window, standing, the_line
from tui.session import View
from tui.text import fill, line, plural, size_cell, window_start
from tui.theme import state_mark
from tui.widgets.column import Column
from tui.widgets.lines import Item, ItemLine
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

COLUMNS = (
    Column(1, "wave", 6, keep=9),
    Column(2, "name", 12, flex=True, keep=8),
    Column(3, "groups", 6, str, right=True, keep=1),
    Column(4, "VMs", 4, str, right=True, keep=6),
    Column(5, "data", 9, size_cell, right=True, keep=5),
    Column(6, "state", 15, lambda state: visible(state_mark(state).text),
           lambda state: state_mark(state).tone, keep=9),
    Column(7, "cutover", 16, lambda text: visible(text) or "no window", keep=4),
    Column(8, "not blocked", 15, lambda part: _share(*part), lambda part: _tone(*part), keep=2),
    Column(9, "steps", 12, lambda done: _steps(*done), keep=0),
    Column(10, "now", 22, lambda text: visible(text) or "–", keep=3),
)  # fmt: skip


def _steps(done: int, total: int) -> str:
    return f"{fill(done, total, 4)} {done}/{total}" if total else "–"


def _share(free: int, vms: int) -> str:
    """Return how many VMs of a wave no blocker holds; -1 = that is not known."""
    return f"{fill(free, vms, 10)} {free / vms:>4.0%}" if free >= 0 and vms else "…"


def _tone(free: int, vms: int) -> str:
    return "dim" if free < 0 else "good" if free == vms else "warn"


class OverviewScreen(ColumnedPlace):
    """Where are we, what needs me."""

    CSS_PATH = "overview.tcss"
    BINDINGS = bindings_at("overview")
    place_id = "overview"
    AUTO_FOCUS = "#waves"

    def __init__(self) -> None:
        super().__init__()
        self._asked: tuple[object, ...] = ()
        self._outlook: dict[str, Any] | None = None
        self._unfolded = False  # the guide was asked for
        self._blocked_of: tuple[object, dict[str, int]] = (None, {})

    def compose_body(self) -> ComposeResult:
        """Stages, window and line; the first steps; waves; needs."""
        with Horizontal(id="top"):
            yield Panel("stages", "Where every VM stands")
            yield Panel("window", "Next window")
            yield Panel("line", "Line and data", "0 settings")
        yield VirtualTable(steps.COLUMNS, id="guide")
        yield ItemLine("next")
        yield VirtualTable(COLUMNS, id="waves")
        yield VirtualTable(matters.COLUMNS, id="needs")

    # showing

    def show(self, view: View) -> None:
        """Show a newer view."""
        self._look_out(view)
        stages = self.panel("stages")
        stages.show(standing(view, stages.content_size.width))
        self.panel("window").show(next_window(view, self.wherry.now()))
        self.panel("line").show(the_line(view, self._outlook))
        self._show_guide(view)
        self._show_waves(view)
        self._show_needs(view)

    def _look_out(self, view: View) -> None:
        """Have the study look at the whole estate, once for each state and after the checks."""
        stamp = (view.inventory_id, view.plan.version if view.plan else 0, view.settings)
        if not self.wherry.session.judges or view.inventory_id is None or view.judging == "running":
            return
        if view.complete and stamp != self._asked:
            self._asked = stamp
            self.wherry.ask("outlook", {}, lambda told: self._looked(stamp, told))

    def _looked(self, stamp: tuple[object, ...], told: dict[str, Any]) -> None:
        if stamp == self._asked:
            self._outlook = told
            self.update()

    def _show_guide(self, view: View) -> None:
        found = steps.first_steps(view, self._outlook)
        left = [step for step in found if step.done is not True]
        wanted = self.wherry.preferences.guide and view.complete and not self.wherry.read_only
        full = self._unfolded or (wanted and bool(left) and view.plan is None)
        table = self.query_one("#guide", VirtualTable)
        if full != self.has_class("guided"):
            self.set_class(full, "guided")
            self.call_after_refresh(self._stand, full)
        self.set_class(wanted and not full and bool(left), "hinted")
        self.set_class(full and view.plan is None, "unplanned")  # no wave to show: needs take the room
        rows = steps.rows_of(found)
        if rows != table.rows:
            table.set_rows(rows)
            table.cursor = next((at for at, row in enumerate(rows) if row[1] == "next"), 0)
        done = len(found) - len(left)
        table.set_title(
            Content(f"First steps · {done} of {len(found)} done"), Content("enter goes there · H hides")
        )
        self.query_one("#next", ItemLine).show(self._next_words(left))

    def _stand(self, full: bool) -> None:
        """Put the keys where the eye is: on the steps as they appear, on the waves once they are gone."""
        if self.focused is None or self.focused.id in ("waves", "guide"):
            self.query_one("#guide" if full else "#waves").focus()

    def _next_words(self, left: list[steps.Step]) -> tuple[Item, ...]:
        if not left:
            return ()
        items = [Item("▸ next  ", "$text-accent")]
        for at, step in enumerate(left):
            do = f"act('{step.act}')"
            items.append(Item(f"{' · ' * (at > 0)}{step.title} ", "$text-muted" if at else "bold", do))
            items.append(Item(step.keys, "$text-accent", do))
        return (*items, Item("   H all steps", "$text-muted", "act('guide')"))

    def _show_waves(self, view: View) -> None:
        table = self.query_one("#waves", VirtualTable)
        table.set_empty(self._empty(view))
        windows = {w.name: window_start(w.window) for w in view.waves if w.window}
        blocked = self._blocked_by_wave(view)
        rows = tuple(
            (wave.name, wave.name, wave.title, wave.groups, wave.vms, wave.size_bytes, wave.state,
             windows.get(wave.name, wave.window),
             (wave.vms - blocked.get(wave.name, 0) if view.tallies is not None else -1, wave.vms),
             (wave.steps_done, wave.steps_total), wave.gate or wave.current)
            for wave in (view.status.waves if view.status else ())
        )  # fmt: skip
        if rows != table.rows:
            table.set_rows(rows)
        version = f" · plan {view.plan.version}" if view.plan else ""
        table.set_title(
            Content(f"{plural(len(table.rows), 'wave')}{version} · {table.sort_words}"),
            Content(self._waves_keys(view) if table.rows else ""),
        )

    def _waves_keys(self, view: View) -> str:
        if self.wide:
            return "enter opens the wave"
        needs = len(matters.matters(view, self._outlook))
        return f"enter opens the wave · tab {plural(needs, 'need')}" if needs else "enter opens the wave"

    def _blocked_by_wave(self, view: View) -> dict[str, int]:
        """Return how many VMs of each wave have a blocker, counted once for each judgement and plan."""
        if view.tallies is None:
            return {}
        if self._blocked_of[0] is not view.wave_tallies:
            found: dict[str, int] = {}
            for vm, tally in view.tallies.items():
                if tally[0] and vm in view.placed:
                    wave = view.placed[vm][0]
                    found[wave] = found.get(wave, 0) + 1
            self._blocked_of = (view.wave_tallies, found)
        return self._blocked_of[1]

    def _empty(self, view: View) -> str:
        if view.status is None:
            return view.not_yet
        if not view.status.vms:
            return "no waves yet: press i, or run 'wherry discover FILE', then 'wherry plan'"
        return "no waves yet: press p in 4 Waves, or run 'wherry plan'"

    def _show_needs(self, view: View) -> None:
        table = self.query_one("#needs", VirtualTable)
        table.set_empty("✔ nothing needs you now" if view.status is not None else view.not_yet)
        rows = matters.matters(view, self._outlook)
        if rows != table.rows:
            table.set_rows(rows)
            if not table.has_focus:
                table.cursor = 0  # nobody stands on a row yet: the heaviest is in sight
        title = f"Needs you ({len(rows)})" if rows else "Needs you"
        table.set_title(Content(title), Content("enter goes there" if rows else ""))

    def standing_note(self) -> Content | None:
        """What helps with the need under the cursor, whole."""
        table = self.query_one("#needs", VirtualTable)
        if table.has_focus and table.row is not None:
            return line(("→ ", "dim"), visible(table.row[3]))
        return None

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Say what helps with the need under the cursor."""
        if self.ready and event.table.id == "needs":
            self.show_notice()

    def on_descendant_focus(self) -> None:
        """Say, or stop saying, what helps."""
        if self.ready:
            self.show_notice()

    # panels

    def stations(self) -> list[Widget]:
        """Tables first, then the panels of the top; on a narrow screen some wait behind others."""
        found = [
            self.query_one(f"#{name}") for name in ("guide", "waves", "needs", "stages", "window", "line")
        ]
        if self.has_class("unplanned"):
            del found[1]
        if not self.has_class("guided"):
            return found[1:]
        return (
            found if self.wide else [widget for widget in found if widget.id in ("guide", "waves", "needs")]
        )

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen waves and needs take turns, and so do the panels at the right."""
        self.set_class(widget.id == "line", "lined")
        self.set_class(widget.id == "needs", "needing")

    # acting

    def action_open(self) -> None:
        """Open what the keys are on."""
        focused = self.focused
        if isinstance(focused, VirtualTable):
            focused.open_row()
        elif focused is not None:
            where = {"stages": "inventory", "window": "waves", "line": "settings"}.get(focused.id or "")
            if where:
                self.wherry.goto("place", where)

    async def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Go to the wave, to what needs a person, or on with a step."""
        table = event.table
        if table.row is None:
            return
        if table.id == "waves":
            self.wherry.open_wave(str(table.key))
        elif table.id == "needs":
            self.wherry.goto(*table.row[5])
        else:
            found = steps.first_steps(self.view, self._outlook)
            await self.action_act(found[table.cursor].act)

    def action_guide(self) -> None:
        """Show the first steps, or hide them."""
        from dataclasses import replace

        shown = self.has_class("guided")
        self._unfolded = not shown
        self.wherry.keep(replace(self.wherry.preferences, guide=not shown))
        self._show_guide(self.view)
        self.say("the first steps are hidden: H shows them" if shown else "H hides the first steps", "dim")

    def on_virtual_table_sorted(self) -> None:
        """Say it in the border."""
        self._show_waves(self.view)
