"""The states of VMs, groups and waves: one enum, one table of transitions, read from what is recorded.

    discovered ─▶ planned ─▶ seeding ─▶ in sync ─▶ rehearsed ─▶ ready ─▶ cutting over ─▶ before commit
    before commit ─▶ committing ─▶ committed ─▶ reverse protected ─▶ failing back ─▶ failed back

and the ways back from there. ``state_of`` is pure over a run's history; a flag says what is the matter
beside the state. A group is as far as the VM of it that is least far.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import StrEnum

from migrate.run.history import SETTLED, History, Mode, Status
from migrate.run.runbook import COMMIT, GO, Phase, Runbook, Step


class State(StrEnum):
    """Where a VM, a group or a wave stands, least far first."""

    DISCOVERED = "discovered"
    PLANNED = "planned"
    ABORTED = "aborted"
    ROLLED_BACK = "rolled back"
    ABORTING = "aborting"
    ROLLING_BACK = "rolling back"
    SEEDING = "seeding"
    IN_SYNC = "in sync"
    REHEARSED = "rehearsed"
    READY = "ready"
    CUTTING_OVER = "cutting over"
    BEFORE_COMMIT = "before commit"
    COMMITTING = "committing"
    COMMITTED = "committed"
    REVERSE_PROTECTED = "reverse protected"
    FAILING_BACK = "failing back"
    FAILED_BACK = "failed back"


class Flag(StrEnum):
    """What is the matter with a wave, a group or a VM beside where it stands."""

    PAUSED = "paused"  # a person asked for it, and nothing went on since
    STALLED = "stalled"  # under way, waits for nobody, and nobody drives it
    FAILED = "failed"  # a step failed and a person decides; it can be resumed
    RPO_BREACH = "rpo breach"  # its copies are older than the plan allows
    HISTORY_BREACH = "history breach"  # its checkpoints reach back less far than the plan wants
    NEEDS_CONFIGURATION = "needs configuration"  # approved, and the project lacks a site
    EXCLUDED = "excluded"  # the settings say that the VM stays, and its wave was planned before they did


_AT_THE_GATE = frozenset({State.SEEDING, State.CUTTING_OVER, State.ABORTING, State.ABORTED})
_ANEW = frozenset({State.DISCOVERED, State.PLANNED, State.SEEDING, State.IN_SYNC})
TRANSITIONS: dict[State, frozenset[State]] = {
    State.DISCOVERED: frozenset({State.PLANNED}),
    # a VM without disks of its own has nothing to seed, one that never began has nothing to take back
    State.PLANNED: _ANEW | {State.ABORTING, State.ABORTED},
    State.SEEDING: frozenset({State.IN_SYNC, State.ABORTING, State.ABORTED}),
    State.IN_SYNC: _AT_THE_GATE | {State.REHEARSED, State.READY},
    State.REHEARSED: _AT_THE_GATE | {State.IN_SYNC, State.READY},
    State.READY: _AT_THE_GATE | {State.IN_SYNC, State.REHEARSED},
    State.CUTTING_OVER: frozenset({State.BEFORE_COMMIT, State.ROLLING_BACK, State.ROLLED_BACK}),
    State.BEFORE_COMMIT: frozenset({State.COMMITTING, State.ROLLING_BACK, State.ROLLED_BACK}),
    State.COMMITTING: frozenset({State.COMMITTED}),
    State.COMMITTED: frozenset({State.REVERSE_PROTECTED, State.FAILING_BACK, State.ABORTING}),
    State.REVERSE_PROTECTED: frozenset({State.FAILING_BACK, State.ABORTING, State.COMMITTED}),
    State.FAILING_BACK: frozenset({State.FAILED_BACK, State.ROLLING_BACK, State.COMMITTED}),
    State.FAILED_BACK: _ANEW,
    State.ROLLING_BACK: frozenset({State.ROLLED_BACK, State.COMMITTED}),  # committed: of a failback
    State.ABORTING: frozenset({State.ABORTED, State.COMMITTED}),
    State.ROLLED_BACK: _ANEW,
    State.ABORTED: _ANEW,
}

_ORDER = {state: position for position, state in enumerate(State)}
_OF_THE_WAVE = frozenset({"check", "landed"})


def least(states: Iterable[State]) -> State:
    """Return the state that is least far."""
    return min(states, key=_ORDER.__getitem__)


def steps_by_vm(runbook: Runbook) -> dict[str, tuple[Step, ...]]:
    """Return the steps that concern each VM, those of its disks and its group's snapshots included."""
    holders: dict[str, list[str]] = {}
    for step in runbook.steps:
        if step.kind == "transfer":
            holders.setdefault(step.params["volume"], list(step.params["vms"]))
    found: dict[str, list[Step]] = {}
    for step in runbook.steps:
        for vm in _concerned(runbook, step, holders):
            found.setdefault(vm, []).append(step)
    return {vm: tuple(steps) for vm, steps in found.items()}


def _concerned(runbook: Runbook, step: Step, holders: dict[str, list[str]]) -> Collection[str]:
    if step.is_gate or step.kind in _OF_THE_WAVE:
        return ()
    params = step.params
    if "vms" in params:
        return tuple(params["vms"])
    if params.get("vm"):
        return (params["vm"],)
    if "volume" in params:
        return holders.get(params["volume"], ())
    taken = params.get("snapshot")
    return tuple(runbook.step(taken).params["vms"]) if taken else ()


def state_of(history: History, steps: Collection[Step] | None = None, *, home: bool = False) -> State:
    """Return the state that a run says of a VM with these steps, or of the whole wave without them.

    ``home`` is a run that brings a committed wave back.
    """
    mine = history.runbook.steps if steps is None else steps
    if history.added and not home:  # what is brought up to date once more is in sync all the while
        mine = tuple(step for step in mine if step.id not in history.added)
    if history.mode is not Mode.FORWARD:
        return _going_back(history, mine, home)
    if home:
        return _homeward(history, mine)
    if history.status[COMMIT] is Status.DONE:
        return State.COMMITTED if _settled(history, mine) else State.COMMITTING
    if history.status[GO] is Status.DONE:
        landed = _settled(history, mine, Phase.REPLICATE, Phase.CUTOVER)
        return State.BEFORE_COMMIT if landed else State.CUTTING_OVER
    if _settled(history, mine, Phase.REPLICATE):
        return State.IN_SYNC
    began = steps is None or any(history.tried(step.id) for step in mine)
    return State.SEEDING if began else State.PLANNED


def at_go(state: State, *, rehearsed: bool, is_open: bool) -> State:
    """Return how far one that is in sync is: rehearsed as it stands, and ready once its go gate is open."""
    if state is not State.IN_SYNC or not rehearsed:
        return state
    return State.READY if is_open else State.REHEARSED


def _going_back(history: History, mine: Collection[Step], home: bool) -> State:
    assert history.back is not None, "the run is on its way back"
    left = any(step.id in history.back.left or history.status[step.id] is Status.STARTED for step in mine)
    rollback = history.mode is Mode.ROLLBACK
    if left:
        return State.ROLLING_BACK if rollback else State.ABORTING
    if home:
        return State.COMMITTED
    return State.ROLLED_BACK if rollback else State.ABORTED


def _homeward(history: History, mine: Collection[Step]) -> State:
    if history.status[COMMIT] is Status.DONE and _settled(history, mine):
        return State.FAILED_BACK
    if history.status[GO] is Status.DONE:
        return State.FAILING_BACK
    checks = [step for step in mine if step.kind == "checkpoint"]
    proven = {volume for step in checks if step.id in history.results for volume, _ in step.params["volumes"]}
    wanted = {volume for step in checks for volume, _ in step.params["volumes"]}
    protected = proven == wanted if wanted else _settled(history, mine, Phase.REPLICATE)
    return State.REVERSE_PROTECTED if protected else State.COMMITTED


def _settled(history: History, mine: Collection[Step], *phases: Phase) -> bool:
    return all(history.status[step.id] in SETTLED for step in mine if not phases or step.phase in phases)
