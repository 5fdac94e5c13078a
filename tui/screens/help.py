"""Help: what a place is for, and the keys that work there, made from the action table."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen

from tui.actions import PLACES, actions_at, why_not
from tui.session import View
from tui.text import fit, line, stack
from tui.theme import state_mark
from tui.widgets.panel import Panel

_STATES = ("planned", "approved", "replicating", "in sync", "cutting over", "before commit", "committed",
           "rolled back", "failed", "aborted")  # fmt: skip

FILTER = 'crm  os~win  disk>100G  -power:off  app:crm,erp  "with blanks"'


def describe(place_id: str, view: View, read_only: bool) -> Content:
    """Return the help of a place: question, keys, effects, commands, marks."""
    place = next(item for item in PLACES if item.id == place_id)
    lines = [
        line((place.title, "accent"), f"  {place.question}?"),
        line(("The same on the command line: ", "dim"), f"wherry {place.twin}"),
        line(""),
        line((f"{'key':<11}{'does':<28}{'effect':<8}command", "dim")),
    ]
    for action in actions_at(place_id, read_only):
        later = any(p.later for p in PLACES if action.id == f"go.{p.id}")
        note = f"later; now: wherry {action.twin}" if later else why_not(action, view)
        twin = f"wherry {action.twin}" if action.twin else ""
        lines.append(
            line((fit(action.shown, 11), "accent"), fit(action.title, 28),
                 (fit(action.effect.value, 8), "dim"), note or twin)
        )  # fmt: skip
    lines += [
        line((fit("↑ ↓ j k", 11), "accent"), "move; page up, page down, home and end too"),
        line((fit("mouse", 11), "accent"), "wheel scrolls, click selects, double click opens, a title sorts"),
        line((fit("^p", 11), "accent"), "everything by name"),
        *([line((fit("filter", 11), "accent"), FILTER)] if place_id == "inventory" else []),
        line(""),
        line(("states  ", "dim"), "   ".join(state_mark(state).text for state in _STATES[:5])),
        line("        ", "   ".join(state_mark(state).text for state in _STATES[5:])),
        line(("checks  ", "dim"), "✖ blocker   ▲ warning   · info   ✔ nothing found   ? not decided"),
        line(""),
        line(("The screens own no work: leaving them never stops a run.", "dim")),
    ]
    return stack(lines)


class HelpScreen(ModalScreen[None]):
    """The help of one place, over it."""

    CSS_PATH = "help.tcss"
    BINDINGS: ClassVar[list[Any]] = [
        Binding("escape,question_mark,q,enter", "dismiss", "close", show=False),
    ]

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content

    def compose(self) -> ComposeResult:
        """One panel."""
        yield Panel("help", "Help", "esc closes")

    def on_mount(self) -> None:
        """Fill it."""
        panel = self.query_one(Panel)
        panel.show(self._content)
        panel.focus()
