"""What every place has: line 1, the tab line, a body, a notice, the keys.

A place shows a ``View`` when the application has a newer one. It keeps its cursor, its filter and
its order while numbers change; nothing else moves by itself. Every key asks ``act``: what cannot be
done now says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import attrgetter
from time import monotonic
from typing import ClassVar, cast

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from planner.errors import WherryError
from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import reworded, shown
from tui.actions.places import ABOVE, PLACES, place_named
from tui.actions.table import action_named, actions_at, why_not, writes_a_file
from tui.screens.host import Host
from tui.session import View
from tui.text import line, utc_clock
from tui.widgets.lines import EdgeLine, Item, ItemLine
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

WIDE, WIDER = 110, 140
LEAST = (80, 24)  # cells in which all can be used
ALWAYS = ("palette", "help")  # actions whose keys stand at the right edge
REMARK_S = 6.0
HELD_S = 0.06  # keys that come faster are one key that is held
_WORK = 18  # cells for work on the line 1 of a narrow screen
_parent_of = attrgetter("_parent")  # not the property: each action asks whether the place is ready


def _clipped(work: str) -> str:
    """Shorten what is worked on; how far it is stays."""
    words, _, share = work.rpartition(" ")
    if cell_len(work) <= _WORK or not share.endswith("%"):
        return visible(work, _WORK)
    return f"{visible(words, _WORK - 1 - len(share))} {share}"


class PlaceScreen(Screen[None]):
    """A working place. Subclasses give ``place_id``, ``compose_body`` and ``show``."""

    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide"), (WIDER, "-wider")]  # noqa: RUF012  (Textual's own shape)
    place_id: ClassVar[str] = ""
    AUTO_FOCUS = "VirtualTable"
    chip: ClassVar[str] = "[PLAN ONLY]"  # the most that is done here

    def __init__(self) -> None:
        super().__init__()
        self._said = ("", "")
        self._silence: Timer | None = None
        self._parts: tuple[Widget, ...] = ()  # all widgets, once they are there
        self._moved_at = float("-inf")
        self._telling: Timer | None = None
        self._settled = False  # a whole view was shown: what differs from it is a change

    @property
    def wherry(self) -> Host:
        """The application."""
        return cast(Host, self.app)

    @property
    def ready(self) -> bool:
        """True while all widgets are there: not before they are built, nor while they are taken down."""
        return bool(self._parts) and None not in map(_parent_of, self._parts)

    @property
    def view(self) -> View:
        """What there is to show."""
        return self.wherry.view

    @property
    def wide(self) -> bool:
        """True when there is room for panels side by side."""
        return self.size.width >= WIDE

    @property
    def falls(self) -> tuple[str, ...]:
        """The actions whose keys fall off the edge first."""
        return () if self.wide else ("columns",)

    def reworded(self, text: str) -> str:
        """Return words about keys with those that a person chose."""
        return reworded(text, self.place_id, self.wherry.keys) if self.wherry.keys else text

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

    def is_under_way(self) -> bool:
        """Return whether the next key should wait for something that a key began here."""
        return False

    def where(self) -> str:
        """What follows the place on line 1, empty for nothing."""
        return ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys typed faster than the place is built do nothing."""
        return self.ready

    def on_mount(self) -> None:
        """Show what is known already."""
        self._parts = tuple(self.query("*"))
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
        flashes = self._settled and not self.wherry.preferences.calm
        for table in self.query(VirtualTable):
            table.flashes = flashes
        try:
            self.show(self.view)
        except WherryError as error:  # what is stored cannot be read: the other places still can
            hint = f"  hint: {error.hint}" if error.hint else ""
            self.say("✖ " + visible(error.message + hint), "bad")
            return
        self._settled = self.view.complete

    def follow_cursor(self, tell: Callable[[], None]) -> None:
        """Tell of what the cursor stands on: behind its own paint, and while a key is held once it rests."""
        now = monotonic()
        is_held = now - self._moved_at < HELD_S
        self._moved_at = now
        if self._telling is not None:
            self._telling.stop()
            self._telling = None
        if is_held:
            self._telling = self.set_timer(HELD_S, lambda: self._tell(tell))
        else:
            self.call_after_refresh(self._tell, tell)

    def _tell(self, tell: Callable[[], None]) -> None:
        self._telling = None
        if self.ready:
            tell()

    # the frame

    def show_frame(self) -> None:
        """Show line 1, the tab line, the notice and the keys."""
        self.query_one("#places", ItemLine).show(self._places())
        self.show_cursor()
        self.show_notice()

    def show_cursor(self) -> None:
        """Show of the frame what follows the cursor: line 1, and which keys have something to do."""
        place = place_named(self.place_id)
        trail = ["wherry", visible(self.view.name), place.title, *filter(None, [self.where()])]
        self.query_one("#line1", EdgeLine).show(line((" ▸ ".join(trail), "")), self._state())
        self.show_keys()

    def runner(self) -> tuple[str, str]:
        """Say on line 1 what runs, and in which tone."""
        running = self.view.running
        words = f"runner ● {len(running)} run{'s' * (len(running) != 1)}" if running else "runner ○ idle"
        return words, ""

    @property
    def is_live(self) -> bool:
        """True while something of a run is done now."""
        return bool(self.view.running)

    def _state(self) -> Content:
        running = self.is_live
        chip = ("[LIVE]", "bad") if running else (self.chip, "good")
        if self.wherry.read_only and not running:
            chip = ("[READ ONLY]", "good")
        work, clock = self.wherry.work_words(), utc_clock(self.wherry.now())
        if work and not self.wide and not running:  # the place keeps its name on line 1
            return line((f"{_clipped(work)}  ", "accent"), chip, "  ", clock)
        return line((f"{work}  ", "accent"), chip, "  ", self.runner(), f"  {clock}")

    def _places(self) -> tuple[Item, ...]:
        items: list[Item] = []
        for place in PLACES:
            here = place.id == ABOVE.get(self.place_id, self.place_id)
            words = f"{place.key} {place.title if self.wide or here else place.short}"
            style = "bold $text-accent" if here else ""
            items.append(Item(f"[{words}]" if here else f" {words}", style, f"act('go.{place.id}')"))
        return tuple(items)

    def _keys(self, actions: Iterable[Action], gap: str, end: str = "") -> tuple[Item, ...]:
        """Return keys with their words; ``end`` instead of the gap behind the last one."""
        items: list[Item] = []
        for action in actions:
            style = "$text-disabled" if self.why_not(action) else ""
            do = f"act('{action.id}')"
            items.append(Item(f"{shown(action, self.wherry.keys)} ", style or "$text-accent", do))
            items.append(Item(f"{action.foot}{gap}", style, do))
        if items:
            items[-1] = replace(items[-1], text=items[-1].text.rstrip() + end)
        return tuple(items)

    def show_keys(self) -> None:
        """Show the keys of the place; how to get help never falls off the edge."""
        if not self.ready:  # an answer came in while it is taken down
            return
        here = [item for item in actions_at(self.place_id, self.wherry.read_only) if item.foot]
        here.sort(key=lambda item: item.id in self.falls)
        always = ALWAYS if self.wide else ALWAYS[-1:]
        gap = "   " if self.wide else "  "
        self.query_one("#keys", ItemLine).show(
            self._keys((item for item in here if item.id not in ALWAYS), gap, gap),
            self._keys((item for item in here if item.id in always), gap),
        )

    def say(self, text: str, tone: str = "") -> None:
        """Show a remark for a few seconds."""
        self._said = (text, tone)
        if self._silence is not None:
            self._silence.stop()
        self._silence = self.set_timer(REMARK_S, self._hush)
        if self.ready:
            self.show_notice()

    def add(self, text: str) -> None:
        """Show something more beside the remark."""
        self.say(" · ".join(filter(None, (self._said[0], text))), self._said[1])

    def _hush(self) -> None:
        self._said = ("", "")
        if self.ready:
            self.show_notice()

    def complaint(self) -> str:
        """What is wrong with what the person entered here, empty for nothing."""
        return ""

    def standing_note(self) -> Content | None:
        """What the line above the keys says while there is nothing else to say."""
        return None

    def show_notice(self) -> None:
        """Fill the line above the keys: a complaint, a remark, the project's error, or the standing note."""
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
        elif self.size.width < LEAST[0] or self.size.height < LEAST[1]:
            wanted, here = ("{} by {}".format(*size) for size in (LEAST, self.size))
            notice.show(line((f"▲ {here} is small: all is in sight from {wanted} on", "warn")))
        else:
            notice.show(self.standing_note() or Content(""))

    # acting

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used here now, empty when it can; places add their own reasons."""
        if action.id == "shell" and not self.wherry.has_shell:
            return "no shell with jobs has started this: leave it, then run 'wherry ui' again"
        if self.app.is_web and writes_a_file(action):
            return "a browser only looks: run 'wherry ui' to write files"
        return why_not(action, self.view, self.wherry.read_only)

    async def action_act(self, action_id: str) -> None:
        """Do what a key stands for, or say why it cannot be done now."""
        action = action_named(action_id)
        if why := self.why_not(action):
            said = f"{action.title}: {why}"  # where both do not fit, the key that was pressed is known
            self.say(said if cell_len(said) < self.size.width - 1 else why, "warn")
        else:
            await self.run_action(action.do)

    def stations(self) -> list[Widget]:
        """The widgets that tab goes through, in order."""
        return [widget for widget in self.query("VirtualTable, Panel") if widget.can_focus and widget.display]

    def action_panel(self, by: int) -> None:
        """Go to the next panel; on a narrow screen it takes the place of its neighbour."""
        stations = self.stations()
        here = next((i for i, widget in enumerate(stations) if widget.has_focus), -1)
        target = stations[(here + by) % len(stations)] if here >= 0 else stations[0]
        self.reveal(target)
        target.focus()

    def reveal(self, widget: Widget) -> None:
        """Make a panel visible that a narrow screen hides."""

    def select(self, key: str) -> None:
        """Put the cursor on what was asked for, now or as soon as it is there."""

    def action_open(self) -> None:
        """Open what is under the cursor."""

    def action_back(self) -> None:
        """Go back to where we came from."""
        self.wherry.go_back()

    @property
    def writing(self) -> bool:
        """True while keys go into a line of text."""
        return isinstance(self.focused, Input)

    def panel(self, name: str) -> Panel:
        """Return one of the place's panels."""
        return self.query_one(f"#{name}", Panel)
