"""Arranging: both tracks solved, plain groups first and shared services behind them.

    plain groups ──build, solve──▶ slots ─┐
    shared services ──build, solve──▶ slots behind ─┴─▶ waves with windows

An infeasible track is refused with the smallest set of constraints to relax.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from planner.errors import Blocked
from planner.model import MoveGroup
from planner.settings import Window
from planner.waves.building import Built, build_problem, pins_of
from planner.waves.conflict import conflict
from planner.waves.dated import dated_only
from planner.waves.found import Best, Found
from planner.waves.hand import Hand
from planner.waves.items import Ask
from planner.waves.pins import wave_name
from planner.waves.problem import Assignment
from planner.waves.solve import Report, Solution, Stop, solve
from planner.waves.supply import room_left

_NAMED = 8  # constraints that a refusal lists


@dataclass(frozen=True, slots=True)
class Draw:
    """How hard to look (a name of ``EFFORTS``), from which seed, whom to tell, when to stop."""

    seed: int = 1
    effort: str = "normal"
    report: Report | None = None
    found: Found | None = None
    stop: Stop | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A problem, the slot of each of its items, and the solution; None = nothing was searched."""

    built: Built
    assignment: Assignment
    solution: Solution | None = None


@dataclass(frozen=True, slots=True)
class Arranged:
    """Waves in order: name, groups, window; and the tracks they come from."""

    waves: tuple[tuple[str, tuple[MoveGroup, ...], Window | None], ...]
    tracks: tuple[Track, ...]


def _solved(built: Built, ask: Ask, draw: Draw, services: bool) -> Track:
    """Return the track solved; raises Blocked with what has to give way when no plan holds."""
    problem = dated_only(built.problem, draw.seed) or built.problem
    told = draw.found

    def found(best: Best) -> None:
        if told is not None:
            told(replace(best, services=services))

    solution = solve(
        problem,
        seed=draw.seed,
        effort=draw.effort,
        report=draw.report,
        found=found if told else None,
        stop=draw.stop,
    )
    if solution.violations:
        raise Blocked(
            _refusal(built, solution, ask.hand, draw.seed),
            "relax what is named, in the settings; nothing was stored",
        )
    return Track(built, solution.assignment, solution)


def _refusal(built: Built, solution: Solution, hand: Hand, seed: int) -> str:
    """Return the sentence that names the fewest rules to relax, and the edits by hand that they touch."""
    broken = conflict(built.problem, solution.assignment, seed)
    found = [item.text for item in broken]
    touched = [group.name for item in broken for at in item.items for group in built.members[at]]
    edits = list(dict.fromkeys(hand.said[name] for name in touched if name in hand.said))
    if not found:
        return "no plan was found that keeps every rule, though there may be one: look harder"
    more = f"; and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    by_hand = f"; this can no longer hold with it: {', '.join(edits[:_NAMED])}" if edits else ""
    return f"no plan can keep every rule: {'; '.join(found[:_NAMED])}{more}{by_hand}"


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

    def place(built: Built) -> Track:
        if ask.standing:
            return stand(built, ask)
        services = all(real[group.name].shared_services for found in built.members for group in found)
        return _closed_up(_solved(built, ask, draw, services))

    real = {group.name: group for group in groups}
    tracks = tracks_of(groups, ask, place)
    by_slot: dict[int, list[MoveGroup]] = {}
    for track in tracks:
        for slot in sorted(set(track.assignment)):
            found = [real[group.name] for group in track.built.groups(track.assignment, slot)]
            by_slot.setdefault(slot, []).extend(sorted(found, key=rank))  # type: ignore[arg-type]
    windows = tracks[-1].built.windows if tracks else ()
    return Arranged(
        tuple(
            (wave_name(slot), tuple(found), windows[slot] if slot < len(windows) else None)
            for slot, found in sorted(by_slot.items())
        ),
        tuple(tracks),
    )


def stand(built: Built, ask: Ask) -> Track:
    """Return the track with every item where ``ask.standing`` says; nothing is searched."""
    standing = ask.standing or {}
    return Track(built, tuple(standing[found[0].vms[0]] for found in built.members))


def tracks_of(groups: Sequence[MoveGroup], ask: Ask, place: Callable[[Built], Track]) -> list[Track]:
    """Return the track of plain groups and behind it that of shared services, each placed by ``place``.

    A service that somebody put among plain groups is of their track: it takes of the same caps and line.
    """
    tracks: list[Track] = []
    services = [group for group in groups if group.shared_services]
    said: Mapping[str, int] = {}
    if services:
        standing = ask.standing and {group.name: ask.standing[group.vms[0]] for group in services}
        said = standing or pins_of(ask).everything
    early: set[str] = set()
    while mine := [group for group in groups if not group.shared_services or group.name in early]:
        track = place(build_problem(mine, ask))
        last = max(
            slot
            for slot, found in zip(track.assignment, track.built.members, strict=True)
            if not all(group.shared_services for group in found)
        )
        more = {group.name for group in services if said.get(group.name, last + 1) <= last} - early
        if not more:
            tracks.append(track)
            break
        early |= more
    late = [group for group in services if group.name not in early]
    if late:
        tracks.append(place(_behind(late, ask, tracks)))
    return tracks


def _behind(services: Sequence[MoveGroup], ask: Ask, tracks: Sequence[Track]) -> Built:
    """Return the problem of shared services in slots behind the other tracks."""
    first = max((slot + 1 for track in tracks for slot in track.assignment), default=ask.first)
    # Inside its own track a service is a group like any other.
    mine = [replace(group, shared_services=False) for group in services]
    built = build_problem(mine, replace(ask, first=first))
    free = built.problem.room
    for other in tracks:
        free = room_left(free, other.built.problem)
    return replace(built, problem=replace(built.problem, room=free))
