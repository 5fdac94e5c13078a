"""The runbook of 7 Cutover as rows of a table, and how steps and groups are marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.names import visible
from tui.theme import Mark
from tui.widgets.column import Column

if TYPE_CHECKING:
    from migrate.sheet import Sheet, SheetStep

Row = tuple[str, str, int, str, str, str]  # step, status, number, title, time, what it said

_NO_RETURN = "──── "
_MARKS = {
    "done": Mark("✔", "done", "good"),
    "skipped": Mark("·", "skipped", "warn"),
    "started": Mark("◐", "goes on", "accent"),
    "failed": Mark("✖", "failed", "bad"),
    "rests": Mark("…", "rests", "warn"),
    "held": Mark("▲", "held", "warn"),
    "waits": Mark("◆", "GATE", "accent"),
    "due": Mark("○", "next", ""),
    "pending": Mark("·", "", "dim"),
    "undoing": Mark("◄", "undoing", "accent"),
    "undone": Mark("◄", "undone", "dim"),
    "undo-failed": Mark("✖", "undo ✖", "bad"),
}
_WHERE = {
    "here": Mark("●", "up at the {here}", ""),
    "down": Mark("✖", "DOWN", "bad"),
    "there": Mark("✔", "up at the {there}", "good"),
    "back": Mark("◄", "up again at the {here}", "good"),
    "off": Mark("○", "was off", "dim"),
}


def step_mark(status: str) -> Mark:
    """Return the mark of a step's status."""
    return _MARKS.get(status) or Mark("?", status)


def where_mark(where: str, homeward: bool) -> Mark:
    """Return where users find a group; a run that goes ``homeward`` begins at the target."""
    here, there = ("target", "source") if homeward else ("source", "target")
    mark = _WHERE[where]
    return Mark(mark.glyph, mark.word.format(here=here, there=there), mark.tone)


def _time(at: str) -> str:
    return visible(at[11:19]) if at else ""


COLUMNS = (
    Column(1, "status", 9, lambda status: step_mark(status).text, lambda status: step_mark(status).tone,
           keep=9),
    Column(2, "no", 4, str, right=True, keep=2, kind="number"),
    Column(3, "step", 26, tone=lambda title: "warn" if title.startswith(_NO_RETURN) else "", keep=8),
    Column(4, "at", 8, _time, keep=6),
    Column(5, "said", 20, flex=True, keep=5),
)  # fmt: skip


def brief(step: SheetStep) -> str:
    """Return what a step said without its own title, which stands beside it."""
    title = visible(step.title)
    return step.said.removeprefix(f"{title} failed: ").removeprefix(f"{title}: ")


def step_rows(sheet: Sheet) -> tuple[Row, ...]:
    """Return a row for each step of a runbook; the point of no return is drawn."""
    from migrate.run.runbook import COMMIT

    return tuple(
        (
            step.id,
            step.status,
            number,
            f"{_NO_RETURN}commit: no way back" if step.id == COMMIT else step.title,
            step.at,
            brief(step),
        )
        for number, step in enumerate(sheet.steps, 1)
    )
