"""What a run was predicted to ask of its sites, held against what it asked for.

    the newest dry rehearsal of the wave as it ran, before it ran   or, without one, its runbook on the plan
        ── each step that was done ──▶ Difference (what was predicted, what was made)

Attempts at one step count once, and rounds that came after the planned ones are left out: nobody predicted
them. A run under way is held against as far as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from migrate.rehearsals import book
from migrate.rehearsals.book import LISTED, Depth
from migrate.rehearsals.calls import Call, logged, words_of
from migrate.rehearsals.faults import TRANSFERS
from migrate.run.history import SETTLED, Status
from planner.errors import Blocked
from planner.names import visible

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.store import Run
    from planner.plan import Wave
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Difference:
    """One step whose calls are not those that were predicted, both in words."""

    step: str
    title: str
    predicted: str
    made: str


@dataclass(frozen=True, slots=True)
class Against:
    """A run held against its prediction. ``rehearsed_at`` is empty when it was predicted from the plan now.

    ``steps`` were compared, ``left`` are not done yet or were passed over, ``again`` took several attempts.
    """

    wave: str
    run: int
    rehearsed_at: str
    steps: int
    left: int
    again: tuple[str, ...]
    differences: tuple[Difference, ...]


def against_run(project: Project, name: str) -> Against:
    """Return how the newest run of a wave differs from what was predicted; raises NotFound, Blocked."""
    from migrate.run import store as runs
    from migrate.run.waves import find_wave

    found = find_wave(project, name)
    run = runs.latest(project, found.wave.name)
    if run is None:
        raise Blocked(
            f"{visible(found.wave.name)} has no run to hold a prediction against",
            f"rehearse it alone: wherry rehearse {visible(found.wave.name)} --depth dry",
        )
    history = runs.history(project, run)
    made = logged(_logs(project), runs.key_of(project, run), history)
    at, predicted = _predicted(project, run, history)
    return compare(run, history, at, predicted, made)


def compare(
    run: Run, history: History, rehearsed_at: str, predicted: Iterable[Call], made: Iterable[Call]
) -> Against:
    """Compare step by step what was predicted and made."""
    planned = [step for step in history.runbook.steps if step.id not in history.added and not step.is_gate]
    done = [step for step in planned if history.status[step.id] in SETTLED - {Status.SKIPPED}]
    expected, real = _by_step(predicted), _by_step(made)
    differences = tuple(
        Difference(step.id, step.title, words_of(expected.get(step.id, ())), words_of(real.get(step.id, ())))
        for step in done
        if list(expected.get(step.id, ())) != list(real.get(step.id, ()))
    )
    again = tuple(step.id for step in done if history.attempts.get(step.id, 1) > 1)
    return Against(run.wave, run.id, rehearsed_at, len(done), len(planned) - len(done), again, differences)


def listed(calls: Iterable[Call]) -> list[list[str]]:
    """Return calls as the book of rehearsals keeps them."""
    return [[call.where, call.call, call.subject, call.step] for call in calls]


def _by_step(calls: Iterable[Call]) -> Mapping[str, dict[Call, None]]:
    """Return the calls at sites by step, each once, in order."""
    steps: dict[str, dict[Call, None]] = {}
    for call in calls:
        if call.where != TRANSFERS:
            steps.setdefault(call.step, {})[call] = None
    return steps


def _predicted(project: Project, run: Run, history: History) -> tuple[str, tuple[Call, ...]]:
    for one in book.of_wave(project, run.wave):
        mine = one.depth is Depth.DRY and one.fingerprint == run.fingerprint and one.at <= run.at
        if mine and one.report.get(LISTED):
            return one.at, tuple(Call(*call) for call in one.report[LISTED])
    return "", _of_the_plan(project, run, history)


def _of_the_plan(project: Project, run: Run, history: History) -> tuple[Call, ...]:
    """Predict a run's own runbook on sites as its plan knows them."""
    import random

    from migrate.clock import SimulatedClock
    from migrate.rehearsal import model_of
    from migrate.rehearsals.dry import predict
    from migrate.sites.opening import capabilities_of
    from migrate.sites.simulated import SimulatedSite, populate
    from planner.settings import Link
    from planner.store import plans, settings

    wave: Wave = plans.get(project, run.plan).plan.wave(run.wave)
    urls = {site.role: site.url for site in settings.load(project).sites.values()}
    sites: list[Any] = [
        SimulatedSite(role, SimulatedClock(), random.Random(0), able=capabilities_of(urls[role]))  # noqa: S311
        for role in ("source", "target")
    ]
    populate(sites[0], model_of(wave, Link()).vms)
    calls, _, _ = predict(wave, history.runbook, *sites)
    return calls


def _logs(project: Project) -> dict[str, Path]:
    """Return the logs of both sites; raises Blocked for one that keeps none."""
    from migrate.sites.opening import folder_of, where_of
    from planner.store import settings

    found = {
        site.role: folder_of(where_of(name, site.url, project.root)) / "state" / "ops.log"
        for name, site in settings.load(project).sites.items()
    }
    return {role: found[role] for role in ("source", "target") if role in found}
