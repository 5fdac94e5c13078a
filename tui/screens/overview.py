"""Overview: first steps, where every VM stands, the next window, the waves, and what needs a person."""

from __future__ import annotations

from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.screens import first_steps as steps
from tui.screens import matters
from tui.screens.many_tables import ManyTables
from tui.screens.overview_panels import next_window, standing, the_line
from tui.screens.overview_waves import COLUMNS, progress_rows
from tui.session import View
from tui.text import line, plural
from tui.widgets.lines import Item, ItemLine
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

_EXAMPLES = {"waves": "free<100 state:planned", "needs": "severity:blocker where:Waves"}
_OF_THE_TABLES = ("sort", "reverse", "copy", "copy.all", "write", "filter")


class OverviewScreen(ManyTables):
    """Where are we, what needs me."""

    CSS_PATH = "overview.tcss"
    BINDINGS = bindings_at("overview")
    place_id = "overview"
    AUTO_FOCUS = "#waves"
    spares_line = True
    columns_of = {"waves": COLUMNS, "needs": matters.COLUMNS}  # noqa: RUF012  (shared, never changed)

    def __init__(self) -> None:
        super().__init__("needs")
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
        yield self.filter_bar(_EXAMPLES[self.active])
        yield VirtualTable(COLUMNS, id="waves")
        yield VirtualTable(matters.COLUMNS, id="needs")

    # its tables

    def turned(self, name: str) -> None:
        """Rows are called otherwise, and other filters are saved."""
        self.noun, self.filters = ("wave", "progress") if name == "waves" else ("need", "needs")

    def liked(self, table: VirtualTable) -> str:
        """Return what the preferences call a table; the steps have columns too."""
        return f"{self.place_id}.{table.id}"

    def turn_to(self, name: str) -> None:
        """Give the filter line to another table, with what could be asked of that."""
        super().turn_to(name)
        self.bar.show_example(_EXAMPLES[self.active])

    @property
    def falls(self) -> tuple[str, ...]:
        """The actions whose keys fall off the edge first: how to leave stays."""
        return ("sort", "columns")

    def has_room(self) -> bool:
        """Return whether the filter's line may stay: the steps take its room."""
        return super().has_room() and not self.has_class("guided")

    # showing

    def show(self, view: View) -> None:
        """Show a newer view."""
        self._look_out(view)
        stages = self.panel("stages")
        stages.show(standing(view, stages.content_size.width))
        self.panel("window").show(next_window(view, self.wherry.now()))
        self.panel("line").show(the_line(view, self._outlook))
        self._show_guide(view)
        self.show_bar()
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
        if self.has_class("unplanned"):
            self.turn_to("needs")
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
        table = self.table_of("waves")
        rows = progress_rows(view, self._blocked_by_wave(view))
        self.fill("waves", table.rows if rows == table.rows else rows)

    def describe_table(self) -> None:
        """Say what a table shows, and its keys."""
        view, table = self.view, self.table
        shown = self._matches is not None and not table.order and table.rows
        if self.active == "waves":
            table.set_empty("no wave matches the filter: esc clears it" if shown else self._empty(view))
            words = self.title_words(*([f"plan {view.plan.version}"] if view.plan else []))
            keys = self._waves_keys(view) if table.rows else ""
        else:
            nothing = "✔ nothing needs you now" if view.status is not None else view.not_yet
            table.set_empty("nothing matches the filter: esc clears it" if shown else nothing)
            words, keys = self._needs_words(), "enter goes there" if table.rows else ""
        table.set_title(Content(words), Content(keys))

    def _needs_words(self) -> str:
        table = self.table
        said = self.title_words().partition(" · ")[2]
        said = said if table.sorted_by is not None else said.removesuffix(table.sort_words).rstrip(" ·")
        title = f"Needs you ({len(table.rows)})" if table.rows else "Needs you"
        return f"{title} · {said}" if said else title

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
        table = self.table_of("needs")
        rows = matters.matters(view, self._outlook)
        is_new = rows != table.rows
        self.fill("needs", rows if is_new else table.rows)
        if is_new and not table.has_focus:
            table.cursor = 0  # nobody stands on a row yet: the heaviest is in sight

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

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Say, or stop saying, what helps; whoever is gone to has the filter by then."""
        if self.ready:
            self.show_bar()
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

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used now: steps are done in their order."""
        focused = self.focused if self.ready else None
        if focused is not None and focused.id == "guide" and action.id in _OF_THE_TABLES:
            return "the steps stand in their order: tab goes to a table"
        return super().why_not(action)

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
