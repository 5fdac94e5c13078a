"""A protection group's page: what can I go back to, how did it change, and which way is home.

    direction, state, lineage, failback │ changes over time
    checkpoints                         │ the one under the cursor, and what is served of it
                                        │ what was done to it, by every run
    source, target, points on one axis of time

It is opened from 6 Replicate. The receiver is asked in a thread, when something was done or copied.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from planner.names import visible
from tui.actions.keymap import bindings_at
from tui.acts.histories import GroupTold
from tui.drawings.group_axis import LEGEND, group_axis
from tui.live.document import Live
from tui.live.lanes import Lane, Lanes
from tui.screens.group_acts import GroupActs
from tui.screens.group_past import describe_past
from tui.screens.group_rows import COLUMNS, checkpoint_rows
from tui.screens.group_words import describe_changes, describe_group, describe_point
from tui.session import View
from tui.text import line, stack
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

_SIDES = ("head", "change", "point", "past", "axis")


class GroupScreen(GroupActs):
    """What can I go back to, and how."""

    CSS_PATH = "group.tcss"
    BINDINGS = bindings_at("group")
    place_id = "group"
    noun = "checkpoint"
    spares_line = True
    columns = COLUMNS
    chip = "[LIVE]"

    def __init__(self, wave: str, group: str) -> None:
        super().__init__()
        self.watched, self._group = wave, group
        self.title_of_group = f"{wave}/{group}"
        self._told: GroupTold | None = None
        self._failure = ""
        self._reading = self._again = False
        self._stamp: object = None
        self._lanes: Lanes | None = None

    def compose_body(self) -> ComposeResult:
        """The group, its changes, its checkpoints, one of them."""
        with Horizontal(id="top"):
            yield Panel("head", "Group", "f fail back · c commit · O overlook")
            yield Panel("change", "Changes over time")
        yield self.filter_bar("kind:named changed>1GiB verified~equal")
        with Horizontal(id="middle"):
            yield VirtualTable(COLUMNS, id="points")
            with Vertical(id="near"):
                yield Panel("point", "Checkpoint", "d disks · b boot · t T restore · p pin")
                yield Panel("past", "History", "the newest first")
        yield Panel("axis", "Course, UTC", LEGEND)

    @property
    def table(self) -> VirtualTable:
        """The checkpoints."""
        return self.query_one("#points", VirtualTable)

    @property
    def told(self) -> GroupTold | None:
        """The group as it was read last."""
        return self._told

    @property
    def point(self) -> Mapping[str, Any] | None:
        """The checkpoint under the cursor."""
        key = self.table.key if self.ready else None
        return next((one for one in self._points() if str(one["record"]) == key), None)

    def _points(self) -> list[Mapping[str, Any]]:
        told = self._told.told if self._told is not None else None
        return list(told["checkpoints"]) if told is not None else []

    def _find_lane(self) -> Lane | None:
        found = self._lanes = Lanes(self.live, self.wherry.now(), self._lanes)
        here = (1, self.watched, self._group)
        mine = next((lane for lane in found.still if (lane.depth, lane.wave, lane.group) == here), None)
        return found.find(mine.key) if mine is not None else None

    def where(self) -> str:
        """The group."""
        return visible(self.title_of_group, 60)

    # reading

    def on_mount(self) -> None:
        """Begin to read."""
        super().on_mount()
        self.read_group()

    def read_group(self) -> None:
        """Have the group read in a thread; what is asked for meanwhile is read after it."""
        if self._reading:
            self._again = True
            return
        self._reading, self._again = True, False
        root, title, now = self.wherry.session.root, self.title_of_group, self.wherry.now()
        asks = not self.wherry.read_only

        def look() -> GroupTold:
            from planner.store.project import Project
            from tui.acts import histories

            with Project.open(root) as project:
                return histories.tell(project, title, now, asks=asks)

        self.in_thread(look, self._got, self._failed)

    def _got(self, told: GroupTold) -> None:
        self._told, self._failure = told, ""
        self._read_it()

    def _failed(self, said: str, hint: str) -> None:
        self._failure = f"{said}: {hint}" if hint else said
        self._read_it()

    def _read_it(self) -> None:
        self._reading = False
        if self._again:
            self.read_group()
        self._fill()

    # showing

    def show(self, view: View) -> None:
        """Show a newer view."""
        self.show_bar()
        self.table.flashes = False
        self._fill()

    def show_live(self, live: Live) -> None:
        """Show what the wave does now; its group is read again when a round or an act came to an end."""
        wave = self.now
        copies = wave.copies if wave is not None else None
        stamp = wave and (wave.run, wave.status.stage, copies and copies.copied_at.get(self._group))
        if stamp != self._stamp:
            self._stamp = stamp
            self.read_group()
        self._show_now()

    def _fill(self) -> None:
        """Show what was read of the group, and what it does now."""
        if not self.ready:
            return
        told = self._told
        rows = checkpoint_rows(self._points(), told.proven if told is not None else frozenset())
        self.table.set_empty(self._empty())
        self.set_rows(self.table.rows if rows == self.table.rows else rows)
        self.describe_table()
        change = self.panel("change")
        change.show(describe_changes(told, change.size.width - 4))
        self.panel("past").show(describe_past(told))
        if told is not None and told.course is not None:
            axis = self.panel("axis")
            axis.show(group_axis(told.course, self._points(), axis.size.width - 4))
        self.show_point()
        self._show_now()

    def _show_now(self) -> None:
        if self.ready:
            words = describe_group(self._told, self.now, self._find_lane(), self.wherry.now())
            self.panel("head").show(words, self.where())
            self.show_keys()

    def _empty(self) -> str:
        if self._told is None:
            return f"✖ {visible(self._failure, 300)}" if self._failure else "reading …"
        if self._points():
            return "no checkpoint matches the filter: esc clears it"
        return visible(self._told.why, 300) or "there is no checkpoint yet: n makes one, a round does too"

    def describe_table(self) -> None:
        """Say what the table shows, and its keys."""
        points = self._points()
        pinned = sum(bool(one["pinned"]) for one in points)
        words = self.title_words(f"{pinned} pinned" if pinned else "none pinned")
        unsorted = f" · {self.table.sort_words}"  # the newest first, as they are told
        self.table.set_title(
            Content(words if self.table.sorted_by is not None else words.removesuffix(unsorted)),
            Content(self.reworded("n checkpoint now · V verify · enter all of it")),
        )

    def show_point(self) -> None:
        """Show the checkpoint under the cursor, and what is served."""
        if self.ready:
            lines = describe_point(self.point, self._told, self.wherry.now())
            self.panel("point").show([*self._served(), *lines])

    def _served(self) -> list[Content]:
        job = self.serving
        if job is None:
            return []
        state, record = job.state, job.argv[-1]
        if not state.running:
            if state.error is None:
                return []
            failed = line((f"✖ {visible(state.error.message, 300)}", "bad"))
            return [failed, line(("→ ", "dim"), visible(state.error.hint, 300))]
        where = [line("  ", visible(text, 300)) for text in state.said if "://" in text]
        said = f"● checkpoint {record} is served" if where else f"◐ checkpoint {record} is being opened"
        return [line((said, "accent"), ("  d ends it", "dim")), *where]

    def standing_note(self) -> Content | None:
        """Say what is the matter with the engine, else what leaving does."""
        return super().standing_note() or line(("esc leads back to 6 Replicate; what runs goes on", "dim"))

    # moving

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the checkpoint under the cursor."""
        if self.ready:
            self.follow_cursor(self._show_here)

    def _show_here(self) -> None:
        self.show_point()
        self.show_cursor()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Show all of a checkpoint."""
        from tui.dialogs.reader import Reader

        if (point := self.point) is not None:
            page = describe_point(point, self._told, self.wherry.now())
            self.app.push_screen(Reader(f"checkpoint {point['record']} of {self.where()}", stack(page)))

    def stations(self) -> list[Widget]:
        """The checkpoints, one of them, what was done, the group, its changes, its course."""
        return [self.table, *(self.panel(name) for name in ("point", "past", "axis", "head", "change"))]

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen the panels take turns."""
        for name in _SIDES:
            self.set_class(widget.id == name, f"at-{name}")

    def action_back(self) -> None:
        """From a panel to the checkpoints; there the filter goes, then back to the lanes."""
        if self.writing or self.bar.text:
            super().action_back()
        elif self.table.has_focus:
            self.app.pop_screen()
        else:
            self.reveal(self.table)
            self.table.focus()
