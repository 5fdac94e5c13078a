"""The tasks before a wave in a box: who does what until when, and how much work that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from planner.names import visible
from planner.units import show_duration
from tui.dialogs.tabled import Tabled
from tui.text import line, plural, short_time, stack
from tui.widgets.column import Column
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

_MARKS = {"open": "·", "begun": "◐", "not done": "✖", "done": "✔", "ticked off": "✔"}
_TONES = {"begun": "accent", "not done": "bad", "done": "good", "ticked off": "good"}


def _state(state: str) -> str:
    return f"{_MARKS.get(state, '?')} {visible(state)}"


def _dash(text: str) -> str:
    return visible(text) or "–"


def _due(text: str) -> str:
    return visible(short_time(text)) or "no window"


COLUMNS = (
    Column(1, "state", 12, _state, lambda state: _TONES.get(state, ""), keep=9),
    Column(2, "due", 16, _due, keep=7),
    Column(3, "about", 16, _dash, keep=6),
    Column(4, "task", 20, flex=True, keep=8),
    Column(5, "owner", 14, _dash, keep=5),
    Column(6, "effort", 7, lambda minutes: show_duration(minutes * 60), right=True, keep=4, kind="number"),
    Column(7, "how", 22, keep=1),
)


class Tasks(Tabled[str]):
    """A list of tasks. It answers with the id of one that is to be ticked off."""

    DEFAULT_CSS = """
    Tasks VirtualTable { height: 16; max-height: 60%; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("enter,x", "tick", "tick off", show=False),
        Binding("q", "leave", "close", show=False),
    ]
    file = "tasks.csv"

    def __init__(self, wave: str, tasks: Sequence[dict[str, Any]], read_only: bool) -> None:
        super().__init__()
        self._wave, self._read_only = wave, read_only
        self._tasks = {item["id"]: item for item in tasks}

    def compose(self) -> ComposeResult:
        """The table, and what there is to know of the task under the cursor."""
        with Vertical(classes="box wide") as box:
            box.border_title = Content(self._title())
            yield self.filter_bar("owner:ann state:open effort>60")
            yield VirtualTable(COLUMNS, "no task: nothing has to be done before this wave", id="tasks")
            yield Panel("task")

    @property
    def keys(self) -> str:
        """What can be done here."""
        acts = "this is the read-only view" if self._read_only else "enter ticks off"
        return f"{acts} · / filter · s sort · W csv · esc closes"

    def _title(self) -> str:
        left = [item for item in self._tasks.values() if not item["over"]]
        effort = show_duration(60 * sum(item["effort_min"] for item in left))
        outages = len({item["vm"] for item in left if item["outage"]})
        words = f"{visible(self._wave, 40)} · {len(left)} of {plural(len(self._tasks), 'task')} left"
        return f"{words} · {effort} of work · {plural(outages, 'VM')} with an outage" if left else words

    def on_mount(self) -> None:
        """Fill it; open ones first."""
        table = self.table
        table.set_rows(
            tuple(
                (item["id"], item["state"], item["due"], item["name"], item["title"], item["owner"],
                 item["effort_min"], item["how"])
                for item in sorted(self._tasks.values(), key=lambda item: item["over"])
            )
        )  # fmt: skip
        table.focus()
        self.tell()

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the task under the cursor."""
        item = self._tasks.get(str(event.table.key))
        if item is None:
            return
        lines = [line(("→ ", "accent"), visible(item["remedy"]))]
        lines += [line(("found  ", "dim"), visible(text)) for text in item["found"][:5]]
        lines.append(
            line(("id     ", "dim"), visible(item["id"]), ("   check  ", "dim"), visible(item["check"]))
        )
        if item["said"]:
            lines.append(line(("said   ", "dim"), visible(item["words"])))
        self.query_one(Panel).show(stack(lines), top=True)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """A double click ticks off too."""
        self.action_tick()

    def action_tick(self) -> None:
        """Answer with the task under the cursor, or say why it cannot be ticked off."""
        item = self._tasks.get(str(self.table.key))
        if item is None:
            return
        if self._read_only:
            why = "this is the read-only view: leave it and run 'wherry ui'"
        elif item["over"]:
            why = f"this task is over: {item['words']}"
        else:
            self.dismiss(item["id"])
            return
        self.tell(f"▲ {visible(why)} · esc closes")
