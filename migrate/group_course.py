"""The course of one group: what every run of its wave did to it over time, and where it ran meanwhile.

    runs of the wave, oldest first ──▶ stretches (seed, deltas, cutover ...) on one axis
                                   ├─▶ stays: at the source, down, at the target
                                   └─▶ events: what a person would tell of it

Only the record is read. A run whose record was rebuilt has no times of its own: it is one event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.papers.moments import Moments
from migrate.papers.phases import way_back
from migrate.papers.timeline import of_group
from migrate.run import store as runs
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO, Phase, Step, part_of
from migrate.run.step_phases import SEED, phase_of
from migrate.run.store import RunKind
from planner.names import visible
from planner.units import show_bytes, show_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from migrate.run.store import Run
    from planner.store.project import Project

SOURCE, DOWN, TARGET = "source", "down", "target"
_KINDS = {
    RunKind.WAVE: "",
    RunKind.REMEDY: " of its remedies",
    RunKind.FAILBACK: " home",
}


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of a run: ``phase`` is a word of ``migrate.run.step_phases``.

    Times are ISO 8601 in UTC, ``ended`` empty while it goes on. ``homeward`` says that it led to the source.
    """

    run: int
    phase: str
    begun: str
    ended: str
    homeward: bool


@dataclass(frozen=True, slots=True)
class Stay:
    """Where the group ran from then on: at the source, at the target, or down in between."""

    at: str
    where: str


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that was done; ``what`` is harmless, ``ill`` says that it went wrong.

    Rounds in a row are one: ``at`` is when the newest snapshot was taken. ``who`` is untrusted, and empty
    where nobody is on record.
    """

    at: str
    run: int
    what: str
    who: str = ""
    ill: bool = False


@dataclass(frozen=True, slots=True)
class GroupCourse:
    """All of it, oldest first; ``read_at`` is when it was read, ISO 8601 in UTC."""

    group: str
    read_at: str
    stretches: tuple[Stretch, ...]
    stays: tuple[Stay, ...]
    happened: tuple[Happened, ...]


def course_of(project: Project, wave: str, group: str, read_at: str) -> GroupCourse:
    """Return the course of the group of that name through all runs of its wave."""
    stretches: list[Stretch] = []
    stays: list[Stay] = []
    events: list[Happened] = []
    for run in runs.of_wave(project, wave):
        events.append(Happened(run.at, run.id, f"run {run.id}{_KINDS[run.kind]} begins", run.who))
        if run.kind is RunKind.REMEDY:
            continue
        told = Moments(project, run)
        part = next((f"g{at}" for at, one in enumerate(told.wave.groups) if one.name == group), "")
        if not part:
            events.append(Happened(run.at, run.id, "the group was no part of that run"))
        elif told.recovered:
            events.append(Happened(told.last_at, run.id, "its record was rebuilt: when it did what is lost"))
        else:
            steps = [step for step in told.history.runbook.steps if part_of(step.id) == part]
            home = run.kind is RunKind.FAILBACK
            stretches += (
                Stretch(run.id, bar.phase, bar.begun, bar.ended, home) for bar in of_group(told, part, steps)
            )
            stays += _stays(told, run, steps)
            events += _happened(told, run, part, steps)
    return GroupCourse(
        group,
        read_at,
        tuple(sorted(stretches, key=lambda one: one.begun)),
        tuple(sorted(stays, key=lambda one: one.at)),
        tuple(sorted(events, key=lambda one: one.at)),
    )


def _stays(told: Moments, run: Run, steps: Sequence[Step]) -> Iterator[Stay]:
    """Yield where the VMs of the group ran; those that were off have no stop and no start."""
    here, there = (TARGET, SOURCE) if run.kind is RunKind.FAILBACK else (SOURCE, TARGET)
    stops = [step for step in steps if step.kind == "stop"]
    starts = [step for step in steps if step.kind == "start"]
    yield Stay(run.at, here)
    if not (stopped := told.begun(stops)):
        return
    yield Stay(stopped, DOWN)
    if on := told.done(starts):
        yield Stay(on, there)
    begun, _ = way_back(told, starts)
    if begun:
        yield Stay(begun, DOWN)
    _, ended = way_back(told, stops)
    if ended:
        yield Stay(ended, here)


def _happened(told: Moments, run: Run, part: str, steps: Sequence[Step]) -> Iterator[Happened]:
    def event(at: str, what: str, who: str = "", ill: bool = False) -> Iterator[Happened]:
        if at:
            yield Happened(at, run.id, what, who, ill)

    there = SOURCE if run.kind is RunKind.FAILBACK else TARGET
    seeds = [step for step in steps if phase_of(step) == SEED]
    first = "comparison" if run.kind is RunKind.FAILBACK else "first copy"
    yield from event(told.begun(seeds), f"{first} of {show_count(len(seeds), 'disk')} begins")
    yield from event(told.done(seeds), f"{first} is whole{_moved(told, seeds)}")
    yield from _rounds(told, run, part)
    for proof in (step for step in steps if step.kind == "checkpoint"):
        yield from event(told.last(proof.id, Event.DONE), "replicas compared with their snapshot: equal")
    go = "go for cutover" if there == TARGET else "go for failback"
    yield from event(*_passed(told, GO, go))
    stops, starts = ([step for step in steps if step.kind == kind] for kind in ("stop", "start"))
    yield from event(told.begun(stops), f"{show_count(len(stops), 'VM')} told to stop")
    finals = [step for step in steps if step.kind == "transfer" and step.phase is Phase.CUTOVER]
    yield from event(told.done(finals), f"last delta{_moved(told, finals)}")
    yield from event(told.done(starts), f"{show_count(len(starts), 'VM')} started at the {there}")
    yield from event(*_passed(told, COMMIT, "commit"))
    fences = [step for step in steps if step.kind == "fence"]
    yield from event(told.done(fences), f"{show_count(len(fences), 'VM')} left behind fenced")
    for turn in told.of_events(Event.ROLLBACK, Event.ABORT):
        what = "rollback begins" if turn.event is Event.ROLLBACK else "the run is dropped"
        yield from event(turn.at, what, str(turn.detail.get("who", "")))
    yield from event(way_back(told, steps)[1], "all of it is taken back")
    yield from _failures(told, run, steps)


def _moved(told: Moments, steps: Sequence[Step]) -> str:
    """Return what some passes read and sent, as a clause."""
    read, sent = (
        sum(int(told.result(step.id).get(name, 0)) for step in steps) for name in ("data_bytes", "wire_bytes")
    )
    return f": {show_bytes(read)} read, {show_bytes(sent)} sent"


def _passed(told: Moments, gate: str, what: str) -> tuple[str, str, str]:
    found = [one for one in told.of_events(Event.APPROVED) if one.step == gate]
    return (found[-1].at, what, str(found[-1].detail.get("who", ""))) if found else ("", what, "")


def _rounds(told: Moments, run: Run, part: str) -> Iterator[Happened]:
    """Yield the whole rounds after the first copy, those put away too, as one event."""
    found = [one for one in told.cycles if one.part == part and one.number and one.instant]
    if found:
        read, sent = sum(one.data_bytes for one in found), sum(one.wire_bytes for one in found)
        what = f"{show_count(len(found), 'round')}: {show_bytes(read)} read, {show_bytes(sent)} sent"
        yield Happened(max(one.instant for one in found), run.id, what)


def _failures(told: Moments, run: Run, steps: Sequence[Step]) -> Iterator[Happened]:
    """Yield each step that failed, once: when it did so last, and how often."""
    titles = {step.id: step.title for step in steps}
    often: dict[str, list[str]] = {}
    for one in told.of_events(Event.FAILED, Event.UNDO_FAILED):
        if one.step in titles:
            often.setdefault(one.step, []).append(one.at)
    for step, times in often.items():
        count = f" {len(times)} times" if len(times) > 1 else ""
        yield Happened(times[-1], run.id, f"failed{count}: {visible(titles[step], 200)}", ill=True)
