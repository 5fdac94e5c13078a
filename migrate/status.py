"""The read model for people: where every wave stands, and what needs somebody.

Everything is read from the store and the record of steps; nothing is guessed and nothing is changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from migrate.run import store as runs
from migrate.run.actions import Decide, Finish, Wait, next_actions
from migrate.run.compose import COMMIT, GO
from migrate.run.history import SETTLED, History, Mode, Status
from migrate.run.store import Run, RunKind
from migrate.run.waves import StandingRow, half_remedied, standing_waves, waves_with_runs
from planner.errors import NotFound
from planner.store import approvals, inventories, plans
from planner.store.plan_waves import WaveRow
from planner.store.project import Project
from planner.units import show_duration


@dataclass(frozen=True, slots=True)
class WaveStatus:
    """One wave. Strings are empty where they don't apply.

    ``since`` is the time of the run's newest entry, ``commit_by`` the end of the commit window while
    it runs, ``why`` and ``hint`` what the step that failed said.
    """

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
    commit_by: str = ""
    why: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for a person; ``wave`` is the one it is about, empty for none."""

    severity: str  # blocker, warning, gate or info
    text: str
    hint: str
    wave: str = ""


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


def project_status(project: Project, now: datetime | None = None) -> ProjectStatus:
    """Return where a project stands. Costs one read of each run's record; the plan is not decoded.

    ``now`` is an aware time, default: the system's; commit windows are measured against it.
    """
    now = now or datetime.now(UTC)
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
        remedied = waves_with_runs(project, RunKind.REMEDY)
        running = tuple(item.wave.name for item in standing if runs.is_held(project, item.wave.name))
        waves = tuple(
            _wave(
                project,
                item,
                given[item.wave.name].who if item.wave.name in given else "",
                item.wave.name in running,
            )
            for item in standing
        )
        if row is not None and plan.inventory != row.fingerprint:
            made_on = inventories.find_fingerprint(project, plan.inventory)
            hint = f"wherry inventory diff {made_on.id}, then wherry plan" if made_on else "wherry plan"
            needs.append(Need("warning", "the plan was made on an older inventory", hint))
        needs += [need for wave in waves for need in _needs(wave, wave.name in running, now)]
        needs += [
            Need(
                "warning",
                f"the remedies of {wave.name} were interrupted",
                f"{command} goes on with them",
                wave.name,
            )
            for wave in waves
            if wave.name in remedied
            and wave.name not in running
            and (command := half_remedied(project, wave.name))
        ]
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
    )


def _wave(project: Project, item: StandingRow, approved_by: str, running: bool) -> WaveStatus:
    wave, run, history = item.wave, item.run, item.history
    window = ""
    if wave.window:
        start = wave.window.start_utc
        window = f"{start:%Y-%m-%d %H:%M} UTC, {wave.window.hours:g} h"
    shape = (wave.name, wave.title, wave.vms, wave.groups, wave.size_bytes, window, approved_by)
    if run is None or history is None:
        return WaveStatus(*shape, "approved" if approved_by else "planned")
    state, current, gate = _where(history, running)
    total = len(history.runbook.steps)
    done = sum(status in SETTLED for status in history.status.values())
    since = _since(project, run)
    commit_by = _commit_by(wave, since) if state == "before commit" else ""
    why, hint = ("", "") if running else _failure(history)
    return WaveStatus(*shape, state, done, total, current, gate, since, commit_by, why, hint)


def _commit_by(wave: WaveRow, since: str) -> str:
    """Return the end of the commit window, by the policy of the plan that was approved."""
    end = datetime.fromisoformat(since) + timedelta(hours=wave.commit_window_h)
    return end.isoformat(timespec="seconds").replace("+00:00", "Z")


def _failure(history: History) -> tuple[str, str]:
    """Return what the first step that waits for a decision said, and its hint."""
    for action in next_actions(history.runbook, history):
        if isinstance(action, Decide):
            said = history.failures.get(action.step.id, {})
            return str(said.get("message", "")), str(said.get("hint", ""))
    return "", ""


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
    person = gates[0].title if len(gates) == len(actions) else ""
    if history.status[COMMIT] is Status.DONE:
        return "committing", current, person
    if any(gate.id == COMMIT for gate in gates):
        return "before commit", "", gates[0].title
    if any(gate.id == GO for gate in gates):
        return "in sync", "", gates[0].title
    return ("cutting over" if history.status[GO] is Status.DONE else "replicating"), current, person


def _needs(wave: WaveStatus, running: bool, now: datetime) -> list[Need]:
    if wave.state == "failed":
        said = f": {wave.why}" if wave.why else ""
        hint = wave.hint or "see 'wherry log'"
        return [
            Need(
                "blocker",
                f"{wave.name} failed at {wave.current}{said}",
                f"{hint}; then run the verb again",
                wave.name,
            )
        ]
    if wave.state == "before commit":
        left, over = _left(wave.commit_by, now)
        hint = f"wherry commit {wave.name} --live, or wherry rollback {wave.name} --live"
        text = f"{wave.name} runs at the target and waits for commit, {left}"
        return [Need("warning" if over else "gate", text, hint, wave.name)]
    if wave.state == "in sync":
        return [Need("gate", f"{wave.name} is in sync and waits for its cutover",
                     f"wherry cutover {wave.name} --live", wave.name)]  # fmt: skip
    if wave.state in ("cutting over", "committing") and wave.gate:
        hint = f"do it, and say so: see 'wherry gate list {wave.name}'"
        return [Need("gate", f"{wave.name} waits for a person: {wave.gate}", hint, wave.name)]
    if (
        wave.state in ("replicating", "cutting over", "rolling back", "committing", "aborting")
        and not running
    ):
        if wave.why:
            hint = f"{wave.hint}; then {_resume(wave)}" if wave.hint else _resume(wave)
            return [Need("blocker", f"{wave.name} failed while {wave.state}: {wave.why}", hint, wave.name)]
        return [Need("warning", f"{wave.name} was interrupted while {wave.state}", _resume(wave), wave.name)]
    if wave.state == "planned":
        return [Need("info", f"{wave.name} is not approved", f"wherry plan approve {wave.name}", wave.name)]
    if wave.state in ("rolled back", "aborted"):
        return [Need("info", f"{wave.name} was {wave.state}", f"wherry replicate {wave.name} begins again",
                     wave.name)]  # fmt: skip
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


def _left(commit_by: str, now: datetime) -> tuple[str, bool]:
    """Return the rest of a commit window in words, and whether it is over: nothing ends by itself."""
    left_s = (datetime.fromisoformat(commit_by) - now).total_seconds()
    at = f"{commit_by[:16].replace('T', ' ')} UTC"
    if left_s < 0:
        return f"its commit window has been over for {show_duration(-left_s)} (since {at})", True
    return f"{show_duration(left_s)} of its commit window left (until {at})", False


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
