"""Gates as people see them: where each stands, by whose words, on what evidence, what comes after it.

Only gates and human steps of a run that is under way; what a site would have to be asked is not here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.gates import words
from migrate.gates.asking import ask, waiting
from migrate.gates.opening import Open, newest
from migrate.gates.way_back import GoingBack, going_back
from migrate.gates.words import Word
from migrate.papers.evidence import evidence
from migrate.run import store as runs
from migrate.run.history import SETTLED, History, Mode, Status
from migrate.run.levers import passed_over
from migrate.run.runbook import Step
from migrate.run.store import RunKind
from migrate.run.waves import find_wave, waves_with_runs
from migrate.waiting import overlooked
from planner.errors import Blocked, NotFound
from planner.names import visible

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project

_PROVING = frozenset({"check", "checkpoint", "verify", "probe", "hook", "landed"})


@dataclass(frozen=True, slots=True)
class Ahead:
    """What goes on when a gate is passed: the steps up to the next one."""

    steps: tuple[Step, ...]
    until: str  # the title of the next gate, empty for the end of the run


@dataclass(frozen=True, slots=True)
class Seen:
    """One gate. ``state`` is passed, open, shut or ahead (the run has not come to it).

    ``passed_by`` is who is in the record for it; policies and older runs have no words.
    ``missing`` is what would open it, one by one; ``words`` are the newest of each person on this plan;
    ``proofs`` are what steps before it proved, and what was passed over or failed.
    """

    wave: str
    run: int
    gate: Step
    state: str
    passed_by: str
    reason: str
    missing: tuple[str, ...]
    words: tuple[Word, ...]
    proofs: tuple[str, ...]
    ahead: Ahead


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of one run, and what going back costs now."""

    gates: tuple[Seen, ...]
    back: GoingBack

    def gate(self, gate_id: str) -> Seen:
        """Return one of them by its step's id."""
        return next(seen for seen in self.gates if seen.gate.id == gate_id)


def under_way(project: Project, name: str) -> tuple[Run, History]:
    """Return the run of a wave that is under way, or that of its way home; raises NotFound, Blocked."""
    found = find_wave(project, name)
    if found.run is not None and found.history is not None and runs.outcome(found.history) is None:
        return found.run, found.history
    home = runs.latest(project, found.wave.name, RunKind.FAILBACK)
    if home is not None and runs.outcome(history := runs.history(project, home)) is None:
        return home, history
    raise Blocked(
        f"{found.wave.name} has no run under way, so no gate of it waits",
        f"begin one: wherry replicate {found.wave.name} --live",
    )


def every(project: Project, now: datetime) -> list[Gates]:
    """Return the gates of all runs that are under way."""
    found: list[Gates] = []
    names = dict.fromkeys(
        (*waves_with_runs(project), *waves_with_runs(project, RunKind.FAILBACK)),
    )
    for name in names:
        try:
            run, history = under_way(project, name)
        except (Blocked, NotFound):  # it is over, or of a plan that is gone
            continue
        found.append(see(project, run, history, now))
    return found


def gate_of(history: History, name: str) -> Step:
    """Return a gate or human step by id, case ignored; raises NotFound, which names those there are."""
    gates = [step for step in history.runbook.steps if step.is_gate]
    for step in gates:
        if step.id.casefold() == name.casefold():
            return step
    raise NotFound(
        f"{history.runbook.wave} has no gate {name!r}", f"it has {', '.join(step.id for step in gates)}"
    )


def see(project: Project, run: Run, history: History, now: datetime, upto: int | None = None) -> Gates:
    """Return all gates of a run as they stand at ``now``, an aware time.

    With ``upto``, the last entry that counts, as they stood at a past moment that ``history`` is of.
    """
    waits = {step.id for step in waiting(history)}
    seen = tuple(
        _seen(project, run, history, step, now, step.id in waits, upto)
        for step in history.runbook.steps
        if step.is_gate
    )
    return Gates(seen, going_back(project, run, history, now, runs.ENDLESS if upto is None else upto))


def _seen(
    project: Project,
    run: Run,
    history: History,
    gate: Step,
    now: datetime,
    waits: bool,
    upto: int | None,
) -> Seen:
    until = "" if upto is None else words.stamp(now)
    said = tuple(newest(gate, words.of(project, run.id, gate.id, until), run.fingerprint))
    answer = ask(project, run, history, gate, now, upto)
    state, passed_by, reason = "ahead", "", ""
    missing: tuple[str, ...] = ()
    if history.status[gate.id] in SETTLED:
        state = "passed"
        passed_by = str(history.results.get(gate.id, {}).get("who", ""))
    elif history.mode is not Mode.FORWARD:
        reason = "the run is on its way back"
    else:
        if not isinstance(answer, Open):
            reason, missing = answer.reason, answer.missing
        if waits:
            state = "open" if isinstance(answer, Open) else "shut"
    return Seen(
        run.wave,
        run.id,
        gate,
        state,
        passed_by,
        reason,
        missing,
        said,
        _proofs(history, gate),
        _ahead(history, gate),
    )


def _ahead(history: History, gate: Step) -> Ahead:
    steps: list[Step] = []
    for step in history.runbook.steps[history.runbook.index[gate.id] + 1 :]:
        if step.is_gate:
            return Ahead(tuple(steps), step.title)
        if history.status[step.id] not in SETTLED:
            steps.append(step)
    return Ahead(tuple(steps), "")


def _proofs(history: History, gate: Step) -> tuple[str, ...]:
    """Return what the steps between the gate before and this one proved; what is not done comes first."""
    odd: list[str] = []
    counts: Counter[str] = Counter()
    said: dict[str, str] = {}
    for step in _between(history, gate):
        status = history.status[step.id]
        if status in (Status.SKIPPED, Status.FAILED):
            odd.append(f"{visible(step.title)}: {_why(history, step, status)}")
        elif step.kind in _PROVING and status is Status.DONE:
            counts[step.kind] += 1
            said[step.kind] = evidence(step.kind, history.results[step.id])
    return (
        *odd,
        *(f"it goes on beside {said}" for said in overlooked(history)),
        *(
            f"{kind}: {said[kind]}" if count == 1 else f"{kind}: {count}, the last one {said[kind]}"
            for kind, count in counts.items()
        ),
    )


def _between(history: History, gate: Step) -> list[Step]:
    """Return the steps before a gate, back to the one before it."""
    found: list[Step] = []
    for step in history.runbook.steps[: history.runbook.index[gate.id]]:
        found = [] if step.is_gate else [*found, step]
    return found


def _why(history: History, step: Step, status: Status) -> str:
    if status is Status.FAILED:
        return f"failed: {visible(str(history.failures.get(step.id, {}).get('message', '')))}"
    return passed_over(history, step.id)
