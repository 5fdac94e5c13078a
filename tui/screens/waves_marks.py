"""Marks in 4 Waves: of the groups while they have the focus, or on the board, else of the waves."""

from __future__ import annotations

from tui.screens.waves_place import WavesPlace


class Marks(WavesPlace):
    """Two tables, each with its marks."""

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
