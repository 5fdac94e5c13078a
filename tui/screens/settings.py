"""Settings: blocks at the left, the entries of one at the right, below it what is known of an entry.

    the study ──settings.view, settings.used, maps, remaps──▶ rows      a key ──▶ SettingsEdits ──▶ the study

Nothing is decided here: entries are read and judged by the settings themselves, in the study.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.screens.settings_detail import (
    describe_block,
    describe_disk,
    describe_entry,
    describe_landing,
    describe_network,
)
from tui.screens.settings_edits import SettingsEdits
from tui.screens.settings_maps import KINDS
from tui.screens.settings_rows import (
    BLOCK_COLUMNS,
    SHAPES,
    Row,
    disk_rows,
    entry_rows,
    landing_rows,
    network_rows,
)
from tui.screens.table_place import TablePlace
from tui.session import View
from tui.text import line, plural
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

_NOUNS = {"values": "entry", "lists": "entry", "names": "name", "windows": "window", "disks": "disk",
          **{table: kind.noun for table, kind in KINDS.items()}}  # fmt: skip
_MAPS = "enter maps · m maps many · d takes away"
_KEYS = {
    "values": "enter changes · d its default again",
    "lists": "enter changes · a adds · d takes away",
    "names": "enter changes · a adds · d takes away",
    "windows": "enter changes · a adds · d takes away",
    **dict.fromkeys(KINDS, _MAPS),
    "disks": "enter decides · a another disk · d the rule again · l LUN sheet",
}
_HOLIDAYS = "a adds · c from a calendar · d takes away"
_ASKED = {
    "disks": "remaps",
    **{table: kind.op for table, kind in KINDS.items()},
}  # blocks that need the estate
_USED = ("caps", "each")


class SettingsScreen(SettingsEdits, TablePlace):
    """Link, windows, freezes, caps, maps."""

    CSS_PATH = "settings.tcss"
    BINDINGS = bindings_at("settings")
    place_id = "settings"
    filters = "settings"
    columns = SHAPES["values"]
    AUTO_FOCUS = "#blocks"

    def __init__(self) -> None:
        super().__init__()
        self.data: Mapping[str, Any] = {}
        self.asked: dict[str, Any] = {}  # what the study said of the estate, by op
        self._current: set[str] = set()  # which of these are of the newest settings
        self._of: tuple[object, ...] = ()
        self.zones: Sequence[str] = ()
        self._seen: View | None = None
        self._asking: set[str] = set()
        self._block = ""
        self._wanted = ""

    def compose_body(self) -> ComposeResult:
        """Blocks, entries, detail."""
        with Horizontal(id="sides"):
            yield VirtualTable(BLOCK_COLUMNS, id="blocks")
            with Vertical(id="right"):
                yield self.filter_bar("a part of a name")
                yield VirtualTable(self.columns, id="entries")
                yield Panel("detail", keys="tab goes round")

    # its parts

    @property
    def table(self) -> VirtualTable:
        """The table of entries."""
        return self.query_one("#entries", VirtualTable)

    @property
    def blocks(self) -> VirtualTable:
        """The table of blocks."""
        return self.query_one("#blocks", VirtualTable)

    @property
    def block(self) -> Mapping[str, Any]:
        """The block under the cursor; empty before there is one."""
        return next((one for one in self.data.get("blocks", ()) if one["id"] == self._block), {})

    @property
    def row(self) -> Mapping[str, Any] | None:
        """What the study says of the entry under the cursor."""
        row = self.table.row
        return row[1] if row is not None else None

    def stations(self) -> list[Widget]:
        """Blocks, entries, detail."""
        return [self.blocks, self.table, self.panel("detail")]

    def reveal(self, widget: Widget) -> None:
        """Show the entries on a narrow screen, or the blocks again."""
        self.set_class(widget is not self.blocks, "inside")

    def where(self) -> str:
        """The block."""
        return str(self.block.get("title", ""))

    # reading

    def show(self, view: View) -> None:
        """Ask what the settings are when anything may have changed."""
        if view is not self._seen:
            self._seen = view
            self.read()
        self._fill()

    def read(self) -> None:
        """Ask for the settings as they are now."""
        self._ask("settings.view", self._arrived)
        if not self.zones:
            self._ask("settings.zones", self._take_zones)

    def _ask(self, op: str, then: Any) -> None:
        if op in self._asking:
            return
        self._asking.add(op)

        def arrived(answer: Any) -> None:
            self._asking.discard(op)
            then(answer)
            if self.ready:
                self._fill()

        self.wherry.ask(op, None, arrived, failed=lambda _: self._asking.discard(op))

    def _take_zones(self, zones: Sequence[str]) -> None:
        self.zones = zones

    def _arrived(self, data: Mapping[str, Any]) -> None:
        view = self._seen
        of = (view.inventory_id, view.plan.version if view.plan else 0) if view is not None else ()
        if data != self.data or of != self._of:
            self.data, self._of = data, of
            self._current = set()  # old answers are shown until there are new ones: nothing flickers

    def _learn(self, op: str) -> Any:
        """Return what the study says to an op that needs the estate, None until it has said it."""
        if op not in self._current and op not in self._asking and self.view.inventory_id is not None:
            self._current.add(op)

            def keep(answer: Any) -> None:
                self.asked[op] = answer

            self._ask(op, keep)
        return self.asked.get(op)

    # showing

    def _fill(self) -> None:
        rows = tuple((one["id"], one["title"], one["said"]) for one in self.data.get("blocks", ()))
        if rows != self.blocks.rows:
            self.blocks.set_rows(rows)
        if self._wanted and self.blocks.move_to(self._wanted):
            self._wanted = ""
        self.blocks.set_empty("reading …")
        self._turn()
        self.set_rows(self._rows())
        self.describe_table()
        self._describe()
        self.show_frame()

    def _turn(self) -> None:
        """Show the block under the cursor."""
        chosen = str(self.blocks.key or "")
        if chosen == self._block:
            return
        self._block = chosen
        self.columns = SHAPES[self.block["shape"]] if self.block else SHAPES["values"]
        self.noun = _NOUNS[self.block["shape"]] if self.block else "entry"
        table = self.table
        table.columns = self.columns
        table.marks.clear()
        table.sorted_by, table.reverse, table.cursor = None, False, 0
        table.choose(range(len(self.columns)))
        self.recall(table)
        self.bar.set("")
        self._filter, self._problem, self._matches, self._filtered = "", "", None, None
        table.set_rows(())

    def liked(self, table: VirtualTable) -> str:
        """Return what the preferences call a table; entries are one for each kind of block."""
        if table is not self.table:
            return super().liked(table)
        return f"{self.place_id}.{self.block['shape'] if self.block else 'values'}"

    def _rows(self) -> tuple[Row, ...]:
        block = self.block
        if not block:
            return ()
        if (shape := block["shape"]) in KINDS:
            found = self._learn(KINDS[shape].op)
            if not found:
                return ()
            rows = network_rows(found[shape]) if shape == "networks" else landing_rows(shape, found[shape])
            return self._in_place(rows)
        if block["shape"] == "disks":
            found = self._learn("remaps")
            return self._in_place(disk_rows(found["disks"])) if found else ()
        used = self._learn("settings.used") if block["id"] in _USED and self.view.plan else None
        return entry_rows(block, used or {})

    def _in_place(self, rows: tuple[Row, ...]) -> tuple[Row, ...]:
        """Return rows in the order in which they are shown already: what was decided does not jump."""
        place = {row[0]: at for at, row in enumerate(self.table.rows)}
        return tuple(sorted(rows, key=lambda row: place.get(row[0], len(place))))

    def set_rows(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Show other rows; the same ones again change nothing."""
        table = self.table
        table.set_empty(self._empty())
        super().set_rows(table.rows if rows == table.rows else rows)

    def _empty(self) -> str:
        shape = self.block.get("shape", "")
        if shape in _ASKED and self.view.inventory_id is None:
            return "no inventory yet: press i, or run 'wherry discover FILE'"
        if shape in _ASKED and _ASKED[shape] not in self.asked:
            return "reading …"
        return {
            "": "reading …",
            "lists": "none yet: a adds one",
            "names": "none yet: a adds one",
            "windows": "no window yet, so no wave has a date: a adds one",
            "networks": "no VM that moves is on a network",
            "datastores": "no VM that moves is on a datastore that is known",
            "folders": "the inventory does not say in which folders VMs are",
            "pools": "the inventory does not say in which resource pools VMs are",
            "storage_policies": "no VM that moves has a storage policy that is known",
            "disks": "no disk of a VM that moves is a raw device",
        }.get(shape, "nothing")

    def describe_table(self) -> None:
        """Say which block it is and how much is in it."""
        block = self.block
        number = len(self.data.get("blocks", ()))
        version = self.data.get("version", 0)
        self.blocks.set_title(
            Content(plural(number, "block") + (f" · version {version}" if version else "")),
            Content("enter goes in"),
        )
        words = self.title_words()
        odd = sum(bool(row[1].get("wrong")) for row in self.table.rows)
        keys = _HOLIDAYS if block.get("id") == "holidays" else _KEYS.get(block.get("shape", ""), "")
        self.table.set_title(
            Content(f"{block.get('title', '')} · {words}" + (f" · ▲ {odd}" if odd else "")), Content(keys)
        )

    def _describe(self, top: bool = False) -> None:
        block, row = self.block, self.row
        if not block:
            content = line(("reading …", "dim"))
        elif row is None:
            content = describe_block(block)
        elif block["shape"] == "networks":
            content = describe_network(row, self.asked["maps"]["target"])
        elif block["shape"] in KINDS:
            shape = block["shape"]
            content = describe_landing(shape, row, self.asked[KINDS[shape].op]["target"])
        elif block["shape"] == "disks":
            content = describe_disk(row)
        else:
            content = describe_entry(row, self.table.row[-1] if self.table.row else "")
        self.panel("detail").show(content, str(block.get("about", "")), top=top)

    def standing_note(self) -> Content | None:
        """Say when the plan is older than the settings."""
        plan = self.view.plan
        if plan is not None and self.data and plan.settings != self.data["fingerprint"]:
            return line((f"▲ plan {plan.version} was made on older settings: p plans anew", "warn"))
        return None

    # moving

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the block or the entry under the cursor."""
        if not self.ready:
            return
        if event.table is self.blocks:
            if str(self.blocks.key or "") != self._block:
                self._fill()
        elif self.row is not None or not self.table.rows:
            self._describe(top=True)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Go into a block; change an entry."""
        if event.table is self.blocks:
            self._inside()
        else:
            self.run_worker(self.action_act("settings.edit"), exit_on_error=True)

    def _inside(self) -> None:
        self.reveal(self.table)
        self.table.focus()

    async def action_open(self) -> None:  # type: ignore[override]
        """Go into the block, or change the entry."""
        if self.blocks.has_focus:
            self._inside()
        elif not self.writing:
            await self.action_act("settings.edit")

    def action_back(self) -> None:
        """Leave the filter and the marks, then the block, then the place."""
        if self.bar.text or self.bar.writing or self.table.marks or self.blocks.has_focus:
            super().action_back()
        else:
            self.reveal(self.blocks)
            self.blocks.focus()

    def action_filter(self) -> None:
        """Write a filter over the entries."""
        self.reveal(self.table)
        super().action_filter()

    def select(self, key: str) -> None:
        """Put the cursor on a block, now or as soon as it is there."""
        self._wanted = key
        if self.ready:
            self._fill()

    def why_not(self, action: Action) -> str:
        """Say what has to be under the cursor first."""
        if action.id == "filter":
            return ""
        return super().why_not(action) or self.why_no_edit(action.id)
