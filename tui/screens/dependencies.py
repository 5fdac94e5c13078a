"""Dependencies: move groups, the one under the cursor with all around it, and lists of what ties all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget

from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.dialogs.reader import Reader
from tui.screens.dependencies_around import Around
from tui.screens.dependencies_deciding import DecidingPlace
from tui.screens.dependencies_lists import INSIDE, LISTINGS, Row, rows_inside, rows_of_plan
from tui.screens.dependencies_told import (
    describe_chain,
    describe_cut,
    describe_cycle,
    describe_hub,
    describe_name,
    describe_side,
    describe_suggestion,
    describe_tie,
)
from tui.screens.lookup import Lookup
from tui.session import View
from tui.text import line, plural
from tui.widgets.paged_table import PagedTable
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

_TRAIL = 3  # groups on line 1


class DependenciesScreen(DecidingPlace):
    """What must go together."""

    CSS_PATH = "dependencies.tcss"
    BINDINGS = bindings_at("dependencies")
    place_id = "dependencies"
    sides = {"inside": "tie~hard traffic>1G"}  # noqa: RUF012  (shared, never changed)

    def __init__(self) -> None:
        super().__init__()
        self._near = Lookup(lambda: self.wherry, "around", "name", "ties", self._tell_group)
        self._group: Mapping[str, Any] | None = None
        self._before: list[str] = []  # groups we came through
        self._wanted = ""
        self._seen: tuple[int, ...] = ()
        self._inside: tuple[Row, ...] = ()

    def compose_body(self) -> ComposeResult:
        """Groups, the drawing over the ties inside, the price; the other tables over their detail."""
        yield self.filter_bar(LISTINGS["groups"].example)
        with Horizontal(id="walk"):
            yield VirtualTable(LISTINGS["groups"].columns, id="groups")
            with Vertical(id="middle"):
                yield Around("around")
                yield VirtualTable(INSIDE, "nothing ties its VMs: it moves alone", id="inside")
            yield Panel("side", "If we move it so", "m mend it" if self.may_act else "")
        with Vertical(id="lists"):
            yield PagedTable(LISTINGS["ties"].columns, id="ties")
            for name in ("hubs", "oversized", "cycles", "suggestions", "names"):
                yield VirtualTable(LISTINGS[name].columns, id=name)
            yield Panel("detail", "What it is")

    def on_mount(self) -> None:
        """Begin with the groups."""
        self.show_only(self.now)
        super().on_mount()

    # what is shown

    @property
    def group(self) -> Mapping[str, Any] | None:
        """The group under the cursor, as it was told; None while it is not."""
        said = self._group
        here = self.query_one("#groups", VirtualTable).key
        return said if said is not None and said["name"] == here else None

    @property
    def can_return(self) -> bool:
        """True when there is a group to go back to."""
        return bool(self._before)

    def where(self) -> str:
        """The way from group to group, the list that is shown."""
        if self.now != "groups":
            return self.listing.noun + "s"
        here = self.query_one("#groups", VirtualTable).key if self.ready else None
        names = [*self._before[1 - _TRAIL :], *([str(here)] if here is not None else [])]
        return " ▸ ".join(visible(name, 24) for name in names)

    def rows_now(self) -> tuple[Row, ...]:
        """Return the rows of the table; groups as the plan has them until the study knows more."""
        if self.now == "groups" and "groups" not in self._rows:
            return rows_of_plan(self.view.placed, self.view.rows)
        return super().rows_now()

    def show(self, view: View) -> None:
        """Show a newer view."""
        if self.stamp != self._seen:
            self._seen = self.stamp
            self._near.forget()
            self.cuts.forget()
        self.show_listing()
        if self.now == "groups":
            self._go_to_wanted()
            self._look()
        else:
            self._show_detail()

    def select(self, key: str) -> None:
        """Put the cursor on a group, now or as soon as it is there."""
        self._wanted = key
        if self.ready:
            if self.now != "groups":
                self.turn_to("groups")
            if not self.table.move_to(key):
                self.clear_filter()
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if self._wanted and self.table.move_to(self._wanted):
            self._wanted = ""

    def _look(self) -> None:
        """Show the group under the cursor."""
        key = self.table.key
        if key is None:
            self._group = None
            self.around.say(self._empty().replace(", or", ",\nor"))
            self.around.border_title = Content("no group")
            self._show_inside(())
            self.panel("side").show(line(("no group under the cursor", "dim")))
        elif self.is_known("groups"):
            self._near.want(str(key))
        elif self._group is None:
            self.around.say("reading the estate …")  # a group of the plan may be none by now
            self.around.border_title = Content(visible(str(key), 30))
            self.panel("side").show(line(("reading the estate …", "dim")))

    def _tell_group(self, name: str, said: Any, why: str) -> None:
        if self.now != "groups" or not self.ready or name != str(self.table.key):
            return
        if said is None:
            self._group = None
            self.around.say(f"✖ {visible(why)}")
            self._show_inside(())
            return
        self._group = said
        self.around.border_title = Content(
            f"{visible(name, 30)} · {plural(len(said['edges']), 'tie')} to other groups"
        )
        self.around.tell(said)
        self._show_inside(rows_inside(said))
        self._show_side()

    def _show_inside(self, rows: tuple[Row, ...]) -> None:
        if rows != self._inside:
            self._inside = rows
            self.inside.set_rows(rows)
        self._describe_inside()

    def describe_table(self) -> None:
        """Say what the tables show, and their keys."""
        super().describe_table()
        self._describe_inside()

    def _describe_inside(self) -> None:
        group = self._group
        nothing = "nothing ties its VMs: it moves alone"
        self.inside.set_empty("no tie matches the filter: esc clears it" if self.inside.rows else nothing)
        vms = plural(len(group["vms"]), "VM") if group else "0 VMs"
        ties = plural(group["inside_ties"], "tie") if group else "no tie"
        keys = "enter why" + (" · a accept · r refuse" if self.may_act else "")
        self.inside.set_title(Content(f"inside: {vms}, {ties}{self.side_words('inside')}"), Content(keys))

    def _show_side(self) -> None:
        if self._group is not None:
            content = describe_side(self._group, self.around.edge, self.may_act)
            self.panel("side").show(content, top=False)

    def on_around_chosen(self) -> None:
        """Say what the edge costs."""
        self._show_side()
        self.show_cursor()

    def on_around_followed(self) -> None:
        """Follow the edge."""
        self._follow()

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show what is under the cursor."""
        if not self.ready or event.table is not self.table:
            return
        self.follow_cursor(self._show_here)

    def _show_here(self) -> None:
        if self.now == "groups":
            self._look()
        else:
            self._show_detail()
        self.show_cursor()

    def _show_detail(self) -> None:
        panel, row, said = self.panel("detail"), self.table.row, self.row_told
        if self.now == "ties" and row is not None:
            panel.show(describe_tie(row, self.may_act), "The tie", top=True)
        elif self.now == "oversized" and said is not None:
            self.cuts.want(said["group"])
        elif said is None:
            panel.show(line(("nothing is under the cursor", "dim")), "What it is")
        elif self.now == "hubs":
            panel.show(describe_hub(said, self.may_act), "The hub", top=True)
        elif self.now == "cycles":
            panel.show(describe_cycle(said, self.may_act), "The circle", top=True)
        elif self.now == "names":
            panel.show(describe_name(said, self.may_act), "The name", top=True)
        else:
            panel.show(describe_suggestion(said, self._names(), self.may_act), "The application", top=True)

    def show_cut(self, group: str, found: Any, why: str) -> None:
        """Show what parting a group would cost."""
        if self.now == "oversized" and self.ready and group == str(self.table.key):
            content = line((f"✖ {visible(why)}", "bad")) if why else describe_cut(found, self.may_act)
            self.panel("detail").show(content, f"Parting {visible(group, 40)}", top=True)
            self.show_frame()

    def _names(self) -> dict[str, str]:
        return {row[0]: row[1] for row in self.view.rows}

    # walking

    def stations(self) -> list[Widget]:
        """What tab goes through."""
        if self.now != "groups":
            return [self.table, self.panel("detail")]
        return [self.table, self.around, self.inside, self.panel("side")]

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen the three columns take turns."""
        self.set_class(widget is self.around or widget is self.inside, "at-middle")
        self.set_class(widget.id == "side", "at-side")

    def _go(self, widget: Widget) -> None:
        self.reveal(widget)
        widget.focus()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """A double click opens too."""
        self._open(event.table)

    def action_open(self) -> None:
        """Walk on: from the table into the drawing, along an edge, from a VM to the reasons."""
        if self.writing:
            return
        if self.around.has_focus:
            self._follow()
        elif self.inside.has_focus:
            self.action_why()
        else:
            self._open(self.table)

    def _open(self, table: VirtualTable) -> None:
        row, said = table.row, self.row_told
        if table is self.inside:
            self.action_why()
        elif self.now == "groups":
            self._go(self.around)
        elif row is None:
            return
        elif self.now == "ties":
            if row[10]:
                self.select(row[10])
            else:
                self.say(f"{visible(row[1], 40)} is in no move group: it stays", "warn")
        elif said is None:
            return
        elif self.now == "hubs":
            self.wherry.open_vm(said["id"])
        elif self.now == "names":
            self.app.push_screen(Reader("The name", describe_name(said, self.may_act)))
        elif self.now == "suggestions":
            self.app.push_screen(
                Reader("The application", describe_suggestion(said, self._names(), self.may_act))
            )
        else:
            self.select(said["group"] if self.now == "oversized" else said["later"])

    def _follow(self) -> None:
        edge, here = self.around.edge, self.table.key
        if edge is None or here is None:
            self.say("there is no edge to follow", "warn")
            return
        self._before.append(str(here))
        self._move_to(edge["group"])

    def _move_to(self, group: str) -> None:
        if not self.table.move_to(group):
            self.clear_filter()
            self._wanted = group
        self.show_frame()

    def action_return_to(self) -> None:
        """Go back to the group before."""
        if self.now != "groups":
            self.turn_to("groups")
        if self._before:
            self._move_to(self._before.pop())

    def action_back(self) -> None:
        """From a panel to the table, from a list to the groups, from there to where we came from."""
        if self.leaves_side_filter():
            return
        if self.now == "groups" and not self.table.has_focus and not self.writing:
            self._go(self.table)
        elif self.now != "groups" and not (self.bar.text or self.table.marks or self.bar.writing):
            self.turn_to("groups")
            self._go(self.table)
        else:
            super().action_back()

    def action_crossing(self) -> None:
        """Show only what crosses waves, or all."""
        if self.now == "ties":
            self.only_crossing = not self.only_crossing
            self.find_ties()
        else:
            self.take_line_back()
            only = "cross>0"
            self.bar.set("" if self.bar.text == only else only)

    def action_why(self) -> None:
        """Tell, reason by reason, why a VM is in its group."""
        row, group = self.table.row, self.group
        if self.now == "ties":
            vm = str(row[-2]) if row is not None else ""
        elif self.inside.has_focus and self.inside.row is not None:
            vm = str(self.inside.row[-1])
        else:
            vm = str(group["vms"][-1]["id"]) if group else ""
        if not vm:
            self.say("no VM is under the cursor", "warn")
            return
        self.wherry.ask("group.why", {"what": vm}, lambda said: self._tell_why(said, vm))

    def _tell_why(self, said: Mapping[str, Any], vm: str) -> None:
        self.app.push_screen(Reader("Why they move together", describe_chain(said, vm, self._names())))

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used here now; none while the place is built."""
        return super().why_not(action) if self.ready else "the place is being built"
