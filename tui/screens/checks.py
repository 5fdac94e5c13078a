"""Checks: what stands in the way, by check or by VM, each finding beside its remedy.

    checks or VMs ──the one under the cursor──▶ its findings ──▶ what the check asks, why, what helps

While the checks are being run, or have not been yet, the last word stays on the screen and is said to be of
before; what is newer follows by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from textual.worker import get_current_worker

from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.found import FoundReader, FoundRow
from tui.screens.check_detail import describe_check
from tui.screens.checks_acts import ChecksActs, why_not_act
from tui.screens.checks_filtering import ChecksTables
from tui.screens.checks_tables import (
    FOUND,
    OF_A_CHECK,
    OF_A_VM,
    TABLES,
    check_rows,
)
from tui.session import View
from tui.text import count, line, plural
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

if TYPE_CHECKING:
    from planner.store.judged import CheckCount

_PAUSE_S, _LONG_PAUSE_S = 0.04, 0.2  # a cursor that runs through the list reads nothing
_MANY = 1_000  # findings that take a moment to read
_ONLY = {"blockers": "only blockers", "undecided": "only undecided", "waived": "only accepted"}


class ChecksScreen(ChecksTables):
    """What stands in the way, what helps."""

    CSS_PATH = "checks.tcss"
    BINDINGS = bindings_at("checks")
    place_id = "checks"

    class Found(Message):
        """Findings were read."""

        def __init__(self, asked: tuple[object, ...], rows: tuple[FoundRow, ...]) -> None:
            super().__init__()
            self.asked, self.rows = asked, rows

    def __init__(self) -> None:
        super().__init__()
        self.acts = ChecksActs(self)
        self._explanations: dict[str, Any] = {}  # checks by id, as the study explains them
        self._explained_of: object = None
        self._shown: tuple[object, ...] = ()
        self._judged: tuple[tuple[CheckCount, ...], Sequence[tuple[Any, ...]]] = ((), ())  # the last word
        self._explains = ""
        self._read_of: tuple[object, ...] = ()
        self._pause: Timer | None = None
        self._reader: FoundReader | None = None
        self._wanted = ""

    def compose_body(self) -> ComposeResult:
        """Filter, the list (checks or VMs), findings and the explanation of one."""
        yield self.filter_bar(TABLES["checks"].example)
        with Vertical(id="all"):
            with Vertical(id="lists"):
                yield VirtualTable(TABLES["checks"].columns, id="checks")
                yield VirtualTable(TABLES["vms"].columns, id="vms")
            with Horizontal(id="one"):
                yield VirtualTable(FOUND, id="found")
                yield Panel("explained", "What it asks, what helps", "t tasks · tab next panel")

    def on_mount(self) -> None:
        """Begin with the checks."""
        self._reader = FoundReader(self.wherry.session.root)
        self.table_of("vms").display = False
        self.table_of("vms").sort_by(1, reverse=True)
        self.table_of("found").choose(OF_A_CHECK)
        super().on_mount()

    def on_unmount(self) -> None:
        """Read no more."""
        if self._reader is not None:
            self._reader.close()

    @property
    def reader(self) -> FoundReader:
        """Who reads findings."""
        assert self._reader is not None
        return self._reader

    def said_of(self, check: str) -> Any:
        """Return what is known of a check, None while that is not there."""
        return self._explanations.get(check)

    def where(self) -> str:
        """The check or VM under the cursor."""
        row = self.list_table.row if self.ready else None
        return visible(str(row[1] if self.by_vm else row[0]), 40) if row is not None else ""

    # showing

    def show(self, view: View) -> None:
        """Show a newer view; the last judgement stays until there is a newer one."""
        if view.judging == "current":
            self._explain(view)
        state = (view.judging, view.counts, view.rows, view.inventory_id, self._explanations, self.only)
        if not self._shown or any(old is not new for old, new in zip(self._shown, state, strict=True)):
            same = bool(self._shown) and self._shown[3] == view.inventory_id
            self._shown = state
            if view.judging == "current":
                self._judged = (view.counts, view.rows)
            elif not same:
                self._judged = ((), ())
            self._fill_lists()
        for name in TABLES:
            self.table_of(name).set_empty(self._empty(view, name))
        self._go_to_wanted()
        self._describe_all()
        self._read_found()

    def _explain(self, view: View) -> None:
        if self._explained_of is not view.counts and view.counts:
            self._explained_of = view.counts
            self.wherry.ask("findings.checks", {}, self._explained)

    def _explained(self, said: dict[str, Any]) -> None:
        self._explanations = said
        self.update()

    def _fill_lists(self) -> None:
        counts, rows = self._judged
        self.fill("checks", check_rows(counts, self._explanations, self.only))
        self.fill("vms", rows)

    # the findings of what is under the cursor

    def _asked(self) -> tuple[object, ...]:
        view = self.view
        return (self.by_vm, self.list_table.key, self.only, view.counts, view.placed)

    def _read_found(self) -> None:
        if self.view.judging != "current":
            return
        asked = self._asked()
        if asked[:3] == self._read_of[:3] and all(
            new is old for new, old in zip(asked[3:], self._read_of[3:], strict=True)
        ):
            return
        self._read_of = asked
        if self._pause is not None:
            self._pause.stop()
        row = self.list_table.row
        many = row is not None and not self.by_vm and row[4] > _MANY
        self._pause = self.set_timer(_LONG_PAUSE_S if many else _PAUSE_S, lambda: self._begin_reading(asked))

    def _begin_reading(self, asked: tuple[object, ...]) -> None:
        self.run_worker(
            partial(self._read, asked), thread=True, group="found", exclusive=True, exit_on_error=True
        )

    def _read(self, asked: tuple[object, ...]) -> None:
        worker = get_current_worker()
        by_vm, key, only = asked[0], asked[1], asked[2]
        name = {"vm" if by_vm else "check": str(key)}
        waived = {"waived": True, "blockers": False}.get(str(only))
        rows = self.reader.read(self.view.placed, waived=waived, **name) if key is not None else ()
        if only == "blockers":
            rows = tuple(row for row in rows if row.weight == 0)
        if not worker.is_cancelled:
            self.post_message(self.Found(asked, rows))

    def on_checks_screen_found(self, message: Found) -> None:
        """Show findings that were read, unless something else is wanted by now."""
        if self.ready and message.asked is self._read_of:
            self.fill("found", message.rows)
            self._describe_all()

    # words around the tables

    def _describe_all(self) -> None:
        for name in TABLES:
            self.fill_title(name)
        self._show_explained()
        self.show_notice()

    def fill_title(self, name: str) -> None:
        """Say in the border what a table shows."""
        before = self.active
        self._swap(name)
        self.describe_table()
        self._swap(before)

    def describe_table(self) -> None:
        """Say what the table shows, and what of it."""
        is_old, told = self.view.judging != "current", bool(self._judged[0])
        more = ["of before"] if is_old and told else []
        if self.active != "found" and self.only:
            more.append(_ONLY[self.only])
        words = self.title_words(*more).replace("in source order", "gravest first")
        words = words if told or not is_old else "not known yet"
        if self.active == "found":
            row = self.list_table.row
            of = "" if row is None else visible(str(row[1] if self.by_vm else row[0]), 40)
            words = f"{of} · {words}" if of else words
            below = "enter the VM · w accept · x end a waiver"
        else:
            words += f" · {plural(self.view.blocked, 'VM')} blocked" if self.view.blocked else ""
            below = "enter its findings · b by " + ("check" if self.by_vm else "VM")
        self.table.set_title(Content(words), Content(below))

    def _show_explained(self) -> None:
        found = self.table_of("found").row
        finding = found if isinstance(found, FoundRow) else None
        row = None if self.by_vm else self.table_of("checks").row
        if row is not None and finding is not None and finding.check != row[0]:
            finding = None  # of the check before: its own are being read
        check = row[0] if row is not None else finding.check if finding is not None else ""
        panel = self.panel("explained")
        if not check:
            panel.show(line(("nothing under the cursor", "dim")), "What it asks, what helps", top=True)
            return
        title = f"{visible(check, 60)}: what it asks, what helps"
        panel.show(describe_check(row, self.said_of(check), finding), title, top=check != self._explains)
        self._explains = check

    def _empty(self, view: View, name: str) -> str:
        if view.inventory_id is None:
            return (
                "no inventory yet: press i, or run 'wherry discover FILE'" if view.complete else "reading …"
            )
        if view.judging == "running":
            return "the checks are being run: what they find comes here by itself"
        if view.judging != "current":
            return "not checked yet: press c, or run 'wherry check'"
        if self.table_of(name).rows and self._kept_filter(name):
            return "nothing matches the filter: esc clears it"
        if name == "found":
            return self._none_found()
        if self.only:
            return f"nothing: {_ONLY[self.only]} are shown, {self._key_of_only()} shows all"
        return "✔ no check found anything"

    def _kept_filter(self, name: str) -> str:
        return self._filter if name == self.active else self._states.get(name, ("",))[0]

    def _key_of_only(self) -> str:
        return {"blockers": "o", "undecided": "n", "waived": "a"}[self.only]

    def _none_found(self) -> str:
        row = self.list_table.row
        if row is None:
            return ""
        undecided = (row[10] or (0, 0, 0))[2] if self.by_vm else row[6]
        if not undecided:
            return "nothing found"
        if self.by_vm:
            return f"{plural(undecided, 'check')} undecided: the source does not say enough"
        return f"? {count(undecided)} undecided, the source does not say enough: b then n shows the VMs"

    def standing_note(self) -> Content | None:
        """Say what the findings are worth while they are not current."""
        if self.view.inventory_id is None:
            return None
        if self.view.judging == "current":
            if not self.view.outdated:
                return None
            return line(
                ("▲ another wherry was installed since: ", "warn"), "c runs its checks; quit and start it"
            )
        if self.view.judging == "running":
            return line(("◐ ", "accent"), "the checks are being run; what they find comes by itself")
        return line(("▲ something changed since the last check: ", "warn"), "c runs the checks again")

    # moving

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show what is under the cursor."""
        if not self.ready:
            return
        if event.table.id == self.list_name:
            self._read_found()
            self.follow_cursor(self._show_here)
        else:
            self.follow_cursor(self._show_explained)

    def _show_here(self) -> None:
        self._describe_all()
        self.show_cursor()

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """From the list to its findings, from a finding to its VM."""
        found = self.table_of("found")
        row = found.row
        if event.table is not found:
            self.reveal(found)
            found.focus()
        elif isinstance(row, FoundRow) and row.subject_kind == "vm":
            self.wherry.open_vm(row.subject)
        elif isinstance(row, FoundRow):
            self.say(f"it is about a {row.subject_kind}: only VMs have a page", "warn")

    def select(self, key: str) -> None:
        """Put the cursor on a check or on a VM by its id, now or as soon as it is there."""
        self._wanted = key
        if self.ready:
            self._go_to_wanted()

    def _go_to_wanted(self) -> None:
        if not self._wanted or self.view.judging != "current":
            return
        wanted, self._wanted = self._wanted, ""
        is_vm = any(row[0] == wanted for row in self.view.rows)
        if self.only or self.by_vm != is_vm:
            self.only = ""
            self._turn(is_vm)
        self.bar.set("")
        self._filter = ""
        self.filter_now()
        if not self.list_table.move_to(wanted):
            self.say(f"nothing was found about {visible(wanted, 60)}", "good")

    def stations(self) -> list[Widget]:
        """The list, the findings, the explanation."""
        return [self.list_table, self.table_of("found"), self.panel("explained")]

    def reveal(self, widget: Widget) -> None:
        """On a narrow screen findings and explanation take turns."""
        self.set_class(widget.id == "explained", "explaining")

    def action_back(self) -> None:
        """Out of filter and marks, from findings to the list, from all that is chosen to all, then away."""
        table = self.table_of("found")
        in_detail = self.panel("explained").has_focus or (
            table.has_focus and not self.bar.text and not table.marks
        )
        if in_detail:
            self.list_table.focus()
        elif self.only and not self.bar.text and not self.table.marks:
            self.action_only(self.only)
        else:
            super().action_back()

    def action_turn(self) -> None:
        """Show VMs instead of checks, or checks instead of VMs."""
        self._turn(not self.by_vm)
        self.list_table.focus()

    def _turn(self, by_vm: bool) -> None:
        self.table_of("vms").display, self.table_of("checks").display = by_vm, not by_vm
        self.table_of("found").choose(OF_A_VM if by_vm else OF_A_CHECK)
        self._fill_lists()
        self.turn_to(self.list_name)
        self._read_found()
        self._describe_all()

    def action_only(self, what: str) -> None:
        """Show a part only, or all again."""
        self.only = "" if self.only == what else what
        self._fill_lists()
        self.update()

    # acting

    def why_not(self, action: Action) -> str:
        """Say also what has to be under the cursor first."""
        return super().why_not(action) or why_not_act(self, action)

    def action_waive(self) -> None:
        """Accept findings."""
        self.acts.waive()

    def action_unwaive(self) -> None:
        """End a waiver."""
        self.acts.unwaive()

    def action_tasks(self) -> None:
        """Show the tasks before a wave."""
        self.acts.tasks()

    def action_run_checks(self) -> None:
        """Have the checks run by another process."""
        self.wherry.session.judge()
        self.say("the checks are being run", "accent")
        self.wherry.read_again()
