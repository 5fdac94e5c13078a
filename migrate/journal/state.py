"""What a journal knows of itself: its epoch, its checkpoints, and how far its replicas have come.

Marks are records like any other, so they have one order with the writes and one way to be durable. The
state is what all marks so far come to; each segment begins with it, so older segments can go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from migrate.journal.frames import JournalCorrupt
from migrate.sites.consistency import Consistency


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A point in the order of writes: every record up to ``record`` and none after it.

    ``at_ms`` is the moment it stands for, milliseconds since 1970 UTC. ``consistency`` is what was really
    reached, ``cycle`` the passes that brought it. ``written_bytes`` were written since the checkpoint
    before, zeros aside, and packed as ``packed_bytes``. ``results`` are what people and rehearsals noted,
    oldest first.
    """

    record: int
    at_ms: int
    consistency: Consistency = Consistency.CRASH
    name: str = ""
    epoch: int = 0
    pinned: bool = False
    written_bytes: int = 0
    packed_bytes: int = 0
    cycle: str = ""
    results: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """The marks so far. Records up to ``promoted`` are in the replicas for certain; those up to
    ``floor`` may be, so no checkpoint before it is offered. ``epoch`` counts the breaks of lineage.
    ``torn`` says why what is newest is no instant of the source, empty when it is one. ``streamed`` is
    the tap whose disks it is, all but what that tap knows itself; empty when it came in passes. ``tap`` is
    the one that may stream, of generation ``generation``.
    """

    epoch: int = 0
    why: str = ""
    floor: int = 0
    promoted: int = 0
    torn: str = ""
    streamed: str = ""
    tap: str = ""
    generation: int = 0
    checkpoints: Mapping[int, Checkpoint] = field(default_factory=dict)

    def marked(self, mark: Mapping[str, Any], record: int) -> State:
        """Return the state after a mark that is record number ``record``; raises JournalCorrupt."""
        try:
            return _MARKS[mark["mark"]](self, mark, record)
        except (KeyError, TypeError, ValueError) as error:
            raise JournalCorrupt(f"record {record} of a journal is a mark that makes no sense") from error

    def dump(self) -> dict[str, Any]:
        """Return it as plain data."""
        plain = asdict(replace(self, checkpoints={}))
        return plain | {"checkpoints": [asdict(point) for point in self.checkpoints.values()]}

    @staticmethod
    def load(plain: Mapping[str, Any]) -> State:
        """Return what ``dump`` made plain; raises JournalCorrupt."""
        try:
            points = [_checkpoint(**point) for point in plain["checkpoints"]]
            return State(**{**plain, "checkpoints": {point.record: point for point in points}})
        except (KeyError, TypeError, ValueError) as error:
            raise JournalCorrupt("a segment of a journal begins with what makes no sense") from error


def checkpoint_mark(
    at_ms: int,
    consistency: Consistency,
    name: str,
    cycle: str = "",
    written_bytes: int = 0,
    packed_bytes: int = 0,
) -> dict[str, Any]:
    """Return the mark that makes a checkpoint of everything before it."""
    return {
        "mark": "checkpoint",
        "at_ms": at_ms,
        "consistency": consistency.value,
        "name": name,
        "cycle": cycle,
        "written_bytes": written_bytes,
        "packed_bytes": packed_bytes,
    }


def note_mark(record: int, *, pinned: bool | None = None, result: str = "") -> dict[str, Any]:
    """Return the mark that pins or frees a checkpoint, or adds a result to it."""
    return {"mark": "note", "record": record, "pinned": pinned, "result": result}


def label_mark(record: int, consistency: Consistency) -> dict[str, Any]:
    """Return the mark that says what a checkpoint is worth, once that is known."""
    return {"mark": "label", "record": record, "consistency": consistency.value}


def drop_mark(records: Iterable[int]) -> dict[str, Any]:
    """Return the mark after which these checkpoints are offered no more."""
    return {"mark": "drop", "records": list(records)}


def floor_mark(record: int) -> dict[str, Any]:
    """Return the mark that withdraws every checkpoint before ``record``: the replicas may move there."""
    return {"mark": "floor", "record": record}


def promoted_mark(record: int) -> dict[str, Any]:
    """Return the mark that says the replicas durably hold every record up to ``record``."""
    return {"mark": "promoted", "record": record}


def epoch_mark(why: str) -> dict[str, Any]:
    """Return the mark of a break of lineage: what comes is found by comparison, what was stays."""
    return {"mark": "epoch", "why": why}


def torn_mark(why: str) -> dict[str, Any]:
    """Return the mark from which on the newest content is no instant of the source; "" ends that."""
    return {"mark": "torn", "why": why}


def streamed_mark(tap: str) -> dict[str, Any]:
    """Return the mark from which on what is newest is what that tap has; "" when somebody else wrote."""
    return {"mark": "streamed", "tap": tap}


def tap_mark(tap: str, generation: int) -> dict[str, Any]:
    """Return the mark from which on that tap streams the group, and no other one."""
    return {"mark": "tap", "tap": tap, "generation": generation}


def seal_mark() -> dict[str, Any]:
    """Return the mark that says nothing but what was durable when it was made."""
    return {"mark": "seal"}


def _checkpoint(record: int, at_ms: int, consistency: str, results: Iterable[str], **rest: Any) -> Checkpoint:
    return Checkpoint(record, at_ms, Consistency(consistency), results=tuple(results), **rest)


def _made(state: State, mark: Mapping[str, Any], record: int) -> State:
    point = Checkpoint(
        record,
        int(mark["at_ms"]),
        Consistency(mark["consistency"]),
        str(mark["name"]),
        state.epoch,
        written_bytes=int(mark["written_bytes"]),
        packed_bytes=int(mark["packed_bytes"]),
        cycle=str(mark["cycle"]),
    )
    return replace(state, checkpoints={**state.checkpoints, record: point})


def _noted(state: State, mark: Mapping[str, Any], _record: int) -> State:
    point = state.checkpoints.get(mark["record"])
    if point is None:  # it was dropped in the meantime
        return state
    if mark["pinned"] is not None:
        point = replace(point, pinned=bool(mark["pinned"]))
    if mark["result"]:
        point = replace(point, results=(*point.results, str(mark["result"])))
    return replace(state, checkpoints={**state.checkpoints, point.record: point})


def _labelled(state: State, mark: Mapping[str, Any], _record: int) -> State:
    consistency = Consistency(mark["consistency"])
    point = state.checkpoints.get(mark["record"])
    if point is None:
        return state
    return replace(
        state, checkpoints={**state.checkpoints, point.record: replace(point, consistency=consistency)}
    )


def _dropped(state: State, mark: Mapping[str, Any], _record: int) -> State:
    gone = set(mark["records"])
    kept = {record: point for record, point in state.checkpoints.items() if record not in gone}
    return replace(state, checkpoints=kept)


def _floored(state: State, mark: Mapping[str, Any], _record: int) -> State:
    floor = max(state.floor, int(mark["record"]))
    kept = {record: point for record, point in state.checkpoints.items() if record >= floor}
    return replace(state, floor=floor, checkpoints=kept)


def _promoted(state: State, mark: Mapping[str, Any], _record: int) -> State:
    return replace(state, promoted=max(state.promoted, int(mark["record"])))


def _broken(state: State, mark: Mapping[str, Any], _record: int) -> State:
    return replace(state, epoch=state.epoch + 1, why=str(mark["why"]), streamed="")


def _tore(state: State, mark: Mapping[str, Any], _record: int) -> State:
    return replace(state, torn=str(mark["why"]))


def _streamed(state: State, mark: Mapping[str, Any], _record: int) -> State:
    return replace(state, streamed=str(mark["tap"]))


def _owned(state: State, mark: Mapping[str, Any], _record: int) -> State:
    return replace(state, tap=str(mark["tap"]), generation=int(mark["generation"]))


_MARKS: Mapping[str, Callable[[State, Mapping[str, Any], int], State]] = {
    "checkpoint": _made,
    "note": _noted,
    "label": _labelled,
    "drop": _dropped,
    "floor": _floored,
    "promoted": _promoted,
    "epoch": _broken,
    "torn": _tore,
    "streamed": _streamed,
    "tap": _owned,
    "seal": lambda state, _mark, _record: state,
}
