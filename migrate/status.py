"""The read model for people: where every wave stands, and what needs somebody.

Everything is read from the store and the record of steps; nothing is guessed and nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from migrate.needs import HOME, Need, needs_of
from migrate.run import store as runs
from migrate.run.history import SETTLED, Mode
from migrate.run.store import RunKind
from migrate.run.waves import (
    StandingRow,
    half_remedied,
    remedies_under_way,
    standing_waves,
    waves_with_runs,
)
from migrate.waiting import waiting, when
from migrate.wave_status import Look, WaveStatus, wave_status
from planner.errors import NotFound
from planner.garbage import uncollected
from planner.store import approvals, inventories, plans
from planner.store import settings as settings_store
from planner.store.project import Project

STATES = (
    "planned",
    "approved",
    "replicating",
    "in sync",
    "cutting over",
    "before commit",
    "committed",
    "reverse protected",
)

BACK = ("rolling back", "rolled back", "aborting", "aborted")


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """A project at a glance. ``stages`` counts the VMs that have come at least that far.

    ``excluded`` counts the names that stay by the settings.
    """

    project: str
    inventory_source: str
    inventory_taken_at: str
    vms: int
    size_bytes: int
    plan_version: int | None
    waves: tuple[WaveStatus, ...]
    stages: tuple[tuple[str, int], ...]
    needs: tuple[Need, ...]
    running: tuple[str, ...]
    excluded: int = 0


def project_status(project: Project, now: datetime | None = None) -> ProjectStatus:
    """Return where a project stands. Costs one read of each run's record; the plan is not decoded.

    ``now`` is an aware time, default: the system's; commit windows are measured against it.
    """
    with uncollected():  # the records of all runs
        return _status(project, now or datetime.now(UTC))


def _status(project: Project, now: datetime) -> ProjectStatus:
    try:
        row = inventories.summary(project)
    except NotFound:
        row = None
    plan = plans.find_head(project)
    needs: list[Need] = []
    waves: tuple[WaveStatus, ...] = ()
    running: tuple[str, ...] = ()
    if row is None:
        needs.append(Need("info", "the project has no inventory yet", "wherry discover FILE"))
    elif plan is None:
        needs.append(Need("info", "the project has no plan yet", "wherry plan"))
    if plan is not None:
        given = approvals.standing(project, plan.version)
        standing = tuple(standing_waves(project, plan.version))
        look = Look.at(project, now)
        remedied = waves_with_runs(project, RunKind.REMEDY)
        running = runs.driven(project, [item.wave.name for item in standing])
        driven = frozenset(running)
        waves = tuple(
            wave_status(
                project,
                item,
                given[item.wave.name].who if item.wave.name in given else "",
                item.wave.name in driven,
                look,
            )
            for item in standing
        )
        if row is not None and plan.inventory != row.fingerprint:
            made_on = inventories.find_fingerprint(project, plan.inventory)
            hint = f"wherry inventory diff {made_on.id}, then wherry plan" if made_on else "wherry plan"
            needs.append(Need("warning", "the plan was made on an older inventory", hint))
        needs += [need for wave in waves for need in needs_of(wave, wave.name in driven, now)]
        needs += _of_calendar(project, standing, waves, now)
        begun = [wave.name for wave in waves if wave.name in remedied]
        needs += _of_remedies(project, begun, running, now)
    return ProjectStatus(
        project=project.name,
        inventory_source=row.source if row else "",
        inventory_taken_at=row.taken_at if row else "",
        vms=row.vms if row else 0,
        size_bytes=row.size_bytes if row else 0,
        plan_version=plan.version if plan else None,
        waves=waves,
        stages=_stages(row.vms if row else 0, waves),
        needs=tuple(needs),
        running=running,
        excluded=len(settings_store.glance(project, "exclude", ())),
    )


def _of_remedies(
    project: Project, waves: list[str], running: tuple[str, ...], now: datetime
) -> Iterator[Need]:
    """Yield where the remedies stand that are not over: they are under way, or a person goes on with them."""
    for name in waves:
        if (found := remedies_under_way(project, name)) is None:
            continue
        _, history = found
        if name not in running:
            said = f"the remedies of {name} were interrupted"
            yield Need("warning", said, f"{half_remedied(project, name)} goes on with them", name)
            continue
        if history.mode is Mode.FORWARD:
            over = sum(status in SETTLED for status in history.status.values())
            said = f"the remedies of {name} are under way: {over} of {len(history.status)} steps"
        else:
            said = f"the remedies of {name} are being taken back"
        for one in waiting(history)[:1]:
            said += f"; waits at {one.title}: {one.said}; {when(one, now)}"
        yield Need("info", said, f"wherry pause {name} stops them at the next edge", name)


def _of_calendar(
    project: Project, standing: tuple[StandingRow, ...], waves: tuple[WaveStatus, ...], now: datetime
) -> Iterator[Need]:
    if project.rows("SELECT 1 FROM appointment LIMIT 1"):
        from migrate.schedule.reminding import Dated, reminders

        pairs = zip(standing, waves, strict=True)
        yield from reminders(project, {wave.name: Dated(row, wave.state) for row, wave in pairs}, now)


def _stages(vms: int, waves: tuple[WaveStatus, ...]) -> tuple[tuple[str, int], ...]:
    def at_least(state: str) -> int:
        far = STATES[STATES.index(state) :]
        back = ("failed", *BACK, "committing", *HOME) if state in ("planned", "approved") else ()
        return sum(wave.vms for wave in waves if wave.state in far or wave.state in back)

    return (
        ("discovered", vms),
        ("planned", at_least("planned")),
        ("approved", at_least("approved")),
        ("in sync", at_least("in sync")),
        ("cut over", at_least("before commit")),
        ("committed", at_least("committed")),
    )
