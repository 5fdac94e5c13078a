"""Waves side by side with their move groups as cards, to be moved from one to the next by hand.

▸ W07 billing            W08 crm               A card is CARD_LINES high: its name in the border,
  4 groups · 9.7 TiB     3 groups · 43 TiB     what it weighs, and below whether it is locked or
╔ billing-db ═══════╗  ╭ crm ──────────────╮   breaks a rule. Only what is seen is looked at, in
║ 4 VMs  5.2 TiB    ║  │ 11 VMs  4.2 TiB   │   both directions; the selected card always is.
╚ ▣ locked ═════════╝  ╰ ✖ over the cap ───╯
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from rich.cells import cell_len

from planner.names import visible
from tui.drawings.cells import Cells, Picture, Spot, first_shown
from tui.text import count as show_number
from tui.text import plural

CARD_LINES = 3
_HEAD, _FOOT = 3, 1
_NARROWEST, _WIDEST, _GAP = 22, 34, 2
_PLAIN, _CHOSEN = ("╭─╮", "│ │", "╰─╯"), ("╔═╗", "║ ║", "╚═╝")


@dataclass(frozen=True, slots=True)
class Card:
    """A move group. ``size`` is shown as it is, "" is not known; ``violation`` says what rule it breaks."""

    key: Hashable
    name: str
    vms: int
    size: str = ""
    locked: bool = False
    violation: str = ""


@dataclass(frozen=True, slots=True)
class Lane:
    """A wave: title, a line of its numbers, the tone of that line, cards from the top."""

    title: str
    note: str = ""
    tone: str = "dim"
    cards: Sequence[Card] = ()


class Chosen(NamedTuple):
    """The selected lane, and the selected card in it; in an empty lane none."""

    lane: int
    card: int | None = None


def lanes_that_fit(width: int) -> int:
    """Return how many lanes stand side by side, one at least."""
    return max(1, (width + _GAP) // (_NARROWEST + _GAP))


def cards_that_fit(height: int) -> int:
    """Return how many cards stand one under another, one at least."""
    return max(1, (height - _HEAD - _FOOT) // CARD_LINES)


def board(
    lanes: Sequence[Lane],
    width: int,
    height: int,
    first: int = 0,
    chosen: Chosen | None = None,
    tops: Mapping[int, int] | None = None,
) -> Picture:
    """Return the board; spots are of cards by their key, from their first line on.

    ``first`` is the first lane shown and ``tops`` the first card of lanes by their number, both moved
    as far as the selected card needs; ``first_shown`` tells how far.
    """
    fits, room = lanes_that_fit(width), cards_that_fit(height)
    first = first_shown(first, chosen.lane if chosen else None, fits, len(lanes))
    shown = lanes[first : first + fits]
    lines = [Cells(width) for _ in range(_HEAD + room * CARD_LINES + _FOOT)]
    spots: dict[Hashable, Spot] = {}
    if not shown:
        lines[0].put(0, "no waves", "dim", width)
    lane_width = min(_WIDEST, max(0, (width + _GAP) // max(1, len(shown)) - _GAP))
    for number, lane in enumerate(shown, first):
        left = (number - first) * (lane_width + _GAP)
        here = chosen is not None and chosen.lane == number
        card = chosen.card if chosen is not None and here else None
        _heading(lines, lane, left, lane_width, here)
        top = first_shown((tops or {}).get(number, 0), card, room, len(lane.cards))
        for place, item in enumerate(lane.cards[top : top + room]):
            line = _HEAD + place * CARD_LINES
            _card(lines[line : line + CARD_LINES], item, left, lane_width, top + place == card)
            spots[item.key] = Spot(line, left, left + lane_width - 1)
        _more(lines, lane, left, lane_width, top, room)
    _beside(lines[2], first, len(lanes) - first - len(shown), width)
    kept = tuple(cells.content() for cells in lines[: max(0, height)])
    return Picture(kept, {key: spot for key, spot in spots.items() if spot.line < len(kept)})


def _heading(lines: Sequence[Cells], lane: Lane, left: int, width: int, here: bool) -> None:
    lines[0].put(left, "▸" if here else " ", "accent")
    lines[0].put(left + 2, lane.title, "accent" if here else "", width - 2)
    lines[1].put(left + 2, lane.note, lane.tone, width - 2)


def _card(lines: Sequence[Cells], card: Card, left: int, width: int, chosen: bool) -> None:
    look = "accent" if chosen else "dim"
    for cells, border in zip(lines, _CHOSEN if chosen else _PLAIN, strict=True):
        cells.put(left, border[0] + border[1] * (width - 2) + border[2], look, width)
    room = max(0, width - 4)
    _title(lines[0], left + 1, card.name, "accent" if chosen else "", room)
    lines[1].put(left + 2, f"{plural(card.vms, 'VM')}  {card.size or '? size'}", "", room)
    at = left + 1
    if card.locked:
        at = _title(lines[2], at, "▣ locked" if room > 8 else "▣", "", room)
    if card.violation:
        rest = left + width - 3 - at
        _title(lines[2], at, f"✖ {card.violation}", "bad", rest)


def _title(cells: Cells, at: int, text: str, tone: str, room: int) -> int:
    """Write a text into a border, a blank on each side; returns the cell of the second blank."""
    wide = min(cell_len(visible(text)), room)
    return cells.put(at, f" {text}" + " ", tone, wide + 2) - 1 if wide > 0 else at


def _more(lines: Sequence[Cells], lane: Lane, left: int, width: int, top: int, room: int) -> None:
    """Say what is hidden in a lane, and that an empty one is empty."""
    below = len(lane.cards) - top - room
    above_words = f"↑ {show_number(top)}" if top else ""
    below_words = f"↓ {show_number(below)}" if below > 0 else ""
    if top or below > 0:
        lines[-1].put(left + 2, "  ".join(filter(None, (above_words, below_words, "more"))), "dim", width - 2)
    if not lane.cards:
        lines[_HEAD].put(left + 2, "· no groups", "dim", width - 2)


def _beside(cells: Cells, before: int, after: int, width: int) -> None:
    """Say how many waves are beyond both edges."""
    if before:
        cells.put(0, f"◂ {show_number(before)} more", "dim")
    if after > 0:
        said = f"{show_number(after)} more ▸"
        cells.put(width - len(said), said, "dim")
