"""Text for screens: cells of an exact width, bars, times, and styled lines without markup.

Everything a project says goes through ``planner.names.visible`` here or in its caller. Nothing in
this module reads markup: a name that looks like ``[bold]`` stays a name.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from rich._wrap import divide_line  # what Content wraps with
from rich.cells import cell_len, set_cell_size

from planner.sized import AtLeast
from planner.units import plural_of, show_bytes, show_duration
from tui.theme import STYLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from textual.content import Content

    from planner.settings import Window
    from planner.store.plan_waves import PlannedWindow

_EIGHTHS = " ▏▎▍▌▋▊▉"


def fit(text: str, width: int, right: bool = False) -> str:
    """Return ``text`` in exactly ``width`` terminal cells, shortened with an ellipsis."""
    if width <= 0:
        return ""
    if text.isascii():
        if len(text) > width:
            return text[: width - 1] + "…"
        return text.rjust(width) if right else text.ljust(width)
    cells = cell_len(text)
    if cells > width:
        return set_cell_size(set_cell_size(text, width - 1) + "…", width)
    pad = " " * (width - cells)
    return pad + text if right else text + pad


def pinch(text: str, width: int) -> str:
    """Return ``text`` in exactly ``width`` cells, shortened in its middle: names of VMs differ at the end."""
    if len(text) <= width or width < 8 or not text.isascii():
        return fit(text, width)
    end = (width - 1) * 2 // 3
    return f"{text[: width - 1 - end]}…{text[-end:]}"


def folded(text: str, width: int) -> list[str]:
    """Return ``text`` in lines of at most ``width`` cells, 1 at least, broken between words."""
    return [text[at:end].rstrip() for at, end in pairwise([0, *divide_line(text, width), len(text)])]


def bar(part: float, whole: float, width: int) -> str:
    """Return a bar of up to ``width`` cells in eighths; something is never drawn as nothing."""
    if part <= 0 or whole <= 0 or width <= 0:
        return ""
    eighths = max(1, round(min(part / whole, 1.0) * width * 8))
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def fill(part: float, whole: float, width: int) -> str:
    """Return a bar with its empty rest drawn."""
    drawn = bar(part, whole, width)
    return drawn + "░" * (width - len(drawn))


def count(number: int) -> str:
    """Return ``1 284``: thousands apart, as people read them."""
    return f"{number:,}".replace(",", " ")


def plural(number: int, noun: str) -> str:
    """Return ``1 VM`` or ``3 VMs``."""
    return f"{count(number)} {noun if number == 1 else plural_of(noun)}"


def size_cell(size_bytes: int) -> str:
    """Return ``3.2 TiB``, ``≥3.2 TiB`` where there is more, ``?`` where nothing is known: for columns."""
    if not isinstance(size_bytes, AtLeast):
        return show_bytes(size_bytes)
    return f"≥{show_bytes(size_bytes)}" if size_bytes else "?"


def utc_clock(now: datetime) -> str:
    """Return ``14:02 UTC``."""
    return now.astimezone(UTC).strftime("%H:%M UTC")


def short_time(stamp: str) -> str:
    """Return ``2026-03-14 22:00`` for an ISO 8601 time in UTC; other text stays as it is."""
    try:
        return datetime.fromisoformat(stamp).strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return stamp


def window_start(window: Window | PlannedWindow) -> str:
    """Return ``Sat 14 Mar 22:00`` in the window's own time zone."""
    return window.start_utc.astimezone(ZoneInfo(window.zone)).strftime("%a %d %b %H:%M")


def window_span(window: Window | PlannedWindow) -> str:
    """Return ``Sat 14 Mar 22:00 → Sun 04:00 Europe/Berlin (6 h)`` in the window's own time zone."""
    zone = ZoneInfo(window.zone)
    end = datetime.fromtimestamp(window.start_utc.timestamp() + window.hours * 3600, zone)
    length = show_duration(window.hours * 3600)
    return f"{window_start(window)} → {end.strftime('%a %H:%M')} {window.zone} ({length})"


def spread_minutes(p50: float, p95: float) -> str:
    """Return ``11 m / 19 m`` for a median and 95th percentile in minutes; a guess shows no seconds."""
    return " / ".join(show_duration(round(m) * 60 if m >= 5 else m * 60) for m in (p50, p95))


def line(*parts: str | tuple[str, str] | Content) -> Content:
    """Return one line of content from plain texts and (text, tone) pairs; nothing is markup."""
    from textual.content import Content

    return Content.assemble(
        *((part[0], STYLES[part[1]]) if isinstance(part, tuple) else part for part in parts)
    )


def stack(lines: Iterable[Content]) -> Content:
    """Return lines one under another."""
    from textual.content import Content

    return Content("\n").join(lines)
