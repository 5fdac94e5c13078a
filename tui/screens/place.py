"""What every place has: line 1, the tab line, a body, a notice, the keys.

A place shows a ``View`` when the application has a newer one. It keeps its cursor, its filter and
its order while numbers change; nothing else moves by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar, Protocol, cast

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget

from planner.names import visible
from tui.actions import PLACES, SHORT, actions_at, why_not
from tui.session import View
from tui.text import line, utc_clock
from tui.widgets.lines import EdgeLine, Item, ItemLine
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

WIDE = 110
REMARK_S = 6.0


class Host(Protocol):
    """What a place needs of the application that shows it."""

    view: View
    read_only: bool
    now: Callable[[], datetime]

    def open_wave(self, wave: str) -> None:
        """Go to a wave."""
        ...

    def go_back(self) -> None:
        """Go to the place before."""
        ...


class PlaceScreen(Screen[None]):
    """A working place. Subclasses give ``place_id``, ``compose_body`` and ``show``."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  (Textual's own shape)
    place_id: ClassVar[str] = ""
    AUTO_FOCUS = "VirtualTable"

    def __init__(self) -> None:
        super().__init__()
        self._said = ("", "")
        self._silence: Timer | None = None
        self._whole = 0  # number of widgets once all are there

    @property
    def wherry(self) -> Host:
        """The application."""
        return cast(Host, self.app)

    @property
    def ready(self) -> bool:
        """True while all widgets are there: not before they are built, nor while they are taken down."""
        return 0 < self._whole <= len(self.query("*"))

    @property
    def view(self) -> View:
        """What there is to show."""
        return self.wherry.view

    @property
    def wide(self) -> bool:
        """True when there is room for panels side by side."""
        return self.size.width >= WIDE

    def compose(self) -> ComposeResult:
        """Frame and body."""
        yield EdgeLine("line1")
        yield ItemLine("places")
        with Container(id="body"):
            yield from self.compose_body()
        yield EdgeLine("notice")
        yield ItemLine("keys")

    def compose_body(self) -> ComposeResult:
        """The place's own widgets."""
        raise NotImplementedError

    def show(self, view: View) -> None:
        """Show a newer view."""
        raise NotImplementedError

    def where(self) -> str:
        """What follows the place on line 1, empty for nothing."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys typed faster than the place is built do nothing."""
        return self.ready

    def on_mount(self) -> None:
        """Show what is known already."""
        self._whole = len(self.query("*"))
        self.update()

    def on_screen_resume(self) -> None:
        """Show what came in meanwhile."""
        self.update()

    def on_resize(self) -> None:
        """Lay the lines out again."""
        self.update()

    def update(self) -> None:
        """Show the newest view in the frame and the body."""
        if not self.ready:
            return
        self.show_frame()
        self.show(self.view)

    # the frame

    def show_frame(self) -> None:
        """Show line 1, the tab line, the notice and the keys."""
        place = next(item for item in PLACES if item.id == self.place_id)
        trail = ["wherry", visible(self.view.name), place.title, *filter(None, [self.where()])]
        self.query_one("#line1", EdgeLine).show(line((" ▸ ".join(trail), "")), self._state())
        self.query_one("#places", ItemLine).show(self._places())
        self.query_one("#keys", ItemLine).show(self._keys())
        self.show_notice()

    def _state(self) -> Content:
        running = self.view.running
        chip = ("[LIVE]", "bad") if running else ("[PLAN ONLY]", "good")
        if self.wherry.read_only and not running:
            chip = ("[READ ONLY]", "good")
        runner = (
            f"  runner ● {len(running)} run{'s' * (len(running) != 1)}  " if running else "  runner ○ idle  "
        )
        return line(chip, runner, utc_clock(self.wherry.now()))

    def _places(self) -> tuple[Item, ...]:
        items: list[Item] = []
        for place in PLACES:
            if not place.later:
                here = place.id == self.place_id
                text = f"[{place.key} {place.title}]" if here else f" {place.key} {place.title} "
                items.append(Item(text + " ", "bold $text-accent" if here else "", f"app.go('{place.id}')"))
        items.append(Item("  later: ", "$text-disabled"))
        for place in PLACES:
            if place.later:
                text = f"{place.key} {place.title}  " if self.wide else f"{place.key} "
                items.append(Item(text, "$text-disabled", f"app.go('{place.id}')"))
        return tuple(items)

    def _keys(self) -> tuple[Item, ...]:
        items: list[Item] = []
        gap = "   " if self.wide else "  "
        for action in actions_at(self.place_id, self.wherry.read_only):
            if action.foot:
                style = "$text-disabled" if why_not(action, self.view) else ""
                items.append(Item(f"{action.shown} ", style or "$text-accent", action.do))
                items.append(Item(f"{SHORT.get(action.title, action.title)}{gap}", style, action.do))
        return tuple(items)

    def say(self, text: str, tone: str = "") -> None:
        """Show a remark for a few seconds."""
        self._said = (text, tone)
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(REMARK_S, self._hush)
        self.show_notice()

    def _hush(self) -> None:
        self._said = ("", "")
        if self.ready:
            self.show_notice()

    def complaint(self) -> str:
        """What is wrong with what the person entered here, empty for nothing."""
        return ""

    def show_notice(self) -> None:
        """Fill the line above the keys: a complaint, a remark, the project's error, or nothing."""
        notice = self.query_one("#notice", EdgeLine)
        if complaint := self.complaint():
            notice.show(line(("▲ " + visible(complaint), "warn")))
        elif self._said[0]:
            notice.show(line(self._said))
        elif self.view.error:
            hint = f"  hint: {visible(self.view.hint)}" if self.view.hint else ""
            notice.show(line(("✖ " + visible(self.view.error), "bad"), hint))
        elif not self.view.complete:
            notice.show(line(("reading the project …", "dim")))
        else:
            notice.show(Content(""))

    # what all places can do

    def stations(self) -> list[Widget]:
        """The widgets that tab goes through, in order."""
        return [widget for widget in self.query("VirtualTable, Panel") if widget.can_focus]

    def action_panel(self, by: int) -> None:
        """Go to the next panel; on a narrow screen it takes the place of its neighbour."""
        stations = self.stations()
        here = next((i for i, widget in enumerate(stations) if widget.has_focus), -1)
        target = stations[(here + by) % len(stations)] if here >= 0 else stations[0]
        self.reveal(target)
        target.focus()

    def reveal(self, widget: Widget) -> None:
        """Make a panel visible that a narrow screen hides."""

    def action_sort(self) -> None:
        """Sort by the next column."""
        table = self.query_one(VirtualTable)
        table.sort_next()
        self.describe_table(table)

    def action_reverse(self) -> None:
        """Turn the order round."""
        table = self.query_one(VirtualTable)
        table.sort_by(table.sorted_by, not table.reverse)
        self.describe_table(table)

    def describe_table(self, table: VirtualTable) -> None:
        """Say in the border what the table shows."""

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if not isinstance(self.focused, Panel):
            self.query_one(VirtualTable).open_row()

    def action_back(self) -> None:
        """Go back to where we came from."""
        self.wherry.go_back()
