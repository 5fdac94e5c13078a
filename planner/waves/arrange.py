"""Arranging: both tracks solved, plain groups first and shared services behind them.

    plain groups ──build, solve──▶ slots ─┐
    shared services ──build, solve──▶ slots behind ─┴─▶ waves with windows

An infeasible track is refused with the smallest set of constraints to relax.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from planner.model import MoveGroup
from planner.settings import Window
from planner.waves.building import Built, build_problem
from planner.waves.items import Ask
from planner.waves.pins import wave_name
from planner.waves.problem import Assignment, Problem

_NAMED = 8  # constraints that a refusal lists


@dataclass(frozen=True, slots=True)
class Draw:
    """How hard to look, from which seed, whom to tell, when to stop."""

    seed: int = 1
    effort: str = "normal"
    report: Callable[..., None] | None = None
    stop: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A problem and its solution."""

    built: Built
    assignment: Assignment  # the slot of each item
    notes: tuple[str, ...]  # how it was found


@dataclass(frozen=True, slots=True)
class Arranged:
    """Waves in order: name, groups, window; and the tracks they come from."""

    waves: tuple[tuple[str, tuple[MoveGroup, ...], Window | None], ...]
    tracks: tuple[Track, ...]


def _solved(groups: Sequence[MoveGroup], ask: Ask, draw: Draw) -> Track:
    built = build_problem(groups, ask)
    assignment, notes = _look(built.problem, draw)
    return Track(built, assignment, notes)


def _look(problem: Problem, draw: Draw) -> tuple[Assignment, tuple[str, ...]]:
    from planner.waves.condense import condense
    from planner.waves.fit import first_fit
    from planner.waves.louvain import ahead_first

    model = condense(problem)
    risk = [sum(problem.items[at].risk for at in block) for block in model.members]
    names = [problem.items[block[0]].name for block in model.members]
    order = sorted(range(len(names)), key=lambda block: (risk[block], names[block].casefold(), block))
    return model.spread(first_fit(model, ahead_first(model, order))[0].at), ("first fit",)


def _closed_up(track: Track) -> Track:
    """Return the track with undated slots that nothing uses taken out, unless a pin counts on them."""
    problem, assignment = track.built.problem, track.assignment
    dated = sum(slot.start_s is not None for slot in problem.slots)
    if any(item.pinned is not None and item.pinned >= dated for item in problem.items):
        return track
    first = max(dated, min((item.earliest for item in problem.items), default=0))
    used = sorted({slot for slot in assignment if slot >= dated})
    place = {slot: first + at for at, slot in enumerate(used)}
    moved = tuple(place.get(slot, slot) for slot in assignment)
    return replace(track, assignment=moved)


def arrange(
    groups: Sequence[MoveGroup], ask: Ask, draw: Draw, rank: Callable[[MoveGroup], object]
) -> Arranged:
    """Return the waves of ``groups``; in a wave they stand by ``rank``.

    Raises BadInput for settings that contradict each other, Blocked when no plan can be.
    """
    tracks: list[Track] = []
    by_slot: dict[int, list[MoveGroup]] = {}
    first = ask.first
    for services in (False, True):
        # Inside its own track a service is a group like any other.
        mine = [
            replace(group, shared_services=False) for group in groups if group.shared_services is services
        ]
        if not mine:
            continue
        real = {group.name: group for group in groups}
        track = _closed_up(_solved(mine, replace(ask, first=first), draw))
        for slot in sorted(set(track.assignment)):
            found = [real[group.name] for group in track.built.groups(track.assignment, slot)]
            by_slot.setdefault(slot, []).extend(sorted(found, key=rank))  # type: ignore[arg-type]
        first = max(track.assignment) + 1
        tracks.append(track)
    windows = tracks[-1].built.windows if tracks else ()
    return Arranged(
        tuple(
            (wave_name(slot), tuple(found), windows[slot] if slot < len(windows) else None)
            for slot, found in sorted(by_slot.items())
        ),
        tuple(tracks),
    )
