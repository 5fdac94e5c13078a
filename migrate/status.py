"""The read model for people: where every wave stands, and what needs somebody.

Everything is read from the store and the record of steps; nothing is guessed and nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from migrate import runs
from migrate.actions import Decide, Finish, Wait, next_actions
from migrate.compose import COMMIT, GO
from migrate.history import SETTLED, History, Mode, Status
from migrate.runs import Run
from planner.errors import NotFound
from planner.plan import Wave
from planner.store import approvals, inventories, plans
from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class WaveStatus:
    """One wave. Strings are empty where they don't apply."""

    name: str
    title: str
    vms: int
    groups: int
    size_bytes: int
    window: str
    approved_by: str
    state: str
    steps_done: int = 0
    steps_total: int = 0
    current: str = ""
    gate: str = ""
    since: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person."""

    severity: str  # blocker, warning, gate or info
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class ProjectStatus:
    """A project at a glance. ``stages`` counts the VMs that have come at least that far."""

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


STATES = (
    "planned",
    "approved",
    "replicating",
    "in sync",
    "cutting over",
    "before commit",
    "committed",
)
BACK = ("rolling back", "rolled back", "aborting", "aborted")


def project_status(project: Project) -> ProjectStatus:
    """Return where a project stands. Costs one read of the plan and of each run's record."""
    try:
        row = inventories.summary(project)
    except NotFound:
        row = None
    stored = plans.find_latest(project)
    needs: list[Need] = []
    waves: tuple[WaveStatus, ...] = ()
    running: tuple[str, ...] = ()
    if row is None:
        needs.append(Need("info", "the project has no inventory yet", "wherry discover FILE"))
    elif stored is None:
        needs.append(Need("info", "the project has no plan yet", "wherry plan"))
    if stored is not None:
        given = approvals.valid(project, stored.plan)
        running = tuple(wave.name for wave in stored.plan.waves if runs.is_held(project, wave.name))
        waves = tuple(
            _wave(project, wave, given[wave.name].who if wave.name in given else "", wave.name in running)
            for wave in stored.plan.waves
        )
        if row is not None and stored.plan.inventory != row.fingerprint:
            needs.append(Need("warning", "the plan was made on an older inventory", "wherry plan"))
        needs += [need for wave in waves for need in _needs(wave, wave.name in running)]
    return ProjectStatus(
        project=project.name,
        inventory_source=row.source if row else "",
        inventory_taken_at=row.taken_at if row else "",
        vms=row.vms if row else 0,
        size_bytes=row.size_bytes if row else 0,
        plan_version=stored.version if stored else None,
        waves=waves,
        stages=_stages(row.vms if row else 0, waves),
        needs=tuple(needs),
        running=running,
    )


def _wave(project: Project, wave: Wave, approved_by: str, running: bool) -> WaveStatus:
    run = runs.latest(project, wave.name)
    window = ""
    if wave.window:
        start = wave.window.start_utc
        window = f"{start:%Y-%m-%d %H:%M} UTC, {wave.window.hours:g} h"
    shape = (wave.name, wave.title, len(wave.vms), len(wave.groups), wave.size_bytes, window, approved_by)
    if run is None:
        return WaveStatus(*shape, "approved" if approved_by else "planned")
    history = runs.history(project, run)
    state, current, gate = _where(history, running)
    total = len(history.runbook.steps)
    done = sum(status in SETTLED for status in history.status.values())
    return WaveStatus(*shape, state, done, total, current, gate, _since(project, run))


def _since(project: Project, run: Run) -> str:
    rows = project.rows("SELECT at FROM step_record WHERE run = ? ORDER BY seq DESC LIMIT 1", run.id)
    return str(rows[0]["at"]) if rows else run.at


def state_of(history: History, running: bool) -> str:
    """Return the state of a run in the words of ``STATES`` and ``BACK``, or ``failed``."""
    return _where(history, running)[0]


def _where(history: History, running: bool) -> tuple[str, str, str]:
    """Return the state, the step under way and the gate that waits."""
    actions = next_actions(history.runbook, history)
    current = next((action.step.title for action in actions if not isinstance(action, Finish)), "")
    match actions:
        case [Finish(outcome)]:
            return outcome.value, "", ""
    if history.mode is not Mode.FORWARD:
        return ("rolling back" if history.mode is Mode.ROLLBACK else "aborting"), current, ""
    if not running and any(isinstance(action, Decide) for action in actions):
        return "failed", current, ""
    gates = [action.step for action in actions if isinstance(action, Wait)]
    if history.status[COMMIT] is Status.DONE:
        return "committing", current, ""
    if any(gate.id == COMMIT for gate in gates):
        return "before commit", "", gates[0].title
    if any(gate.id == GO for gate in gates):
        return "in sync", "", gates[0].title
    return ("cutting over" if history.status[GO] is Status.DONE else "replicating"), current, ""


def _needs(wave: WaveStatus, running: bool) -> list[Need]:
    if wave.state == "failed":
        return [
            Need("blocker", f"{wave.name} failed at: {wave.current}", "wherry log; then run the verb again")
        ]
    if wave.state == "before commit":
        left = _left(wave)
        return [Need("gate", f"{wave.name} runs at the target and waits for commit{left}",
                     f"wherry commit {wave.name} --live, or wherry rollback {wave.name} --live")]  # fmt: skip
    if wave.state == "in sync":
        return [Need("gate", f"{wave.name} is in sync and waits for its cutover",
                     f"wherry cutover {wave.name} --live")]  # fmt: skip
    if (
        wave.state in ("replicating", "cutting over", "rolling back", "committing", "aborting")
        and not running
    ):
        return [Need("warning", f"{wave.name} was interrupted while {wave.state}", _resume(wave))]
    if wave.state == "planned":
        return [Need("info", f"{wave.name} is not approved", f"wherry plan approve {wave.name}")]
    return []


def _resume(wave: WaveStatus) -> str:
    verbs = {
        "replicating": "replicate",
        "cutting over": "cutover",
        "rolling back": "rollback",
        "committing": "commit",
        "aborting": "abort",
    }
    return f"wherry {verbs[wave.state]} {wave.name} --live goes on where it was"


def _left(wave: WaveStatus) -> str:
    return f" since {wave.since[:16].replace('T', ' ')} UTC" if wave.since else ""


def _stages(vms: int, waves: tuple[WaveStatus, ...]) -> tuple[tuple[str, int], ...]:
    def at_least(state: str) -> int:
        far = STATES[STATES.index(state) :]
        back = ("failed", *BACK, "committing") if state in ("planned", "approved") else ()
        return sum(wave.vms for wave in waves if wave.state in far or wave.state in back)

    return (
        ("discovered", vms),
        ("planned", at_least("planned")),
        ("approved", at_least("approved")),
        ("in sync", at_least("in sync")),
        ("cut over", at_least("before commit")),
        ("committed", at_least("committed")),
    )
