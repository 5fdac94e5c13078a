"""What a run waits for by itself, as data and in words.

Steps that failed rest and are tried again (``waiting``); others are due and somebody else holds them up
(``held_up``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from migrate.run.actions import waits
from migrate.run.patience import Spent
from planner.names import visible
from planner.units import show_count, show_duration

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.runbook import Step


@dataclass(frozen=True, slots=True)
class Waiting:
    """A step that rests. Times are aware; ``said`` is why it failed, harmless to print."""

    step: str
    title: str
    said: str
    again_at: datetime
    gives_up_at: datetime

    def moments(self) -> dict[str, str]:
        """Return both moments as ISO 8601 in UTC."""
        return {"again_at": _iso(self.again_at), "gives_up_at": _iso(self.gives_up_at)}


def waiting(history: History) -> tuple[Waiting, ...]:
    """Return the steps that rest until they are tried again, the soonest first."""
    found = []
    for step in dict.fromkeys((*history.unsettled, *_undoing(history))):
        if waits(history, step):
            spent = history.spent[step]
            found.append(
                Waiting(
                    step,
                    visible(history.runbook.step(step).title),
                    visible(str(history.failures[step].get("message", "")), 200),
                    _moment(spent.again_s or spent.at_s),
                    _moment(spent.gives_up_s),
                )
            )
    return tuple(sorted(found, key=lambda one: one.again_at))


def _undoing(history: History) -> list[str]:
    """Return the steps of the way back that failed: those are not among the unsettled ones."""
    return [] if history.back is None else [one for one in history.spent if one in history.back.left]


def when(one: Waiting, now: datetime) -> str:
    """Return when it is tried again and until when: ``tries again in 40 s, gives up at 14:20 UTC``."""
    left_s = max((one.again_at - now).total_seconds(), 0.0)
    again = f"tries again in {show_duration(round(left_s))}" if left_s >= 1 else "tries again now"
    day = "" if one.gives_up_at.date() == now.astimezone(UTC).date() else f"{one.gives_up_at:%Y-%m-%d} "
    return f"{again}, gives up at {day}{one.gives_up_at:%H:%M} UTC"


def rests(detail: Mapping[str, Any]) -> str:
    """Return the same of an entry as it is written, empty when a person decides."""
    spent = Spent.of(detail)
    if spent is None or spent.again_s is None:
        return ""
    one = Waiting("", "", "", _moment(spent.again_s), _moment(spent.gives_up_s))
    return when(one, _moment(spent.at_s))


def held_up(history: History) -> Mapping[str, Any]:
    """Return what the first step waits for whose turn has come (``why``, ``since``); empty for nothing."""
    return min(history.held.values(), key=lambda held: str(held["since"]), default={})


def watched(history: History) -> tuple[str, ...]:
    """Return what is told of snapshots that are there, harmless to print."""
    return tuple(
        f"{history.runbook.step(step).title}: {visible(str(found['why']), 400)}"
        for step, found in history.watched.items()
        if found["why"]
    )


def clause(held: Mapping[str, Any]) -> str:
    """Return it in words, harmless to print: ``waits for a foreign snapshot of db-1 since … UTC``."""
    since = str(held["since"])[:16].replace("T", " ")
    return f"waits for {held['why']} since {since} UTC"


def overlooked(history: History) -> tuple[str, ...]:
    """Return beside what people have a run go on, harmless to print: ``2 foreign snapshots, says bob: …``."""
    return tuple(
        f"{show_count(sum(map(len, one['snapshots'].values())), 'foreign snapshot')}, says "
        f"{visible(str(one['who']))}: {visible(str(one['reason']))}"
        for one in history.overlooked.values()
    )


def titled(history: History, step: Step) -> str:
    """Return the title of a step, with what it waits for."""
    held = history.held.get(step.id)
    return f"{step.title} {clause(held)}" if held else step.title


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _moment(epoch_s: float) -> datetime:
    return datetime.fromtimestamp(epoch_s, UTC)
