"""What every dialog has: a box over the place, a title, an answer or none, escape to leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, TypeVar

from textual.binding import Binding
from textual.screen import ModalScreen

Answer = TypeVar("Answer")
_EDGES = 2  # of the box


class Dialog(ModalScreen[Answer | None]):
    """A box over a place. It answers with a value, or None when the person leaves it."""

    CSS_PATH = Path(__file__).with_name("dialog.tcss")  # also for dialogs of other packages
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "leave", "leave", show=False)]

    def on_resize(self) -> None:
        """Fit the screen."""
        self.call_after_refresh(self.make_room)

    def make_room(self) -> None:
        """Let what scrolls take no more than the rest of the box leaves, so that the rest stays in sight."""
        for part in self.query(".scrolls, Panel"):
            taken = sum(other.outer_size.height for other in part.siblings) + _EDGES
            part.styles.max_height = max(1, self.size.height - taken)

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
