"""The rows of a run's timeline: the wave and its groups from the seed on, its VMs in the cutover."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from migrate.papers.moments import Moments
from migrate.papers.objectives import disks_of
from migrate.papers.phases import phases, way_back
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO, Phase, Step, part_of
from migrate.run.step_phases import (
    BACK,
    CHECKPOINT,
    COMMITTING,
    CUTOVER,
    DELTAS,
    GO_GATE,
    OF_CUTOVER,
    SEED,
    WINDOW,
    phase_of,
)
from planner.run_report import Bar, Mark, Row

_MOST_ROUNDS = 60  # of a group that are drawn one by one
_OF_WAVE = (GO_GATE, CUTOVER, WINDOW, COMMITTING, BACK)


def rows(told: Moments) -> tuple[Row, ...]:
    """Return a row of the wave, then of each group with its VMs; none of a record that was rebuilt."""
    return () if told.recovered else tuple(_rows(told))


def marks(told: Moments) -> tuple[Mark, ...]:
    """Return when each gate and human step was passed."""
    if told.recovered:
        return ()
    return tuple(
        Mark(name=step.id if step.id in (GO, COMMIT) else step.title, at=at)
        for step in told.history.runbook.steps
        if step.is_gate and (at := told.last(step.id, Event.APPROVED))
    )


def _rows(told: Moments) -> Iterator[Row]:
    whole = [one for one in phases(told) if one.phase in _OF_WAVE and one.begun]
    bars = tuple(Bar(phase=one.phase, begun=one.begun, ended=one.ended) for one in whole)
    yield Row(name=told.wave.name, kind="wave", bars=bars)
    by_part: dict[str, list[Step]] = {}
    by_subject: dict[str, list[Step]] = {}
    for step in told.history.runbook.steps:
        by_part.setdefault(part_of(step.id), []).append(step)
        by_subject.setdefault(step.subject, []).append(step)
    for at, group in enumerate(told.wave.groups):
        mine = by_part.get(f"g{at}", [])
        yield Row(name=group.name, kind="group", bars=tuple(of_group(told, f"g{at}", mine)))
        whole_group = [step for step in mine if step.kind in ("fold", "quiesce", "promote", "mark")]
        for vm in group.vms:
            subjects = (vm, *(disk.volume for disk in disks_of(told, vm)))
            own = [step for subject in subjects for step in by_subject.get(subject, ())]
            yield Row(name=told.vm_name(vm), kind="vm", bars=tuple(_of_cutover(told, [*whole_group, *own])))


def of_group(told: Moments, part: str, steps: Sequence[Step]) -> Iterator[Bar]:
    """Yield the copies of a group before its cutover, then its part of the cutover as one bar."""
    yield from _bar(told, SEED, [step for step in steps if phase_of(step) == SEED])
    yield from _rounds(told, part, [step for step in steps if phase_of(step) == DELTAS])
    for proof in (step for step in steps if phase_of(step) == CHECKPOINT):
        yield from _bar(told, CHECKPOINT, [proof])
    yield from _bar(told, CUTOVER, [step for step in steps if step.phase is Phase.CUTOVER])
    yield from _bar(told, COMMITTING, [step for step in steps if phase_of(step) == COMMITTING])
    yield from _back(told, steps)


def _rounds(told: Moments, part: str, deltas: Sequence[Step]) -> Iterator[Bar]:
    """Yield the rounds after the seed: those put away, then those of the record; many of them as one."""
    known = told.history.runbook.index
    found = [
        Bar(phase=DELTAS, begun=one.instant, ended=one.ended_at)
        for one in told.cycles
        if one.part == part and one.instant and one.snapshot not in known
    ]
    by_snapshot: dict[str, list[Step]] = {}
    for step in deltas:
        by_snapshot.setdefault(step.params["snapshot"], []).append(step)
    for mine in by_snapshot.values():
        found += _bar(told, DELTAS, mine)
    if len(found) > _MOST_ROUNDS:
        found = [Bar(phase=DELTAS, begun=found[0].begun, ended=found[-1].ended)]
    yield from found


def _of_cutover(told: Moments, steps: Sequence[Step]) -> Iterator[Bar]:
    for phase in (*OF_CUTOVER, COMMITTING):
        yield from _bar(told, phase, [step for step in steps if phase_of(step) == phase])
    yield from _back(told, [step for step in steps if step.phase is not Phase.REPLICATE])


def _bar(told: Moments, phase: str, steps: Sequence[Step]) -> Iterator[Bar]:
    if begun := told.begun(steps):
        yield Bar(phase=phase, begun=begun, ended=told.ended(steps))


def _back(told: Moments, steps: Sequence[Step]) -> Iterator[Bar]:
    begun, ended = way_back(told, steps)
    if begun:
        yield Bar(phase=BACK, begun=begun, ended=ended)
