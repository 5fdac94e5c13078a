"""The read model for people: where every wave stands, and what needs somebody.

Everything is read from the store and the record of steps; nothing is guessed and nothing is changed.
``state`` is a word for people, ``stage`` and ``flags`` are those of ``migrate.states``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from migrate.late import is_late, why_late
from migrate.needs import HOME, Need, needs_of
from migrate.reach import short_history
from migrate.run import controls, cycles
from migrate.run import store as runs
from migrate.run.actions import Decide, Finish, Wait, next_actions
from migrate.run.history import SETTLED, History, Mode, Status
from migrate.run.runbook import COMMIT, GO
from migrate.run.store import Run, RunKind
from migrate.run.waves import StandingRow, half_remedied, newest_home, standing_waves, waves_with_runs
from migrate.states import Flag, State, at_go, state_of
from migrate.waiting import clause, held_up, titled, waiting, when
from planner.errors import NotFound
from planner.garbage import uncollected
from planner.store import approvals, inventories, plans
from planner.store import settings as settings_store
from planner.store.plan_waves import WaveRow
from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class WaveStatus:
    """One wave. Strings are empty where they don't apply.

    ``since`` is the time of the run's newest entry, ``commit_by`` the end of the commit window while
    it runs, ``why`` and ``hint`` what the step that failed said. ``protected_at`` is the time of the last
    reverse checkpoint, ``keep_until`` the day up to which the fenced sources are kept. ``copied_at`` is the
    instant that the copies of a wave before its cutover have come to, ``rpo_s`` how old they may get (0: no
    matter), ``late`` why they are older. ``short_history`` is how far its checkpoints reach back of what is
    wanted, where that is less. ``waits`` is what a process that drives the wave waits for before it tries a
    step again, ``again_at`` when that is, ``gives_up_at`` when it asks a person instead. ``held`` is what a
    step whose turn has come waits for, in words, and ``held_since`` since when.
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
    stage: str = State.PLANNED.value
    flags: tuple[str, ...] = ()
    protected_at: str = ""
    keep_until: str = ""
    copied_at: str = ""
    rpo_s: float = 0.0
    late: str = ""
    short_history: str = ""
    waits: str = ""
    again_at: str = ""
    gives_up_at: str = ""
    held: str = ""
    held_since: str = ""


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


@dataclass(frozen=True, slots=True)
class _Look:
    """What is asked once for all waves: times by run or wave, what was rehearsed, what all of them lack."""

    now: datetime
    copies: Mapping[tuple[int, str], str]
    last_at: Mapping[int, str]
    pauses: Mapping[str, str]
    rehearsed: frozenset[tuple[str, str]]  # waves by their fingerprints
    lacking: tuple[str, ...]

    @classmethod
    def at(cls, project: Project, now: datetime) -> _Look:
        rehearsed = project.rows("SELECT DISTINCT wave, fingerprint FROM rehearsed")
        return cls(
            now,
            cycles.times_of(project),
            runs.last_times(project),
            controls.pauses(project),
            frozenset((row["wave"], row["fingerprint"]) for row in rehearsed),
            (Flag.NEEDS_CONFIGURATION.value,) if lacks_a_site(project) else (),
        )


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
WORDS = {  # of stages that people have had another word for
    State.SEEDING: "replicating",
    State.REHEARSED: "in sync",
    State.READY: "in sync",
}


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
        look = _Look.at(project, now)
        remedied = waves_with_runs(project, RunKind.REMEDY)
        running = tuple(item.wave.name for item in standing if runs.is_held(project, item.wave.name))
        waves = tuple(
            _wave(
                project,
                item,
                given[item.wave.name].who if item.wave.name in given else "",
                item.wave.name in running,
                look,
            )
            for item in standing
        )
        if row is not None and plan.inventory != row.fingerprint:
            made_on = inventories.find_fingerprint(project, plan.inventory)
            hint = f"wherry inventory diff {made_on.id}, then wherry plan" if made_on else "wherry plan"
            needs.append(Need("warning", "the plan was made on an older inventory", hint))
        needs += [need for wave in waves for need in needs_of(wave, wave.name in running, now)]
        needs += _of_calendar(project, standing, waves, now)
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
        excluded=len(settings_store.glance(project, "exclude", ())),
    )


def _of_calendar(
    project: Project, standing: tuple[StandingRow, ...], waves: tuple[WaveStatus, ...], now: datetime
) -> Iterator[Need]:
    if project.rows("SELECT 1 FROM appointment LIMIT 1"):
        from migrate.schedule.reminding import Dated, reminders

        pairs = zip(standing, waves, strict=True)
        yield from reminders(project, {wave.name: Dated(row, wave.state) for row, wave in pairs}, now)


def _wave(
    project: Project,
    item: StandingRow,
    approved_by: str,
    running: bool,
    look: _Look,
) -> WaveStatus:
    wave, run, history = item.wave, item.run, item.history
    window = ""
    if wave.window:
        start = wave.window.start_utc
        window = f"{start:%Y-%m-%d %H:%M} UTC, {wave.window.hours:g} h"
    shape = (wave.name, wave.title, wave.vms, wave.groups, wave.size_bytes, window, approved_by)
    if run is None or history is None:
        flags = look.lacking if approved_by else ()
        return WaveStatus(*shape, "approved" if approved_by else "planned", flags=flags)
    home, keep_until = False, ""
    if state_of(history) is State.COMMITTED:
        keep_until = _keep_until(history)
        if (back := newest_home(project, run)) is not None:
            home, (run, history) = True, back
    stage = state_of(history, home=home)
    if stage is State.IN_SYNC and (run.wave, run.fingerprint) in look.rehearsed:
        stage = at_go(stage, rehearsed=True, is_open=is_open(project, run, history))
    state, current, gate = _where(history, running, stage)
    since = look.last_at.get(run.id, run.at)
    why, hint = ("", "") if running else _failure(history)
    waits = not home and history.mode is Mode.FORWARD and history.status[GO] is Status.PENDING
    copied_at = cycles.copied_at(run, history, look.copies) if waits else ""
    late = is_late(run, history, copied_at, look.now)
    paused = cycles.nothing_since(look.pauses.get(run.wave, ""), since)
    short = short_history(history)
    held = held_up(history)
    rest = next(iter(waiting(history)), None) if running else None
    return WaveStatus(
        *shape,
        state=state,
        steps_done=sum(status in SETTLED for status in history.status.values()),
        steps_total=len(history.runbook.steps),
        current=current,
        gate=gate,
        since=since,
        commit_by=_commit_by(project, run, wave) if state == "before commit" else "",
        why=why,
        hint=hint,
        stage=stage.value,
        flags=(
            *(flag.value for flag in (*flags_of(history, running, paused), *breach(late, short))),
            *(look.lacking if look.lacking and not runs.outcome(history) else ()),
        ),
        protected_at=_protected_at(project, run) if home else "",
        keep_until=keep_until,
        copied_at=copied_at,
        rpo_s=cycles.target_s(history) if waits else 0.0,
        late=why_late(project, run, history, running) if late else "",
        short_history=short,
        waits=f"{rest.title}: {rest.said}; {when(rest, look.now)}" if rest else "",
        again_at=rest.moments()["again_at"] if rest else "",
        gives_up_at=rest.moments()["gives_up_at"] if rest else "",
        held=clause(held) if held else "",
        held_since=str(held["since"]) if held else "",
    )


def lacks_a_site(project: Project) -> bool:
    """Return whether the settings do not name a source and a target."""
    sites = settings_store.glance(project, "sites", {})
    return not {"source", "target"} <= {str(site.get("role", "")) for site in sites.values()}


def breach(late: bool, short: str) -> tuple[Flag, ...]:
    """Return the flags of copies that are older than was approved, and of a history that is shorter."""
    return (*((Flag.RPO_BREACH,) if late else ()), *((Flag.HISTORY_BREACH,) if short else ()))


def is_rehearsed(project: Project, run: Run) -> bool:
    """Return whether the wave was rehearsed exactly as the run began with it."""
    rows = project.rows(
        "SELECT 1 FROM rehearsed WHERE wave = ? AND fingerprint = ? LIMIT 1", run.wave, run.fingerprint
    )
    return bool(rows)


def is_open(project: Project, run: Run, history: History) -> bool:
    """Return whether the go gate would let the run pass now, by the words and the clock."""
    from migrate.gates import words
    from migrate.gates.opening import Open, standing

    said = words.of(project, run.id, GO)
    step = history.runbook.step(GO)
    return bool(said) and isinstance(standing(step, said, datetime.now(UTC), run.fingerprint), Open)


def flags_of(history: History, running: bool, paused: bool) -> Iterator[Flag]:
    """Yield what is the matter with a run beside its state."""
    actions = next_actions(history.runbook, history)
    if any(isinstance(action, Finish) for action in actions):
        return
    if paused:
        yield Flag.PAUSED
    elif not running and any(not isinstance(action, Wait | Decide) for action in actions):
        yield Flag.STALLED
    if any(isinstance(action, Decide) for action in actions):
        yield Flag.FAILED


def _keep_until(history: History) -> str:
    """Return the last day on which a fenced source has to be kept, empty when the record does not say."""
    kept = [
        str(history.results.get(step.id, {}).get("keep_until", ""))
        for step in history.runbook.steps
        if step.kind == "fence"
    ]
    return max(kept) if kept and all(kept) else ""


def _protected_at(project: Project, run: Run) -> str:
    """Return when a group's copy was last proven at the source; of several groups the oldest counts."""
    rows = project.rows(
        "SELECT min(at) AS at FROM (SELECT max(at) AS at FROM step_record WHERE run = ? AND kind = 'done'"
        " AND step LIKE '%/checkpoint/%' GROUP BY substr(step, 1, instr(step, '/')))",
        run.id,
    )
    return str(rows[0]["at"] or "")


def _commit_by(project: Project, run: Run, wave: WaveRow) -> str:
    """Return the end of the commit window, by the policy of the plan that was approved."""
    from migrate.gates.ending import ends_at

    end = ends_at(project, run, wave.commit_window_h)
    return end.isoformat(timespec="seconds").replace("+00:00", "Z")


def _failure(history: History) -> tuple[str, str]:
    """Return what the first step that waits for a decision said, and its hint."""
    for action in next_actions(history.runbook, history):
        if isinstance(action, Decide):
            said = history.failures.get(action.step.id, {})
            return str(said.get("message", "")), str(said.get("hint", ""))
    return "", ""


def word_of(history: History, running: bool, *, home: bool = False) -> str:
    """Return the state of a run in the words of ``STATES``, ``BACK`` and ``HOME``, or ``failed``."""
    return _where(history, running, state_of(history, home=home))[0]


def _where(history: History, running: bool, stage: State) -> tuple[str, str, str]:
    """Return the state in words, the step under way and the gate that waits."""
    actions = next_actions(history.runbook, history)
    word = WORDS.get(stage, stage.value)
    current = next((titled(history, action.step) for action in actions if not isinstance(action, Finish)), "")
    if not current:
        return word, "", ""
    if history.mode is not Mode.FORWARD:
        return word, current, ""
    if not running and any(isinstance(action, Decide) for action in actions):
        return "failed", current, ""
    gates = [action.step for action in actions if isinstance(action, Wait)]
    if any(gate.id in (GO, COMMIT) for gate in gates):
        return word, "", gates[0].title
    return word, current, gates[0].title if len(gates) == len(actions) else ""


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
