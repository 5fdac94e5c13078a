"""Inventory: every VM in one table, a filter, what is filtered by kind, and the VM under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.timer import Timer

from planner.names import visible
from planner.units import show_bytes
from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.screens.place import WIDER
from tui.screens.spread import Kind, named, spread
from tui.screens.vm_acts import VmActs
from tui.session import View
from tui.text import count, line
from tui.theme import power_mark, tally_tone, tally_words
from tui.widgets.column import Column
from tui.widgets.lines import Item, ItemLine
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

PAUSE_S = 0.15  # before what is filtered is counted: not while somebody types
_KINDS: tuple[Kind, ...] = (
    ("cluster", 2, named),
    ("guest system", 4, lambda guest: _guest(guest)),
    ("power", 3, lambda power: power_mark(power).text.strip()),
)
_STUDIED = ("ties", "plan")  # pages that the study fills


def _dash(text: str) -> str:
    return visible(text) or "–"


def _guest(guest: str) -> str:
    """Return a guest system without the words that all of its kind begin and end with."""
    return named(guest.removeprefix("Microsoft ").removesuffix(" (64-bit)"))


def _known(size: int) -> str:
    return show_bytes(size) if size else "–"


class InventoryScreen(VmActs):
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
        Column(4, "os", 20, lambda guest: _guest(guest) if guest else "–", keep=1),
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
        self._page = 0
        self._told: tuple[object, dict[str, Any] | None, str] = ("", None, "")  # of which VM, what, why not
        self._counting: Timer | None = None
        self._counted: tuple[object, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Filter, table, what is filtered by kind, detail."""
        yield self.filter_bar("os~win disk>100G -power:off")
        with Horizontal(id="upper"):
            yield VirtualTable(self.columns, id="vms")
            yield Panel("spread", "What is shown")
        yield ItemLine("pages")
        yield Panel("detail", keys="enter full page · d dependencies · c checks")

    def show(self, view: View) -> None:
        """Show a newer view."""
        self.table.set_empty(self._empty(view))
        self.set_rows(view.rows)
        self._go_to_wanted()
        self.describe_table()
        self._show_detail()
        saved = self.wherry.session.saved_filters(self.filters)
        self.bar.show_saved("saved: " + " · ".join(map(visible, sorted(saved))) if saved else "")

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
        self._count_later()

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the VM under the cursor."""
        if self.ready:
            self.describe_table()
            self.follow_cursor(self._show_detail)

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

    # what is filtered, by kind

    def _count_later(self) -> None:
        rows, order, size = self.table.rows, self.table.order, self.size
        old = self._counted
        same = bool(old) and old[0] is rows and old[1] is order and old[2] == size
        if size.width >= WIDER and not same:
            self._counted = (rows, order, size)
            if self._counting is not None:
                self._counting.stop()
            self._counting = self.set_timer(PAUSE_S, self._count)

    def _count(self) -> None:
        if not self.ready:
            return
        panel, table = self.panel("spread"), self.table
        room = panel.content_size
        if not room.height:
            self._counted = ()  # not laid out yet: the next look tries again
        else:
            panel.show(spread(table.rows, table.order, _KINDS, room.width, room.height))

    # the VM under the cursor

    def _show_detail(self) -> None:
        panel, view, vm_id = self.panel("detail"), self.view, self.table.key
        state = (
            vm_id,
            view.inventory_id,
            view.plan,
            view.tallies,
            view.complete,
            self._page if self.large else -1,
            self._told,
        )
        if self._detail_of and all(old is new for old, new in zip(self._detail_of, state, strict=True)):
            return
        fresh = not self._detail_of or self._detail_of[0] != vm_id or self._detail_of[5] != state[5]
        self._detail_of = state
        if vm_id is None:
            panel.show(line(("no VM under the cursor", "dim")), "", top=True)
            return
        session = self.wherry.session
        vm = session.vm(str(vm_id)) if view.complete else None  # the table does not wait for it
        if vm is None:  # or a newer inventory without it is on its way
            panel.show(line(("reading …", "dim")), "", top=True)
            return
        from tui.screens.vm_detail import describe_vm
        from tui.screens.vm_page import PAGES, describe_page

        if not self.large:
            panel.show(describe_vm(vm, view, session), visible(vm.name), top=fresh)
        else:
            page, width = PAGES[self._page], panel.content_size.width
            _, told, wrong = self._told if self._told[0] == self._study_of(str(vm_id)) else ("", None, "")
            panel.show(
                describe_page(page, vm, view, session, told, wrong, width), visible(vm.name), top=fresh
            )
            self._show_pages()
            if page in _STUDIED:
                self._study(str(vm_id))

    def _study_of(self, vm_id: str) -> tuple[object, ...]:
        return (vm_id, self.view.inventory_id, self.view.settings)

    def _study(self, vm_id: str) -> None:
        """Ask for what takes the whole estate to know, once for each state."""
        wanted = self._study_of(vm_id)
        if self._told[0] == wanted:
            return

        def take(told: dict[str, Any] | None, wrong: str = "") -> None:
            if self._told[0] == wanted:
                self._told = (wanted, told, wrong)
                self._show_detail()

        self._told = (wanted, None, "")
        self.wherry.ask("vms.page", {"vm": vm_id}, take, failed=lambda said: take(None, said))

    @property
    def large(self) -> bool:
        """Whether one VM has the whole place."""
        return self.has_class("large")

    def _show_pages(self) -> None:
        from tui.screens.vm_page import PAGES

        items = []
        for at, page in enumerate(PAGES):
            here = at == self._page
            style = "bold $text-accent" if here else ""
            items.append(Item(f"[{page}]" if here else f" {page} ", style, f"turn_to({at})"))
        self.query_one("#pages", ItemLine).show((*items, Item("   ← → turn · esc back", "$text-muted")))

    # opening and going back

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used here now."""
        if action.do.startswith("tab(") and not self.large:
            return "open the VM first: enter, as 'wherry inventory show' does"
        return super().why_not(action)

    def action_open(self) -> None:
        """Give the VM the whole place, or take it back."""
        if self.writing or (not self.large and self.table.row is None):
            return
        self.set_class(not self.large, "large")
        large = self.large
        panel = self.panel("detail")
        below = "enter or esc back to the table" if large else "enter full page · d dependencies · c checks"
        panel.set_title(None, Content(below))
        self._show_detail()
        (panel if large else self.table).focus()

    def action_tab(self, by: int) -> None:
        """Turn to the next page of the VM."""
        from tui.screens.vm_page import PAGES

        self.action_turn_to((self._page + by) % len(PAGES))

    def action_turn_to(self, page: int) -> None:
        """Turn to a page of the VM."""
        self._page = page
        self._show_detail()

    def action_panel(self, by: int) -> None:
        """Turn the pages of a VM that has the whole place; else go to the next panel."""
        if self.large:
            self.action_tab(by)
        else:
            super().action_panel(by)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """A double click opens too."""
        if not self.large:
            self.action_open()

    def action_back(self) -> None:
        """Leave the large detail before all else."""
        if self.large:
            self.action_open()
        else:
            super().action_back()
