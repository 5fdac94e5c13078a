"""How long it is from a moment of a run to where it leads, and how much later than was to be expected.

    runs of the twin ──seconds of every step──▶ Expected ─┐
    the sheet: what is done, since when what goes on ─────┼──▶ the longest way there, of each run ──▶ ToGo
    what moves now, and how long it says it takes ────────┘

    out or home   ──▶ its commit gate     needs before their users, what is left to do
    taken back    ──▶ its end             users before their needs, what is left to undo

Steps of a sort that this run was slower or faster at than the twin are believed to go on like that. What
people take at gates is not foreseen: it shows in how late it is. The same record gives the same figures.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from migrate.rehearsal import Spread, spread
from migrate.run.history import Mode
from migrate.run.runbook import COMMIT, GO
from migrate.run.step_phases import SEED, phase_of

if TYPE_CHECKING:
    from migrate.expected import Expected, TwinTimes
    from migrate.run.runbook import Runbook, Step
    from migrate.sheet import Sheet, SheetStep

_LEAST_S = 1.0  # of a step, where paces are told: those of moments say nothing of those of minutes
_SETTLED, _UNDONE = ("done", "skipped"), "undone"
_BACK = {"rollback": Mode.ROLLBACK, "abort": Mode.ABORT}

Lefts = Mapping[str, tuple[float, float]]  # seconds left of disks under way, P50 and P95, by volume
_Sort = tuple[str, bool]


@dataclass(frozen=True, slots=True)
class ToGo:
    """Seconds to the commit gate, or to the end of a way back: ``p50_s`` and ``p95_s``.

    They count from the go gate while a run has not passed it. ``late_s`` is how much later it is than was to
    be expected at go, or when the run turned; None before that; less than 0 is earlier. ``over`` is the title
    of a step that goes on for longer than it ever took on the twin. ``paced`` is how many steps of this run
    say how fast it is.
    """

    p50_s: float
    p95_s: float
    late_s: float | None = None
    over: str = ""
    paced: int = 0


def ways_of(sheet: Sheet) -> tuple[Mode, ...]:
    """Return the ways of a run that can be told: the one it goes, and the one back from where it stands."""
    if sheet.outcome:
        return ()
    forward = (Mode.FORWARD,) if _is_before_commit(sheet) else ()
    return forward + tuple(filter(None, (_BACK.get(sheet.gates.back.verb),)))


def to_go(sheet: Sheet, expected: Expected, lefts: Lefts) -> ToGo | None:
    """Return how long it is to where a run leads; None where it waits for commit, or is over.

    ``expected`` is of the way that it goes: of another one nothing is told.
    """
    if not expected.runs or sheet.outcome or expected.way is not sheet.mode:
        return None
    if sheet.mode is not Mode.FORWARD:
        return _to_end(sheet, expected)
    return _to_commit(sheet, expected, lefts) if _is_before_commit(sheet) else None


def price(sheet: Sheet, expected: Expected) -> Spread | None:
    """Return how long going back would take from where a run stands; None where there is no such way.

    ``expected`` is of that way back, of a run that goes forward.
    """
    if not expected.runs or sheet.outcome or sheet.mode is not Mode.FORWARD or not sheet.gates.back.steps:
        return None
    left = {step.id for step in sheet.gates.back.steps}
    return _Ways(sheet, expected).longest(left)


def slack_s(sheet: Sheet, said: ToGo) -> float | None:
    """Return how long before its window closes a cutover is at its commit gate, by P95; less than 0 is after.

    None where nothing counts: it has no window or goes another way, or its go was not given.
    """
    window = None if sheet.homeward or sheet.turned_at or said.late_s is None else sheet.wave.window
    if window is None:
        return None
    return (window.end_utc - sheet.moment).total_seconds() - said.p95_s


def latest_back(sheet: Sheet, back: Spread) -> datetime | None:
    """Return until when going back can begin and end within the window, by P95.

    None before the go, and for a wave without a window or on its way home.
    """
    gate = sheet.step(GO)
    window = None if sheet.homeward or gate is None or gate.status not in _SETTLED else sheet.wave.window
    return window.end_utc - timedelta(seconds=back.p95) if window is not None else None


def _is_before_commit(sheet: Sheet) -> bool:
    commit = sheet.step(COMMIT)
    if sheet.mode is not Mode.FORWARD or sheet.outcome or commit is None:
        return False
    return commit.status not in (*_SETTLED, "waits")


def _to_commit(sheet: Sheet, expected: Expected, lefts: Lefts) -> ToGo:
    book = sheet.runbook
    gate = sheet.step(GO)
    go_at = gate.at if gate is not None and gate.status in _SETTLED else ""
    before = {step.id for step in book.steps[: book.index[COMMIT]]}
    after_go = before - {step.id for step in book.steps[: book.index.get(GO, -1) + 1]}
    left = after_go - {one.id for one in sheet.steps if one.status in _SETTLED}
    now = _Ways(sheet, expected, _paces(sheet, expected), lefts)
    ways, paced = now.longest(left, goes_on=bool(go_at)), _timed(sheet, "done")
    if not go_at:
        return ToGo(ways.p50, ways.p95, paced=paced)
    said = _Ways(sheet, expected, _paces(sheet, expected, go_at)).longest(after_go)
    return ToGo(ways.p50, ways.p95, _since_s(sheet, go_at) + ways.p50 - said.p50, now.over(), paced)


def _to_end(sheet: Sheet, expected: Expected) -> ToGo:
    left = {step.id for step in sheet.gates.back.steps}
    undone = {one.id for one in sheet.steps if one.status == _UNDONE}
    now = _Ways(sheet, expected, _paces(sheet, expected))
    ways = now.longest(left, goes_on=True)
    said = _Ways(sheet, expected).longest(left | undone)
    late_s = _since_s(sheet, sheet.turned_at) + ways.p50 - said.p50
    return ToGo(ways.p50, ways.p95, late_s, now.over(), _timed(sheet, _UNDONE))


def _since_s(sheet: Sheet, at: str) -> float:
    return (sheet.moment - datetime.fromisoformat(at)).total_seconds()


def _on_s(sheet: Sheet) -> float:
    """Return for how long VMs ran where they were brought, until now or until the run turned."""
    if not sheet.on_since:
        return 0.0
    until_s = _since_s(sheet, sheet.turned_at) if sheet.turned_at else 0.0
    return max(_since_s(sheet, sheet.on_since) - until_s, 0.0)


def _timed(sheet: Sheet, status: str) -> int:
    """Return how many steps say how long they took."""
    return sum(one.took_s is not None for one in sheet.steps if one.status == status)


def _sort(step: Step) -> _Sort:
    """Return what steps have to have in common for one to tell of another: first copies are of their own."""
    return step.kind, phase_of(step) == SEED


def _paces(sheet: Sheet, expected: Expected, upto: str = "") -> dict[_Sort, float]:
    """Return how many times as long as on the twin steps of each sort took, of those begun up to a time."""
    took: dict[_Sort, tuple[float, float]] = {}
    over, on_s = _UNDONE if expected.is_back else "done", _on_s(sheet)
    for step, one in zip(sheet.runbook.steps, sheet.steps, strict=True):
        if one.took_s is None or one.status != over or (upto and one.begun > upto):
            continue
        now_s, twin_s = took.get(_sort(step), (0.0, 0.0))
        usual_s = median(max(expected.took_s(step, run, on_s), _LEAST_S) for run in expected.runs)
        took[_sort(step)] = now_s + one.took_s, twin_s + usual_s
    return {sort: now_s / twin_s for sort, (now_s, twin_s) in took.items()}


@dataclass(slots=True)
class _Ways:
    """The ways from a moment of a run to the end of a way, one for each run of the twin."""

    sheet: Sheet
    expected: Expected
    paces: Mapping[_Sort, float] = field(default_factory=dict)
    lefts: Lefts = field(default_factory=dict)  # none of what is not under way at that moment

    def longest(self, left: Collection[str], *, goes_on: bool = False) -> Spread:
        """Return the seconds of the longest way; with ``goes_on`` what is under way has some of it behind."""
        under_way = {one.id: one for one in self.sheet.steps if goes_on and _is_under_way(one)}
        order = list(_in_order(self.sheet.runbook, self.expected.is_back))
        found: list[float] = []
        for number, run in enumerate(self.expected.runs):
            share = (number + 0.5) / len(self.expected.runs)
            ends: dict[str, float] = {}
            for step, before in order:
                ends[step.id] = max((ends.get(one, 0.0) for one in before), default=0.0)
                if step.id in left:
                    ends[step.id] += self._rest_s(step, under_way.get(step.id), run, share)
            last = ends if self.expected.is_back else self.sheet.runbook.step(COMMIT).needs
            found.append(max((ends.get(one, 0.0) for one in last), default=0.0))
        return spread(found)

    def _whole_s(self, step: Step, run: TwinTimes) -> float:
        twin_s, pace = self.expected.took_s(step, run, _on_s(self.sheet)), self.paces.get(_sort(step))
        return twin_s if pace is None else max(twin_s, _LEAST_S) * pace

    def _rest_s(self, step: Step, now: SheetStep | None, run: TwinTimes, share: float) -> float:
        if now is None:
            return self._whole_s(step, run)
        if (said := self.lefts.get(step.params.get("volume", ""))) is not None:
            p50_s, p95_s = said
            return p50_s + (p95_s - p50_s) * max(share - 0.5, 0.0) / 0.45
        return max(self._whole_s(step, run) - _since_s(self.sheet, now.begun), 0.0)

    def over(self) -> str:
        """Return the title of the first step that goes on for longer than in any run of the twin."""
        for step, one in zip(self.sheet.runbook.steps, self.sheet.steps, strict=True):
            if _is_under_way(one) and step.params.get("volume", "") not in self.lefts:
                most_s = max(self._whole_s(step, run) for run in self.expected.runs)
                if _since_s(self.sheet, one.begun) > most_s:
                    return one.title
        return ""


def _in_order(book: Runbook, is_back: bool) -> Iterator[tuple[Step, Sequence[str]]]:
    """Yield steps so that each comes after those that have to be over before it, which stand beside it."""
    if is_back:
        for step in reversed(book.steps):
            yield step, book.dependents[step.id]
    else:
        for step in book.steps[: book.index[COMMIT]]:
            yield step, step.needs


def _is_under_way(step: SheetStep) -> bool:
    return step.status in ("started", "rests", "undoing") and bool(step.begun)
