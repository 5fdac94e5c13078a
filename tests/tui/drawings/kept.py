"""Kept drawings, and what every drawing promises whatever it is given.

To accept a change on purpose: ``WHERRY_ACCEPT=1 pytest tests/tui/drawings``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from hypothesis import strategies as st
from rich.cells import cell_len
from textual.content import Content

from tests.tui.estate import HOSTILE
from tui.ascii import plain

KEPT = Path(__file__).parent / "pictures"
WIDTHS = (76, 116, 156)
BEYOND = {chr(code) for code in (*range(32), *range(0x7F, 0xA0))} | set("\u202e\u200b\u2066\u2028")

TRICKS = (
    *HOSTILE,
    "\u0301start",
    "\ufe0fstart",
    "❤\ufe0f1\ufe0f\u20e3",
    "👩\u200d💻",
    "🇩🇪",
    "각\u1161",
    "\ud800",
    "한" * 30,
    "",
)
names = st.one_of(st.sampled_from(TRICKS), st.text(max_size=40))
widths = st.integers(0, 170)


def same_as_kept(name: str, draw: Callable[[int], Iterable[Content]]) -> None:
    """Compare a drawing at each width with the kept one; in ASCII nothing of it is lost either."""
    changed = []
    for width in WIDTHS:
        lines = tuple(draw(width))
        honest(lines, width)
        shown = "".join(f"{line.plain}\n" for line in lines)
        path = KEPT / f"{name}-{width}.txt"
        if os.environ.get("WHERRY_ACCEPT"):
            path.parent.mkdir(exist_ok=True)
            path.write_text(shown, encoding="utf-8")
        if not path.exists() or path.read_text(encoding="utf-8") != shown:
            changed.append(f"{path.name} differs, it is now:\n{shown}")
    assert not changed, "\n".join(changed)


def honest(lines: Iterable[Content], width: int) -> None:
    """Fail when a line is wider than asked, does anything to a terminal, or carries a link."""
    for line in lines:
        assert line.cell_length <= width, line.plain
        assert cell_len(plain(line.plain)) == line.cell_length
        assert not BEYOND & set(line.plain), line.plain
        assert all(str(span.style).startswith(("$text", "bold $text")) for span in line.spans), line.spans


def survives_ascii(lines: Iterable[Content]) -> None:
    """Fail when a drawing of plain names uses a glyph that ASCII mode does not know."""
    for line in lines:
        unknown = [glyph for glyph in line.plain if plain(glyph) == "?" != glyph]
        assert not unknown, (unknown, line.plain)


def glyph_at(line: Content, cell: int) -> str:
    """Return the letter that stands at a cell."""
    return max((at, letter) for at, letter in enumerate(line.plain) if cell_len(line.plain[:at]) == cell)[1]


def cell_of(line: Content, text: str) -> int:
    """Return the cell at which a text begins for the last time."""
    assert text in line.plain, line.plain
    return cell_len(line.plain[: line.plain.rindex(text)])
