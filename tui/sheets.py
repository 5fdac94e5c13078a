"""Reads runs for 7 Cutover, from any thread, on a connection of its own."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.expected import Expected
    from migrate.rehearsal import Spread
    from migrate.run.history import Mode
    from migrate.run.store import Run
    from migrate.sheet import Sheet
    from migrate.to_go import Lefts, ToGo


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run that can be looked at: its number, wave and kind, when and by whom it was begun."""

    id: int
    wave: str
    kind: str
    at: str
    who: str


class Sheets:
    """The runs of one project."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._project: Project | None = None
        self._lock = threading.Lock()
        self._expected: dict[tuple[int, Mode], Expected] = {}  # by run and way

    def close(self) -> None:
        """Close the project."""
        with self._lock:
            if self._project is not None:
                self._project.close()
                self._project = None

    def _open(self) -> Project:
        if self._project is None:
            self._project = Project.open(self._root)
        return self._project

    def runs(self) -> tuple[RunRow, ...]:
        """Return all runs that move a wave, the newest first."""
        with self._lock:
            rows = self._open().rows(
                "SELECT id, wave, kind, at, who FROM run WHERE kind != 'remedy' ORDER BY id DESC"
            )
        return tuple(RunRow(*row) for row in rows)

    def now(self, wave: str, moment: datetime) -> Sheet | None:
        """Return the run of a wave as it stands: the one under way, else its newest; None without any."""
        from migrate.run import store as runs
        from migrate.sheet import now_of

        with self._lock:
            project = self._open()
            run = _run_of(project, wave)
            return None if run is None else now_of(project, run, moment, runs.is_held(project, wave))

    def past(self, run: int, entry: int) -> Sheet:
        """Return a run as it stood after so many entries; raises NotFound."""
        from migrate.run import store as runs
        from migrate.sheet import past_of

        with self._lock:
            project = self._open()
            return past_of(project, runs.get(project, run), entry)

    def marks(self, run: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[str, ...]]:
        """Return after which entries something ended, after which a gate was passed, and all their times."""
        from migrate.run import store as runs
        from migrate.sheet import marks

        with self._lock:
            project = self._open()
            ended, turns = marks(project, runs.get(project, run))
            rows = project.rows("SELECT at FROM step_record WHERE run = ? ORDER BY seq", run)
        return tuple(ended), tuple(turns), tuple(row["at"] for row in rows)

    def unasked(self, sheet: Sheet) -> tuple[tuple[int, Mode], ...]:
        """Return the ways of a run of which the twin was not asked yet how long they take."""
        from migrate.to_go import ways_of

        return tuple(one for way in ways_of(sheet) if (one := (sheet.run.id, way)) not in self._expected)

    def expect(self, sheet: Sheet) -> None:
        """Ask the twin, once for each way of a run, how long its steps take: see ``migrate.expected``."""
        from migrate.expected import expect
        from planner.store import settings
        from tui.acts.rehearsing import earlier_rates

        wanted = self.unasked(sheet)
        if not wanted:
            return
        with Project.open(self._root) as project:  # of its own: nobody waits for it
            link = settings.load(project).link
            rates = earlier_rates(project, link)
        for run, way in wanted:
            self._expected[run, way] = expect(sheet.run, sheet.wave, link, way, rates)

    def to_go(self, sheet: Sheet, lefts: Lefts) -> ToGo | None:
        """Return how long it is to where a run leads; None before the twin was asked, or without an end."""
        from migrate.to_go import to_go

        expected = self._expected.get((sheet.run.id, sheet.mode))
        return to_go(sheet, expected, lefts) if expected is not None else None

    def price(self, sheet: Sheet) -> Spread | None:
        """Return how long going back takes from where a run stands; None before the twin was asked."""
        from migrate.to_go import price, ways_of

        found = (self._expected.get((sheet.run.id, way)) for way in ways_of(sheet))
        back = next((one for one in found if one is not None and one.is_back), None)
        return price(sheet, back) if back is not None else None


def _run_of(project: Project, wave: str) -> Run | None:
    from migrate.gates.seeing import under_way
    from migrate.run import store as runs
    from migrate.run.store import RunKind
    from planner.errors import Blocked, NotFound

    try:
        return under_way(project, wave)[0]
    except (Blocked, NotFound):  # it is over, or of a wave that the plan no longer has
        found = [run for run in runs.of_wave(project, wave) if run.kind is not RunKind.REMEDY]
        return found[-1] if found else None
