"""What every dialog has: a box over the place, a title, an answer or none, escape to leave."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from textual.binding import Binding
from textual.screen import ModalScreen

Answer = TypeVar("Answer")


class Dialog(ModalScreen[Answer | None]):
    """A box over a place. It answers with a value, or None when the person leaves it."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[Any]] = [Binding("escape", "leave", "leave", show=False)]

    def action_leave(self) -> None:
        """Leave without an answer."""
        self.dismiss(None)
