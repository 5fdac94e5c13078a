"""What a site's receiver answers about the groups it keeps journals of, beside what every receiver does.

enrol ── keep a journal of these disks           fold ── bring the replicas to the newest checkpoint
close ── the same with all there is, and end it  dismiss ── remove it        resynced ── a break of lineage
"""

from __future__ import annotations

from typing import Any, Final

from migrate.daemons.control import Caller, Handler, HungUp, Told, taken
from migrate.journal.answers import checked_name
from migrate.journal.enrolled import Enrolment
from migrate.journal.group import Asked
from migrate.journal.site import SiteJournals
from planner.errors import BadInput, NotFound
from planner.units import MIB

_TELL_BYTES: Final = 64 * MIB


class SiteAnswers:
    """The answers of a site's receiver about its ``journals``."""

    def __init__(self, journals: SiteJournals) -> None:
        self._journals = journals

    def handlers(self) -> dict[str, Handler]:
        """Return the handlers by verb."""
        return {
            "enrol": self._enrol,
            "fold": self._fold,
            "close": self._close,
            "dismiss": self._dismiss,
            "resynced": self._resynced,
            "mend": self._mend,
        }

    def _enrol(self, request: Told, _caller: Caller) -> Told:
        volumes = [volume for volume in taken(request, "volumes", list) if isinstance(volume, str)]
        if not volumes or len(volumes) != len(set(request["volumes"])):
            raise BadInput("a group has no disks, or one twice", "report this")
        one = Enrolment(
            taken(request, "group", str),
            taken(request, "title", str),
            tuple(volumes),
            taken(request, "cycles", str),
            float(taken(request, "history_s", int)),
            taken(request, "hard_bytes", int, 0),
            taken(request, "warning_bytes", int, 0),
            base=checked_name(taken(request, "base", str, "")),
        )
        self._journals.enrol(one, anew=taken(request, "anew", bool, False))
        return {"group": one.group, "disks": len(volumes)}

    def _fold(self, request: Told, caller: Caller) -> Told:
        return {"record": self._journals.fold(taken(request, "group", str), _pace(caller))}

    def _close(self, request: Told, caller: Caller) -> Told:
        asked = Asked(checked_name(taken(request, "name", str)), pinned=True)
        return dict(self._journals.close_at(taken(request, "group", str), asked, _pace(caller)))

    def _dismiss(self, request: Told, _caller: Caller) -> Told:
        return {"dismissed": self._journals.dismiss(taken(request, "group", str))}

    def _resynced(self, request: Told, _caller: Caller) -> Told:
        volume = taken(request, "volume", str)
        try:
            self._journals.resynced(volume, taken(request, "why", str))
        except NotFound:
            return {"noted": False}
        return {"noted": True}

    def _mend(self, request: Told, _caller: Caller) -> Told:
        mended = self._journals.mend(taken(request, "group", str))
        return {"aside": str(mended.aside), "why": mended.why, "checkpoints": list(mended.checkpoints)}


def _pace(caller: Caller) -> Any:
    """Return what tells a caller how many bytes were moved, and gives up when it has gone."""
    told, moved = 0, 0

    def pace(size_bytes: int) -> None:
        nonlocal told, moved
        moved += size_bytes
        if moved - told >= _TELL_BYTES:
            told = moved
            if caller.is_gone():
                raise HungUp("whoever moved history on has gone")
            caller.tell({"moved_bytes": moved})

    return pace
