"""Which rows the tables of Checks show: what a filter leaves, and what was chosen of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tui.screens.checks_tables import TABLES, check_words, is_wanted
from tui.screens.many_tables import ManyTables
from tui.widgets.table import VirtualTable


class ChecksTables(ManyTables):
    """The tables ``checks`` or ``vms``, of which one is the list, and ``found`` with the findings of its row.

    ``only`` is what is shown of them: blockers, undecided, waived, or empty for all.
    """

    columns_of = {name: table.columns for name, table in TABLES.items()}  # noqa: RUF012  (shared, never changed)

    def __init__(self) -> None:
        super().__init__("checks")
        self.only = ""

    def turned(self, name: str) -> None:
        """Rows are called otherwise, and other filters are saved."""
        self.noun, self.filters = TABLES[name].noun, TABLES[name].filters

    @property
    def by_vm(self) -> bool:
        """Whether the list is of VMs."""
        return self.table_of("vms").display

    @property
    def list_name(self) -> str:
        """The id of the list that is shown."""
        return "vms" if self.by_vm else "checks"

    @property
    def list_table(self) -> VirtualTable:
        """The list that is shown."""
        return self.table_of(self.list_name)

    def _match(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Of VMs only those are shown that were found something about."""
        super()._match(rows)
        if self.active == "vms":
            chosen = range(len(rows)) if self._matches is None else self._matches
            self._matches = [index for index in chosen if is_wanted(rows[index][10], self.only)]

    def set_rows(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Show other rows; which VMs are among them hangs on more than the filter."""
        if self.active != "vms":
            super().set_rows(rows)
            return
        self._match(rows)
        self._filtered = rows
        self.table.set_rows(rows, self._matches)

    def matching(self, text: str, rows: Sequence[tuple[Any, ...]]) -> Sequence[int]:
        """Ask the words of the table that has the filter."""
        from planner.query import parse

        if self.active == "vms":
            return self.wherry.session.matching(text, rows)
        if self.active == "checks":
            wanted = parse(text, check_words(), {})
            return [index for index, row in enumerate(rows) if wanted.matches(row)]
        from planner.fields import Seen
        from planner.places import FINDING_WORDS

        wanted = parse(text, FINDING_WORDS, self.wherry.session.saved_filters(self.filters))
        seen = Seen(placed=self.view.placed)
        return [index for index, row in enumerate(rows) if wanted.matches(row, seen)]

    def completed(self, text: str) -> str:
        """Return the text with what could follow."""
        from planner.completion import complete
        from planner.places import FINDING_WORDS

        if self.active == "vms":
            return self.wherry.session.completed(text)
        of_found = self.active == "found"
        words = FINDING_WORDS if of_found else check_words()
        saved = self.wherry.session.saved_filters(self.filters) if of_found else {}
        found = complete(text, len(text), words, self.values_of, saved)
        return found[0].whole if found else ""
