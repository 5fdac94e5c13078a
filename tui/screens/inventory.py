"""Inventory: every VM in one table, a filter, and the detail of the VM under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.content import Content

from planner.names import visible
from planner.units import show_bytes
from tui.actions.keymap import bindings_at
from tui.screens.table_place import TablePlace
from tui.screens.vm_detail import describe_vm
from tui.session import View
from tui.text import count, line
from tui.theme import power_mark, tally_tone, tally_words
from tui.widgets.column import Column
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable


def _dash(text: str) -> str:
    return visible(text) or "–"


def _known(size: int) -> str:
    return show_bytes(size) if size else "–"


class InventoryScreen(TablePlace):
    """What do we have."""

    CSS_PATH = "inventory.tcss"
    BINDINGS = bindings_at("inventory")
    place_id = "inventory"
    noun = "VM"
    columns = (
        Column(1, "name", 18, flex=True, keep=9),
        Column(2, "cluster", 12, _dash, keep=2),
        Column(3, "power", 6, lambda power: power_mark(power).text, lambda power: power_mark(power).tone,
               keep=6),
        Column(4, "os", 20, _dash, keep=1),
        Column(5, "CPU", 4, lambda cpus: str(cpus or "–"), right=True, keep=3, kind="number"),
        Column(6, "RAM", 8, _known, right=True, keep=4, kind="size"),
        Column(7, "disk", 8, _known, right=True, keep=5, kind="size"),
        Column(8, "wave", 5, _dash, keep=7),
        Column(9, "group", 12, _dash, keep=0),
        Column(10, "checks", 7, tally_words, tally_tone, keep=8),
    )  # fmt: skip

    def __init__(self) -> None:
        super().__init__()
        self._detail_of: tuple[object, ...] = ()
        self._wanted = ""

    def compose_body(self) -> ComposeResult:
        """Filter, table, detail."""
        yield self.filter_bar("os~win disk>100G -power:off")
        yield VirtualTable(self.columns, id="vms")
        yield Panel("detail", keys="enter larger")

    def show(self, view: View) -> None:
        """Show a newer view."""
        self.table.set_empty(self._empty(view))
        self.set_rows(view.rows)
        self._go_to_wanted()
        self.describe_table()
        self._show_detail()

    def _empty(self, view: View) -> str:
        if view.rows:
            return "no VM matches the filter: esc clears it"
        if view.inventory_id is None:
            return (
                "no inventory yet: press i, or run 'wherry discover FILE'" if view.complete else "reading …"
            )
        return "the inventory holds no VM"

    def matching(self, text: str, rows: Sequence[tuple[Any, ...]]) -> Sequence[int]:
        """Ask the columns of the project: they know every field of a VM, and filter very many at once."""
        return self.wherry.session.matching(text, rows)

    def completed(self, text: str) -> str:
        """Return the text with what could follow."""
        return self.wherry.session.completed(text)

    def describe_table(self) -> None:
        """Say how many VMs there are and which are shown."""
        table = self.table
        shown = len(table.order)
        position = f"row {count(table.cursor + 1)} of {count(shown)}" if shown else ""
        table.set_title(Content(self.title_words()), Content(position))

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the VM under the cursor."""
        if self.ready:
            self.describe_table()
            self._show_detail()

    def select(self, key: str) -> None:
        """Put the cursor on a VM, now or as soon as it is there."""
        self._wanted = key
        if self.ready:
            if not self.table.move_to(key):
                self.bar.set("")
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted and self.table.move_to(self._wanted):
            self._wanted = ""

    def _show_detail(self) -> None:
        panel, view, vm_id = self.panel("detail"), self.view, self.table.key
        state = (vm_id, view.inventory_id, view.plan, view.tallies)
        if self._detail_of and all(old is new for old, new in zip(self._detail_of, state, strict=True)):
            return
        fresh = not self._detail_of or self._detail_of[0] != vm_id
        self._detail_of = state
        if vm_id is None:
            panel.show(line(("no VM under the cursor", "dim")), "", top=True)
            return
        vm = self.wherry.session.vm(str(vm_id))
        if vm is None:  # a newer inventory without it is on its way
            panel.show(line(("reading …", "dim")), "", top=True)
            return
        panel.show(describe_vm(vm, view, self.wherry.session), visible(vm.name), top=fresh)

    # opening and going back

    def action_open(self) -> None:
        """Give the detail the whole place, or take it back."""
        if self.writing:
            return
        self.set_class(not self.has_class("large"), "large")
        large = self.has_class("large")
        panel = self.panel("detail")
        panel.border_subtitle = Content("enter or esc back to the table" if large else "enter larger")
        (panel if large else self.table).focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """A double click opens too."""
        if not self.has_class("large"):
            self.action_open()

    def action_back(self) -> None:
        """Leave the large detail before all else."""
        if self.has_class("large"):
            self.action_open()
        else:
            super().action_back()
