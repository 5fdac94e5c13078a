"""Deviations of time: windows, phases and outages that took longer, copies that were older than approved."""

from __future__ import annotations

from itertools import groupby

from migrate.papers.deviations.found import Found, Strayed
from migrate.papers.moments import Moments, between
from migrate.papers.objectives import figures, last_copy
from migrate.papers.phases import phases, window
from migrate.run.cycles import target_s
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO
from migrate.run.step_phases import WINDOW
from migrate.run.store import RunKind
from planner.units import show_duration

_SPARE_S = 1.0  # the plan's figures leave out what every step costs besides its bytes


def outside_window(told: Moments) -> Found:
    """A cutover that did not keep its planned window."""
    said = window(told)
    if not said.planned_start or not said.start:
        return
    if not said.planned_start <= said.start <= said.planned_end:
        yield Strayed(said.start, GO, f"{told.wave.name}: the cutover began outside its planned window")
    if (end := said.end or told.until) > said.planned_end:
        over = show_duration(between(said.planned_end, end) or 0.0)
        verb = "ended" if said.end else "goes on"
        yield Strayed(end, "landed", f"{told.wave.name}: the cutover {verb} {over} after its planned window")


def long_phases(told: Moments) -> Found:
    """Phases that took longer than the P95 that was planned for them."""
    for one in phases(told):
        p95_s = one.planned_p95_s
        if one.phase == WINDOW or p95_s is None or not one.begun:
            continue
        took_s = between(one.begun, one.ended or told.until)
        if took_s is not None and took_s > p95_s + _SPARE_S:
            end = "took" if one.ended else "has taken"
            said = f"phase {one.phase} {end} {show_duration(took_s)}, longer than the {show_duration(p95_s)}"
            yield Strayed(one.ended or told.until, "", f"{said} of the P95 ({one.planned_by})")


def long_window(told: Moments) -> Found:
    """A commit that came after the end of the commit window, or did not come."""
    one = next(one for one in phases(told) if one.phase == WINDOW)
    if one.planned_p95_s is None or not one.begun:
        return
    over_s = (between(one.begun, one.ended or told.until) or 0.0) - one.planned_p95_s
    if over_s > 0:
        verb = "ended" if one.ended else "is open still,"
        said = f"the commit window {verb} {show_duration(over_s)} after its time"
        yield Strayed(one.ended or told.until, COMMIT, said)


def long_outages(told: Moments) -> Found:
    """VMs that were down longer than planned, held against the wave's figure where they have none."""
    _, _, vms = figures(told)
    if told.run.kind is RunKind.FAILBACK:
        return
    wave_s = told.wave.estimate.downtime_min.p95 * 60
    for one in vms:
        planned_s = wave_s if one.rto_planned_p95_s is None else one.rto_planned_p95_s
        if one.rto_s is not None and one.rto_s > planned_s + _SPARE_S:
            probes = [step for step in told.of("probe", one.id) if not step.optional]
            said = f"{one.name} was down for {show_duration(one.rto_s)}, longer than the planned P95 of "
            yield Strayed(told.done(probes), probes[-1].id, said + show_duration(planned_s))


def old_copies(told: Moments) -> Found:
    """VMs whose newest whole copy was older at the stop than was approved."""
    allowed_s = target_s(told.history)
    if not allowed_s or told.run.kind is RunKind.FAILBACK or told.recovered:
        return
    for vm in told.wave.vms:
        stops = told.of("stop", vm.id)
        stop = told.begun(stops)
        age_s = between(last_copy(told, vm.id, stop), stop) if stop else None
        if age_s is not None and age_s > allowed_s:
            said = f"the copy of {vm.name} was {show_duration(age_s)} old at its stop, more than the "
            yield Strayed(stop, stops[0].id, f"{said}{show_duration(allowed_s)} that were approved")


def late_cycles(told: Moments) -> Found:
    """Times between whole copies in which a group's was older than was approved.

    The age that a copy comes to is from its instant to the end of the next one; the last one's ends where
    go was said.
    """
    allowed_s = target_s(told.history)
    if not allowed_s or told.run.kind is RunKind.FAILBACK or told.recovered:
        return
    names = {f"g{at}": group.name for at, group in enumerate(told.wave.groups)}
    went = next((one.at for one in told.of_events(Event.ABORT, Event.ROLLBACK)), told.until)
    until = told.last(GO, Event.APPROVED) or went
    ordered = sorted(told.cycles, key=lambda one: (one.part, one.instant))
    for part, rounds in groupby(ordered, lambda one: one.part):
        mine = [one for one in rounds if one.instant and one.ended_at and one.ended_at <= until]
        for at, one in enumerate(mine):
            end = mine[at + 1].ended_at if at + 1 < len(mine) else until
            age_s = between(one.instant, end)
            if age_s is not None and age_s > allowed_s:
                said = f"cycle {one.number} of {names[part]} was {show_duration(age_s)} old before the next, "
                allowed = f"more than the {show_duration(allowed_s)} that were approved"
                yield Strayed(end, one.snapshot, said + allowed)
