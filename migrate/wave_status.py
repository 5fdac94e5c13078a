"""Where one wave stands: the part of the read model that is about its runs.

``state`` is a word for people, ``stage`` and ``flags`` are those of ``migrate.states``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from migrate.engine.presence import may_run
from migrate.flags import breach, flags_of, lacks_a_site
from migrate.freshness import Rounds, rounds_of
from migrate.late import is_late, why_late
from migrate.reach import short_history
from migrate.run import controls, cycles, orders
from migrate.run import store as runs
from migrate.run.actions import Decide, Finish, Wait, next_actions
from migrate.run.history import SETTLED, History, Mode, Status
from migrate.run.reprotecting import again_at, begins_at
from migrate.run.runbook import COMMIT, GO
from migrate.run.store import Run
from migrate.run.waves import StandingRow, newest_home
from migrate.states import Flag, State, at_go, state_of
from migrate.waiting import clause, held_up, overlooked, titled, waiting, watched, when
from planner.store import plans
from planner.store.plan_waves import WaveRow
from planner.store.project import Project

_WORDS = {  # of stages that people have had another word for
    State.SEEDING: "replicating",
    State.REHEARSED: "in sync",
    State.READY: "in sync",
}


@dataclass(frozen=True, slots=True)
class WaveStatus:
    """One wave. Strings are empty where they don't apply.

    ``since`` is the time of the run's newest entry, ``commit_by`` the end of the commit window while
    it runs, ``why`` and ``hint`` what the step that failed said. ``protected_at`` is the time of the last
    reverse checkpoint, ``keep_until`` the day up to which the fenced sources are kept. ``copied_at`` is the
    instant that the copies of a wave before its cutover or failback have come to, ``rpo_s`` how old they
    may get (0: no matter), ``late`` why they are older. ``short_history`` is how far its checkpoints reach
    back of what is wanted, where that is less. ``waits`` is what a process that drives the wave waits for
    before it tries a step again, ``again_at`` when that is, ``gives_up_at`` when it asks a person instead.
    Nobody drives a first round of reverse protection that failed: its ``again_at`` is the engine's.
    ``snapshots`` are those that passes read from and that are too old, or have too little room to grow.
    ``held`` is what a step whose turn has come waits for, in words, and ``held_since`` since when.
    ``overlooked`` is beside which snapshots of others people have it go on, until its run ends, and why.
    ``rounds`` are those of one that is late: see ``migrate.freshness``.
    ``unprotected`` is a committed wave that was to be protected at its source and has nobody who does.
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
    overlooked: tuple[str, ...] = ()
    unprotected: bool = False
    snapshots: tuple[str, ...] = ()
    rounds: Rounds | None = None


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked once for all waves: times by run or wave, what was rehearsed, what all of them lack."""

    now: datetime
    copies: Mapping[tuple[int, str], str]
    last_at: Mapping[int, str]
    pauses: Mapping[str, str]
    rehearsed: frozenset[tuple[str, str]]  # waves by their fingerprints
    ordered: frozenset[str]  # waves that an order waits for
    engine: bool  # whether one is at work
    lacking: tuple[str, ...]

    @classmethod
    def at(cls, project: Project, now: datetime, copies: Mapping[tuple[int, str], str] | None = None) -> Look:
        """Ask the store; who knows the times of ``copies`` spares it a look through the whole record."""
        rehearsed = project.rows("SELECT DISTINCT wave, fingerprint FROM rehearsed")
        return cls(
            now,
            cycles.times_of(project) if copies is None else copies,
            runs.last_times(project),
            controls.pauses(project),
            frozenset((row["wave"], row["fingerprint"]) for row in rehearsed),
            orders.waves_that_wait(project),
            may_run(project.run_dir),
            (Flag.NEEDS_CONFIGURATION.value,) if lacks_a_site(project) else (),
        )


def wave_status(
    project: Project,
    item: StandingRow,
    approved_by: str,
    running: bool,
    look: Look,
) -> WaveStatus:
    """Return where a wave stands; ``running`` says that a process drives it."""
    wave, run, history = item.wave, item.run, item.history
    window = ""
    if wave.window:
        start = wave.window.start_utc
        window = f"{start:%Y-%m-%d %H:%M} UTC, {wave.window.hours:g} h"
    shape = (wave.name, wave.title, wave.vms, wave.groups, wave.size_bytes, window, approved_by)
    if run is None or history is None:
        flags = look.lacking if approved_by else ()
        return WaveStatus(*shape, "approved" if approved_by else "planned", flags=flags)
    home, keep_until, unprotected, again, why = False, "", False, None, ""
    stage = state_of(history)
    if stage is State.COMMITTED:
        keep_until = _keep_until(history)
        if (back := newest_home(project, run)) is not None:
            home, (run, history) = True, back
            stage = state_of(history, home=True)
        elif wave.name not in look.ordered:
            unprotected = plans.is_reversed(project, run.plan, run.wave)
            if unprotected and (again := begins_at(project, run)) is not None:
                why = orders.why_refused(project, run.wave)
    if stage is State.IN_SYNC and (run.wave, run.fingerprint) in look.rehearsed:
        stage = at_go(stage, rehearsed=True, is_open=is_open(project, run, history))
    state, current, gate = _where(history, running, stage)
    since = look.last_at.get(run.id, run.at)
    hint = ""
    if not running and not why:
        why, hint = _failure(history)
        again = again or again_at(project, run, history)
    waits = history.mode is Mode.FORWARD and history.status[GO] is Status.PENDING
    waits = waits and cycles.has_cycles(run, history)
    copied_at = cycles.copied_at(run, history, look.copies) if waits else ""
    late = is_late(run, history, copied_at, look.now)
    paused = cycles.nothing_since(look.pauses.get(run.wave, ""), since)
    short = short_history(history)
    held = held_up(history)
    rest = next(iter(waiting(history)), None) if running else None
    tries = again.isoformat(timespec="seconds") if again and look.engine else ""
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
        protected_at=max(_protected_at(project, run), copied_at) if home else "",
        keep_until=keep_until,
        copied_at=copied_at,
        rpo_s=cycles.target_s(history) if waits else 0.0,
        late=why_late(project, run, history, running) if late else "",
        short_history=short,
        waits=f"{rest.title}: {rest.said}; {when(rest, look.now)}" if rest else "",
        again_at=rest.moments()["again_at"] if rest else tries.replace("+00:00", "Z"),
        gives_up_at=rest.moments()["gives_up_at"] if rest else "",
        held=clause(held) if held else "",
        held_since=str(held["since"]) if held else "",
        overlooked=() if runs.outcome(history) else overlooked(history),
        unprotected=unprotected,
        snapshots=watched(history),
        rounds=_rounds(project, run, history, running, paused, look) if late else None,
    )


def _rounds(project: Project, run: Run, history: History, running: bool, paused: bool, look: Look) -> Rounds:
    """Return the rounds of a wave that is late, and what keeps them from going on."""
    stopped = paused or not (running or (look.engine and cycles.every(history) is not None))
    is_held = held_up(history) or _failure(history)[0] or (running and any(waiting(history)))
    blocked = why_late(project, run, history, running) if stopped or is_held else ""
    return rounds_of(project, run, history, look.copies, blocked)


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
    word = _WORDS.get(stage, stage.value)
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
