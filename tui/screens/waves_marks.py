"""Marks, order and copies in 4 Waves: of the groups while they have the focus, else of the waves."""

from __future__ import annotations

from tui.screens.waves_place import WavesPlace
from tui.text import plural


class Marks(WavesPlace):
    """Two tables, one set of keys."""

    def action_mark(self) -> None:
        """Mark the row under the cursor; on the board, the card."""
        if self._of_groups:
            self.groups.turn_mark()
            self.show_wave()
        else:
            super().action_mark()

    def action_mark_all(self) -> None:
        """Mark all rows that are shown; once they all are, take their marks away."""
        if not self._of_groups:
            super().action_mark_all()
            return
        shown, marks = set(self.groups.shown_keys()), self.groups.marks
        self.groups.mark(marks - shown if shown <= marks else marks | shown)
        self.show_wave()

    @property
    def _of_groups(self) -> bool:
        return self.groups.has_focus or self.waves.view == "board"

    def action_sort(self) -> None:
        """Sort by the next column."""
        if self.groups.has_focus:
            self.groups.sort_next()
        else:
            super().action_sort()

    def action_reverse(self) -> None:
        """Turn the order round."""
        if self.groups.has_focus:
            self.groups.sort_by(self.groups.sorted_by, not self.groups.reverse)
        else:
            super().action_reverse()

    def action_copy(self) -> None:
        """Copy the marked rows, or the one under the cursor."""
        if self.groups.has_focus:
            marks = self.groups.marks or {self.groups.key}
            self._copy_groups([row for row in self.groups.rows if row[0] in marks])
        else:
            super().action_copy()

    def action_copy_all(self) -> None:
        """Copy the table."""
        if self.groups.has_focus:
            self._copy_groups([self.groups.rows[index] for index in self.groups.order])
        else:
            super().action_copy_all()

    def _copy_groups(self, rows: list[tuple[object, ...]]) -> None:
        head = [self.groups.columns[index].title for index in self.groups.chosen]
        lines = [head, *(self.groups.cells(row) for row in rows)]
        self.app.copy_to_clipboard("\n".join("\t".join(cell.strip() for cell in cells) for cells in lines))
        self.say(f"copied {plural(len(rows), 'group')}", "good")
