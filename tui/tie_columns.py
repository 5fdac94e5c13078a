"""The columns of the table of all ties: what a screen shows of one.

The study filters and sorts rows of the same fields (``planner.places.TIE_WORDS``): no screen holds them all.
"""

from __future__ import annotations

from typing import Any

from planner.names import visible
from planner.units import show_bytes
from tui.widgets.column import Column

_TONES = {"hard": "accent", "order": "warn", "apart": "warn"}
_STATES = {"accepted": "good", "refused": "dim", "added": "accent"}
_CROSSING = {"yes": "warn", "no": "dim"}


def _port(port: Any) -> str:
    return "–" if port is None else str(port)


def _bytes(size: Any) -> str:
    return "unknown" if size is None else show_bytes(size)


def _dash(text: Any) -> str:
    return visible(str(text)) if text else "–"


TIES = (
    Column(1, "VM", 20, keep=9, name="vm", pinched=True),
    Column(2, "needs", 20, keep=9, pinched=True),
    Column(3, "tie", 5, str, lambda tie: _TONES.get(tie, ""), keep=8),
    Column(4, "kind", 10, str, keep=1),
    Column(5, "port", 5, _port, right=True, keep=6, kind="number"),
    Column(6, "a day", 9, _bytes, right=True, keep=7, name="traffic", kind="size"),
    Column(7, "sure", 5, lambda percent: f"{percent} %", right=True, keep=5, kind="number"),
    Column(8, "state", 8, str, lambda state: _STATES.get(state, ""), keep=6),
    Column(9, "crosses", 7, lambda words: words or "?", lambda words: _CROSSING.get(words, ""), keep=5),
    Column(10, "group", 12, _dash, keep=2),
    Column(11, "its group", 12, _dash, keep=2, name="other"),
    Column(12, "why", 20, keep=3, flex=True),
    Column(13, "known from", 16, _dash, keep=0, name="evidence"),
    Column(14, "decided", 12, _dash, keep=0),
)  # fmt: skip
