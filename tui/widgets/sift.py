"""The filter of a table beside a place's own: its text, what is wrong with it, which rows it leaves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from planner.errors import WherryError

if TYPE_CHECKING:
    from planner.vocabulary import Vocabulary
    from tui.widgets.table import VirtualTable


class Sift:
    """The filter of a table; called with rows it returns the indexes that match, None for all.

    A text that cannot be read says so in ``problem``: the last one that could stays in force.
    """

    def __init__(self, table: VirtualTable) -> None:
        self.table = table
        self.text = ""
        self.problem = ""
        self._wanted: Any = None
        table.sift = self

    @property
    def words(self) -> Vocabulary:
        """What it may ask for: the columns."""
        from tui.widgets.vocabulary import vocabulary_of

        return vocabulary_of(self.table.columns)

    def completed(self, text: str) -> str:
        """Return the text with what could follow, empty for nothing."""
        from planner.completion import complete
        from tui.widgets.vocabulary import values_in

        table = self.table
        found = complete(text, len(text), self.words, lambda name: values_in(table.columns, table.rows, name))
        return found[0].whole if found else ""

    def set(self, text: str) -> None:
        """Filter by another text, empty for by none."""
        from planner.query import parse

        self.text, self.problem = text, ""
        try:
            self._wanted = parse(text, self.words) if text else None
        except WherryError as error:
            self.problem = f"{error.message}: {error.hint}" if error.hint else error.message
        self.table.set_matches(self(self.table.rows))

    def __call__(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[int] | None:
        """Return which rows match, by index."""
        if self._wanted is None:
            return None
        return [index for index, row in enumerate(rows) if self._wanted.matches(row)]
