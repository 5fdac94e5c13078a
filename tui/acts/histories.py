"""One protection group as its receiver and the record tell of it, and notes on its checkpoints.

The receiver is asked as 'wherry checkpoints' asks it; it is started where none answers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from planner.names import visible
from planner.units import show_bytes

if TYPE_CHECKING:
    from datetime import datetime

    from migrate.group_course import GroupCourse
    from migrate.group_record import Round
    from migrate.homeward import WayHome
    from planner.plan import Wave
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class DiskTold:
    """A disk of a group; ``said`` is whose it is, its label and its size, harmless."""

    volume: str
    said: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class GroupTold:
    """A group WAVE/GROUP. ``told`` is its history as ``wherry checkpoints --json`` has it, None for none.

    ``why`` is the reason for that. ``rounds`` and ``proven`` are ``migrate.group_record``'s. ``runs`` are the
    numbers of the run that moves it and of the one that brings it home, None before there is one; ``sites``
    are called source and target by the settings. ``disks`` are those that the history is of,
    ``course`` is what all runs did to it.
    """

    title: str
    told: Mapping[str, Any] | None
    why: str
    rounds: tuple[Round, ...]
    proven: frozenset[str]
    home: WayHome | None
    runs: tuple[int | None, int | None]
    sites: tuple[str, str]
    disks: tuple[DiskTold, ...] = ()
    course: GroupCourse | None = None


def tell(project: Project, title: str, now: datetime, *, asks: bool = True) -> GroupTold:
    """Return all there is to know of WAVE/GROUP; raises NotFound for none.

    Without ``asks`` no receiver is asked, and none started.
    """
    from migrate.group_course import course_of
    from migrate.group_record import proven_cycles, rounds_told
    from migrate.homeward import way_home
    from migrate.run.wave_groups import one_named
    from migrate.run.waves import find_wave
    from planner.errors import WherryError
    from planner.store import settings as settings_store

    group = one_named(project, title)
    wave, _, name = group.title.partition("/")
    standing = find_wave(project, wave)
    run, history, back = standing.run, standing.history, None
    if group.side == "source":
        from migrate.run.returning import find_returning

        if (returning := find_returning(project, wave)) is not None and returning.run is not None:
            back, history = returning.run, returning.history
    now_run = back or run
    told, why = None, "a view that only reads starts no receiver"
    if asks:
        try:
            told, why = checkpoints(project, group.title), ""
        except WherryError as error:
            why = f"{error.message}: {error.hint}" if error.hint else error.message
    sites = settings_store.load(project).sites
    named = {site.role: name for name, site in sites.items()}
    return GroupTold(
        group.title,
        told,
        why,
        rounds_told(project, now_run, history, group.part) if now_run and history else (),
        proven_cycles(project, now_run, history, group.part) if now_run and history else frozenset(),
        way_home(project, wave, now),
        (run.id if run else None, back.id if back else None),
        (named.get("source", "source"), named.get("target", "target")),
        tuple(_disks(standing.wave, told["volumes"] if told is not None else ())),
        course_of(project, standing.wave.name, name, now.isoformat()),
    )


def _disks(wave: Wave, volumes: Collection[str]) -> Iterator[DiskTold]:
    for disk in wave.disks:
        if disk.volume in volumes:
            holder = disk.attachments[0]
            whose = f"{visible(wave.vm(holder.vm).name, 40)} {visible(holder.label, 40)}"
            yield DiskTold(disk.volume, f"{whose} · {show_bytes(disk.size_bytes)}", disk.size_bytes)


def checkpoints(project: Project, group: str) -> Mapping[str, Any]:
    """Return what is told of WAVE/GROUP; raises NotFound where it has no history, Blocked, Unreachable."""
    from migrate.run.wave_groups import keeping, one_named

    found: list[Mapping[str, Any]] = []
    with keeping(project, (one_named(project, group),)) as kept:
        kept.asks.ask("checkpoints", {"group": kept.groups[0].title}, lambda told: found.append(dict(told)))
    return found[0]


def pin(project: Project, group: str, record: int, pinned: bool) -> Mapping[str, Any]:
    """Keep a checkpoint until it is unpinned, or let it age; return it. Raises as ``checkpoints``."""
    from migrate.run.wave_groups import keeping, one_named

    with keeping(project, (one_named(project, group),)) as kept:
        note = {"group": kept.groups[0].title, "checkpoint": str(record), "pinned": pinned}
        return kept.asks.ask("note", note)
