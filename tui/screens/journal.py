"""Journal: who did what, when? Every act of every person and process, the newest first.

    the newest page at once ──▶ all of them, page by page, filtered by the study ──r──▶ 7 Cutover, replayed

No row moves while somebody reads: what came since is counted in the title, and shown to who is on top.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual.app import ComposeResult
from textual.content import Content

from planner.errors import WherryError
from planner.names import visible
from tui.actions.action import Action
from tui.actions.keymap import bindings_at
from tui.dialogs.reader import Reader
from tui.screens.fetched_place import FetchedPlace
from tui.screens.journal_words import act_words, describe_act, mark_of, when_words
from tui.screens.paged import fetch, values_held, with_all
from tui.session import View
from tui.text import count, line, plural
from tui.widgets.column import Column
from tui.widgets.paged_table import PAGE, PagedTable
from tui.widgets.panel import Panel
from tui.widgets.table import VirtualTable

_OF_ROW = ("journal.replay", "journal.wave", "journal.who")
_MOST = 20_000  # rows that are copied or written at once


def _dash(text: Any) -> str:
    return visible(str(text)) if text else "–"


COLUMNS = (
    Column(1, "at", 19, when_words, keep=8),
    Column(2, "wave", 7, _dash, keep=6),
    Column(3, "who", 10, _dash, keep=5),
    Column(4, "kind", 9, keep=2),
    Column(5, "act", 13, act_words, lambda act: mark_of(act)[1], keep=9),
    Column(6, "what", 20, flex=True, keep=7),
    Column(7, "run", 5, lambda run: str(run or "–"), right=True, keep=1, kind="number"),
)


class JournalScreen(FetchedPlace):
    """Who did what, when."""

    CSS_PATH = "journal.tcss"
    BINDINGS = bindings_at("journal")
    place_id = "journal"
    noun = "act"
    filters = "acts"
    columns = COLUMNS

    def __init__(self) -> None:
        super().__init__()
        self._total = 0
        self._newer = 0
        self._wish = ""  # the last filter that can be read
        self._found: tuple[object, ...] | None = None  # what was asked for last
        self._asking = False
        self._looking = False
        self._whole = False  # all of them were read, not only the newest
        self._failure = ""
        self._told: dict[str, Any] = {}
        self._told_of = ""

    def compose_body(self) -> ComposeResult:
        """Filter, acts, the one under the cursor."""
        yield self.filter_bar("wave:W03 who:ann act:failed kind:gate at:2027-01-09*")
        yield PagedTable(COLUMNS, id="acts")
        yield Panel("told", "What is on record", "enter all of it · r replay its run up to here")

    @property
    def acts(self) -> PagedTable:
        """The table."""
        return self.query_one("#acts", PagedTable)

    def where(self) -> str:
        """The wave of the act under the cursor."""
        row = self.acts.row if self.ready else None
        return visible(str(row[2]), 40) if row else ""

    # reading

    def show(self, view: View) -> None:
        """Show what there is, and look for what is newer."""
        self.acts.set_empty(self._empty())
        if self._found is None:
            self._begin()
        elif self._whole:
            self._look()
        self.describe_table()

    def _empty(self) -> str:
        if self._failure:
            return f"✖ {visible(self._failure)}"
        if not self._whole:
            return "reading the records …"
        return "no act matches: esc clears the filter" if self._wish else "nothing was done yet"

    def _begin(self) -> None:
        self._found = ()

        def got(rows: Sequence[Sequence[Any]]) -> None:
            if not self._whole and rows and not self._wish:
                self.acts.begin(len(rows))
                self.acts.put(self.acts.pages, 0, rows)
                self.describe_table()

        self.wherry.ask("acts.newest", {"count": PAGE}, got)
        self.find()

    def find(self) -> None:
        """Have the study choose and sort them anew, unless it did."""
        table = self.acts
        sort = None if table.sorted_by is None else table.columns[table.sorted_by].field
        wanted = (self._wish, sort, table.reverse)
        if self._asking:
            return
        self._asking, self._found = True, wanted
        at_top = table.cursor == 0

        def got(said: Mapping[str, Any]) -> None:
            self._total, self._newer, self._whole, self._failure = said["total"], 0, True, ""
            table.begin(said["matching"], follows=at_top)
            over()

        def failed(why: str) -> None:
            self._failure = why
            over()

        def over() -> None:
            self._asking = False
            if not self.ready:
                return
            if self._found != (self._wish, self._sorted_field(), table.reverse):
                self.find()
            table.set_empty(self._empty())
            self.describe_table()
            self.show_notice()

        args = {"text": self._wish, "sort": sort, "reverse": table.reverse}
        self.wherry.ask("acts.find", args, got, busy="" if self._whole else "records", failed=failed)

    def _sorted_field(self) -> int | None:
        table = self.acts
        return None if table.sorted_by is None else table.columns[table.sorted_by].field

    def _look(self) -> None:
        """Count what is newer; it is shown while the newest stand under the cursor."""
        if self._looking or self._asking:
            return
        self._looking = True

        def got(said: Mapping[str, int]) -> None:
            self._looking = False
            if not self.ready or said["newer"] == self._newer:
                return
            self._newer = said["newer"]
            if self.acts.cursor == 0 and self.acts.sorted_by is None and not self.acts.reverse:
                self.find()
            else:
                self.describe_table()

        def failed(why: str) -> None:
            self._looking = False

        self.wherry.ask("acts.newer", None, got, failed=failed)

    def on_paged_table_wanted(self, event: PagedTable.Wanted) -> None:
        """Fetch a page."""
        fetch(self.wherry, "acts.page", event)

    # filtering and sorting, by the study

    def filter_now(self) -> None:
        """Filter again."""
        from planner.query import parse

        try:
            parse(self._filter, self.vocabulary, self.wherry.session.saved_filters(self.filters))
        except WherryError as error:
            self._problem = f"{error.message}: {error.hint}" if error.hint else error.message
        else:
            self._problem, self._wish = "", self._filter
            self.find()
        self.show_notice()

    def is_filtering(self) -> bool:
        """Return whether the study has not told yet what the filter leaves, or the first of it."""
        return super().is_filtering() or self._asking or self.acts.is_blank

    def action_sort(self) -> None:
        """Sort by the next column."""
        super().action_sort()
        self.find()

    def action_reverse(self) -> None:
        """Turn the order round."""
        super().action_reverse()
        self.find()

    def on_virtual_table_sorted(self, event: VirtualTable.Sorted) -> None:
        """Have them sorted where they are."""
        super().on_virtual_table_sorted(event)
        self.find()

    def values_of(self, name: str) -> Sequence[str]:
        """Return values for completion: those that are on the screen or were."""
        return values_held(self.columns, self.acts, name)

    def title_words(self, *more: str) -> str:
        """Say how many there are, match, and came since."""
        table = self.acts
        words = [plural(self._total, self.noun) if self._whole else "the newest, all others are being read"]
        if self._wish and self._whole:
            words.append(f"{count(len(table.order))} match")
        if self._newer:
            words.append(f"{count(self._newer)} newer: n")
        order = table.sort_words.replace("in source order", "newest first").replace("first ↓", "last")
        return " · ".join([*words, *more, order])

    # the act under the cursor

    def on_virtual_table_moved(self, event: VirtualTable.Moved) -> None:
        """Show the act under the cursor."""
        if self.ready:
            self.follow_cursor(self._show_act)

    def _show_act(self) -> None:
        row, panel = self.acts.row, self.panel("told")
        self.show_cursor()
        if row is None:
            panel.show(line((self._empty() if not self.acts.order else "reading …", "dim")))
            self._told_of = ""
            return
        if self._told_of == row[0]:
            return
        key = str(row[0])
        self._told_of, self._told = key, {}

        def got(said: dict[str, Any]) -> None:
            if self._told_of == key:
                self._told = said
                panel.show(describe_act(said), top=True)
                self.show_keys()

        def failed(why: str) -> None:
            if self._told_of == key:
                panel.show(line((f"✖ {visible(why)}", "bad")), top=True)

        self.wherry.ask("acts.one", {"key": key}, got, failed=failed)

    def on_virtual_table_opened(self, event: VirtualTable.Opened) -> None:
        """Show all of it."""
        self.action_open()

    def action_open(self) -> None:
        """Show all that is on record of the act."""
        if not self.writing and self._told:
            self.app.push_screen(Reader("On record", describe_act(self._told, whole=True)))

    # acting

    def why_not(self, action: Action) -> str:
        """Say also what has to be there first."""
        if why := super().why_not(action):
            return why
        if not self.ready or action.id not in _OF_ROW:
            return ""
        if self.acts.row is None:
            return "there is no act under the cursor"
        if action.id == "journal.replay" and self._told and "of_run" not in self._told:
            return "this act is of no run: choose a step, a gate or a rollback"
        return ""

    def action_replay(self) -> None:
        """Go to Cutover and show the run of this act as it was then."""
        run = self._told.get("of_run")
        if run is not None:
            self.wherry.goto("replay", f"{run['id']}/{run['entries']}")

    def action_only(self, field: str) -> None:
        """Show only acts with the same wave or person, or all."""
        from planner.completion import in_quotes

        row = self.acts.row
        if row is None:
            return
        term = f"{field}:{in_quotes(str(row[2 if field == 'wave' else 3]))}"
        text = self.bar.text
        self.bar.set(text.replace(term, "").strip() if term in text else f"{text} {term}".strip())

    def action_newest(self) -> None:
        """Go to the top, with what came since."""
        self.acts.cursor = 0
        self.say("to the newest", "dim")
        self.find()

    def action_verify(self) -> None:
        """Check the audit chain."""

        def got(said: Mapping[str, Any]) -> None:
            if said["broken_at"] is None:
                last = (
                    f"{plural(said['lines'], 'line')}, last digest {visible(said['digest'][:16]) or 'none'}…"
                )
                self.say(f"✔ the chain is whole: {last}", "good")
            else:
                self.say(f"✖ the chain is broken at line {said['broken_at']}: compare with a backup", "bad")

        self.wherry.ask("acts.verify", None, got, busy="audit chain")

    # taking them elsewhere

    def with_all_rows(self, do: Callable[[], None]) -> None:
        """Do something with all rows, unless they are too many for one go."""
        if (many := len(self.acts.order)) > _MOST:
            self.say(f"{count(many)} acts are more than {count(_MOST)}: filter them", "warn")
        else:
            with_all(self.wherry, self.acts, "acts.page", "records", do)

    def describe_table(self) -> None:
        """Say what the table shows, and its keys."""
        keys = "w this wave · p this person · c check the chain"
        self.acts.set_title(Content(self.title_words()), Content(keys))
