"""Replicate: is the copy fresh? Lanes of waves, groups and VMs as they are now, and the levers of their runs.

    line, freshness, store │ lanes ──enter──▶ a group's page, or one lane from near

It shows what the record and the movers say; whoever looks from elsewhere sees the same.
Leaving it stops nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget

from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import bindings_at, shown
from tui.actions.table import action_named
from tui.dialogs.reader import Reader
from tui.live.document import Live
from tui.live.lanes import AGES_S, Lane, Lanes
from tui.live.sums import Sent, sums
from tui.screens.replicate_acts import ReplicateActs
from tui.screens.replicate_rows import COLUMNS, lane_rows
from tui.screens.replicate_words import (
    describe_freshness,
    describe_lane,
    describe_line,
    describe_store,
    lane_page,
)
from tui.session import View
from tui.text import line, plural
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from migrate.replication.line import Line

_SIDES = ("link", "fresh", "store")


class ReplicateScreen(ReplicateActs):
    """Is the copy fresh."""

    CSS_PATH = "replicate.tcss"
    BINDINGS = bindings_at("replicate")
    place_id = "replicate"
    noun = "lane"
    filters = "lanes"
    spares_line = True
    columns = COLUMNS
    chip = "[LIVE]"

    def __init__(self) -> None:
        super().__init__()
        self._lanes = Lanes(self.live, datetime.min.replace(tzinfo=UTC))
        self._folded: set[str] = set()
        self._only_ill = False
        self._sent = Sent()
        self._sums = sums(self.live)
        self._held: tuple[int, Line | None] = (-1, None)  # by version of the settings
        self._wanted = ""
        self._stamp: tuple[object, ...] = ()
        self._steered: tuple[object, ...] = ()  # what the keys and line 1 were shown for

    def compose_body(self) -> ComposeResult:
        """Line, freshness and store; the lanes; one of them from near."""
        with Horizontal(id="top"):
            yield Panel("link", "Line", "t throttle")
            yield Panel("fresh", "Freshness", "o problems")
            yield Panel("store", "Store and journals", "V verify · c checkpoint")
        yield self.filter_bar("phase~seed rpo>15 tries>0")
        yield VirtualTable(COLUMNS, id="lanes")
        yield Panel("lane", "Lane", "enter all of it · p pause · r resume · n sync now")

    @property
    def table(self) -> VirtualTable:
        """The lanes."""
        return self.query_one("#lanes", VirtualTable)

    @property
    def lane(self) -> Lane | None:
        """The lane under the cursor."""
        key = self.table.key if self.ready else None
        return self._lanes.find(str(key)) if key is not None else None

    def where(self) -> str:
        """The lane under the cursor."""
        lane = self.lane
        return visible(lane.name, 40) if lane is not None else ""

    # showing

    def show(self, view: View) -> None:
        """Show a newer view: its settings, and the time where that makes a difference."""
        self.show_bar()
        self.table.flashes = False  # figures change all the time, and that is no news
        stamp = (view.settings, view.complete, view.error, int(self.wherry.now().timestamp()) // AGES_S)
        if stamp != self._stamp:
            self._stamp = stamp
            self._fill()

    def show_live(self, live: Live) -> None:
        """Show what moves now."""
        self._sent.saw(live, monotonic())
        self._fill()

    def _fill(self) -> None:
        self._lanes = Lanes(self.live, self.wherry.now(), self._lanes)
        self._sums = sums(self.live)
        self.table.set_empty(self._empty())
        self.set_rows(lane_rows(self._lanes, self._folded, self._only_ill))
        self.describe_table()
        self._go_to_wanted()
        self._show_sides()
        self._show_lane()

    def _empty(self) -> str:
        if not self.live.complete:
            return "reading …"
        if self._only_ill and self._lanes:
            return "nothing is wrong: o shows all lanes again"
        if self._lanes:
            return "no lane matches the filter: esc clears it"
        return "no plan yet: press p in 4 Waves, or run 'wherry plan'"

    def title_words(self, *more: str) -> str:
        """Say how many lanes there are, how many move and how many are in trouble."""
        ill = sum(lane.ill for lane in self._lanes.still)
        moving = self._sums.moving
        words = [plural(moving, "disk") + " under way", f"{ill} to look at" if ill else "nothing is wrong"]
        said = super().title_words(*words)
        return said if self.table.sorted_by is not None else said.removesuffix(f" · {self.table.sort_words}")

    def describe_table(self) -> None:
        """Say what the table shows, and its keys."""
        keys = "← → fold · z fold all · o only what is wrong"
        self.table.set_title(Content(self.title_words()), Content(self.reworded(keys)))

    def _show_sides(self) -> None:
        if self.view.inventory_id is None and not self.view.complete:
            return
        settings = self.wherry.session.settings()
        link = self.panel("link")
        now = self.wherry.now()
        said = describe_line(self._line(), settings, list(self._sent.rates), now, link.size.width - 4)
        link.show(said)
        self.panel("fresh").show(describe_freshness(self._lanes.still))
        self.panel("store").show(describe_store(self.live, self._sums))

    def _line(self) -> Line | None:
        """Return what transfers may take, as the settings in force say."""
        from migrate.run.line_policy import line_now

        if self._held[0] != self.view.settings:
            self._held = self.view.settings, line_now(self.wherry.session.settings())
        return self._held[1]

    def _show_lane(self) -> None:
        lane = self.lane
        title = visible(lane.name, 60) if lane is not None else "Lane"
        self.panel("lane").show(describe_lane(lane, self.live, self.wherry.now()), title)

    def standing_note(self) -> Content | None:
        """Say what is the matter with the engine, else what begins a wave, else what leaving does."""
        if (trouble := super().standing_note()) is not None:
            return trouble
        if (name := self.unbegun()) and not self.wherry.read_only:
            key = shown(action_named("replicate.sync"), self.wherry.keys)
            return line(
                (f"{visible(name, 20)} is approved and not begun: {key} makes its first copies", "accent")
            )
        return line(("leaving stops nothing: runs go on, and show here again", "dim"))

    # moving

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the lane under the cursor, unless it is the same and only moved on."""
        if not self.ready:
            return
        key, wave = self.table.key, self._here()
        steered = (key, wave and (wave.status, wave.run, wave.driven, wave.order), self._sums.moving)
        if steered != self._steered:
            self._steered = steered
            self.follow_cursor(self._show_here)

    def _show_here(self) -> None:
        self._show_lane()
        self.show_cursor()
        self.show_notice()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Open the page of a group; of a wave or a VM show all of its lane."""
        lane = self.lane
        if lane is not None and lane.depth == 1:
            from tui.screens.group import GroupScreen

            self.app.push_screen(GroupScreen(lane.wave, lane.group))
        elif lane is not None:
            page = lane_page(lane, self.live, self.wherry.now())
            self.app.push_screen(Reader(visible(lane.name, 60), page))

    def select(self, key: str) -> None:
        """Put the cursor on a lane, now or as soon as it is there."""
        self._wanted = key
        if self.ready:
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted and self.table.move_to(self._wanted):
            self._wanted = ""

    def stations(self) -> list[Widget]:
        """The lanes, one of them, line, freshness, store."""
        return [self.table, self.panel("lane"), *map(self.panel, _SIDES)]

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen the panels take turns."""
        for name in (*_SIDES, "lane"):
            self.set_class(widget.id == name, f"at-{name}")

    def action_back(self) -> None:
        """From a panel to the lanes; there the filter goes, then back to where we came from."""
        if self.table.has_focus or self.writing:
            super().action_back()
        else:
            self.reveal(self.table)
            self.table.focus()

    def why_not(self, action: Action) -> str:
        """Say also what has to be there first."""
        if why := super().why_not(action):
            return why
        if not self.ready or not action.id.startswith("replicate."):
            return ""
        name = action.id.removeprefix("replicate.")
        if name in ("throttle", "problems"):
            return ""
        if name == "fold_all":
            return "" if any(lane.depth == 2 for lane in self._lanes.still) else "there is no VM to fold away"
        lane = self.lane
        if lane is None:
            return "there is no lane under the cursor"
        return self.why_no_lever(name, lane)

    # folding

    def action_fold(self) -> None:
        """Fold the lanes under this one away; of a VM, those of its group."""
        if (lane := self.lane) is not None:
            key = lane.key if lane.depth < 2 and lane.key not in self._folded else _above(lane)
            self._folded.add(key)
            self._fill()
            self.table.move_to(key)

    def action_unfold(self) -> None:
        """Show the lanes under this one."""
        if (lane := self.lane) is not None:
            self._folded.discard(lane.key)
            self._fill()

    def action_fold_all(self) -> None:
        """Fold all VMs away, or show all there are."""
        groups = {lane.key for lane in self._lanes.still if lane.depth == 1}
        self._folded = set() if self._folded else groups
        self._fill()

    def action_problems(self) -> None:
        """Show only what a person should look at, or all."""
        self._only_ill = not self._only_ill
        self._fill()


def _above(lane: Lane) -> str:
    """Return the key of what a lane lies under, a wave's its own."""
    return lane.wave if lane.depth < 2 else lane.key.rpartition("/")[0]
