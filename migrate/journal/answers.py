"""What a process that has journals answers about them: verbs for ``migrate.daemons.control``.

    checkpoint ── make one, now or when the cycle ends       checkpoints ── list them, and how they are kept
    note ── pin, free, add a result                          serve-image ── serve one, until it is let go
    mend ── go on before the damage of a journal that rotted

Groups and checkpoints come as text from whoever asked; what is said of them is plain data.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from migrate.daemons.control import Caller, Handler, HungUp, Told, taken
from migrate.journal.change import unusual
from migrate.journal.group import Asked, GroupJournal
from migrate.journal.health import Health
from migrate.journal.keeping import disks_bytes, look
from migrate.journal.limits import Limits
from migrate.journal.mending import resync
from migrate.journal.serving import served
from migrate.journal.state import Checkpoint
from migrate.journal.store import FOLDER, Journals
from migrate.replication.logfile import LogFile
from migrate.replication.progress import ProgressLog
from migrate.sites.consistency import Consistency
from planner.errors import BadInput, Blocked, NotFound, StepFailed, WherryError
from planner.names import content_id, visible
from planner.units import GIB, show_bytes

TEXT_MAX: Final = 1000  # of a name or a result: each segment of a journal begins with all of them
RESULTS_MAX: Final = 100
SCRATCH_BYTES: Final = 10 * GIB  # where nobody says more or less
_TICK_S: Final = 0.2


class Answers:
    """The answers about ``journals`` of ``store``. ``receives`` says whether passes may come, and end.

    ``limits`` is what is asked of each journal, ``health`` tells how one that is kept stands.
    """

    def __init__(
        self,
        journals: Journals,
        store: Path,
        limits: Limits,
        *,
        receives: bool,
        health: Callable[[GroupJournal], Health | None] | None = None,
    ) -> None:
        self._journals = journals
        self._store = store
        self._limits = limits
        self._receives = receives
        self._health = health or self._look

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by verb."""
        return {
            "checkpoint": self._checkpoint,
            "checkpoints": self._checkpoints,
            "note": self._note,
            "serve-image": self._serve_image,
            "mend": self._mend,
        }

    def _checkpoint(self, request: Told, caller: Caller) -> Told:
        group = self._journals.group(taken(request, "group", str))
        name = checked_name(taken(request, "name", str, ""))
        asked = Asked(name, told_consistency(request), taken(request, "pinned", bool, False))
        if not taken(request, "wait", bool, False):
            point = group.checkpoint(asked)
            assert point is not None, "who does not wait gets one or an error"
            return plain(point)
        if not self._receives and (why := group.unrest()):
            raise Blocked(
                f"group {visible(group.name, 200)} is between two points: {why}; and no receiver is at work",
                "start the receiver and let the cycle end",
            )
        later = group.later(asked)
        try:
            if later.made is None:
                caller.tell({"waiting": group.unrest()})
            while later.made is None and later.failed is None:
                if caller.is_gone(_TICK_S):
                    raise HungUp("whoever wanted the checkpoint has gone")
        finally:
            group.withdraw(later)
        if later.made is None:
            raise StepFailed(
                f"the checkpoint of {visible(group.name, 200)} failed: {later.failed}",
                "look at the journal's storage",
            )
        return plain(later.made)

    def _checkpoints(self, request: Told, caller: Caller) -> Told:
        wanted = taken(request, "group", str, "")
        for name in [wanted] if wanted else self._journals.names():
            try:
                caller.tell(self._described(self._journals.group(name)))
            except HungUp:
                raise
            except WherryError as error:
                if wanted:
                    raise
                caller.tell({"group": name, "error": error.as_json()})  # the others can still be listed
        return {}

    def _described(self, group: GroupJournal) -> dict[str, Any]:
        points = group.checkpoints()
        odd = unusual(points)
        health, trouble = None, ""
        try:
            health = self._health(group)
        except (WherryError, OSError) as error:  # a disk that is not there hides no checkpoint
            trouble = str(error)
        return {
            "group": group.name,
            "volumes": list(group.volumes),
            "unrest": group.unrest(),
            "checkpoints": [plain(point) | {"unusual": odd.get(point.record, "")} for point in points],
            "health": asdict(health) if health is not None else None,
            "trouble": trouble,
            "error": None,
        }

    def _look(self, group: GroupJournal) -> Health | None:
        now_ms = time.time_ns() // 1_000_000
        return look(group, self._limits, now_ms) if group.is_journalled else None

    def _note(self, request: Told, _caller: Caller) -> Told:
        group, point = self._found(request)
        result = _checked_text("a result", taken(request, "result", str, ""))
        if result and len(point.results) >= RESULTS_MAX:
            raise BadInput(
                f"checkpoint {point.record} has {RESULTS_MAX} results already",
                "keep the rest elsewhere, and name the place in one",
            )
        pinned = taken(request, "pinned", bool) if "pinned" in request else None
        group.note(point.record, pinned=pinned, result=result)
        return plain(group.find(str(point.record)))

    def _serve_image(self, request: Told, caller: Caller) -> Told:
        group, point = self._found(request)
        wanted = dict.fromkeys(map(str, taken(request, "volumes", list, [])))
        volumes = list(wanted or group.volumes_at(point.record))
        for volume in volumes:
            if volume not in group.volumes:
                raise NotFound(
                    f"volume {visible(volume, 200)} is not of group {visible(group.name, 200)}",
                    "wherry checkpoints GROUP --json lists its volumes",
                )
        scratch = self._scratch(request, group) if taken(request, "writable", bool, False) else None
        where = taken(request, "where", str, "")
        with served(group, point.record, volumes, self._store, where=where, scratch_bytes=scratch) as serving:
            caller.tell({**asdict(serving), "group": group.name, "checkpoint": plain(point)})
            while not caller.is_gone(_TICK_S):
                pass
        return {}

    def _mend(self, request: Told, _caller: Caller) -> Told:
        name = taken(request, "group", str)
        if name not in self._journals.names():
            raise NotFound(f"group {visible(name, 200)} is not served here", "wherry checkpoints lists them")
        if self._receives:
            raise Blocked(
                f"the journal of {visible(name, 200)} is open in a receiver at work",
                "end the receiver, mend, and start it anew",
            )
        self._journals.close()
        mended = resync(self._store / FOLDER / content_id(name), name, lambda: self._poison(name))
        return {"aside": str(mended.aside), "why": mended.why, "checkpoints": list(mended.checkpoints)}

    def _poison(self, name: str) -> None:
        """Have the next pass of each disk of a group compare."""
        for volume in self._journals.volumes(name):
            ProgressLog(LogFile(self._store, volume), volume).poison(())

    def _scratch(self, request: Told, group: GroupJournal) -> int:
        """Return how much may be written to each disk; raises BadInput for more than the receiver gives."""
        wanted = taken(request, "scratch_bytes", int, 0)
        most = self._limits.of(disks_bytes(group)).scratch_bytes
        if most and wanted > most:
            raise BadInput(
                f"a scratch of {show_bytes(wanted)} is more than the receiver gives, {show_bytes(most)}",
                "ask for less, or give it a larger --scratch-limit",
            )
        return wanted or most or SCRATCH_BYTES

    def _found(self, request: Told) -> tuple[GroupJournal, Checkpoint]:
        group = self._journals.group(taken(request, "group", str))
        return group, group.find(taken(request, "checkpoint", str))


def plain(point: Checkpoint) -> dict[str, Any]:
    """Return a checkpoint as plain data."""
    return asdict(point) | {"results": list(point.results), "consistency": point.consistency.value}


def told_consistency(request: Mapping[str, Any]) -> Consistency | None:
    """Return the consistency a request tells, None when it tells none; raises BadInput."""
    told = taken(request, "consistency", str, "")
    try:
        return Consistency(told) if told else None
    except ValueError as error:
        raise BadInput(f"{visible(told, 80)} is no consistency", f"say {', '.join(Consistency)}") from error


def checked_name(name: str) -> str:
    """Return a name a checkpoint can be found by; raises BadInput."""
    if name.isdigit() or name == "latest":
        raise BadInput(
            f"a checkpoint cannot be called {visible(name, 80)}, which means another one",
            "give it a name with words",
        )
    return _checked_text("the name of a checkpoint", name)


def _checked_text(what: str, text: str) -> str:
    """Return text that can be kept and shown; raises BadInput."""
    if len(text) > TEXT_MAX or any(0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise BadInput(f"{what} is up to {TEXT_MAX} characters of Unicode", "write another one")
    return text
