"""A watch over open snapshots: what would fill a datastore is found in time, and what others removed.

A datastore that is full stops every VM on it, the ones that are to be moved first. So a snapshot is given
up when less than a floor is free there, or when there is little and it would be gone within minutes at the
pace of the last look. The watch has a thread of its own, for the driver may be at one act for hours. It
decides and has the readers stop at an edge; the driver puts it into the record, from which all else follows
(``migrate.run.history``). What dies in between has recorded nothing, and looks again.

A snapshot that somebody else removed, or reverted its VM behind, is given up in the same way: what was read
of it is of no one moment, or of one that nobody wants any more. At the third time a person is asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING

from migrate.clock import SimulatedClock
from migrate.run.history import SETTLED, History, Mode, Status
from migrate.run.runbook import DROP, Step, users_of
from migrate.sites.removals import How, Lost, TellsRemovals
from migrate.sites.rooms import Room, Roomy
from planner.errors import Paused, StepFailed, Unreachable, WherryError
from planner.names import visible
from planner.units import show_bytes

if TYPE_CHECKING:
    from migrate.clock import Clock
    from migrate.steps.kind import Result

LOOK_S = 20.0
_SOON_S = 300.0  # room for less than that, where there is less than a snapshot begins with
REMOVALS = 3  # of one snapshot by others, or reverts behind it, and a person is asked
_PATIENCE_S = 30.0  # for a look that is under way


@dataclass(frozen=True, slots=True)
class _Seen:
    """A datastore at an earlier look, and by how many bytes a second it filled up to then."""

    at_s: float
    free_bytes: int
    pace_bytes_s: float = 0.0


class RoomWatch:
    """Watches the snapshots of one run while it is entered. ``floor`` is the part that is to stay free.

    A site that says nothing of either is not watched, and nothing is on a simulated clock.
    """

    def __init__(
        self,
        site: object,
        history: History,
        clock: Clock,
        floor: Callable[[], float],
        *,
        look_s: float = LOOK_S,
    ) -> None:
        is_real = not isinstance(clock, SimulatedClock)
        self._site = site if isinstance(site, Roomy) and is_real else None
        self._tells = site if isinstance(site, TellsRemovals) and is_real else None
        self._history = history
        self._clock = clock
        self._floor = floor
        self._look_s = look_s
        self._seen: dict[str, _Seen] = {}
        self._found: dict[str, tuple[str, Result]] = {}  # snapshot step → snapshot, what is told
        self._lost: dict[str, tuple[str, Result]] = {}  # snapshot step → snapshot, what is told
        self._stopped: frozenset[str] = frozenset()
        self._failed: BaseException | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> RoomWatch:
        if self._looks:
            self._thread = threading.Thread(target=self._watch, name="wherry-room", daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join(_PATIENCE_S)

    @property
    def _looks(self) -> bool:
        return self._site is not None or self._tells is not None

    @property
    def rest_s(self) -> float | None:
        """Seconds after which the driver asks again what was found, None where nothing can be."""
        return 1.0 if self._looks else None

    def stops(self, volume: str) -> bool:
        """Return whether whoever reads a volume shall stop between two blocks; for any thread."""
        return volume in self._stopped

    def take(self) -> list[tuple[Step, Result]]:
        """Return the snapshots to give up, with what is told of each; for the driver's own thread.

        Raises what the watch failed with: nobody goes on without it.
        """
        if self._failed is not None:
            raise self._failed
        if not self._found and not self._lost and not self._stopped:
            return []
        history, due = self._history, []
        going = [one for one in history.given_up if history.gives_up(one)]
        for step in list(_open(history)):
            if (gone := self._gone(step.id)) is not None:
                going.append(step.id)
                if history.removals[step.id] < REMOVALS - 1:
                    due.append((step, gone))
                continue
            snapshot, told = self._found.pop(step.id, ("", {}))
            if snapshot and snapshot == history.results[step.id].get("id"):
                due.append((step, told))
        self._found.clear()
        going += [step.id for step, _ in due]
        self._stopped = frozenset(volume for one in going for volume in _volumes(history, one))
        return due

    def _watch(self) -> None:
        """Look again and again; for the thread."""
        try:
            self.look()
            while not self._over.wait(self._look_s):
                self.look()
        except BaseException as error:  # noqa: BLE001 - the driver raises it
            self._failed = error

    def look(self) -> None:
        """Look once at all open snapshots and their room, and have the readers of those stop that must go."""
        for step in list(_open(self._history)):
            self._look_for(step)
            self._look_at_room(step)

    def explains(self, step: Step, error: BaseException) -> bool:
        """Return whether a step failed because others took the snapshot that it reads; asks the site.

        Then it is to be given up, or nobody knows how to go on: see ``too_often``.
        """
        taken = step.params.get("snapshot", "")
        if step.kind == DROP or not taken or self._tells is None:
            return False
        if not any(one.id == taken for one in _open(self._history)):
            return False
        if not isinstance(error, Paused | Unreachable):  # who stopped it, or was not answered, need not ask
            self._look_for(self._history.runbook.step(taken))
        return self._gone(taken) is not None

    def too_often(self, step: Step) -> StepFailed | None:
        """Return what to tell a person when others take the snapshot that a step reads time and again."""
        taken = step.params["snapshot"]
        gone = self._gone(taken)
        if gone is None or self._history.removals[taken] < REMOVALS - 1:
            return None
        return StepFailed(
            f"{step.title}: {gone['why']}, for the {REMOVALS}rd time",
            "see in vCenter's tasks who does that, a backup job for one, and stop it, then retry",
        )

    def _gone(self, step: str) -> Result | None:
        """Return what is told of the present snapshot of a step when it is lost by others."""
        snapshot, told = self._lost.get(step, ("", None))
        return told if snapshot and snapshot == self._history.results.get(step, {}).get("id") else None

    def _look_for(self, step: Step) -> None:
        """See whether a snapshot stands; what a site does not say now it may say later."""
        taken = self._history.results.get(step.id, {})
        snapshot, parts = str(taken.get("id", "")), frozenset(taken.get("parts", {}).values())
        if self._tells is None or not snapshot:
            return
        try:
            lost = self._tells.lost_from(snapshot, tuple(step.params["vms"]), parts)
        except (WherryError, OSError):
            return
        if lost:
            self._lost[step.id] = snapshot, _told_of_loss(lost)
            self._stopped |= frozenset(_volumes(self._history, step.id))

    def _look_at_room(self, step: Step) -> None:
        if self._site is not None:
            floor = self._floor()
            snapshot = str(self._history.results.get(step.id, {}).get("id", ""))
            try:
                rooms = self._site.rooms(tuple(step.params["vms"]))
            except (WherryError, OSError):
                return  # it says nothing now
            for room in rooms:
                if self._runs_out(room, floor):
                    self._found[step.id] = snapshot, _told(room)
                    self._stopped |= frozenset(_volumes(self._history, step.id))

    def _runs_out(self, room: Room, floor: float) -> bool:
        """Return whether a datastore is about to be full; the pace is that between two looks."""
        now_s = self._clock.now_s()
        seen = self._seen.get(room.datastore)
        if seen is None:
            seen = self._seen[room.datastore] = _Seen(now_s, room.free_bytes)
        elif (passed_s := now_s - seen.at_s) > self._look_s / 2:  # else another group has just looked
            pace = (seen.free_bytes - room.free_bytes) / passed_s
            seen = self._seen[room.datastore] = _Seen(now_s, room.free_bytes, pace)
        if floor <= 0:
            return False
        is_little = room.free_bytes < room.reserve_bytes
        is_soon = is_little and room.free_bytes < seen.pace_bytes_s * _SOON_S
        return room.free_bytes < floor * room.capacity_bytes or is_soon


def _open(history: History) -> Iterator[Step]:
    """Yield the steps whose snapshots are there and read from, and were not given up.

    On the way back all of them go anyway.
    """
    for step in history.runbook.steps if history.mode is Mode.FORWARD else ():
        if step.kind == "snapshot" and history.status[step.id] is Status.DONE:
            readers, removal = users_of(history.runbook, step.id)
            waits = removal is not None and history.status[removal.id] is Status.PENDING
            if waits and step.id not in history.given_up and any(_is_left(history, one) for one in readers):
                yield step


def _is_left(history: History, step: Step) -> bool:
    return history.status[step.id] not in SETTLED


def _volumes(history: History, snapshot: str) -> Iterator[str]:
    """Yield the volumes that a snapshot is read for."""
    for step in users_of(history.runbook, snapshot)[0]:
        if "volume" in step.params:
            yield step.params["volume"]
        yield from (volume for volume, _ in step.params.get("volumes", ()))


def _told_of_loss(lost: tuple[Lost, ...]) -> Result:
    named = {how: [one.vm for one in lost if one.how is how] for how in How}
    removed, reverted = named[How.REMOVED], named[How.REVERTED]
    names = removed or reverted
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    shown = f"{visible(names[0], 80)}{more}"
    why = f"removed the snapshot of {shown}" if removed else f"reverted {shown} behind our snapshot"
    return {"why": f"somebody {why}", **{how.value: names for how, names in named.items() if names}}


def _told(room: Room) -> Result:
    left, all_ = show_bytes(room.free_bytes), show_bytes(room.capacity_bytes)
    return {
        "why": f"datastore {visible(room.datastore, 80)} had {left} left of {all_}",
        "datastore": room.datastore,
        "free_bytes": room.free_bytes,
        "capacity_bytes": room.capacity_bytes,
    }
