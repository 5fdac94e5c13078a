"""Screens in plain ASCII, for terminals and fonts that draw nothing else.

Every line is translated cell by cell at the very end, so widgets need not know.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_ONE = {
    "▸": ">", "▾": "v", "◂": "<", "✓": "+", "✔": "y", "✖": "x", "▲": "!", "◆": "*", "◇": "o", "●": "@",
    "○": "o", "◐": "%", "◌": "~", "►": ">", "◄": "<", "■": "#", "□": ".", "·": ".", "…": "~", "–": "-",
    "→": ">", "←": "<", "↑": "^", "↓": "v", "█": "#", "▓": "+", "▒": "=", "░": "-", "│": "|", "─": "-",
    "┆": ":", "═": "=", "║": "|", "×": "x", "⌫": "<", "▏": "#", "▎": "#", "▍": "#", "▌": "#", "▋": "#",
    "▊": "#", "▉": "#", "▁": "_", "▂": "_", "▃": "-", "▄": "-", "▅": "=", "▆": "=", "▇": "#", "╱": "/",
    "╲": "\\", "¶": "P", "µ": "u", "°": "o", "▣": "#", "▶": ">", "◀": "<", "▼": "v", "△": "^", "▽": "v",
    "┊": ":", "╌": "_", "≥": ">",
}  # fmt: skip
_WIDENS = "\ufe0f"  # asks for the picture of the letter before it, which may be wider
_BOX = "╭╮╰╯┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╤╧╪╫╡╞╓╖╙╜╒╕╘╛━┃┏┓┗┛▔▕▐▖▗▘▝▛▜▙▟▀"


@lru_cache(4096)
def plain(text: str) -> str:
    """Return text of the same width in cells, in ASCII; letters of other scripts become question marks."""
    if text.isascii():
        return text
    out = []
    for at, letter in enumerate(text):
        if letter.isascii():
            out.append(letter)
        elif letter in _ONE:
            out.append(_ONE[letter])
        elif letter == _WIDENS:
            before = text[:at]
            out.append("?" * (cell_len(before + letter) - cell_len(before)))
        else:
            out.append(("+" if letter in _BOX else "?") * cell_len(letter))
    return "".join(out)


class Ascii(LineFilter):
    """Translates what is drawn."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the line in ASCII."""
        return [Segment(plain(text), style, control) for text, style, control in segments]
