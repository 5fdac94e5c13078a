"""A place with several tables that take turns, filled by the study; that of all ties comes in pages.

Each table keeps its filter, marks, order and cursor while others are shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from textual.content import Content

from planner.errors import WherryError
from planner.names import visible
from tui.screens.dependencies_lists import LISTINGS, Listing, Row, rows_of
from tui.screens.fetched_place import FetchedPlace
from tui.screens.paged import fetch, values_held, with_all
from tui.screens.side_tables import SideTables
from tui.text import count, plural
from tui.widgets.paged_table import PagedTable
from tui.widgets.table import VirtualTable

FIRST = "groups"
_KEYS = {  # what changes something, what only looks
    "groups": ("", "enter walks from here"),
    "ties": ("a accept · r refuse · - take back · + add", "t groups"),
    "hubs": ("a confirm · r deny · - take back", "h groups"),
    "oversized": ("r refuse the cut", "enter the group · o groups"),
    "cycles": ("r drop the cheapest", "enter the group · c groups"),
    "names": ("a which VM it is · r none of ours · - take back", "N groups"),
    "suggestions": ("a take · n rename and take · r dismiss · - take back", "A groups"),
}


class ListingPlace(FetchedPlace, SideTables):
    """The tables of ``LISTINGS``, one of them shown."""

    columns = LISTINGS[FIRST].columns
    noun = LISTINGS[FIRST].noun
    filters = FIRST

    def __init__(self) -> None:
        super().__init__()
        self.now = FIRST
        self.told: dict[str, Sequence[Mapping[str, Any]]] = {}
        self.only_crossing = False
        self._rows: dict[str, tuple[Row, ...]] = {}
        self._texts: dict[str, str] = {}
        self._stamps: dict[str, tuple[int, ...]] = {}  # of what each table shows
        self._failures: dict[str, str] = {}
        self._asking: set[str] = set()
        self._acts = 0  # done here: after each everything is asked again
        self._total = 0  # ties
        self._found: tuple[object, ...] = ()  # what ties were asked for last
        self._wish = ""  # the last filter of ties that can be read

    # which table

    @property
    def may_act(self) -> bool:
        """True unless everything here is only looked at."""
        return not self.wherry.read_only

    @property
    def table(self) -> VirtualTable:
        """The table that is shown."""
        return self.query_one(f"#{self.now}", VirtualTable)

    def liked(self, table: VirtualTable) -> str:
        """Return what the preferences call a table: the groups are called like the place."""
        return self.place_id if table.id == FIRST else f"{self.place_id}.{table.id}"

    @property
    def ties(self) -> PagedTable:
        """The table of all ties."""
        return self.query_one("#ties", PagedTable)

    @property
    def listing(self) -> Listing:
        """What the table that is shown is."""
        return LISTINGS[self.now]

    @property
    def stamp(self) -> tuple[int, ...]:
        """What tables are told anew for: inventory, plan, acts of ours."""
        plan = self.view.plan
        return (self.view.inventory_id or 0, plan.version if plan else 0, self._acts)

    def action_turn_to(self, name: str) -> None:
        """Show a table, or the groups again."""
        self.turn_to(FIRST if name == self.now else name)

    def turn_to(self, name: str) -> None:
        """Show a table, with its own filter."""
        self.take_line_back()
        self._texts[self.now] = self.bar.text
        self.now = name
        listing = self.listing
        self.columns, self.noun, self.filters = listing.columns, listing.noun, listing.id
        self._filter, self._problem = self._texts.get(name, ""), ""
        self._matches = self._filtered = None
        self.show_only(name)
        self.set_class(name != FIRST, "listing")
        self.example = listing.example
        self.bar.show_example(self.example)
        self.bar.set(self._filter)
        self.show(self.view)
        self.table.focus()
        self.show_frame()

    def show_only(self, name: str) -> None:
        """Of the tables that lie in one place let only one be seen."""
        for one in LISTINGS:
            if one != FIRST:
                self.query_one(f"#{one}").display = one == name

    # what they show

    def show_listing(self) -> None:
        """Show what is known for the table, and ask for what is newer."""
        self.table.set_empty(self._empty())
        if self.view.inventory_id is not None:
            if self.now == "ties":
                self.find_ties()
            else:
                self._fetch(self.listing)
        if self.now != "ties":
            self.set_rows(self.rows_now())
        self.describe_table()

    def rows_now(self) -> tuple[Row, ...]:
        """Return the rows of the table that is shown."""
        return self._rows.get(self.now, ())

    def _empty(self) -> str:
        if self.view.inventory_id is None:
            word = "no inventory yet: press i, or run 'wherry discover FILE'"
            return word if self.view.complete else "reading …"
        if self.now in self._failures:
            return f"✖ {visible(self._failures[self.now])}"
        if self._asking or not self.is_known(self.now):
            return "reading the estate …"
        if self._filter or self.only_crossing:
            return f"no {self.noun} matches: esc clears the filter"
        return self.listing.empty

    def _fetch(self, listing: Listing) -> None:
        stamp = self.stamp
        if self._stamps.get(listing.id) == stamp or listing.id in self._asking:
            return
        self._asking.add(listing.id)

        def got(said: Sequence[Mapping[str, Any]]) -> None:
            self.told[listing.id] = said
            self._rows[listing.id] = rows_of(listing, said)
            self._failures.pop(listing.id, None)
            over()

        def failed(why: str) -> None:
            self._failures[listing.id] = why
            over()

        def over() -> None:
            self._asking.discard(listing.id)
            self._stamps[listing.id] = stamp
            self.update()

        self.wherry.ask(listing.op, None, got, busy=f"{listing.noun}s", failed=failed)

    def is_known(self, name: str) -> bool:
        """Return whether a list was told as the project is now."""
        return self._stamps.get(name) == self.stamp

    def told_of(self, key: str) -> Mapping[str, Any] | None:
        """Return what was told of the row with a key."""
        for row, said in zip(self._rows.get(self.now, ()), self.told.get(self.now, ()), strict=False):
            if row[0] == key:
                return said
        return None

    def after_act(self, words: str) -> None:
        """Read everything again after something was changed."""
        self._acts += 1
        self.table.mark(())
        self.wherry.read_again()
        self.update()
        self.say(f"✔ {visible(words)}", "good")

    def on_screen_resume(self) -> None:
        """Ask again: settings or the plan may have changed in another place."""
        self._acts += 1
        super().on_screen_resume()

    # all ties, page by page

    def find_ties(self) -> None:
        """Have the ties filtered and sorted by the study, unless they are already; the last wish counts."""
        table = self.ties
        sort = None if table.sorted_by is None else table.columns[table.sorted_by].field
        wanted = (self.stamp, self._wish, sort, table.reverse, self.only_crossing)
        if wanted == self._found or "ties" in self._asking:
            return
        self._asking.add("ties")
        self._found = wanted

        def got(said: Mapping[str, Any]) -> None:
            self._total = said["total"]
            self._failures.pop("ties", None)
            over(said["matching"])

        def failed(why: str) -> None:
            self._failures["ties"] = why
            over(None)

        def over(matching: int | None) -> None:
            self._asking.discard("ties")
            self._stamps["ties"] = self.stamp
            if matching is not None:
                table.begin(matching)
            if self.now == "ties" and self.ready:
                self.show_listing()
                self.show_notice()

        args = {"text": self._wish, "sort": sort, "reverse": table.reverse, "crossing": self.only_crossing}
        self.wherry.ask("edges.find", args, got, busy="ties", failed=failed)

    def on_paged_table_wanted(self, event: PagedTable.Wanted) -> None:
        """Fetch a page."""
        fetch(self.wherry, "edges.page", event)

    def filter_now(self) -> None:
        """Filter again: ties by the study, all others here."""
        if self.now != "ties":
            super().filter_now()
            return
        from planner.query import parse

        try:
            parse(self._filter, self.vocabulary, self.wherry.session.saved_filters(self.filters))
        except WherryError as error:
            self._problem = f"{error.message}: {error.hint}" if error.hint else error.message
        else:
            self._problem, self._wish = "", self._filter
            self.find_ties()
        self.show_notice()

    def is_filtering(self) -> bool:
        """Return whether the study has not told yet what the filter leaves, or the first of it."""
        if super().is_filtering() or (self._filter and self.now in self._asking):
            return True
        return self.now == "ties" and self.ties.is_blank

    def action_sort(self) -> None:
        """Sort by the next column."""
        super().action_sort()
        self._sorted()

    def action_reverse(self) -> None:
        """Turn the order round."""
        super().action_reverse()
        self._sorted()

    def on_virtual_table_sorted(self, event: VirtualTable.Sorted) -> None:
        """Have ties sorted where they are."""
        super().on_virtual_table_sorted(event)
        self._sorted()

    def _sorted(self) -> None:
        if self.now == "ties":
            self.find_ties()

    def values_of(self, name: str) -> Sequence[str]:
        """Return values for completion; of ties only those that are on the screen or were."""
        if self.now != "ties":
            return super().values_of(name)
        return values_held(self.columns, self.ties, name)

    def chosen(self) -> list[Any]:
        """Return the keys of the marked rows, else that of the row under the cursor."""
        if self.now == "ties" and self.table.marks:
            return sorted(self.table.marks, key=str)
        return super().chosen()

    def action_mark_all(self) -> None:
        """Mark all rows that match; of ties as many as can be decided on at once."""
        if self.now != "ties":
            super().action_mark_all()
        elif self.table.marks:
            self._mark(())
        else:
            self.wherry.ask("edges.keys", None, self._mark)

    def _mark(self, keys: Sequence[str]) -> None:
        self.ties.mark(keys)
        self.describe_table()
        self.show_notice()

    def title_words(self, *more: str) -> str:
        """Return how many there are, match and are marked."""
        if self.now != "ties":
            return super().title_words(*more)
        table = self.table
        words = [plural(self._total, "tie"), *more]
        if len(table.order) != self._total:
            words.append(f"{count(len(table.order))} match")
        if self.only_crossing:
            words.append("across waves only")
        if table.marks:
            words.append(f"{count(len(table.marks))} marked")
        return " · ".join([*words, table.sort_words])

    def describe_table(self) -> None:
        """Say what the table shows, and its keys below."""
        table, words = self.table, self.title_words()
        if 0 < table.size.width < cell_len(words) + 2 and table.sorted_by is None:
            words = words.removesuffix(f" · {table.sort_words}")  # how many match says more
        table.set_title(Content(words), Content(self.keys_below()))

    def keys_below(self) -> str:
        """Return the keys that matter for the table that is shown."""
        acts, looks = _KEYS[self.now]
        return f"{acts} · {looks}" if acts and self.may_act else looks

    # taking all ties elsewhere

    def with_all_rows(self, do: Callable[[], None]) -> None:
        """Do something with all rows of the table there: of ties they are fetched first."""
        if self.now != "ties":
            do()
        else:
            with_all(self.wherry, self.ties, "edges.page", "ties", do)
