"""How things look: the colours, and the marks that say a state by glyph and word.

A *tone* is one of ``good``, ``warn``, ``bad``, ``accent``, ``dim`` or empty. Colour only repeats what
the glyph and the word beside it say, so nothing is lost under NO_COLOR.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textual.theme import Theme


@dataclass(frozen=True, slots=True)
class Mark:
    """A state as people see it: one cell of glyph, a word, a tone."""

    glyph: str
    word: str
    tone: str = ""

    @property
    def text(self) -> str:
        """Glyph and word."""
        return f"{self.glyph} {self.word}"


# Content understands these as styles of the theme in force.
STYLES = {
    "": "",
    "good": "$text-success",
    "warn": "$text-warning",
    "bad": "bold $text-error",
    "accent": "$text-accent",
    "dim": "$text-muted",
}

_STATES = {
    "planned": Mark("·", "planned", "dim"),
    "approved": Mark("○", "approved"),
    "replicating": Mark("◐", "replicating", "accent"),
    "in sync": Mark("●", "in sync", "good"),
    "cutting over": Mark("►", "cutting over", "accent"),
    "before commit": Mark("◆", "before commit", "warn"),
    "committed": Mark("✔", "committed", "good"),
    "reverse protected": Mark("✔", "reverse protected", "good"),
    "failing back": Mark("◄", "failing back", "accent"),
    "failed back": Mark("◄", "failed back", "warn"),
    "rolling back": Mark("◄", "rolling back", "accent"),
    "aborting": Mark("■", "aborting", "accent"),
    "rolled back": Mark("◄", "rolled back", "warn"),
    "failed": Mark("✖", "failed", "bad"),
    "aborted": Mark("■", "aborted", "bad"),
}
_SEVERITIES = {
    "blocker": Mark("✖", "blocker", "bad"),
    "warning": Mark("▲", "warning", "warn"),
    "gate": Mark("◆", "gate", "accent"),
    "info": Mark("·", "info", "dim"),
}
_POWERS = {
    "poweredOn": Mark("●", "on"),
    "poweredOff": Mark("○", "off", "dim"),
    "suspended": Mark("◌", "susp", "warn"),
    "unknown": Mark("?", "", "dim"),
}


def state_mark(state: str) -> Mark:
    """Return the mark of a wave's state; a state this version does not know shows as its word."""
    return _STATES.get(state) or Mark("?", state)


def severity_mark(severity: str) -> Mark:
    """Return the mark of a finding's or need's severity."""
    return _SEVERITIES.get(severity) or Mark("?", severity)


def power_mark(power: str) -> Mark:
    """Return the mark of a VM's power state."""
    return _POWERS.get(power) or _POWERS["unknown"]


def tally_words(tally: tuple[int, int, int] | None) -> str:
    """Return blockers, warnings and checks left open in a cell; fine is only what all checks decided."""
    if tally is None:
        return "…"
    found = " ".join(f"{glyph} {many}" for glyph, many in zip("✖▲", tally[:2], strict=True) if many)
    return found or (f"? {tally[2]}" if tally[2] else "✔")


def tally_tone(tally: tuple[int, int, int] | None) -> str:
    """Return the tone of such a cell."""
    if tally is None or not any(tally):
        return "dim" if tally is None else "good"
    return "bad" if tally[0] else "warn" if tally[1] else "dim"


def harbour() -> Theme:
    """Return the default theme: dark, calm, few colours."""
    from textual.theme import Theme

    return Theme(
        name="harbour",
        primary="#4f9cc9",
        secondary="#7a8fa6",
        accent="#e0a458",
        success="#7fb77e",
        warning="#e6c060",
        error="#e06c66",
        foreground="#d6dde4",
        background="#10161d",
        surface="#151d26",
        panel="#1d2833",
        dark=True,
        variables={
            "footer-key-foreground": "#e0a458", "border": "#35506a", "border-blurred": "#2a3a49",
            "text-muted": "#afbecb", "text-error": "#f0aba8", "text-disabled": "#8b9aa8",
        },
    )  # fmt: skip


def daylight() -> Theme:
    """Return the light theme."""
    from textual.theme import Theme

    return Theme(
        name="daylight",
        primary="#1f6f9f",
        secondary="#5c6b7a",
        accent="#9a5b00",
        success="#2f7d32",
        warning="#8a6100",
        error="#b3261e",
        foreground="#1c232b",
        background="#fbfbf8",
        surface="#f1f1ec",
        panel="#e3e5e2",
        dark=False,
        variables={
            "footer-key-foreground": "#9a5b00", "border": "#8fa3b3", "border-blurred": "#c3ccd3",
            "text-muted": "#3f4952", "text-disabled": "#566069",
        },
    )  # fmt: skip


def beacon() -> Theme:
    """Return the theme of high contrast: white and plain colours on black."""
    from textual.theme import Theme

    return Theme(
        name="beacon",
        primary="#00afff",
        secondary="#ffffff",
        accent="#ffff00",
        success="#00ff5f",
        warning="#ffd700",
        error="#ff7f7f",
        foreground="#ffffff",
        background="#000000",
        surface="#000000",
        panel="#303030",
        dark=True,
        variables={
            "footer-key-foreground": "#ffff00", "border": "#ffffff", "border-blurred": "#a8a8a8",
            "text-muted": "#dedede", "text-disabled": "#cdcdcd", "text-error": "#ffbebe",
        },
    )  # fmt: skip


THEMES = (harbour, daylight, beacon)


def theme_names() -> tuple[str, ...]:
    """Return the names of all themes, ours first.

    Colours of the terminal itself come with Textual: ansi-dark and ansi-light.
    """
    from textual.theme import BUILTIN_THEMES

    return (*(make.__name__ for make in THEMES), *BUILTIN_THEMES)
