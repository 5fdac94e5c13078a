"""The phases of a run: planned and actual duration of each, and the window that the cutover was to keep."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from migrate.papers.moments import Moments, between
from migrate.rehearsals import book
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO, Step
from migrate.run.step_phases import (
    BACK,
    CHECKPOINT,
    COMMITTING,
    CUTOVER,
    DELTAS,
    FINAL,
    GO_GATE,
    OF_CUTOVER,
    SEED,
    WINDOW,
    phase_of,
)
from migrate.run.store import RunKind
from planner.plan import Spread
from planner.run_report import PhaseTime, Window
from planner.units import show_count, show_duration

Planned = tuple[float | None, float | None, str]  # seconds P50 and P95, and whose figure it is


def phases(told: Moments) -> tuple[PhaseTime, ...]:
    """Return planned and actual duration of each phase of the run."""
    found: dict[str, list[Step]] = {}
    for step in told.history.runbook.steps:
        found.setdefault(phase_of(step), []).append(step)
    return tuple(_phases(told, found))


def _phases(told: Moments, steps: dict[str, list[Step]]) -> Iterator[PhaseTime]:
    if (seeds := steps.get(SEED)) is not None:
        yield _of_steps(told, SEED, seeds, _plan_hours(told, told.wave.estimate.seed_h))
    if deltas := _deltas(told, steps.get(DELTAS, [])):
        yield deltas
    if proofs := [step for step in steps.get(CHECKPOINT, ()) if step.id not in told.history.added]:
        yield _of_steps(told, CHECKPOINT, proofs, twin(told, CHECKPOINT) or _unplanned(told))
    yield _go_gate(told)
    yield _between(told, CUTOVER, *cutover(told), twin(told, CUTOVER) or _of_wave(told, CUTOVER))
    for name in OF_CUTOVER:
        if mine := steps.get(name):
            yield _of_steps(told, name, mine, twin(told, name) or _of_wave(told, name))
    yield _commit_window(told)
    if fences := steps.get(COMMITTING):
        yield _of_steps(told, COMMITTING, fences, twin(told, COMMITTING) or _unplanned(told))
    if told.history.back is not None:
        began, ended = way_back(told, told.history.runbook.steps)
        began = min((one.at for one in told.of_events(Event.ROLLBACK, Event.ABORT)), default=began)
        yield _between(told, BACK, began, ended or (told.last_at if told.over else ""), _unplanned(told))


def way_back(told: Moments, steps: Sequence[Step]) -> tuple[str, str]:
    """Return when the undoing of some steps began and ended; empty for not begun, or under way."""
    begun, ended = [], []
    for step in steps:
        if at := told.first(step.id, Event.UNDO_INTENT):
            begun.append(at)
            end = max(told.last(step.id, Event.UNDONE), told.last(step.id, Event.UNDO_FAILED))
            ended.append(end if end >= told.last(step.id, Event.UNDO_INTENT) else "")
    return min(begun, default=""), max(ended) if ended and all(ended) else ""


def cutover(told: Moments) -> tuple[str, str]:
    """Return when the go gate was passed, and when all was landed, or back; empty for not yet."""
    start, landed = told.last(GO, Event.APPROVED), told.last("landed", Event.DONE)
    if start and not landed and told.history.back is not None:
        return start, told.last_at if told.over else ""
    return start, landed


def window(told: Moments) -> Window:
    """Return the planned window beside the times of the cutover."""
    planned = told.wave.window if told.run.kind is RunKind.WAVE else None
    first_s, why = first_probe(told)
    start, end = ("", "") if told.recovered else cutover(told)
    begin_at, end_at = (_utc(planned.start_utc), _utc(planned.end_utc)) if planned else ("", "")
    return Window(
        planned_start=begin_at,
        planned_end=end_at,
        planned_s=planned.hours * 3600 if planned else None,
        start=start,
        end=end,
        seconds=between(start, end),
        said=_kept(told, begin_at, end_at, start, end),
        first_probe_s=first_s,
        first_probe_why=why,
    )


def _kept(told: Moments, begin_at: str, end_at: str, start: str, end: str) -> str:
    if told.recovered:
        return "not known: the record was rebuilt, the times are those of the recovery"
    if not start:
        return "the cutover did not begin" if told.over else "the cutover has not begun"
    if not begin_at:
        return "the plan gives it no window" + ("" if end else "; under way")
    said = []
    if start < begin_at:
        said.append(f"it began {_apart(start, begin_at)} before its window")
    elif start > end_at:
        said.append(f"it began {_apart(end_at, start)} after its window")
    if end > end_at:
        said.append(f"it ended {_apart(end_at, end)} after its window")
    if not end:
        return "; ".join([*said, "under way"])
    return " and ".join(said) or "within its window"


def _apart(begun: str, ended: str) -> str:
    return show_duration(between(begun, ended) or 0.0)


def first_probe(told: Moments) -> tuple[float | None, str]:
    """Return the seconds from the first stop to the first probe passed at the other site, or why not."""
    steps = told.history.runbook.steps
    stops = [step for step in steps if step.kind == "stop"]
    probes = [step for step in steps if step.kind == "probe"]
    if told.recovered:
        return None, "not known: the record was rebuilt, the evidence is lost"
    if not (begun := told.begun(stops)):
        return None, "no VM was stopped"
    passed = min((at for step in probes if (at := told.last(step.id, Event.DONE))), default="")
    if not passed:
        return None, "no probe passed" if told.over or told.history.back else "no probe passed yet"
    return between(begun, passed), "from the first stop to the first probe passed at the other site"


def _utc(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _unplanned(told: Moments) -> Planned:
    return None, None, "not planned by itself"


def _of_plan(told: Moments, p50_s: float, p95_s: float, what: str = "") -> Planned:
    if told.run.kind is RunKind.FAILBACK:
        return None, None, "not planned: the plan's figures are of the way out"
    return round(p50_s, 1), round(p95_s, 1), f"plan {told.run.plan}{what}"


def _plan_hours(told: Moments, hours: Spread) -> Planned:
    return _of_plan(told, hours.p50 * 3600, hours.p95 * 3600)


def _of_wave(told: Moments, phase: str) -> Planned:
    """Return what the plan itself says of a phase: of the last copies, that of the VM which takes longest."""
    if told.run.kind is RunKind.FAILBACK:
        return None, None, "not planned: the plan's figures are of the way out"
    if phase == CUTOVER:
        return None, None, "not known: exactly this was not rehearsed on the twin before"
    members = {vm.id for vm in told.wave.vms}
    takes = [take.final_min for take in told.wave.takes if take.what in members]
    if phase != FINAL or not takes:
        return _unplanned(told)
    p50_min, p95_min = max(one.p50 for one in takes), max(one.p95 for one in takes)
    return _of_plan(told, p50_min * 60, p95_min * 60, ", the longest of a VM alone")


def twin(told: Moments, phase: str) -> Planned | None:
    """Return what the twin said of a phase of exactly this plan before go; None when it did not."""
    if told.run.kind is RunKind.FAILBACK:
        return None
    before = told.last(GO, Event.APPROVED) or told.until
    for one in book.of_wave(told.project, told.wave.name):
        if one.depth is not book.Depth.TWIN or one.report.get("fault") or one.at > before:
            continue
        figures = one.report.get("phases", {CUTOVER: one.report.get("cutover")}).get(phase)
        if one.fingerprint == told.run.fingerprint and figures:
            return round(float(figures[0]), 1), round(float(figures[1]), 1), f"twin, rehearsed {one.at}"
    return None


def _deltas(told: Moments, recorded: list[Step]) -> PhaseTime | None:
    """Return the rounds after the seed, those put away too; None when there are none."""
    rounds = [one for one in told.cycles if one.number > 0]
    if not rounds and not recorded:
        return None
    begun = [one.instant for one in rounds if one.instant]
    begun += [at] if (at := told.begun(recorded)) else []
    ended = told.ended(recorded)
    under_way = bool(told.begun(recorded)) and not ended
    end = "" if under_way else max([ended, *(one.ended_at for one in rounds)])
    worked = sum(between(one.instant, one.ended_at) or 0.0 for one in rounds)
    said = f"{show_count(len(rounds), 'whole round')} of a group, {show_duration(worked)} at work"
    return _between(told, DELTAS, min(begun, default=""), end, _unplanned(told), said if rounds else "")


def _go_gate(told: Moments) -> PhaseTime:
    """Return the wait from the first copy that was proven until somebody said go."""
    proofs = [step for step in told.history.runbook.steps if phase_of(step) == CHECKPOINT]
    ready = told.done([step for step in proofs if step.id not in told.history.added])
    ended = told.last(GO, Event.APPROVED)
    if not ended and told.history.back is not None:
        ended = next((one.at for one in told.of_events(Event.ABORT, Event.ROLLBACK)), "")
    return _between(told, GO_GATE, ready, ended, (None, None, "not planned"))


def _commit_window(told: Moments) -> PhaseTime:
    landed, ended = told.last("landed", Event.DONE), told.last(COMMIT, Event.APPROVED)
    if landed and not ended:
        ended = next((one.at for one in told.of_events(Event.ROLLBACK)), "")
    limit_s = told.wave.policies.commit_window_h * 3600
    return _between(told, WINDOW, landed, ended, (None, limit_s, f"plan {told.run.plan}, at most"))


def _of_steps(told: Moments, phase: str, steps: list[Step], planned: Planned) -> PhaseTime:
    return _between(told, phase, told.begun(steps), told.ended(steps), planned)


def _between(
    told: Moments, phase: str, begun: str, ended: str, planned: Planned, said: str = ""
) -> PhaseTime:
    if told.recovered:
        begun = ended = ""
        said = "not known: the record was rebuilt"
    elif begun and not ended:
        said = said or "under way"
    elif not begun:
        said = said or ("not reached" if told.over else "not begun")
    return PhaseTime(
        phase=phase,
        planned_p50_s=planned[0],
        planned_p95_s=planned[1],
        planned_by=planned[2],
        begun=begun,
        ended=ended if begun else "",
        seconds=between(begun, ended),
        said=said,
    )
