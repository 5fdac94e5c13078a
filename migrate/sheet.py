"""One run as people watch it, now or at a moment of its past: runbook, gates, what users feel, the way back.

    record of steps ──the first N entries──▶ History ──▶ Sheet
    words at gates, until then ────────────────────────────▲

A past moment is told by the same functions as now, from what was written down until then. Only the record is
read, no site is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.disk_maps import DiskPass, where_of
from migrate.felt import Felt, felt
from migrate.gates import asking, seeing
from migrate.gates.ending import ends_at
from migrate.gates.way_back import last_times
from migrate.papers.said import said
from migrate.run import remembered
from migrate.run import store as runs
from migrate.run.actions import Do, Undo, next_actions, to_retry
from migrate.run.history import SETTLED, Entry, Event, History, Mode, Status
from migrate.run.levers import passed_over, why_not
from migrate.run.runbook import COMMIT, Step
from migrate.run.store import Run, RunKind
from migrate.waiting import clause
from migrate.waiting import waiting as resting
from migrate.wave_status import word_of
from planner.errors import NotFound
from planner.store import plans

if TYPE_CHECKING:
    from migrate.run.runbook import Runbook
    from planner.plan import Wave
    from planner.store.project import Project

_BEGINS = (Event.INTENT, Event.UNDO_INTENT)
_BACK = frozenset({Status.UNDOING, Status.UNDONE, Status.UNDO_FAILED})


@dataclass(frozen=True, slots=True)
class SheetStep:
    """One step. ``status`` is a word of ``migrate.run.history.Status``, or held, rests, due, waits (a gate).

    ``at`` is when it last began or ended, ISO 8601 in UTC; ``said`` its evidence, or why it failed or waits:
    both empty where it did not come to that. ``begun`` is when its last try began, ``took_s`` how long that
    took, None unless its own process saw it done; both of taking it back once that was begun. ``where`` is
    where a pass changed its disk, None where that is not known. Titles are untrusted; ``said`` is harmless.
    """

    id: str
    title: str
    kind: str
    phase: str
    effect: str
    status: str
    at: str
    said: str
    is_gate: bool
    may_skip: bool
    may_retry: bool
    begun: str = ""
    took_s: float | None = None
    where: DiskPass | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One run at ``moment``, after ``entry`` of its ``entries``; these are equal now, and less in its past.

    ``runbook`` is that of the run with all its rounds. ``commit_by`` is the end of the commit window while it
    runs. ``last`` is the newest entry in words, ``last_step`` the step that it is of. ``outcome`` is how the
    run ended, ``turned_at`` when it turned back, ``on_since`` when the first VM was started where it was
    brought, both ISO 8601 in UTC: all empty where it did not come to that.
    """

    run: Run
    runbook: Runbook
    wave: Wave
    state: str
    mode: Mode
    moment: datetime
    entry: int
    entries: int
    steps: tuple[SheetStep, ...]
    gates: seeing.Gates
    felt: tuple[Felt, ...]
    outcome: str = ""
    commit_by: datetime | None = None
    last: str = ""
    last_step: str = ""
    turned_at: str = ""
    on_since: str = ""

    @property
    def homeward(self) -> bool:
        """Whether it leads from the target to the source."""
        return self.run.kind is RunKind.FAILBACK

    @property
    def done(self) -> int:
        """How many steps are done or passed over."""
        return sum(step.status in ("done", "skipped") for step in self.steps)

    @property
    def current(self) -> SheetStep | None:
        """The step that is looked at first: what failed, goes on or waits, else the next one."""
        for wanted in (
            ("failed", "undo-failed"),
            ("started", "undoing", "rests", "held"),
            ("waits",),
            ("due",),
        ):
            if (found := next((step for step in self.steps if step.status in wanted), None)) is not None:
                return found
        return None

    def step(self, step_id: str) -> SheetStep | None:
        """Return a step by its id."""
        return next((step for step in self.steps if step.id == step_id), None)


def now_of(project: Project, run: Run, now: datetime, driven: bool) -> Sheet:
    """Return a run as it stands; ``driven`` says that a process drives it. Raises NotFound without a plan."""
    history = remembered.histories(project, [run])[run.id]
    return _sheet(project, run, history, now, None, len(history.entries), driven)


def past_of(project: Project, run: Run, entry: int) -> Sheet:
    """Return a run as it stood after so many of its entries, at the time of the last of them."""
    rows = project.rows("SELECT seq, at FROM step_record WHERE run = ? ORDER BY seq", run.id)
    if not 0 <= entry <= len(rows):
        raise NotFound(f"run {run.id} has no entry {entry}", f"it has {len(rows)}")
    seq, at = (rows[entry - 1]["seq"], rows[entry - 1]["at"]) if entry else (0, run.at)
    history = runs.history(project, run, seq + 1)
    return _sheet(project, run, history, datetime.fromisoformat(at), seq, len(rows), True)


def marks(project: Project, run: Run) -> tuple[list[int], list[int]]:
    """Return after which entries of a run something ended, and after which a gate was passed or it turned."""
    rows = project.rows("SELECT kind FROM step_record WHERE run = ? ORDER BY seq", run.id)
    turns = {Event.APPROVED, Event.ROLLBACK, Event.ABORT}
    ended = [at for at, row in enumerate(rows, 1) if row["kind"] not in _BEGINS]
    return ended, [at for at, row in enumerate(rows, 1) if row["kind"] in turns]


def _sheet(
    project: Project,
    run: Run,
    history: History,
    moment: datetime,
    upto: int | None,
    entries: int,
    driven: bool,
) -> Sheet:
    wave = plans.wave(project, run.plan, run.wave)
    bound = runs.ENDLESS if upto is None else upto
    times = last_times(project, run.id, bound)
    ended = runs.outcome(history)
    waits = any(step.id == COMMIT for step in asking.waiting(history))
    starts = {(step.id, Event.DONE) for step in history.runbook.steps if step.kind == "start"}
    last = history.entries[-1] if history.entries else None
    return Sheet(
        run,
        history.runbook,
        wave,
        word_of(history, driven, home=run.kind is RunKind.FAILBACK),
        history.mode,
        moment,
        len(history.entries),
        entries,
        _steps(history, times),
        seeing.see(project, run, history, moment, upto),
        felt(wave, history, times, moment),
        ended.value if ended is not None else "",
        ends_at(project, run, wave.policies.commit_window_h, bound) if waits else None,
        _told(history, last),
        last.step if last is not None else "",
        times.get(("", history.mode.value), ""),
        min((times[one] for one in times if one in starts), default=""),
    )


def _told(history: History, entry: Entry | None) -> str:
    if entry is None:
        return "nothing was done yet"
    return f"{history.runbook.step(entry.step).title if entry.step else 'the whole run'}: {entry.event.value}"


def _steps(history: History, times: Mapping[tuple[str, str], str]) -> tuple[SheetStep, ...]:
    newest: dict[str, str] = {}
    for (step, _), at in times.items():
        newest[step] = max(at, newest.get(step, ""))
    retried = set(to_retry(history))
    resting_at = {one.step: one for one in resting(history)}
    due = {
        action.step.id for action in next_actions(history.runbook, history) if isinstance(action, Do | Undo)
    }
    waits = {step.id for step in asking.waiting(history)}
    return tuple(
        SheetStep(
            step.id,
            step.title,
            step.kind,
            step.phase.value,
            step.effect.value,
            _status(history, step, resting_at, due, waits),
            newest.get(step.id, ""),
            _said(history, step),
            step.is_gate,
            not why_not(history, step),
            step.id in retried,
            *_tried(history, step.id, times),
            _where(history, step),
        )
        for step in history.runbook.steps
    )


def _where(history: History, step: Step) -> DiskPass | None:
    if step.kind != "transfer" or step.id not in history.results:
        return None
    found = where_of(history.results[step.id])
    return found if found.where else None


def _tried(history: History, step: str, times: Mapping[tuple[str, str], str]) -> tuple[str, float | None]:
    """Return when the last try at a step, or at taking it back, began, and how long that took."""
    back = history.status[step] in _BACK
    act, end = (Event.UNDO_INTENT, Event.UNDONE) if back else (Event.INTENT, Event.DONE)
    begun, ended = times.get((step, act), ""), times.get((step, end), "")
    asked = not back and history.results.get(step, {}).get("asked")  # after a crash
    if not begun or ended < begun or asked:
        return begun, None
    return begun, (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()


def _status(
    history: History, step: Step, rests: Collection[str], due: Collection[str], waits: Collection[str]
) -> str:
    status = history.status[step.id]
    if status in SETTLED and step.id not in due:
        return status.value
    if step.id in rests:
        return "rests"
    if step.id in history.held:
        return "held"
    if step.id in waits:
        return "waits"
    return "due" if step.id in due and status in (Status.PENDING, *SETTLED) else status.value


def _said(history: History, step: Step) -> str:
    if skipped := passed_over(history, step.id):
        return skipped
    if step.id in history.failures:
        return said(Event.FAILED, step.kind, history.failures[step.id])
    if step.id in history.held:
        return clause(history.held[step.id])
    if step.id in history.undone:
        return said(Event.UNDONE, step.kind, history.undone[step.id])
    return said(Event.DONE, step.kind, history.results[step.id]) if step.id in history.results else ""
