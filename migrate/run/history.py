"""What has happened in a run: entries in order, folded into the state of every step.

    pending ─intent─▶ started ─done─▶ done ─undo-intent─▶ undoing ─undone─▶ undone
       ▲                │  └─failed─▶ failed ─retry─▶ pending       └─undo-failed─▶ undo-failed
       └────not-done────┘                └─skipped─▶ skipped

An intent without an outcome means a crash in between: the outcome is unknown and must be asked of
the world; that nobody could be asked is an entry too (unknown), after which it is still started. A
person's retry gives patience anew to what failed, and to what rests. Going back, whatever was tried
once can be undone, even if it stands at pending again.

A snapshot that is given up takes its round with it: what reads it is passed over as it ends, its removal
comes, and with that all of the round is pending again. So it is when others remove it, or revert its VM.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, NamedTuple

from migrate.run.patience import Spent
from migrate.run.runbook import DROP, Runbook, Step, load_step, users_of
from migrate.run.wayback import WayBack


class Event(StrEnum):
    """What an entry says of a step, or of the whole run (the last four)."""

    INTENT = "intent"
    DONE = "done"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_DONE = "not-done"
    RETRY = "retry"
    SKIPPED = "skipped"
    APPROVED = "approved"
    UNDO_INTENT = "undo-intent"
    UNDONE = "undone"
    UNDO_FAILED = "undo-failed"
    HELD = "held"  # its turn has come, but somebody else is in the way
    WATCHED = "watched"  # of a snapshot that is there: how old it is, how much room is left
    GIVEN_UP = "given-up"  # of a snapshot that is there: it goes before all was read from it
    CYCLE = "cycle"
    ROLLBACK = "rollback"
    ABORT = "abort"
    OVERLOOKED = "overlooked"  # a person has the run go on beside snapshots of others


RUN_EVENTS = frozenset({Event.CYCLE, Event.ROLLBACK, Event.ABORT, Event.OVERLOOKED})


class Status(StrEnum):
    """Where a step stands."""

    PENDING = "pending"
    STARTED = "started"
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNDOING = "undoing"
    UNDO_FAILED = "undo-failed"
    UNDONE = "undone"


class Mode(StrEnum):
    """Which way a run is going."""

    FORWARD = "forward"
    ROLLBACK = "rollback"
    ABORT = "abort"


TRANSITIONS: dict[tuple[Status, Event], Status] = {
    (Status.PENDING, Event.INTENT): Status.STARTED,
    (Status.PENDING, Event.APPROVED): Status.DONE,
    (Status.PENDING, Event.SKIPPED): Status.SKIPPED,
    (Status.STARTED, Event.DONE): Status.DONE,
    (Status.STARTED, Event.FAILED): Status.FAILED,
    (Status.STARTED, Event.NOT_DONE): Status.PENDING,
    (Status.STARTED, Event.UNKNOWN): Status.STARTED,
    (Status.STARTED, Event.RETRY): Status.STARTED,
    (Status.PENDING, Event.RETRY): Status.PENDING,
    (Status.FAILED, Event.INTENT): Status.STARTED,
    (Status.FAILED, Event.RETRY): Status.PENDING,
    (Status.FAILED, Event.SKIPPED): Status.SKIPPED,
    (Status.PENDING, Event.HELD): Status.PENDING,
    (Status.FAILED, Event.HELD): Status.FAILED,
    (Status.DONE, Event.WATCHED): Status.DONE,
    (Status.DONE, Event.GIVEN_UP): Status.DONE,
    (Status.PENDING, Event.UNDO_INTENT): Status.UNDOING,  # only after an intent, see ``tried``
    (Status.SKIPPED, Event.UNDO_INTENT): Status.UNDOING,
    (Status.DONE, Event.UNDO_INTENT): Status.UNDOING,
    (Status.FAILED, Event.UNDO_INTENT): Status.UNDOING,
    (Status.UNDOING, Event.UNDONE): Status.UNDONE,
    (Status.UNDOING, Event.UNDO_FAILED): Status.UNDO_FAILED,
    (Status.UNDO_FAILED, Event.UNDO_INTENT): Status.UNDOING,
    (Status.UNDOING, Event.UNDO_INTENT): Status.UNDOING,  # after a crash
    (Status.UNDOING, Event.RETRY): Status.UNDOING,
    (Status.UNDO_FAILED, Event.RETRY): Status.UNDOING,
}

SETTLED = frozenset({Status.DONE, Status.SKIPPED})

_FORWARD_ONLY = frozenset({Event.INTENT, Event.APPROVED, Event.SKIPPED, Event.HELD, Event.GIVEN_UP})
_BEGINS = frozenset({Event.INTENT, Event.APPROVED, Event.HELD})
_TRIES = frozenset({Event.INTENT, Event.UNDO_INTENT})
_ENDS_WELL = frozenset({Event.DONE, Event.APPROVED})
_ENDS_ILL = frozenset({Event.FAILED, Event.UNKNOWN, Event.UNDO_FAILED})
_UNSETTLED = frozenset({Status.STARTED, Status.FAILED})
_NOTHING: dict[str, Any] = {}  # of all entries that say no more; nobody changes what one says
_ENDED = frozenset({Status.PENDING, Status.DONE, Status.FAILED})  # of an attempt, however


def is_lost(given_up: dict[str, Any]) -> bool:
    """Return whether a snapshot was given up for what others did to it, not for the room that it takes."""
    return bool(given_up.get("removed") or given_up.get("reverted"))


class IllegalEntry(ValueError):
    """An entry that no run can contain; the record is damaged or the code is wrong."""


class Entry(NamedTuple):  # like steps of a runbook: there are thousands
    """One line of a run's record. ``step`` is empty for entries about the whole run."""

    step: str
    event: Event
    attempt: int = 1
    detail: dict[str, Any] = _NOTHING


class History:
    """The entries of a run and what follows from them.

    ``status``, ``results``, ``failures``, ``undone``, ``attempts``, ``held`` (what a step waits for whose
    turn has come) and ``spent`` (what its last failures used of the patience with a step) are by step id,
    ``given_up`` by that of a snapshot, until it is taken anew, ``overlooked`` (which snapshots of others
    people had it go on beside) by the number of the request.
    ``ready`` holds the positions of pending steps whose needs are settled, ascending; ``unsettled`` those
    started or failed.
    """

    def __init__(self, runbook: Runbook, entries: Iterable[Entry] = ()) -> None:
        self.runbook = runbook
        self.entries: list[Entry] = []
        self.mode = Mode.FORWARD
        self.results: dict[str, dict[str, Any]] = {}
        self.failures: dict[str, dict[str, Any]] = {}
        self.undone: dict[str, dict[str, Any]] = {}
        self.attempts: dict[str, int] = {}
        self.held: dict[str, dict[str, Any]] = {}
        self.spent: dict[str, Spent] = {}  # until it is done, or a person asks for a retry
        self.watched: dict[str, dict[str, Any]] = {}  # snapshots that are too old, or have too little room
        self.given_up: dict[str, dict[str, Any]] = {}
        self.removals: Counter[str] = Counter()  # by snapshot: how often others took it, since a retry
        self.cut_short: set[str] = set()  # passes that were begun when their snapshot was given up
        self.unsettled: dict[str, None] = {}
        self.overlooked: dict[int, dict[str, Any]] = {}
        self.added: set[str] = set()  # steps of rounds that came after those of the plan
        self.back: WayBack | None = None  # once the run is on its way back
        self._missing = {step.id: len(step.needs) for step in runbook.steps}
        self.status = dict.fromkeys(self._missing, Status.PENDING)
        self.ready = [position for position, step in enumerate(runbook.steps) if not step.needs]
        for entry in entries:
            self.append(entry)

    def _rearrange(self) -> None:
        """Find anew what may begin, in a runbook that has another round."""
        self.status = {step.id: self.status.get(step.id, Status.PENDING) for step in self.runbook.steps}
        self._missing = {
            step.id: sum(self.status[need] not in SETTLED for need in step.needs)
            for step in self.runbook.steps
        }
        self.ready = [
            position
            for position, step in enumerate(self.runbook.steps)
            if not self._missing[step.id] and self.status[step.id] is Status.PENDING
        ]

    def tried(self, step: str) -> bool:
        """Return whether the step was ever begun: then something of it may be in the world."""
        return step in self.attempts

    def _left(self, step: str) -> bool:
        """Return whether a step may have left something: an act that failed may have begun."""
        return self.tried(step) or self.status[step] not in (Status.PENDING, Status.SKIPPED)

    def gives_up(self, snapshot: str) -> bool:
        """Return whether a snapshot was given up and is not certainly gone yet."""
        return snapshot in self.given_up and self.status[snapshot] is Status.DONE

    def is_read(self, removal: Step) -> bool:
        """Return whether a snapshot that was given up would be removed under a pass that has not stopped yet.

        The removal may need only what compares the passes, and that is passed over at once.
        """
        snapshot = removal.params.get("snapshot", "") if removal.kind == DROP else ""
        if not snapshot or not self.gives_up(snapshot):
            return False
        readers, _ = users_of(self.runbook, snapshot)
        return any(self.status[one.id] is Status.STARTED for one in readers)

    def append(self, entry: Entry) -> None:
        """Take in one entry; raises IllegalEntry when it cannot follow what went before."""
        if entry.event in RUN_EVENTS:
            self._append_to_run(entry, self._check_run(entry))
        else:
            self._append_to_step(entry, self._check_step(entry))
        self.entries.append(entry)

    def check(self, entry: Entry) -> None:
        """Raise IllegalEntry when the entry cannot follow what went before. Changes nothing."""
        if entry.event in RUN_EVENTS:
            self._check_run(entry)
        else:
            self._check_step(entry)

    def _check_run(self, entry: Entry) -> Runbook:
        """Return the runbook that the run goes on with."""
        if self.mode is not Mode.FORWARD:
            raise IllegalEntry(f"the run is on its way back and cannot take {entry.event.value!r}")
        if entry.event is not Event.CYCLE:
            return self.runbook
        gate = str(entry.detail.get("gate", ""))
        if self.status.get(gate) is not Status.PENDING or not self.runbook.step(gate).is_gate:
            raise IllegalEntry(f"{gate!r} is no closed gate, so no round can be put before it")
        try:
            return self.runbook.with_cycle(gate, tuple(map(load_step, entry.detail["steps"])))
        except (ValueError, KeyError, TypeError) as error:
            raise IllegalEntry(f"a round before {gate!r} does not fit the runbook: {error}") from error

    def _check_step(self, entry: Entry) -> Status:
        """Return the status the step gets."""
        step, event = entry.step, entry.event
        old = self.status.get(step)
        if old is None:
            raise IllegalEntry(f"step {step!r} is not in the runbook")
        new = TRANSITIONS.get((old, event))
        if new is None:
            raise IllegalEntry(f"step {step} is {old.value} and cannot take {event.value!r}")
        if event in _FORWARD_ONLY:
            gate = self.runbook.step(step).is_gate
            if self.back is not None:
                raise IllegalEntry(f"the run is on its way back and step {step} cannot take {event.value!r}")
            if gate is not (event is Event.APPROVED):
                raise IllegalEntry(
                    f"step {step} is {'a' if gate else 'no'} gate, {event.value!r} is not for it"
                )
            if event in _BEGINS and self._missing[step]:
                raise IllegalEntry(f"step {step} began before what it needs")
            if event is Event.GIVEN_UP and not self.can_give_up(step):
                raise IllegalEntry(f"step {step} has no snapshot that is read from")
        elif event is Event.UNDO_INTENT and (self.back is None or not self.tried(step)):
            raise IllegalEntry(f"step {step} has nothing to be undone")
        return new

    def can_give_up(self, step: str) -> bool:
        """Return whether something still reads the snapshot of a step, which was not given up yet."""
        readers, drop = users_of(self.runbook, step)
        return (
            drop is not None
            and self.status[drop.id] is Status.PENDING
            and step not in self.given_up
            and any(self.status[one.id] not in SETTLED for one in readers)
        )

    def _append_to_run(self, entry: Entry, runbook: Runbook) -> None:
        if entry.event is Event.CYCLE:
            self.runbook = runbook
            self.added.update(step["id"] for step in entry.detail["steps"])
            self._rearrange()
        elif entry.event is Event.OVERLOOKED:
            if not isinstance(request := entry.detail.get("request"), int):
                raise IllegalEntry("what is overlooked is of no request")
            self.overlooked[request] = entry.detail
        else:
            self.mode = Mode(entry.event.value)
            self.spent.clear()
            self.held.clear()
            self.watched.clear()
            self.given_up.clear()
            self.back = WayBack.begin(self.runbook, self.mode.value, self._left)

    def _append_to_step(self, entry: Entry, new: Status) -> None:
        step, event = entry.step, entry.event
        old = self.status[step]
        let_go = bool(self.given_up) and new in _ENDED and self.gives_up(self._read_by(step))
        self.status[step] = new = Status.SKIPPED if let_go else new
        self.held.pop(step, None)
        if event in _TRIES:
            self.attempts[step] = entry.attempt
            self.failures.pop(step, None)
        elif event in _ENDS_WELL:
            self.results[step] = entry.detail
            self.given_up.pop(step, None)
            if self.watched:
                self.watched.pop(self.runbook.step(step).params.get("snapshot", ""), None)
            self._well(step)
        elif event in _ENDS_ILL:
            self._ill(step, entry.detail)
        elif event is Event.HELD:
            self.held[step] = entry.detail
        elif event is Event.WATCHED:
            self.watched[step] = entry.detail
        elif event is Event.GIVEN_UP:
            self._give_up(step, entry.detail)
        elif event is Event.RETRY:
            self.spent.pop(step, None)
            self.removals.pop(self._read_by(step), None)
        elif event is Event.UNDONE:
            self.undone[step] = entry.detail
            self._well(step)
            if self.back is not None:
                self.back.undone(step)
        if let_go:
            self._well(step)
        if new is not old:
            self._move(step, old, new)
        if self.given_up and new is Status.DONE:
            self._begin_anew(step)

    def _read_by(self, step: str) -> str:
        """Return the snapshot that a pass or a comparison reads, empty for others."""
        one = self.runbook.step(step)
        return "" if one.kind == DROP else str(one.params.get("snapshot", ""))

    def _give_up(self, snapshot: str, detail: dict[str, Any]) -> None:
        """Pass over all that reads a snapshot and is not being done, so that its removal comes."""
        self.given_up[snapshot] = detail
        if is_lost(detail):
            self.removals[snapshot] += 1
        self.watched.pop(snapshot, None)
        readers, _ = users_of(self.runbook, snapshot)
        for one in readers:
            if one.kind == "transfer" and self.tried(one.id):
                self.cut_short.add(one.id)
            if self.status[one.id] is not Status.STARTED:
                self.status[one.id] = Status.SKIPPED
                self.unsettled.pop(one.id, None)
                self.held.pop(one.id, None)
                self._well(one.id)
        self._rearrange()

    def _begin_anew(self, step: str) -> None:
        """Have a round wait for its snapshot once that of it which was given up is gone."""
        one = self.runbook.step(step)
        snapshot = one.params.get("snapshot", "") if one.kind == DROP else ""
        if not snapshot or not self.gives_up(snapshot):
            return
        readers, _ = users_of(self.runbook, snapshot)
        for again in (snapshot, step, *(reader.id for reader in readers)):
            self.status[again] = Status.PENDING
            if self.runbook.step(again).kind != "transfer":  # what a pass got to is what the next stands on
                self.results.pop(again, None)
        self.watched.pop(snapshot, None)
        self._rearrange()

    def _move(self, step: str, old: Status, new: Status) -> None:
        pending = Status.PENDING
        if new in _UNSETTLED:
            self.unsettled[step] = None
        else:
            self.unsettled.pop(step, None)
        if old is pending and not self._missing[step]:
            del self.ready[bisect_left(self.ready, self.runbook.index[step])]
        elif new is pending:
            insort(self.ready, self.runbook.index[step])
        if new in SETTLED and old not in SETTLED:
            for user in self.runbook.dependents[step]:
                self._missing[user] -= 1
                if not self._missing[user] and self.status[user] is pending:
                    insort(self.ready, self.runbook.index[user])

    def _well(self, step: str) -> None:
        self.failures.pop(step, None)
        self.spent.pop(step, None)

    def _ill(self, step: str, detail: dict[str, Any]) -> None:
        self.failures[step] = detail
        if (spent := Spent.of(detail)) is not None:
            self.spent[step] = spent
        else:
            self.spent.pop(step, None)
