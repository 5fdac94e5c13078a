"""Filters of the inventory, asked of the columns of a snapshot: every field of a VM, very many VMs at once.

Columns are loaded when a filter first names them and kept for as long as the snapshot is shown; wave, group
and checks are columns made from the rows on the screen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from planner.errors import NotFound

if TYPE_CHECKING:
    from planner.column import Column
    from planner.store.project import Project
    from tui.listing import Row

OFTEN = ("name", "os", "cluster", "power", "app", "disk")  # fields that most filters name: read beforehand
STILL_READ = "the details are still being read"
_MOST = 20_000  # distinct values looked through for a completion


class Filtering:
    """The filters of one project's inventory; for one thread at a time, ``warm`` from any."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._inventory = 0
        self._columns: dict[str, Column] = {}
        self._rows: Sequence[Row] = ()
        self._of_rows: dict[str, Column] = {}
        self._words: dict[str, tuple[Column, tuple[str, ...]]] = {}  # of a column, for completion

    def warm(self, inventory: int, found: dict[str, Column]) -> None:
        """Take in columns of a snapshot that were read beforehand, with what a first key would wait for."""
        from planner.fields import TABLE_WORDS
        from planner.query import parse

        if names := found.get("name"):
            parse("a", TABLE_WORDS).rows(found, len(names))  # folds them
        words = {name: (column, tuple(_words_of(column))) for name, column in found.items() if column.is_text}
        self._inventory, self._columns, self._words = inventory, found, words

    def warm_rows(self, rows: Sequence[Row]) -> None:
        """Make the columns of rows that will be shown, for filters by wave, group and checks."""
        from planner.store import columns

        made = dict(columns.placed((row[8], row[9]) for row in rows))
        made.update(columns.judged(row[10] for row in rows))
        self._of_rows, self._rows = made, rows

    def saved(self, place: str) -> dict[str, str]:
        """Return the saved filters of a place, by name."""
        from planner.store import filters

        return filters.texts(self._project, place)

    def matching(self, text: str, inventory: int, rows: Sequence[Row]) -> list[int]:
        """Return which rows match, by index.

        Raises BadInput, and NotFound for a field whose columns are not made yet.
        """
        from planner.fields import TABLE_WORDS
        from planner.query import parse
        from planner.store import columns

        wanted = parse(text, TABLE_WORDS, self.saved("inventory"))
        names = wanted.needs()
        if columns.missing(self._project, inventory, names):
            raise NotFound(STILL_READ, "the filter follows by itself")
        self._load(inventory, names)
        return wanted.rows({**self._columns, **self._made(names, rows)}, len(rows))

    def _load(self, inventory: int, names: frozenset[str]) -> None:
        from planner.store import columns

        if inventory != self._inventory:
            self._inventory, self._columns = inventory, {}
        if lacking := names - self._columns.keys():
            self._columns.update(columns.load(self._project, inventory, lacking))

    def _made(self, names: frozenset[str], rows: Sequence[Row]) -> Mapping[str, Column]:
        from planner.store import columns

        if rows is not self._rows:
            self._rows, self._of_rows = rows, {}
        if names & {"wave", "group"} and "wave" not in self._of_rows:
            self._of_rows.update(columns.placed((row[8], row[9]) for row in rows))
        if "checks" in names and "checks" not in self._of_rows:
            self._of_rows.update(columns.judged(row[10] for row in rows))
        return self._of_rows

    def completed(self, text: str, inventory: int, rows: Sequence[Row]) -> str:
        """Return the text with what could follow it, empty for nothing."""
        from planner.completion import complete
        from planner.fields import TABLE_WORDS

        def values(name: str) -> tuple[str, ...]:
            return self._values(name, inventory, rows)

        found = complete(text, len(text), TABLE_WORDS, values, self.saved("inventory"), most=1)
        return found[0].whole if found else ""

    def _values(self, name: str, inventory: int, rows: Sequence[Row]) -> tuple[str, ...]:
        """Return the words a field has, as far as that is known already."""
        from planner.store import columns

        names = frozenset((name,))
        if columns.missing(self._project, inventory, names):
            return ()
        self._load(inventory, names)
        column = {**self._columns, **self._made(names, rows)}.get(name)
        if column is None or not column.is_text:
            return ()
        known = self._words.get(name)
        if known is None or known[0] is not column:  # going over all VMs at every key would be felt
            known = self._words[name] = column, tuple(_words_of(column))
        return known[1]


def _words_of(column: Column) -> Iterator[str]:
    for value in column.distinct[:_MOST]:
        if isinstance(value, tuple):
            yield from filter(None, value)
