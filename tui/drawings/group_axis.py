"""A group on one axis of time: where it ran, what was copied to which side, the points one can go back to.

    source  ■■■■■■■■■■■■■■■■■■▣▣
    target  ░░░░▒ ▒ ▒ ▒ ▒ ▒ ▒ ▣▣■■■■■■■■■     what leads home is drawn at the source
    points         · · ◆ · ·                  ◆ has a name or is pinned
            Fri 11 · 08:00    09:00

Times that are alike share a cell: what matters more lies above. What goes on reaches to the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrate.run.step_phases import BACK, CHECKPOINT, COMMITTING, CUTOVER, DELTAS, SEED
from tui.drawings.axis import Span, date_ticks
from tui.drawings.cells import Cells
from tui.text import line

if TYPE_CHECKING:
    from textual.content import Content

    from migrate.group_course import GroupCourse

_LABEL = 8  # cells
_RUNS = ("■", "good")
_PHASES = {  # later ones lie above
    SEED: ("░", "accent"),
    DELTAS: ("▒", "accent"),
    CHECKPOINT: ("▒", "accent"),
    CUTOVER: ("▣", "warn"),
    COMMITTING: ("◇", "bad"),
    BACK: ("◄", "warn"),
}
LEGEND = "■ runs  ░ seed  ▒ deltas  ▣ cutover  ◇ commit  ◄ back  ◆ kept  · point"


def group_axis(course: GroupCourse, points: Sequence[Mapping[str, Any]], width: int) -> list[Content]:
    """Return the axis in lines of ``width`` cells; ``points`` are checkpoints as a receiver tells of them."""
    room = max(width - _LABEL, 8)
    end = datetime.fromisoformat(course.read_at)
    moments = [(one["at_ms"] / 1000, one["pinned"] or bool(one["name"])) for one in points]
    begins = [one.at for one in course.stays[:1]] + [one.begun for one in course.stretches[:1]]
    starts = [datetime.fromisoformat(at) for at in begins]
    starts += [datetime.fromtimestamp(at, UTC) for at, _ in moments[:1]]
    if not starts:
        return [line(("nothing of the group was copied yet", "dim"))]
    span = Span(min(starts), max(end, min(starts)))
    sides = {side: Cells(room) for side in ("source", "target")}
    _put_stays(course, sides, span, end)
    for phase in _PHASES:
        for one in course.stretches:
            if one.phase == phase:
                side = sides["source" if one.homeward else "target"]
                _put(side, span, one.begun, one.ended, end, _PHASES[phase])
                if phase in (CUTOVER, BACK):  # both sides are down
                    _put(sides["target" if one.homeward else "source"], span, one.begun, one.ended, end,
                         _PHASES[phase])  # fmt: skip
    kept = Cells(room)
    for at, is_kept in sorted(moments, key=lambda one: one[1]):
        when = datetime.fromtimestamp(at, UTC)
        for cell in span.cells(when, when, room)[:1]:
            kept.put(cell, *(("◆", "accent") if is_kept else ("·", "")))
    lines = [_line(name, cells) for name, cells in (*sides.items(), ("points", kept))]
    return lines + _ticks(span, room)


def _put_stays(course: GroupCourse, sides: Mapping[str, Cells], span: Span, end: datetime) -> None:
    ends = [one.at for one in course.stays[1:]] + [""]
    for stay, ended in zip(course.stays, ends, strict=True):
        if stay.where in sides:
            _put(sides[stay.where], span, stay.at, ended, end, _RUNS)


def _put(side: Cells, span: Span, begun: str, ended: str, now: datetime, mark: tuple[str, str]) -> None:
    start = datetime.fromisoformat(begun)
    for cell in span.cells(start, datetime.fromisoformat(ended) if ended else now, side.width):
        side.put(cell, *mark)


def _line(label: str, cells: Cells) -> Content:
    return line((f"{label:<{_LABEL}}", "dim"), cells.content())


def _ticks(span: Span, room: int) -> list[Content]:
    lines = []
    for ticks in date_ticks(span, "UTC", room):
        drawn = Cells(room)
        for tick in ticks:
            if tick.cell + len(tick.label) <= room:
                drawn.put(tick.cell, tick.label, "dim")
        lines.append(_line("", drawn))
    return lines[::-1]  # the finer ticks stand next to what they measure
