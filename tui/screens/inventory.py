"""Inventory: every VM in one table, a filter, and the detail of the VM under the cursor."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Label

from planner.errors import WherryError
from planner.names import visible
from planner.units import show_bytes
from tui.actions import bindings_at
from tui.screens.place import PlaceScreen
from tui.screens.vm_detail import describe_vm
from tui.session import View
from tui.text import count, line, plural
from tui.theme import power_mark, tally_tone, tally_words
from tui.widgets.panel import Panel
from tui.widgets.table import Column, VirtualTable

TYPING_PAUSE_S = 0.12


def _dash(text: str) -> str:
    return visible(text) or "–"


def _known(size: int) -> str:
    return show_bytes(size) if size else "–"


COLUMNS = (
    Column(1, "name", 18, flex=True, keep=9),
    Column(2, "cluster", 12, _dash, keep=2),
    Column(3, "power", 6, lambda power: power_mark(power).text, lambda power: power_mark(power).tone, keep=6),
    Column(4, "os", 20, _dash, keep=1),
    Column(5, "CPU", 4, lambda cpus: str(cpus or "–"), right=True, keep=3),
    Column(6, "RAM", 8, _known, right=True, keep=4),
    Column(7, "disk", 8, _known, right=True, keep=5),
    Column(8, "wave", 5, _dash, keep=7),
    Column(9, "group", 12, _dash, keep=0),
    Column(10, "checks", 7, tally_words, tally_tone, keep=8),
)


class InventoryScreen(PlaceScreen):
    """What do we have."""

    CSS_PATH = "inventory.tcss"
    BINDINGS = bindings_at("inventory")
    place_id = "inventory"

    def __init__(self) -> None:
        super().__init__()
        self._filter = ""
        self._problem = ""
        self._filtered_for: object = None  # the estate the matches were made for
        self._matches: list[int] | None = None
        self._pause: Timer | None = None
        self._detail_of: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Filter, table, detail."""
        with Horizontal(id="filterline"):
            yield Label(Content("/"), id="slash")
            yield Input(placeholder="press / to filter, for example  os~win disk>100G", id="filter")
        yield VirtualTable(COLUMNS, id="vms")
        yield Panel("detail", keys="enter larger")

    def show(self, view: View) -> None:
        """Show a newer view."""
        table = self.query_one("#vms", VirtualTable)
        table.set_empty(self._empty(view))
        if self._filter and view.estate is not self._filtered_for:
            self._match(view)
        if view.rows is not table.rows:
            table.set_rows(view.rows, self._matches)
        self.describe_table(table)
        self._show_detail()

    def _empty(self, view: View) -> str:
        if self._filter and view.rows:
            return "no VM matches the filter: esc clears it"
        if view.inventory_id is None:
            return "no inventory yet: run 'wherry discover FILE'" if view.complete else "reading …"
        return "the inventory holds no VM"

    def describe_table(self, table: VirtualTable) -> None:
        """Say how many VMs there are and which are shown."""
        total, shown = len(table.rows), len(table.order)
        matching = f" · {count(shown)} match" if self._filter and not self._problem else ""
        table.set_title(Content(f"{plural(total, 'VM')}{matching} · {table.sort_words}"))
        self._show_position(table)

    def _show_position(self, table: VirtualTable) -> None:
        shown = len(table.order)
        words = f"row {count(table.cursor + 1)} of {count(shown)}" if shown else ""
        table.set_title(None, Content(words))

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the VM under the cursor."""
        if self.ready:
            self._show_position(event.table)
            self._show_detail()

    def _show_detail(self) -> None:
        table, panel, view = self.query_one(VirtualTable), self.query_one("#detail", Panel), self.view
        vm_id = table.key
        state = (vm_id, view.estate, view.plan)
        if self._detail_of and all(old is new for old, new in zip(self._detail_of, state, strict=True)):
            return
        fresh = not self._detail_of or self._detail_of[0] != vm_id
        self._detail_of = state
        if vm_id is None:
            panel.show(line(("no VM under the cursor", "dim")), "", top=True)
        elif view.estate is None:
            panel.show(line(("reading the details …", "dim")), visible(str((table.row or ("", ""))[1])))
        else:
            vm = view.estate.vms.get(str(vm_id))
            if vm is not None:
                panel.show(describe_vm(vm, view), visible(vm.name), top=fresh)

    # the filter

    def action_filter(self) -> None:
        """Write a filter."""
        if self.view.inventory_id is None:
            self.say("there is no inventory to filter yet: run 'wherry discover FILE'", "warn")
            return
        self.query_one("#filter", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter when typing pauses."""
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(TYPING_PAUSE_S, self._apply)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Filter now and go to the table."""
        self._apply()
        if not self._problem:
            self.query_one(VirtualTable).focus()

    def _apply(self) -> None:
        if not self.ready:
            return
        text = self.query_one("#filter", Input).value.strip()
        if text == self._filter:
            return
        self._filter = text
        self._match(self.view)
        table = self.query_one(VirtualTable)
        table.set_empty(self._empty(self.view))
        table.set_matches(self._matches)
        self.describe_table(table)
        self.show_notice()

    def _match(self, view: View) -> None:
        from planner.fields import Seen
        from planner.query import parse

        self._problem, self._filtered_for = "", view.estate
        if not self._filter:
            self._matches = None
            return
        if view.estate is None:
            self._matches, self._problem = None, "the details are still being read; the filter follows"
            return
        try:
            wanted = parse(self._filter)
        except WherryError as error:
            self._problem = f"{error.message}: {error.hint}" if error.hint else error.message
            return  # the last good matches stay
        vms, seen = view.estate.vms, Seen.of(view.estate.inventory)
        self._matches = [
            index
            for index, row in enumerate(view.rows)
            if (vm := vms.get(row[0])) is not None and wanted.matches(vm, seen)
        ]

    def complaint(self) -> str:
        """What is wrong with the filter."""
        return self._problem

    # opening and going back

    def action_open(self) -> None:
        """Give the detail the whole place, or take it back."""
        if isinstance(self.focused, Input):
            return
        self.set_class(not self.has_class("large"), "large")
        panel = self.query_one("#detail", Panel)
        large = self.has_class("large")
        panel.border_subtitle = Content("enter or esc back to the table" if large else "enter larger")
        (panel if large else self.query_one(VirtualTable)).focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """A double click opens too."""
        if not self.has_class("large"):
            self.action_open()

    def action_back(self) -> None:
        """Leave the filter, then clear it, then leave the large detail, then leave the place."""
        field = self.query_one("#filter", Input)
        if self.has_class("large"):
            self.action_open()
        elif field.has_focus and not field.value:
            self.query_one(VirtualTable).focus()
        elif field.value:
            field.value = ""
            self._apply()
            self.query_one(VirtualTable).focus()
        else:
            super().action_back()
