"""An action: one thing a person can do, where, with which key, to what effect, and its command-line twin."""

from __future__ import annotations

from dataclasses import dataclass

from planner.effects import Effect

_SHOWN = {
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "escape": "esc",
    "space": "space",
    "enter": "enter",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "plus": "+",
    "minus": "-",
    "equals_sign": "=",
    "asterisk": "*",
    "backspace": "⌫",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do.

    ``key`` is in Textual's words, several parted by commas; ``do`` is the Textual action, run on the screen
    or, with ``app.`` before it, on the application. ``places`` empty means everywhere. ``needs`` are
    conditions of ``tui.actions.table.why_not``. ``foot`` is its word in the last line, empty = not there.
    """

    id: str
    key: str
    title: str
    do: str
    places: tuple[str, ...] = ()
    effect: Effect = Effect.VIEW
    twin: str = ""  # the command that does the same, empty when it only moves the eye
    needs: tuple[str, ...] = ()
    foot: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A working place of the tab line."""

    id: str
    key: str
    title: str
    short: str  # on a narrow screen
    question: str
    twin: str


def shown_key(key: str) -> str:
    """Return the first of some keys as people read it: ``^s`` for ctrl+s."""
    first = key.split(",")[0]
    if first.startswith("ctrl+"):
        return "^" + shown_key(first.removeprefix("ctrl+"))
    if first in _SHOWN:
        return _SHOWN[first]
    from textual.keys import format_key

    return format_key(first)
