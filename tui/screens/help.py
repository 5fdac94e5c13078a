"""Help: what a place is for, and the keys that work there, made from the action table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.screen import ModalScreen

from planner.effects import Effect
from tui.actions.action import Action
from tui.actions.everywhere import FILTERED
from tui.actions.keymap import shown
from tui.actions.places import place_named
from tui.actions.table import actions_at
from tui.text import fit, line, stack
from tui.theme import state_mark
from tui.widgets.panel import Panel

_STATES = ("planned", "approved", "replicating", "in sync", "cutting over", "before commit", "committed",
           "rolled back", "failed", "aborted")  # fmt: skip

FILTER = 'crm  os~win  disk>100G  -power:off  (app:crm or owner:)  "with blanks"  @saved'


WIDTH, _NARROW = 96, 90  # cells of the panel, and below which effects have no column


def describe(
    place_id: str,
    read_only: bool,
    keys: Mapping[str, str],
    why_not: Callable[[Action], str],
    width: int = WIDTH,
) -> Content:
    """Return the help of a place: question, keys, effects, commands, marks; a line each in so many cells."""
    roomy = width >= _NARROW
    keyed, titled, effects, noted = (11, 39, 11, width) if roomy else (8, 39, 0, width - 8 - 1 - 39 - 6)
    place = place_named(place_id)
    lines = [
        line((place.title, "accent"), f"  {place.question}?"),
        line(("The same on the command line: ", "dim"), f"wherry {place.twin}"),
        line(""),
    ]
    mine = [action for action in actions_at(place_id, read_only) if action.places]
    everywhere = [action for action in actions_at(place_id, read_only) if not action.places]
    for group, actions in (("here", mine), ("everywhere", everywhere)):
        head = f"{group:<{keyed + 1}}{'':<{titled + 1}}{fit('effect', effects)}command or why not now"
        lines.append(line((head, "dim")))
        for action in actions:
            note = why_not(action) or (f"wherry {action.twin}" if action.twin else "")
            note = note if len(note) <= noted else fit(note, noted)
            title = fit(action.title, titled)
            effect = "" if action.effect is Effect.VIEW else action.effect.value
            lines.append(
                line((fit(shown(action, keys), keyed), "accent"), " ", title, " ",
                     (fit(effect, effects), "dim"), note)
            )  # fmt: skip
        lines.append(line(""))
    lines += [
        line((fit("↑ ↓ j k", 11), "accent"), " move; page up, page down, home and end too"),
        line(
            (fit("mouse", 11), "accent"), " wheel scrolls, click selects, double click opens, a title sorts"
        ),
        *(
            [line((fit("filter", 11), "accent"), " " + FILTER[: None if roomy else FILTER.index('  "')])]
            if place_id in FILTERED
            else []
        ),
        line(""),
        line(("states  ", "dim"), "  ".join(state_mark(state).text for state in _STATES[:5])),
        line("        ", "  ".join(state_mark(state).text for state in _STATES[5:])),
        line(("checks  ", "dim"), "✖ blocker   ▲ warning   · info   ✔ nothing found   ? not decided"),
        line(""),
        line(("Other keys: names of actions stand in the table of docs/terminal.md.", "dim")),
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
